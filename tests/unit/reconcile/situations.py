"""For each row of the decision table, where it decides on each platform, and what it then says.

A line is a platform, a situation and an ending. The situation is as in `making`, told from the
parcel's own history; what the platform shows and is told are its own tables and defaults.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from carrierflow.app.settings import Settings
from carrierflow.app.shop_choices import ShopChoices
from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.model import Machine
from carrierflow.domain.publication import Outcome
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.platforms.registry import PLATFORMS, PlatformRegistry
from carrierflow.reconcile.actions import Confirm, Rewind, Write
from carrierflow.reconcile.decision_table import OrderCase, decide, decide_order

from .making import COD, DELIVERY, T0, a_case, at, attempt, seen_as, told


__all__ = ["POLICIES", "SITUATIONS", "Situation", "Whole"]

HOUR = 3600.0
ROAD = "readytopick picking delivering"
DELIVERED = f"{ROAD} delivered"
RETURNED = f"{ROAD} notmeetcustomer waitingforreturn return"
PAID = "codpending codpaid"
WAREHOUSE = f"pending {ROAD}"
GONE = {"missing": 2, "missing_since": at(-HOUR)}
REFUSED = {
    "tried": [told(2, attempts=3)],
    "attempts": [
        attempt(2, "picking", -62.0, number=number, outcome=Outcome.REFUSED) for number in (1, 2, 3)
    ],
}


def policy_of(platform):
    """Return what holds for a shop where nobody chose anything."""
    shop = Shop(
        id=1,
        code="shop",
        platform=platform,
        base_url="http://127.0.0.1",
        carrier_code="carrier",
        state=ShopState.ACTIVE,
        added_at=T0,
        encrypted_token=b"",
    )
    return ShopChoices(Settings(), PlatformRegistry()).policy(shop)


POLICIES = {platform: policy_of(platform) for platform in PLATFORMS}


def ending(action):
    """Return in a word or two what an action is, and of what."""
    name = type(action).__name__
    if isinstance(action, Write):
        return f"{name} {action.by.name}"
    if isinstance(action, Confirm):
        return f"{name} {action.step.to_status}"
    if isinstance(action, Rewind):
        return f"{name} {action.seq}"
    detail = getattr(action, "kind", None) or getattr(action, "status", None)
    return f"{name} {detail}" if detail else name


@dataclass(frozen=True)
class Situation:
    """One parcel at one platform, and what its row says."""

    platform: str
    says: str
    road: str
    confirmed: int | None = None
    shows: str | None = None
    machine: Machine = DELIVERY
    more: dict[str, Any] = field(default_factory=dict)
    overruled: bool = False

    def decided(self):
        """Return the row that decides, and what it says."""
        decision = decide(self._case(), self.machine)
        return decision.row, ending(decision.action)

    def _case(self):
        made = a_case(
            self.road,
            self.confirmed,
            shows=self.shows,
            policy=POLICIES[self.platform],
            projection=PLATFORMS[self.platform].projection,
            **self.more,
        )
        if not self.overruled:
            return made
        return replace(made, parcel=replace(made.parcel, reassert=observation_digest(made.seen)))


@dataclass(frozen=True)
class Whole:
    """One order at one platform, or a parcel as a whole, and what its row says."""

    platform: str
    says: str
    shows: str | None = None
    known: bool = True
    alone: bool = True
    road: str = "readytopick picking"
    seen: dict[str, Any] = field(default_factory=dict)
    parcel: dict[str, Any] = field(default_factory=dict)
    carrier_at: float | None = None
    """When the carrier's last event happened, in seconds after T0."""

    def decided(self):
        """Return the row that decides, and what it says."""
        decision = decide_order(self._case())
        return decision.row, ending(decision.action)

    def _case(self):
        made = a_case(self.road, **self.parcel)
        steps = made.publication_log.steps
        if self.carrier_at is not None:
            steps = tuple(replace(step, occurred_at=at(self.carrier_at)) for step in steps)
        return OrderCase(
            parcel=made.parcel if self.known else None,
            seen=None if self.shows is None else seen_as(self.shows, **self.seen),
            asked_alone=self.alone,
            now=T0,
            policy=POLICIES[self.platform],
            steps=steps,
        )


HARAVAN, SAPO, ONFLOW = PLATFORMS
CANCELLED = "readytopick cancel"


def cash(platform, says, *, road=DELIVERED, confirmed=None, shows=None, **more):
    """Return a situation of the cash."""
    return Situation(platform, says, road, confirmed, shows=shows, machine=COD, more=more)


def unheard(platform, says, shows=None, *, over=-60.0, **more):
    """Return the situation after one write without an answer, over so long after T0."""
    road = CANCELLED if platform == ONFLOW else "readytopick picking delivering delivered"
    first = {HARAVAN: 2, SAPO: 3, ONFLOW: 2}[platform]
    return Situation(
        platform, says, road, 1, shows, more={"tried": [told(first, over=over)], **more}
    )


def delivered(confirmed_at=-60.0):
    """Return the publications of a parcel that the platform shows delivered."""
    return [told(4, state="confirmed", confirmed_at=at(confirmed_at))]


SITUATIONS = {
    "0": [
        Situation(HARAVAN, "Discard", ROAD, 2, "readytopick", more={"updated": -HOUR}),
        Situation(SAPO, "Discard", DELIVERED, 3, "readytopick", more={"updated": -HOUR}),
        Situation(ONFLOW, "Discard", WAREHOUSE, 2, "pending", more={"updated": -HOUR}),
    ],
    "1": [
        Situation(platform, "Observe", ROAD, 1, more={"frozen": "stuck"}) for platform in PLATFORMS
    ],
    "2": [
        Situation(platform, "Freeze unknown_code", ROAD, 1, "teleported") for platform in PLATFORMS
    ]
    + [cash(HARAVAN, "Freeze unknown_code", cash=PAID, cash_shows="bitcoin")],
    "3": [unheard(platform, "Wait", over=-10.0) for platform in PLATFORMS],
    "4": [
        unheard(HARAVAN, "Confirm picking", "picking"),
        unheard(SAPO, "Confirm delivering", "delivering"),
        unheard(ONFLOW, "Confirm cancel", "cancel"),
    ],
    "5": [
        unheard(HARAVAN, "Write picking"),
        unheard(SAPO, "Write ship"),
        unheard(ONFLOW, "Write cancel"),
        Situation(HARAVAN, "Freeze refused", ROAD, 1, more=REFUSED),
        Situation(HARAVAN, "Freeze stuck", ROAD, 1, more={"tried": [told(2, attempts=8)]}),
    ],
    "5a": [
        Situation(HARAVAN, "Write delivering", ROAD, 2, "readytopick", overruled=True),
        Situation(SAPO, "Write ship", DELIVERED, 3, "readytopick", overruled=True),
        Situation(
            ONFLOW, "Write cancel", "pending readytopick cancel", 2, "pending", overruled=True
        ),
    ],
    "6a": [
        Situation(SAPO, "Confirm picking", ROAD, 1),
        Situation(SAPO, "Confirm notmeetcustomer", f"{ROAD} notmeetcustomer", 3),
        cash(SAPO, "Confirm codreceipt", cash=f"{PAID} codreceipt", cash_confirmed=2),
        Situation(ONFLOW, "Confirm delivered", f"{WAREHOUSE} delivered", 4),
        cash(ONFLOW, "Confirm codpaid", cash=PAID, cash_confirmed=1, cash_shows="none"),
    ],
    "C1": [
        cash(platform, "Observe", confirmed=3, cash=PAID, cash_confirmed=1)
        for platform in (HARAVAN, SAPO)
    ],
    "C2": [
        cash(
            platform,
            "Confirm codpaid",
            cash=PAID,
            cash_confirmed=1,
            cash_shows="codpaid",
            tried=delivered(),
        )
        for platform in (HARAVAN, SAPO)
    ],
    "C3": [
        cash(HARAVAN, "Write paid", cash=PAID, cash_confirmed=1, tried=delivered()),
        cash(HARAVAN, "Wait", cash=PAID, cash_confirmed=1, tried=delivered(-1.0)),
        cash(SAPO, "OpenIncident cannot_be_told", cash=PAID, cash_confirmed=1, tried=delivered()),
    ],
    "C4": [cash(HARAVAN, "Adopt codreceipt", cash=PAID, cash_shows="codreceipt")],
    "C5": [
        cash(platform, "OpenIncident cash_disputed", cash=PAID, cash_shows="none")
        for platform in (HARAVAN, SAPO)
    ],
    "6": [
        Situation(HARAVAN, "Write picking", ROAD, 1),
        Situation(HARAVAN, "ReadAgain", ROAD, 1, more={"now": 15.0}),
        Situation(SAPO, "Write ship", RETURNED, 2),
        Situation(SAPO, "Write cancel_shipped", RETURNED, 4),
        Situation(SAPO, "Write receive_after_cancellation", RETURNED, 5),
        Situation(SAPO, "Write cancel", CANCELLED, 1),
        Situation(ONFLOW, "Write cancel", CANCELLED, 1),
        cash(HARAVAN, "Write receipt", cash=f"{PAID} codreceipt", cash_confirmed=2),
    ],
    "6b": [
        Situation(ONFLOW, "Await", WAREHOUSE, 1),
        Situation(SAPO, "Await", f"{ROAD} notmeetcustomer waitingforreturn", 4),
        Situation(SAPO, "OpenIncident cannot_be_told", f"{DELIVERED} return", 4),
        Situation(ONFLOW, "OpenIncident cannot_be_told", f"{WAREHOUSE} cancel", 4),
        Situation(HARAVAN, "Observe", "pending readytopick", 1),
    ],
    "7": [
        Situation(HARAVAN, "Confirm delivering", DELIVERED, 1, "delivering"),
        Situation(SAPO, "Confirm delivering", DELIVERED, 1, "delivering"),
        Situation(ONFLOW, "Confirm delivering", WAREHOUSE, 2, "delivering"),
    ],
    "8": [
        Situation(HARAVAN, "InSync", ROAD),
        Situation(SAPO, "InSync", ROAD),
        Situation(ONFLOW, "InSync", f"{WAREHOUSE} delivered", shows="delivering"),
        cash(HARAVAN, "InSync", cash=PAID),
        cash(SAPO, "InSync", cash=f"{PAID} codreceipt", cash_shows="codpaid"),
        cash(ONFLOW, "InSync", cash=f"{PAID} codreceipt", cash_shows="none"),
    ],
    "9": [
        Situation(platform, "Adopt cancel", "readytopick", 1, "cancel") for platform in PLATFORMS
    ],
    "10": [
        Situation(platform, "Freeze cancelled_in_transit", ROAD, 1, "cancel")
        for platform in PLATFORMS
    ],
    "11": [
        Situation(HARAVAN, "Write cancel", CANCELLED, 1, "delivering"),
        Situation(SAPO, "OpenIncident cannot_be_told", CANCELLED, 1, "delivering"),
        Situation(ONFLOW, "Write cancel", CANCELLED, 1, "pending"),
    ],
    "12": [
        Situation(platform, "Freeze cancel_conflict", CANCELLED, 1, "delivered")
        for platform in (HARAVAN, SAPO)
    ],
    "13": [
        Situation(HARAVAN, "Freeze remote_ahead", ROAD, 3, "delivered"),
        Situation(SAPO, "Freeze remote_ahead", ROAD, 3, "delivered"),
        Situation(ONFLOW, "Adopt delivering", "pending", 1, "delivering"),
    ],
    "14": [
        Situation(
            HARAVAN,
            "Rewind 2",
            ROAD,
            3,
            "picking",
            more={"date": -10.0, "attempts": [attempt(2, "picking", -40.0)]},
        ),
        Situation(
            SAPO,
            "Rewind 3",
            DELIVERED,
            4,
            "delivering",
            more={"date": -10.0, "attempts": [attempt(3, "delivering", -40.0)]},
        ),
    ],
    "15": [
        Situation(HARAVAN, "Freeze merchant_edit", ROAD, 3, "picking"),
        Situation(SAPO, "Freeze merchant_edit", DELIVERED, 4, "delivering"),
        Situation(ONFLOW, "Freeze merchant_edit", WAREHOUSE, 4, "readytopick"),
    ],
    "16": [
        Situation(HARAVAN, "Freeze diverged", DELIVERED, 4, "return"),
        Situation(SAPO, "Freeze diverged", DELIVERED, 4, "return"),
        Situation(ONFLOW, "Freeze diverged", CANCELLED, 2, "delivering"),
    ],
    "17": [Whole(platform, "Freeze gone", parcel=GONE) for platform in PLATFORMS]
    + [Whole(platform, "ReadAlone", alone=False) for platform in PLATFORMS]
    + [Whole(platform, "Wait") for platform in PLATFORMS],
    "18": [
        Whole(
            platform, "OpenIncident order_cancelled", "delivering", seen={"order_cancelled": True}
        )
        for platform in (HARAVAN, SAPO)
    ],
    "19": [
        Whole(platform, "OpenIncident unknown_here", "readytopick", known=False)
        for platform in PLATFORMS
    ],
    "20": [
        Whole(
            platform,
            "OpenIncident cod_amount_differs",
            "delivering",
            seen={"cod": "codpending", "cod_amount": 1},
            parcel={"cash": "codpending"},
        )
        for platform in (HARAVAN, SAPO)
    ],
    "21": [
        Whole(
            platform,
            "OpenIncident timeline_differs",
            "delivering",
            road=ROAD,
            seen={"dates": {"delivering": -7 * HOUR}},
            carrier_at=0.0,
        )
        for platform in PLATFORMS
    ],
}
