"""Onflow in the simulation: a warehouse that leads, lists nothing, and takes one thing alone."""

from __future__ import annotations

import json
import random
import re
from contextlib import nullcontext
from dataclasses import replace

from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.sandbox.faults import Fault, FaultKind, Rule
from carrierflow.sandbox.onflow import Onflow, OnflowResult, OnflowStage, OnflowWorld
from carrierflow.sandbox.onflow.mishaps import EFFECTS
from carrierflow.sandbox.refusals import SandboxError

from .person import start_person
from .scenario import adapted, draw, tellings_of
from .scheduler import Broken
from .side import HOUR, SHOP, Side, Told, counted
from .sometimes import EVERYWHERE


CANCEL_PATH = re.compile(r"/api/v1/shipments/b2c/([^/]+)/cancel")

ROAD = (OnflowStage.PICKED, OnflowStage.PACKED, OnflowStage.HANDOVER)
BEFORE = {OnflowStage.NEW, OnflowStage.PICKED, OnflowStage.PACKED}
BY_HAND = "cancelled by hand"
TOUCHED = "touched"
MISCOUNTED = "says a number that its times deny"

GONE_OUT = {"delivering", "notmeetcustomer", "delivered", "waitingforreturn", "return"}
"""What a parcel may be after the warehouse handed it over, which knows nothing beyond that."""

ON_THE_ROAD = GONE_OUT | {"picking"}

CONFLICTS = {"cannot_be_told", "cancelled_in_transit", "cancel_conflict", "diverged", "refused"}

UNPLAYED = {
    *("C1", "C2", "C3", "C4", "C5"),
    *("5a", "12", "14", "15", "16", "18", "19", "20", "21"),
}
"""It shows no cash, no orders and no other carrier's shipments, and no step of it leads back;
amounts and dates have tests of their own."""

NOTHING_LEADS_BACK = "person reassert"
"""What is refused there, always: nothing that it can be told takes a shipment back."""

PROFILES = ("calm", "network", "kills", "merchant")

MOST_PARCELS = 5

MISCOUNTS = 0.3
"""In how many shops with people about a number is once one that the times beside it deny."""

OURS_TO_CANCEL = 0.35
"""How many parcels their carrier cancels, and nothing else."""


class OnflowSide(Side):
    """An Onflow with one account, and the warehouse that works at its shipments."""

    name = "onflow"
    lists = None
    leads = True
    numbers = re.compile(rb'"tracking_code":"(\w+)"')

    def __init__(self, stage):
        super().__init__(stage)
        self.onflow = Onflow(self.world, faults=self.faults)
        self._seen = self._moves = 0

    @classmethod
    def draw(cls, seed):
        """Return the scenario of a seed."""
        drawn, chance = draw(seed), random.Random(f"{seed}:onflow account")
        options = {
            "refusal_status": chance.choice([200, 400, 422]),
            "missing_status": chance.choice([200, 404]),
            "cancels_again": chance.random() < 0.6,
            "tells_wait": chance.random() < 0.7,
        }
        is_merchant = drawn.people
        roads = tuple(_cancelled(chance, road) for road in drawn.roads[:MOST_PARCELS])
        made = adapted(
            drawn,
            EFFECTS,
            MOST_PARCELS,
            platform="onflow",
            profile="merchant" if is_merchant else drawn.profile,
            gap=None,
            neighbour=False,
            hidden=None,
            operator=is_merchant and chance.random() < 0.8,
            options=options,
            choices={"verify_within_hours": chance.choice(["0.05", "0.2", "1"])},
        )
        made = replace(made, roads=roads, tellings=tellings_of(chance, roads))
        moving = _with_moves(_with_a_busy_warehouse(made, chance), chance)
        return _with_a_miscount(moving, random.Random(f"{seed}:onflow miscount"))

    @classmethod
    def pages(cls, _size):
        """Return no patch: nothing is listed."""
        return nullcontext()

    @classmethod
    def sometimes(cls):
        """Return what has to be reached by two hundred seeds."""
        unlisted = {FaultKind.BARE_ORDERS, FaultKind.IDS_IGNORED, FaultKind.ODD_HEADER}
        return {
            **EVERYWHERE,
            "profiles": PROFILES,
            "faults": tuple(str(kind) for kind in EFFECTS if kind not in unlisted),
            "rows": tuple(r.number for r in (*TABLE, *ORDER_TABLE) if r.number not in UNPLAYED),
            "met": (
                *(it for it in EVERYWHERE["met"] if it != NOTHING_LEADS_BACK),
                *(f"warehouse {stage}" for stage in (*ROAD, BY_HAND, TOUCHED, MISCOUNTED)),
                *("cancel applied", "cancel refused", "cancel no_op"),
                *("cancel after the handover", "a no in a 200", "a second cancel is refused"),
            ),
        }

    @property
    def verify_within(self):
        """Within how many seconds each open shipment is looked at."""
        return float(self.scenario.choices["verify_within_hours"]) * HOUR

    @property
    def rests_in_full(self):
        """Nothing tells what changed."""
        return True

    def connect(self):
        """Add the account to the application."""
        self.stage.app.shops.add(
            SHOP,
            platform="onflow",
            token="token",
            base_url="http://127.0.0.1",
            options={
                "rate_bucket": str(self._bucket),
                "rate_leak": str(self.scenario.leak),
                **self.scenario.choices,
            },
        )

    def add_parcel(self, place, road, joined):  # noqa: ARG002 (a shipment is an order by itself)
        """Order a shipment from the warehouse."""
        code = self.world.add_shipment(account=SHOP).tracking_code
        return code, code

    def opening(self, place):
        """Return the number under which the shipment goes."""
        return {"tracking_number": f"T-{place}"}

    def answer(self, request):
        """Let the platform answer."""
        return self.onflow.handle(request)

    def told(self, request):
        """Return which shipment is cancelled."""
        code = CANCEL_PATH.search(request.path_url).group(1)
        return Told(order=code, fulfillment=code, name="cancel", operations=("cancel",))

    def start(self):
        """Set the warehouse to work, and a person."""
        for at, place, what in self.scenario.moves:
            self.scheduler.at(at, lambda place=place, what=what: self._move(place, what))
        if self.scenario.operator:
            start_person(self.stage)

    def shown(self, ref):
        """Return how far the warehouse is."""
        self.world.settle()
        return self.world.shipment(ref.fulfillment_id).stage

    def agrees(self, ref, parcel):
        """Tell whether a parcel is where its warehouse lets it be.

        What is still in the warehouse may be anything here but cancelled: it is waited for.
        """
        stage, status = self.shown(ref), str(parcel.delivery.status)
        if stage in BEFORE:
            return status != "cancel"
        return status in GONE_OUT if stage is OnflowStage.HANDOVER else status == "cancel"

    def touched(self):
        """Return nothing: the warehouse moves every shipment, and that explains no incident."""
        return set()

    def doubled(self):
        """Return how often a shipment was cancelled that an earlier call had cancelled."""
        return counted(self.judged().duplicates, lambda each: (each.subject, each.verb))

    def missing(self):
        """Return how many shipments we cancelled: where nothing fails, each by one call."""
        return sum("cancel" in self.known(ref) for ref in self.stage.refs)

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report()

    @property
    def received(self):
        """How many cancels were received, and how many did nothing."""
        judged = self.judged()
        return judged.writes_received, judged.no_ops + judged.writes_refused

    def most_reads(self, report):
        """P4: each shipment is read once, and once more after its cancel."""
        return report.orders + report.published

    def explains(self, incident):
        """Tell whether both sides went ways that exclude each other, or a reply was made odd."""
        if incident.kind == "unknown_code":
            return bool(self.faults.given[FaultKind.ODD_ROW])  # A number without its time.
        stage = self.world.shipment(incident.fulfillment_id).stage
        ours = set(self.stage.watch.history(incident.fulfillment_id, "delivery"))
        crossed = "cancel" in ours if stage is OnflowStage.HANDOVER else bool(ours & ON_THE_ROAD)
        return incident.kind in CONFLICTS and stage not in BEFORE and crossed

    def turned_away(self, outcome):
        """Tell whether a request was not let in, by Onflow itself; a page may be anybody's."""
        return outcome.status == 429 or (super().turned_away(outcome) and outcome.is_usable)

    def says_no(self, outcome):
        """Tell whether an answer is a no, or bears the error flag with a good status."""
        return super().says_no(outcome) or (outcome.is_usable and _is_flagged(outcome.body))

    def forbids(self, told):
        """P2: a shipment may be cancelled that is still in the warehouse."""
        self._catch_up()
        stage = self.world.shipment(told.fulfillment).stage
        return None if stage in BEFORE else stage

    def moved(self):
        """P2: nothing is cancelled that the ledger has not as cancelled."""
        for write in self._catch_up():
            self.scheduler.tell(f"  platform {write.verb} {write.subject} {write.result}")
            self.scheduler.met[f"cancel {write.result}"] += 1
            self.scheduler.met["cancel after the handover"] += write.is_after_handover
            known = self.stage.watch.history(write.subject, "delivery")
            if write.subject in self.stage.watch.resolved or "cancel" in known:
                continue
            raise Broken("P2", f"{write.subject} is cancelled, and not by the ledger: {known}")

    def _world(self):
        skew = self.skew
        world = OnflowWorld(clock=lambda: self.scheduler.now() + skew)
        world.add_account(
            code=SHOP,
            token="token",
            bucket_size=self._bucket,
            leak_per_second=int(self.scenario.leak),
            **self.scenario.options,
        )
        return world

    def _move(self, place, what):
        """Let the warehouse do a step, somebody cancel by hand, or touch what is not shown."""
        code = self.stage.refs[place].fulfillment_id
        self.scheduler.met[f"warehouse {what}"] += 1
        self.scheduler.tell(f"warehouse: {what} {code}")
        ways = {
            BY_HAND: self.world.cancel_by_hand,
            TOUCHED: self.world.touch,
            MISCOUNTED: self._miscount,
        }
        try:
            ways.get(what, self.world.move_on)(code)
        except SandboxError as error:
            self.scheduler.tell(f"warehouse gave up: {error}")

    def _miscount(self, code):
        """Show a shipment once as handed over, or as cancelled, which its times deny."""
        is_out = self.world.shipment(code).stage is OnflowStage.HANDOVER
        fault = Fault(kind=FaultKind.NONSENSE_WORD, word="500" if is_out else "300")
        self.faults.add(Rule(fault=fault, method="GET", path=code))

    def _catch_up(self):
        """Note when each shipment was last moved, by whomever; return the calls that were new."""
        recorder = self.world.recorder
        for move in recorder.moves[self._moves :]:
            self._changed_at[move.tracking_code] = move.at
        self._moves = len(recorder.moves)
        new = recorder.writes[self._seen :]
        self._seen = len(recorder.writes)
        for write in new:
            if write.result is OnflowResult.APPLIED:
                self._changed_at[write.subject] = write.at
        return new


def _cancelled(chance, road):
    """Return a road, or one on which nothing happens but a cancel."""
    if chance.random() >= OURS_TO_CANCEL:
        return road
    return replace(road, steps=((chance.uniform(5, 200), "cancel"),))


def _with_a_busy_warehouse(drawn, chance):
    """Let the warehouse move what is just being asked for, or told."""
    if drawn.profile == "calm":
        return drawn
    rates = {**drawn.rates, FaultKind.MERCHANT_EDIT_BEFORE: chance.choice([0, 0.05, 0.15])}
    if drawn.people:
        rates[FaultKind.MERCHANT_CANCEL_BEFORE] = chance.choice([0.01, 0.1])
    return replace(drawn, rates=rates)


def _with_moves(drawn, chance):
    """Return a scenario whose warehouse hands over what by our steps has left, a little before.

    What we cancel it may hand over all the same, unless all is calm.
    """
    moves = []
    for place, road in enumerate(drawn.roads):
        left = next((at for at, status in road.steps if status in ON_THE_ROAD), None)
        cancelled = next((at for at, status in road.steps if status == "cancel"), None)
        end = _end_of(chance, drawn, left, cancelled)
        if end is None:
            stages, end = ROAD[: chance.randrange(3)], drawn.horizon
        else:
            stages = ROAD
        share = sorted(chance.uniform(0.1, 0.95) for _ in stages[:-1])
        times = [*(end * each for each in share), end][: len(stages)]
        moves += [(at, place, stage) for at, stage in zip(times, stages, strict=True)]
        moves += _by_others(chance, drawn, place)
    return replace(drawn, moves=tuple(sorted(moves)))


def _with_a_miscount(drawn, chance):
    if not drawn.people or chance.random() >= MISCOUNTS:
        return drawn
    miscount = (chance.uniform(5, 250), chance.randrange(len(drawn.roads)), MISCOUNTED)
    return replace(drawn, moves=tuple(sorted([*drawn.moves, miscount])))


def _end_of(chance, drawn, left, cancelled):
    """Return when a shipment is handed over; None if it stays in the warehouse."""
    if left is not None and cancelled is None:
        return max(left - chance.uniform(0, 60), 0.5)
    if drawn.profile == "calm" or chance.random() < 0.5:
        return None
    return (cancelled or chance.uniform(20, 250)) + chance.uniform(-40, 40) + 41


def _by_others(chance, drawn, place):
    """Return what is done in the portal, where people are about."""
    if not drawn.people:
        return []
    moves = []
    if chance.random() < 0.3:
        moves.append((chance.uniform(5, 250), place, BY_HAND))
    if chance.random() < 0.3:
        moves.append((chance.uniform(5, 250), place, TOUCHED))
    return moves


def _is_flagged(body):
    try:
        return json.loads(body).get("error") is True
    except (ValueError, AttributeError):
        return False
