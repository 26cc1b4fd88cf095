"""The carrier's registration in a shop: made once, found again, kept as it must be.

The platform takes the same carrier as often as it is sent. So nothing is sent before looking:
first under the id that we remember, then by name. An unanswered write is not repeated; looking
again tells what became of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from carrierflow.carrier_service import Call, route_of
from carrierflow.carrier_service.registration import Listed, Registration, Registrations
from carrierflow.domain.clock import Clock
from carrierflow.domain.shop import Shop
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import ConfigurationError, InvalidInput, OutcomeUnknown
from carrierflow.storage import SqlStore
from carrierflow.storage.shops import change_shop, coverage


__all__ = ["CarrierRegistration", "Done", "Registered"]

log = logging.getLogger(__name__)

CALLS = {
    "rates_url": Call.RATES,
    "create_url": Call.CREATE,
    "detail_url": Call.DETAIL,
    "cancel_url": Call.CANCEL,
    "by_external_code_url": Call.BY_EXTERNAL_CODE,
}


class Done(StrEnum):
    """What was done about a registration."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ABSENT = "absent"
    """There was none to remove."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """What was done, and how the shop knows the carrier now."""

    shop: str
    done: Done
    registration: Registration | None


@guarded_methods
class CarrierRegistration:
    """Registers this carrier in shops, so that the platform calls it there."""

    def __init__(
        self,
        store: SqlStore,
        *,
        name: str,
        public_url: str,
        tracking_url: str,
        connect: Callable[[Shop], Registrations],
        clock: Clock,
    ) -> None:
        self._store = store
        self._name = name
        self._public_url = public_url
        self._tracking_url = tracking_url
        self._connect = connect
        self._clock = clock

    def register(self, code: str) -> Registered:
        """See to it that the shop knows this carrier, once, with the right addresses.

        A registration that is there is kept, switched off or not, and mended where it differs.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            ConfigurationError: if `public_url` or `carrier_name` cannot be used.
            InvalidInput: if several there bear the name and none is certainly ours.
            OutcomeUnknown: if the platform did not answer and shows nothing yet.
            PlatformUnavailable, AccessDenied, NotSent, Refused: if it could not be done.
        """
        with self._at(code) as (shop, there):
            found = there.find()
            if found is None:
                return self._noted(shop, Done.CREATED, there.create(active=True))
            return self._mended(shop, there, found, active=found.active)

    def update(self, code: str, *, active: bool | None = None) -> Registered:
        """Mend the registration that is there, and switch it on or off for sellers.

        Raises:
            InvalidInput: also if there is none.
            Others: as `register`.
        """
        with self._at(code) as (shop, there):
            found = there.find()
            if found is None:
                raise InvalidInput(
                    f"This carrier is not registered in shop {code!r}; "
                    f"`carrierflow carrier register {code}` does that."
                )
            return self._mended(
                shop, there, found, active=found.active if active is None else active
            )

    def unregister(self, code: str, *, force: bool = False) -> Registered:
        """Take this carrier out of a shop; the platform calls it there no more.

        Raises:
            InvalidInput: also if parcels are open there, whose seller would see no more of
                them; `force` does it all the same.
            Others: as `register`.
        """
        with self._at(code) as (shop, there):
            with self._store.reading() as connection:
                still = coverage(connection, shop, since=self._clock()).open
            if still and not force:
                raise InvalidInput(
                    f"Shop {code!r} has open parcels ({still}); switch the carrier off with "
                    f"`carrierflow carrier update {code} --inactive` and let them arrive, or use "
                    "--force."
                )
            found = there.find()
            if found is not None:
                there.remove(found)
            return self._noted(shop, Done.REMOVED if found else Done.ABSENT, None)

    def listed(self, code: str) -> list[tuple[Listed, bool]]:
        """Return every carrier in the shop's list, and whether it is this one.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            PlatformUnavailable, AccessDenied: if it cannot be read.
        """
        shop = self._store.shop(code)
        there = self._connect(shop)
        try:
            rows = there.listed()
        finally:
            there.close()
        name = self._name
        return [(row, shop.carrier_service_id in row.ids or row.name == name != "") for row in rows]

    @contextmanager
    def _at(self, code: str) -> Iterator[tuple[Shop, _RegistrationClient]]:
        shop = self._store.shop(code)
        wanted = self._wanted_at(shop)
        registrations = self._connect(shop)
        try:
            yield shop, _RegistrationClient(shop, wanted, registrations)
        finally:
            registrations.close()

    def _wanted_at(self, shop: Shop) -> Registration:
        """Return how a shop should know this carrier: each shop has addresses of its own."""
        if not self._name:
            raise ConfigurationError("No carrier_name is set: sellers must see some name.")
        root, tracking = public_root(self._public_url), self._tracking_url or None
        if tracking is not None and not is_safe_url(tracking):
            raise ConfigurationError("tracking_url must be https, without a password in it.")
        urls = {name: root + route_of(call).path(shop.code) for name, call in CALLS.items()}
        return Registration(name=self._name, active=True, tracking_url=tracking, **urls)

    def _mended(
        self, shop: Shop, there: _RegistrationClient, found: Registration, *, active: bool
    ) -> Registered:
        if there.is_right(found, active=active):
            return self._noted(shop, Done.UNCHANGED, found)
        return self._noted(shop, Done.CHANGED, there.change(found, active=active))

    def _noted(self, shop: Shop, done: Done, now: Registration | None) -> Registered:
        found = now.id if now else None
        if found != shop.carrier_service_id:
            self._store.transact(lambda c: change_shop(c, shop.code, carrier_service_id=found))
        log.info("carrierflow.carrier.registered", extra={"shop": shop.code, "done": done})
        return Registered(shop=shop.code, done=done, registration=now)


class _RegistrationClient:
    """This carrier in one shop, as it is and as it should be."""

    def __init__(self, shop: Shop, wanted: Registration, registrations: Registrations) -> None:
        self._shop = shop
        self._wanted = wanted
        self._registrations = registrations

    def find(self) -> Registration | None:
        """Return our registration; where a lost answer left two of them, one is removed."""
        if self._shop.carrier_service_id is not None:
            found = self._registrations.read(self._shop.carrier_service_id)
            if found is not None:
                return found
        return self._by_name()

    def create(self, *, active: bool) -> Registration:
        """Register, and look whether somebody else did so at the same moment."""
        wanted = replace(self._wanted, active=active)
        try:
            made = self._registrations.create(wanted)
        except OutcomeUnknown:
            found = self._by_name()
            if found is None:
                raise
            return found
        return self._by_name() or made

    def change(self, found: Registration, *, active: bool) -> Registration:
        """Overwrite what is there."""
        wanted = replace(self._wanted, active=active, id=found.id)
        try:
            return self._registrations.change(_id_of(found), wanted)
        except OutcomeUnknown:
            now = self._registrations.read(_id_of(found))
            if now is None or not self.is_right(now, active=active):
                raise
            return now

    def remove(self, found: Registration) -> None:
        """Delete what is there."""
        try:
            self._registrations.remove(_id_of(found))
        except OutcomeUnknown:
            if self._registrations.read(_id_of(found)) is not None:
                raise

    def is_right(self, found: Registration, *, active: bool) -> bool:
        """Tell whether a registration is as it should be, as far as the platform says."""
        external = found.by_external_code_url or self._wanted.by_external_code_url
        wanted = replace(self._wanted, active=active, id=found.id)
        return wanted == replace(found, by_external_code_url=external)

    def _by_name(self) -> Registration | None:
        """Return the registration of our name that calls us; of several alike the oldest stays."""
        named = list(self._named())
        ours = [found for found in named if found.create_url == self._wanted.create_url]
        if len(named) > 1 and not ours:
            ids = ", ".join(_id_of(found) for found in named)
            raise InvalidInput(
                f"Several carriers in shop {self._shop.code!r} are called "
                f"{self._wanted.name!r} ({ids}), and none calls us; remove those that are not "
                "this carrier in the shop's settings."
            )
        oldest_first = sorted(ours or named, key=lambda found: int(_id_of(found)))
        for doubled in oldest_first[1:]:
            self.remove(doubled)
        return oldest_first[0] if oldest_first else None

    def _named(self) -> Iterator[Registration]:
        seen: set[str | None] = set()
        for row in self._registrations.listed():
            for service_id in row.ids if row.name == self._wanted.name else ():
                found = self._registrations.read(service_id)
                if found is not None and found.name == row.name:
                    if found.id not in seen:
                        yield found
                    seen.add(found.id)
                    break


def public_root(public_url: str) -> str:
    """Return the root under which the carrier service is reached.

    Raises:
        ConfigurationError: if it is not set, or is not https.
    """
    if not public_url:
        raise ConfigurationError(
            "No public_url is set: the platform must know where this carrier is reached."
        )
    if not is_safe_url(public_url):
        raise ConfigurationError(
            "public_url must be https (http only on this machine), without a password in it."
        )
    return public_url.rstrip("/")


def _id_of(found: Registration) -> str:
    if found.id is None:
        raise AssertionError("what was read of the platform has an id")
    return found.id
