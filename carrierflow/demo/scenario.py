"""Some days of a carrier's life, from a seed: who books, what is scanned, what a shop does by hand.

Pure: the same seed gives the same days.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone

from carrierflow.demo.itineraries import REMITTANCE, ROADS, Leg
from carrierflow.domain.model import Status
from carrierflow.sandbox.tour_cast import Cast, Itinerary, MerchantAction, Role


__all__ = ["FEWEST", "Day", "ManualEdit", "PlannedParcel", "Scan", "Scenario", "write"]

FIRST_DAY = date(2026, 3, 2)
DAYS = 6
FEWEST = 20
"""Parcels below which there is no room for every part."""

HANOI = timezone(timedelta(hours=7))
NOON = 12.5
EVENING = 20.0

CASH_SHARE = 0.7
DUPLICATE_SHARE = 0.05
SECOND_SCANNER_SHARE = 0.06
MISREAD_SHARE = 0.03
FOUND_SHARE = 0.5
"""Of the missed scans, those that turn up later after all."""
STRANGERS = 2
"""Scans of a barcode that is not in the ledger."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedParcel:
    """One parcel that a shop books; the cash is in đồng."""

    number: int
    itinerary: Itinerary
    booked: int
    cash: int
    action: MerchantAction | None = None
    action_day: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What a scanner saw, and in which batch the ledger is told: two batches a day."""

    parcel: int
    status: Status
    at: datetime
    batch: int
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ManualEdit:
    """What a merchant does to one parcel on the platform."""

    parcel: int
    action: MerchantAction


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day: bookings, a batch of scans at noon, the merchant's hand, a batch in the evening."""

    morning: datetime
    noon: datetime
    evening: datetime
    booked: tuple[PlannedParcel, ...]
    noon_scans: tuple[Scan, ...]
    manual_edits: tuple[ManualEdit, ...]
    evening_scans: tuple[Scan, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """All days."""

    seed: int
    parcels: tuple[PlannedParcel, ...]
    days: tuple[Day, ...]


def write(*, parcels: int, seed: int, cast: Cast) -> Scenario:
    """Write the days for a number of parcels, among them at least one for each role."""
    chance = random.Random(seed)  # noqa: S311 - the tour must be repeatable, not secret
    booked = _parcels(parcels, cast, chance)
    scans = sorted(_all_scans(booked, chance), key=lambda scan: (scan.batch, scan.at, scan.key))
    days = tuple(_day(number, booked, scans) for number in range(DAYS))
    return Scenario(seed=seed, parcels=booked, days=days)


def _parcels(count: int, cast: Cast, chance: random.Random) -> tuple[PlannedParcel, ...]:
    copies = max(1, count // 100)
    roles = [role for role in cast.roles for _ in range(copies)]
    roles += [_any_role(cast.shares, chance) for _ in range(count - len(roles))]
    chance.shuffle(roles)
    return tuple(
        PlannedParcel(
            number=number,
            itinerary=role.itinerary,
            booked=role.booked,
            cash=chance.randrange(15, 200) * 10_000 if role.pays_cash else 0,
            action=role.action,
            action_day=role.action_day,
        )
        for number, role in enumerate(roles, 1)
    )


def _any_role(shares: Mapping[Itinerary, int], chance: random.Random) -> Role:
    (itinerary,) = chance.choices(list(shares), weights=list(shares.values()))
    booked = chance.randrange(DAYS - 1)
    return Role(itinerary=itinerary, booked=booked, pays_cash=chance.random() < CASH_SHARE)


def _all_scans(parcels: tuple[PlannedParcel, ...], chance: random.Random) -> Iterator[Scan]:
    for parcel in parcels:
        itinerary = list(_road(parcel, chance))
        yield from itinerary
        if parcel.action is None:
            yield from _noise(itinerary, chance)
        if parcel.itinerary is Itinerary.MISSED_SCAN and chance.random() < FOUND_SHARE:
            yield _found(parcel, chance)
    for number in range(len(parcels) + 1, len(parcels) + 1 + STRANGERS):
        stranger = PlannedParcel(
            number=number, itinerary=Itinerary.FIRST_TRY, booked=number % DAYS, cash=0
        )
        yield _scan(stranger, ROADS[stranger.itinerary][0], f"{number}-0", chance)


def _road(parcel: PlannedParcel, chance: random.Random) -> Iterator[Scan]:
    legs = ROADS[parcel.itinerary]
    if parcel.cash and legs and legs[-1].status is Status.DELIVERED:
        legs = (*legs, replace(REMITTANCE, day=legs[-1].day + REMITTANCE.day))
    for index, leg in enumerate(legs):
        if parcel.booked + leg.day < DAYS:
            yield _scan(parcel, leg, f"{parcel.number}-{index}", chance)


def _scan(parcel: PlannedParcel, leg: Leg, key: str, chance: random.Random) -> Scan:
    hour = round(chance.uniform(*leg.between) * 3600) / 3600
    day = parcel.booked + leg.day
    batch = 2 * day + (hour >= NOON)
    return Scan(parcel=parcel.number, status=leg.status, at=_at(day, hour), batch=batch, key=key)


def _found(parcel: PlannedParcel, chance: random.Random) -> Scan:
    """Return the scan that was missed: its scanner was off line until the next day."""
    (missed,) = set(ROADS[Itinerary.FIRST_TRY]) - set(ROADS[Itinerary.MISSED_SCAN])
    scan = _scan(parcel, missed, f"{parcel.number}-found", chance)
    return replace(scan, batch=scan.batch + 2)


def _noise(itinerary: list[Scan], chance: random.Random) -> Iterator[Scan]:
    """Yield scans told twice, told late by a second scanner, and misread."""
    for scan in itinerary:
        if chance.random() < DUPLICATE_SHARE:
            yield replace(scan, batch=scan.batch + 1)
        if scan.status is Status.DELIVERED and chance.random() < MISREAD_SHARE:
            later = scan.at + timedelta(minutes=40)
            misread = replace(scan, status=Status.PICKING, at=later, key=f"{scan.key}-misread")
            yield replace(misread, batch=scan.batch + 1)
    if itinerary[-1:] and itinerary[-1].status is not Status.CANCEL and len(itinerary) > 1:
        earlier, last = itinerary[-2:]
        if chance.random() < SECOND_SCANNER_SHARE:
            between = earlier.at + timedelta(minutes=20)
            yield replace(earlier, at=between, batch=last.batch + 1, key=f"{earlier.key}-again")


def _day(number: int, parcels: tuple[PlannedParcel, ...], scans: list[Scan]) -> Day:
    return Day(
        morning=_at(number, 7),
        noon=_at(number, NOON),
        evening=_at(number, EVENING),
        booked=tuple(parcel for parcel in parcels if parcel.booked == number),
        noon_scans=tuple(scan for scan in scans if scan.batch == 2 * number),
        manual_edits=tuple(
            ManualEdit(parcel=parcel.number, action=parcel.action)
            for parcel in parcels
            if parcel.action is not None and parcel.action_day == number
        ),
        evening_scans=tuple(scan for scan in scans if scan.batch == 2 * number + 1),
    )


def _at(day: int, hour: float) -> datetime:
    midnight = datetime.combine(FIRST_DAY + timedelta(days=day), time(), tzinfo=HANOI)
    return (midnight + timedelta(seconds=round(hour * 3600))).astimezone(UTC)
