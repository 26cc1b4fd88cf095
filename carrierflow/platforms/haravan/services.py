"""The carrier services of a shop on Haravan: registering, reading, changing, removing.

The list has another shape than one service, and the carriers that Haravan brings along stand
in it too (CarrierService API reference). Which of a row's two ids is the service's is not said
there, so a row is only a hint, and the service itself is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from carrierflow.carrier_service.registration import Listed, Registration
from carrierflow.errors import NotThere
from carrierflow.platforms.haravan.spelling import is_id
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.replies import UnreadableReply


if TYPE_CHECKING:
    from carrierflow.platforms.http.replies import PlatformReply


__all__ = ["HaravanRegistrations"]

_ALL = "/carrier_services.json"
_WRAPPER = "carrier_service"
_URLS = {
    "rates_url": "get_shipping_rates_url",
    "create_url": "create_order_url",
    "detail_url": "get_order_detail_url",
    "cancel_url": "cancel_order_url",
}
_FURTHER_URLS = {
    "by_external_code_url": "get_by_external_code_url",
    "tracking_url": "tracking_url",
}


class HaravanRegistrations:
    """The carriers of one shop, as the port `carrierflow.link.Registrations` has them."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    def close(self) -> None:
        """Close the connections that nobody is using."""
        self._client.close()

    def listed(self) -> list[Listed]:
        """Return every carrier in the shop's list, Haravan's own among them."""
        return self._client.get(_ALL, {}, _read_list)

    def read(self, service_id: str) -> Registration | None:
        """Return one registration; None if there is none of this id."""
        try:
            return self._client.get(_path(service_id), {}, _read_one)
        except NotThere:
            return None

    def create(self, wanted: Registration) -> Registration:
        """Register a carrier; the platform would take the same one twice."""
        return self._client.write("POST", _ALL, _read_one, document=_document(wanted))

    def change(self, service_id: str, wanted: Registration) -> Registration:
        """Overwrite a registration."""
        return self._client.write("PUT", _path(service_id), _read_one, document=_document(wanted))

    def remove(self, service_id: str) -> None:
        """Delete a registration; it is no error if there is none."""
        try:
            self._client.write("DELETE", _path(service_id), lambda _: None)
        except NotThere:
            return


def _path(service_id: str) -> str:
    return f"/carrier_services/{service_id}.json"


def _document(wanted: Registration) -> dict[str, Any]:
    urls = {field: getattr(wanted, name) for name, field in (_URLS | _FURTHER_URLS).items()}
    fields = {
        "name": wanted.name,
        "active": wanted.active,
        "carrier_service_type": "api",
        "service_discovery": False,
        **{field: url for field, url in urls.items() if url},
    }
    return {_WRAPPER: fields}


def _read_one(reply: PlatformReply) -> Registration:
    document = reply.document()
    found = document.get(_WRAPPER) if isinstance(document, dict) else None
    if not isinstance(found, dict) or not is_id(str(found.get("id"))):
        raise UnreadableReply("the reply holds no carrier service with an id")
    return Registration(
        id=str(found["id"]),
        name=str(found.get("name") or ""),
        active=found.get("active") is True,
        by_external_code_url=_text(found.get(_FURTHER_URLS["by_external_code_url"])),
        tracking_url=_text(found.get(_FURTHER_URLS["tracking_url"])),
        **{name: str(found.get(field) or "") for name, field in _URLS.items()},
    )


def _read_list(reply: PlatformReply) -> list[Listed]:
    document = reply.document()
    rows = document.get(f"{_WRAPPER}s") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise UnreadableReply("the reply holds no list of carrier services")
    return [_row(row) for row in rows if isinstance(row, dict)]


def _row(row: Mapping[str, Any]) -> Listed:
    ids = [str(row[key]) for key in ("carrier_service_id", "id") if row.get(key) is not None]
    return Listed(
        ids=tuple(dict.fromkeys(found for found in ids if is_id(found))),
        name=str(row.get("carrier_name") or row.get("name") or ""),
        code=_text(row.get("carrier_code")),
    )


def _text(value: Any) -> str | None:
    return str(value) if value else None
