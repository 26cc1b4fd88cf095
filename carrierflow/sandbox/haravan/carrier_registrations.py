"""The carrier services that apps registered in a shop, and the ones that every shop has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from carrierflow.sandbox.haravan.dotnet_time import printed_fresh
from carrierflow.sandbox.refusals import NotFound, Unprocessable


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


__all__ = ["CarrierServices", "Service"]

_FIRST_ID = 12008260
_URL_FIELDS = (
    "get_shipping_rates_url",
    "create_order_url",
    "get_order_detail_url",
    "cancel_order_url",
    "tracking_url",
)
_PLAIN_FIELDS = ("name", "active", "carrier_service_type", "service_discovery")
_OPTIONS = (
    "has_drop_off",
    "has_insurance",
    "has_view_before",
    "has_payment_method",
    "has_dimension",
    "has_transport_type",
    "has_use_coupon_code",
)
_BUILT_IN = ((1, "Khác", "other"), (2, "Giao Hàng Nhanh", "ghn2018"))
_LIST_FLAGS = (
    "view_before_items",
    "view_dimension",
    "view_coupon_code",
    "view_sender_name",
    "view_sender_phone",
    "view_insurance",
    "view_drop_off",
)
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One registration of a carrier, with the fields that the carrier sent."""

    id: int
    fields: Mapping[str, Any]
    created_at: int
    updated_at: int

    @property
    def is_active(self) -> bool:
        """Whether sellers are offered this carrier."""
        return self.fields.get("active") is not False

    def detail(self) -> dict[str, Any]:
        """Return the registration as a reply to POST, PUT and GET of one shows it."""
        named = {key: self.fields.get(key) for key in (*_PLAIN_FIELDS, *_URL_FIELDS)}
        return {
            "id": self.id,
            **named,
            "created_at": printed_fresh(self.created_at),
            "updated_at": printed_fresh(self.updated_at),
            "options": dict.fromkeys(_OPTIONS, False),
        }


class CarrierServices:
    """The registrations of one shop."""

    def __init__(self) -> None:
        self._services: dict[int, Service] = {}
        self._next_id = _FIRST_ID

    def __iter__(self) -> Iterator[Service]:
        return iter(self._services.values())

    def names(self) -> set[str]:
        """Return the names under which carriers are registered here."""
        return {str(service.fields["name"]) for service in self._services.values()}

    def rows(self) -> list[dict[str, Any]]:
        """Return the list as Haravan shows it: another shape, with built-in carriers mixed in."""
        own = (
            (service.id, str(service.fields["name"]), "external")
            for service in self._services.values()
        )
        return [_row(*row) for row in (*_BUILT_IN, *own)]

    def get(self, service_id: int) -> Service:
        """Return one registration.

        Raises:
            NotFound: if there is none of this id.
        """
        if service_id not in self._services:
            raise NotFound(f"Carrier service {service_id} is not in this shop.")
        return self._services[service_id]

    def register(self, fields: Mapping[str, Any], at: int) -> Service:
        """Keep a new registration; the platform does not mind a second one of the same name.

        Raises:
            Refused: if it has no name, or an address is not HTTPS.
        """
        if not fields.get("name"):
            raise Unprocessable("A carrier service needs a name.")
        service = Service(id=self._next_id, fields=_checked(fields), created_at=at, updated_at=at)
        self._next_id += 1
        self._services[service.id] = service
        return service

    def change(self, service_id: int, fields: Mapping[str, Any], at: int) -> Service:
        """Overwrite the given fields of a registration.

        Raises:
            NotFound: if there is none of this id.
            Refused: if an address is not HTTPS.
        """
        before = self.get(service_id)
        after = replace(before, fields=_checked({**before.fields, **fields}), updated_at=at)
        self._services[service_id] = after
        return after

    def clear(self) -> None:
        """Delete every registration."""
        self._services.clear()

    def remove(self, service_id: int) -> None:
        """Delete a registration.

        Raises:
            NotFound: if there is none of this id.
        """
        del self._services[self.get(service_id).id]


def _checked(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    for field in _URL_FIELDS:
        if fields.get(field) and not _is_allowed(str(fields[field])):
            raise Unprocessable(f"{field} must be an HTTPS address.")
    return MappingProxyType(dict(fields))


def _is_allowed(url: str) -> bool:
    """HTTPS as Haravan demands; plain HTTP on this machine only, where a demo listens."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _OWN_MACHINE


def _row(service_id: int, name: str, code: str) -> dict[str, Any]:
    return {
        "id": service_id,
        "carrier_service_id": service_id,
        "carrier_name": name,
        "carrier_code": code,
        "is_connected": code == "external",
        **dict.fromkeys(_LIST_FLAGS, False),
        "transport_types": [],
        "carrier_service_shops": [],
    }
