"""The envelope that is around every answer of Onflow's Open API.

Documented are the envelope of a success and the general error codes with their texts. What else a
failure's envelope holds is not: here `data` is null, `messages` is the text, and `log_id` is set.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import json_reply
from carrierflow.sandbox.onflow.status_numbers import OnflowLanguage


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.exchange import HttpReply


__all__ = ["OnflowProblem", "failure", "success"]

_VERSION = "1.0.3"


class OnflowProblem(StrEnum):
    """Error codes; the last three are invented, those above are documented."""

    BAD_REQUEST = "BAD_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    SHIPMENT_CANNOT_BE_CANCELLED = "SHIPMENT_CANNOT_BE_CANCELLED"
    REFERENCE_TAKEN = "REFERENCE_TAKEN"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


_ENGLISH: Mapping[OnflowProblem, str] = {
    OnflowProblem.BAD_REQUEST: "Bad request",
    OnflowProblem.UNAUTHORIZED: "Invalid access token",
    OnflowProblem.NOT_FOUND: "Resource not found",
    OnflowProblem.METHOD_NOT_ALLOWED: "Method not allowed",
    OnflowProblem.INVALID_PAYLOAD: "Invalid request payload",
    OnflowProblem.INTERNAL_SERVER_ERROR: "Internal server error",
    OnflowProblem.SHIPMENT_CANNOT_BE_CANCELLED: "Shipment cannot be cancelled",
    OnflowProblem.REFERENCE_TAKEN: "Reference exists already",
    OnflowProblem.TOO_MANY_REQUESTS: "Too many requests",
}
_VIETNAMESE: Mapping[OnflowProblem, str] = {
    OnflowProblem.NOT_FOUND: "Không tìm thấy tài nguyên",
    OnflowProblem.METHOD_NOT_ALLOWED: "Phương thức không được hỗ trợ",
    OnflowProblem.SHIPMENT_CANNOT_BE_CANCELLED: "Không thể hủy vận đơn",
}
"""Those without a Vietnamese text have none in the document either."""


def success(data: Any, *, total: int = 1) -> HttpReply:
    """Return an answer to what was done or found."""
    envelope = {
        "data": data,
        "error": False,
        "error_code": None,
        "log_id": None,
        "messages": "OK",
        "total": total,
        "version": _VERSION,
        "error_detail": None,
    }
    return json_reply(200, envelope)


def failure(
    problem: OnflowProblem,
    *,
    status: int,
    log_id: str,
    language: OnflowLanguage = OnflowLanguage.ENGLISH,
    detail: str | None = None,
) -> HttpReply:
    """Return an answer to what was not; with the status 200 only the error flag says so."""
    translated = _VIETNAMESE if language is OnflowLanguage.VIETNAMESE else _ENGLISH
    envelope = {
        "data": None,
        "error": True,
        "error_code": problem,
        "log_id": log_id,
        "messages": translated.get(problem, _ENGLISH[problem]),
        "total": 0,
        "version": _VERSION,
        "error_detail": detail,
    }
    return json_reply(status, envelope)
