"""How Sapo says no: a text under a key, or a message alone.

The texts that the seed prints are used as they stand there, for they are the platform's words.
Those that it does not print are worded after them, and marked.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import HttpReply, json_reply
from carrierflow.sandbox.refusals import SandboxError


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "SapoRefusal",
    "cannot_be_cancelled",
    "cannot_be_received",
    "cannot_be_shipped",
    "cannot_be_taken_back",
    "data_error",
    "message_error",
    "not_there",
]

ALREADY_FINALIZED = "Đơn hàng đã được xác nhận rồi"
ALREADY_CANCELLED = "Đơn hàng đã bị hủy"
ALREADY_FINISHED = "Đơn hàng đã ở trạng thái ngừng thao tác"
DRAFT_CANNOT_FINISH = "Không thể kết thúc đơn hàng đang ở trạng thái 'đặt hàng'"
NO_SUCH_ORDER = "Đơn hàng không tồn tại"
NO_SUCH_PREPAYMENT = "Không tìm thấy phiếu thanh toán trước"
NO_SUCH_METHOD = "Phương thức thanh toán không tồn tại"
NO_SUCH_CARRIER = "Đối tác vận chuyển không tồn tại hoặc không khả dụng"
NOT_A_DELIVERY = (
    "Gói hàng có phương thức giao hàng khác 'Dịch vụ giao hàng', không thể tạo phiếu đặt cọc"
)
NO_SUCH_PARCEL = "Gói hàng không tồn tại"  # worded after NO_SUCH_ORDER
NOT_FINALIZED = "Đơn hàng chưa được xác nhận"  # worded after ALREADY_FINALIZED
_NOT_RECEIVABLE = "Trạng thái của gói hàng hiện tại không thể chuyển sang 'Đã nhận'"
_NOT_SHIPPABLE = "Trạng thái của gói hàng hiện tại không thể chuyển sang 'Đã xuất kho'"  # after it
_DELIVERED = (
    "Gói hàng đã giao thành công thì không thể hủy. Nếu muốn hoàn lại, hãy tạo phiếu trả hàng"
)
_CANCELLED = "Gói hàng đã bị hủy"  # worded after ALREADY_CANCELLED
_NOT_WAITING = "Chỉ có thể nhận lại gói hàng ở trạng thái 'đã hủy - chờ nhận lại'"


class SapoRefusal(SandboxError):  # noqa: N818 - named like its siblings
    """Sapo does not do what it was asked; its body is what a client is shown."""

    def __init__(self, status: int, body: dict[str, Any], text: str) -> None:
        super().__init__(text)
        self.status = status
        self.body = body

    def reply(self) -> HttpReply:
        """Return the refusal as it goes over the wire."""
        return json_reply(self.status, self.body)


def data_error(errors: Mapping[str, str]) -> SapoRefusal:
    """Return a refusal with a text under each key; a key is a field, a sentence, or nothing."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    body = {"data_error": {"status": int(status), "errors": dict(errors)}}
    return SapoRefusal(status, body, "; ".join(errors.values()))


def message_error(status: int, text: str) -> SapoRefusal:
    """Return a refusal that is a message alone; with which status it comes is not documented."""
    return SapoRefusal(status, {"error": {"message": text}}, text)


def not_there(text: str) -> SapoRefusal:
    """Return the refusal of something that is not there, assumed to be a 404."""
    return message_error(HTTPStatus.NOT_FOUND, text)


def cannot_be_shipped() -> SapoRefusal:
    """Return the refusal of a ship that the parcel's state does not allow."""
    return data_error({"": _NOT_SHIPPABLE})


def cannot_be_received() -> SapoRefusal:
    """Return the refusal of a receive that the parcel's state does not allow."""
    return data_error({"": _NOT_RECEIVABLE})


def cannot_be_cancelled(fulfillment_id: int, *, is_delivered: bool) -> SapoRefusal:
    """Return the refusal of a cancel, under a key that holds the parcel's id."""
    text = _DELIVERED if is_delivered else _CANCELLED
    return data_error({f"fulfillment có id = {fulfillment_id}": text})


def cannot_be_taken_back() -> SapoRefusal:
    """Return the refusal to take back a parcel that does not wait to come back."""
    return data_error({"status": _NOT_WAITING})
