"""Sapo in the simulation: parcels told by actions, in a shop whose sellers act beside us."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from unittest import mock

from carrierflow.platforms.sapo import sapo_platform
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.exchange import Dropped
from carrierflow.sandbox.faults import FaultKind
from carrierflow.sandbox.odd_replies import changed, with_value, without
from carrierflow.sandbox.sapo import Sapo, SapoHand, SapoRef, SapoWorld
from carrierflow.sandbox.sapo.sapo_faults import EFFECTS

from .scenario import adapted, draw
from .scheduler import Broken
from .sellers import DEEDS, move, start_sellers
from .side import BAD_REQUEST, SHOP, Side, Told, counted
from .sometimes import EVERYWHERE, PLATFORM_S_LISTS


PROVIDER, NEIGHBOUR = 10355, 10356

ACTION_PATH = re.compile(r"/orders/(\d+)/fulfillments/(\d+)/(\w+)\.json")
OPERATIONS = {"cancel": ("cancel", "cancel_shipped")}

ON_ITS_WAY = {"receive", "cancel"}
ALLOWED = {
    "packed": {"ship", "cancel"},
    "fulfilled": ON_ITS_WAY,
    "retry_delivery": ON_ITS_WAY,
    "fulfilled_cancelling": {"receive_after_cancellation"},
}
"""What may be done to a parcel in each state, by Sapo's documents."""

SHIPPED = {"delivering", "notmeetcustomer", "delivered", "waitingforreturn", "return"}
CAUSES = {
    ("packed", "ship"): SHIPPED,
    ("packed", "cancel"): {"cancel"},
    ("fulfilled", "receive"): {"delivered"},
    ("fulfilled", "cancel"): {"return"},
    ("fulfilled_cancelling", "receive_after_cancellation"): {"return"},
}
"""Which statuses of ours an action rests on: one of these must be recorded."""

PACKED = {"packed"}
OUT = {"fulfilled", "retry_delivery"}
STATES = {
    "pending": PACKED,
    "readytopick": PACKED,
    "picking": PACKED,
    "delivering": OUT,
    "notmeetcustomer": OUT,
    "delivered": {"received"},
    "waitingforreturn": {*OUT, "fulfilled_cancelling"},
    "return": {"fulfilled_cancelled"},
    "cancel": {"packed_cancelled"},
}
"""What Sapo shows of a status, where a shipped parcel is cancelled once it is back."""

ACTIONS = {"packed": 0, "fulfilled": 1, "received": 2, "packed_cancelled": 1}
ACTIONS |= {"fulfilled_cancelled": 3}
"""How many actions lead to a state from packed."""

PAID = {"codpaid", "codreceipt"}

DAMAGES = (
    with_value("status", ["received"]),
    without("modified_on"),
    with_value("modified_on", "yesterday"),
    with_value("shipment", "by bicycle"),
)

UNPLAYED = {"5a", "14", "15", "20", "21", "C3", "C4", "C5"}
"""No action leads back, so hardly anything can be overruled; none tells cash by itself, and its
word for cash is paid or not; amounts and dates have tests of their own."""

MOST_PARCELS = 6
MOST_READS = 4


class SapoSide(Side):
    """A Sapo with one shop, whose carrier is one of two."""

    name = "sapo"
    throttles = (*Side.throttles, FaultKind.PROXY_BEFORE, FaultKind.PROXY_AFTER)
    """A page of its gate's may bear a 429, too."""
    lists = "modified_on_min"
    numbers = re.compile(rb'"id":(\d+)')
    longest_reply = 150_000

    def __init__(self, stage):
        super().__init__(stage)
        self.sapo = Sapo(self.world, faults=self.faults)
        self.packed_anew = set()
        self._seen = self._touches = 0

    @classmethod
    def draw(cls, seed):
        """Return the scenario of a seed."""
        drawn, chance = draw(seed), random.Random(f"{seed}:sapo shop")
        is_calm = drawn.profile == "calm"
        options = {
            "blank_replies": chance.random() < 0.4,
            "says_cancelling": chance.random() < 0.6,
            "filters_modified": chance.random() < 0.8 or drawn.sweeps,
            "newest_first": chance.random() < 0.5,
            "cancels_parcels": chance.random() < 0.7,
            "tells_limit": chance.random() < 0.3,
            "packed_early": chance.choice([0, 20]),
        }
        at_once = chance.random() < 0.3 and not is_calm
        return adapted(
            drawn,
            EFFECTS,
            MOST_PARCELS + 2 * drawn.sweeps,
            platform="sapo",
            neighbour=drawn.neighbour and options["filters_modified"],
            options=options,
            choices={"cancel_shipped": "now" if at_once else "hold"},
        )

    @classmethod
    def pages(cls, size):
        """Return the patch that makes a page of orders so long."""
        return mock.patch.object(sapo_platform, "MOST_ORDERS", size)

    @classmethod
    def sometimes(cls):
        """Return what has to be reached by two hundred seeds."""
        return {
            **EVERYWHERE,
            "faults": tuple(str(kind) for kind in EFFECTS),
            "rows": tuple(r.number for r in (*TABLE, *ORDER_TABLE) if r.number not in UNPLAYED),
            "met": (
                *EVERYWHERE["met"],
                *PLATFORM_S_LISTS,
                *(f"seller {deed}" for deed in DEEDS),
                *("blank replies", "shipped cancelled at once", "all listed", "oldest first"),
                *(f"told {name}" for _, name in CAUSES),
            ),
        }

    def connect(self):
        """Add the shop to the application."""
        self.stage.app.shops.add(
            SHOP,
            platform="sapo",
            token="token",
            base_url="http://127.0.0.1",
            carrier_code=str(PROVIDER),
            options={
                "rate_bucket": str(self._bucket),
                "rate_leak": str(self.scenario.leak),
                **self.scenario.choices,
            },
        )

    def add_parcel(self, place, road, joined):
        """Pack a parcel."""
        return self.world.add_parcel(
            shop=SHOP,
            cod_amount=road.cod,
            order_id=joined,
            tracking_code=f"T-{place}",
            delivery_service_provider_id=PROVIDER,
        )

    def opening(self, place):
        """Return the number of the waybill."""
        return {"tracking_number": f"T-{place}"}

    def answer(self, request):
        """Let the platform answer."""
        return self.sapo.handle(request)

    def told(self, request):
        """Return which action is told, about which parcel."""
        order, fulfillment, name = ACTION_PATH.search(request.path_url).groups()
        operations = OPERATIONS.get(name, (name,))
        return Told(order=order, fulfillment=fulfillment, name=name, operations=operations)

    def start(self):
        """Set the sellers to work, and a person."""
        start_sellers(self.stage)

    def shown(self, ref):
        """Return a parcel's state, and whether its cash is paid."""
        self.world.settle()
        parcel = self._parcel(ref.order_id, ref.fulfillment_id)
        return str(parcel.state), bool(parcel.payments)

    def agrees(self, ref, parcel):
        """Tell whether the parcel's state is that of our status, and its cash, too."""
        state, is_paid = self.shown(ref)
        looks = STATES[str(parcel.delivery.status)]
        if self._at_once and parcel.delivery.status == "waitingforreturn":
            looks = {"fulfilled_cancelling"}
        return state in looks and is_paid == (str(parcel.cod.status) in PAID)

    def touched(self):
        """Return what others moved."""
        return {str(touch.ref.fulfillment_id) for touch in self.world.recorder.touches}

    def doubled(self):
        """Return how often each action was received that an earlier one of ours had done."""
        doubled = self.judged().duplicates
        return counted(doubled, lambda each: (str(each.ref.fulfillment_id), each.action))

    def missing(self):
        """Return how many actions lead to the states that the ledger's statuses look as."""
        wanted = 0
        for ref in self.stage.refs:
            known = self.known(ref) or ["readytopick"]
            wanted += 1 if known[-1] == "waitingforreturn" else _actions(STATES[known[-1]])
        return wanted

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report()

    def most_reads(self, report):
        """P4: each order is read once, and once more after each action; beside it is the list."""
        if self.scenario.page <= len(self.stage.refs):
            return None
        return report.orders + report.published + MOST_READS

    def explains(self, incident):
        """Tell whether a parcel was packed anew, or went out again after it was cancelled.

        A row that has lost its status shows none that anybody knows.
        """
        if incident.kind == "unknown_code":
            return bool(self.faults.given[FaultKind.ODD_ROW])
        if incident.kind == "unknown_here":
            return incident.evidence["fulfillment_id"] in self.packed_anew
        if incident.kind != "cannot_be_told" or not self._at_once:
            return False
        known = self.stage.watch.history(incident.fulfillment_id, "delivery")
        return "waitingforreturn" in known[:-1]

    def settle_neighbour(self):
        """Pack a parcel of another carrier into the first order; its row can never be read."""
        refs, chance = self.stage.refs, random.Random(f"{self.scenario.seed}:neighbour")
        self.world.shop(SHOP).carriers.add(NEIGHBOUR)
        _, number = self.world.add_parcel(
            shop=SHOP, order_id=int(refs[0].order_id), delivery_service_provider_id=NEIGHBOUR
        )
        self.stage.neighbour = (refs[0].order_id, str(number))
        mark, damage = f'"id":{number},'.encode(), chance.choice(DAMAGES)

        def warp(outcome):
            if isinstance(outcome, Dropped) or mark not in outcome.body:
                return outcome
            return replace(outcome, body=changed(outcome.body, chance, damage, only=number))

        self.stage.network.warp = warp

    def changed_at(self, order_id):
        """Return when an order changed last, in ticks."""
        return self.world.shop(SHOP).order(int(order_id)).modified_on * TICKS_PER_SECOND

    def rename(self, order_id):
        """Change something of an order that is no status."""
        self.world.change_order(SHOP, int(order_id), {"note": f"N{self.world.now()}"})

    def edit(self, ref):
        """Let a seller do to a parcel what its state allows."""
        move(self.stage, ref)

    def turned_away(self, outcome):
        """Tell whether a request was not let in, by Sapo itself; a page may be anybody's."""
        return outcome.status == 429 or (super().turned_away(outcome) and outcome.is_usable)

    def says_no(self, outcome):
        """Tell whether an answer is a no, or bears an error with a good status."""
        return super().says_no(outcome) or (
            outcome.status < BAD_REQUEST and b'error":{' in outcome.body
        )

    def forbids(self, told):
        """P2: an action may be told that the parcel's state allows."""
        self._catch_up()
        state = str(self._parcel(told.order, told.fulfillment).state)
        return None if told.name in ALLOWED.get(state, ()) else state

    def moved(self):
        """P2: no illegal action, and none without a recorded cause, on parcels left to us."""
        for received in self._catch_up():
            number, state = str(received.ref.fulfillment_id), received.to_state
            self.scheduler.tell(f"  platform {received.from_state}→{state} {received.action}")
            self.scheduler.met[f"told {received.action}"] += state is not None
            if received.touched or number in self.stage.watch.resolved:
                continue
            if received.is_illegal:
                raise Broken("P2", f"illegal {received.action} of {number}, {received.from_state}")
            if state is not None:
                self._check_cause(received, number)

    def act(self, ref):
        """Return a parcel as the sandbox names it."""
        return SapoRef(SHOP, int(ref.order_id), int(ref.fulfillment_id))

    def _world(self):
        scenario, skew = self.scenario, self.skew
        world = SapoWorld(clock=lambda: self.scheduler.now() + skew)
        world.add_shop(
            code=SHOP,
            token="token",
            bumps_orders=scenario.bump,
            bucket_size=self._bucket,
            leak_per_minute=round(60 * scenario.leak),
            **scenario.options,
        )
        return world

    @property
    def _at_once(self):
        return self.scenario.choices["cancel_shipped"] == "now"

    def _parcel(self, order_id, fulfillment_id):
        _, parcel = self.world.shop(SHOP).parcel(SapoRef(SHOP, int(order_id), int(fulfillment_id)))
        return parcel

    def _catch_up(self):
        """Note when each parcel was last moved, by whomever; return the actions that were new."""
        recorder = self.world.recorder
        for touch in recorder.touches[self._touches :]:
            self._changed_at[str(touch.ref.fulfillment_id)] = touch.at
            self.scheduler.met[f"moved by {touch.hand}"] += touch.hand is SapoHand.ORDER_CANCEL
        self._touches = len(recorder.touches)
        new = recorder.actions[self._seen :]
        self._seen = len(recorder.actions)
        for received in new:
            if received.to_state is not None:
                self._changed_at[str(received.ref.fulfillment_id)] = received.at
        return new

    def _check_cause(self, received, number):
        causes = CAUSES[received.from_state, str(received.action)]
        if self._at_once and received.from_state == "fulfilled" and received.action == "cancel":
            causes = {*causes, "waitingforreturn"}
        if not causes & set(self.stage.watch.history(number, "delivery")):
            raise Broken("P2", f"{received.action} of {number} without {sorted(causes)}")


def _actions(states):
    return next(ACTIONS[state] for state in states if state in ACTIONS)
