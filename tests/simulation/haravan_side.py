"""Haravan in the simulation: PUTs of single statuses, polls, webhooks, merchants who edit."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from unittest import mock

from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.platforms.haravan import haravan_client
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.sandbox.haravan import Dropped, FaultKind, Haravan, TouchSource, World
from carrierflow.sandbox.haravan.damage import damaged
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.recorder import PutResult, ReceivedPut
from carrierflow.sandbox.haravan.vocabulary import BY_SEGMENT

from .calls import TOPICS, WEBHOOKS, Line, connect, start_calls
from .people import DEEDS, edit, start_people
from .scenario import ABSENT, draw
from .scheduler import Broken
from .side import SHOP, Side, Told, counted
from .sometimes import EVERYWHERE, PLATFORM_S_LISTS


LEGAL = {
    machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
    for machine in DEFAULT.machines
}

OURS = {TouchSource.LIFT, TouchSource.POLL}
"""Moves that nobody else made: the platform's own, and what it took from our answers."""

FINAL = {"delivered", "return", "cancel"}

PUT_PATH = re.compile(r"/orders/(\d+)/fulfillments/(\d+)/(?:.*/)?([a-z_]+)\.json")
STATUSES = {segment: status for (_, segment), status in BY_SEGMENT.items()}

UNPLAYED = {"6a", "6b", "20", "21"}
"""Rows that have their own tests, or that other platforms play: here nobody changes amounts,
clocks are right to an hour, and the platform shows every status as such."""

MOST_READS = 4
"""Of a shop that fits on a page: what a run published comes again in the list of changes."""


class HaravanSide(Side):
    """A Haravan with one shop, and the app that its carrier registered."""

    name = "haravan"
    lists = "updated_at_min"
    numbers = re.compile(rb'"id":(\d+)')

    def __init__(self, stage):
        super().__init__(stage)
        self.haravan = Haravan(
            self.world, faults=self.faults, send=Line(stage).send, sleep=self.scheduler.sleep
        )
        self._seen = self._touches = 0
        self._applied = {}

    @classmethod
    def draw(cls, seed):
        """Return the scenario of a seed."""
        return draw(seed)

    @classmethod
    def pages(cls, size):
        """Return the patch that makes a page of orders so long."""
        return mock.patch.object(haravan_client, "MOST_ORDERS", size)

    @classmethod
    def sometimes(cls):
        """Return what has to be reached by two hundred seeds."""
        return {
            **EVERYWHERE,
            "faults": tuple(str(kind) for kind in FaultKind if kind not in ABSENT),
            "rows": tuple(r.number for r in (*TABLE, *ORDER_TABLE) if r.number not in UNPLAYED),
            "met": (
                *EVERYWHERE["met"],
                *PLATFORM_S_LISTS,
                *(f"merchant {deed}" for deed in DEEDS),
                *("merchant back", "edits undone", "cash without a lift"),
                *(f"call {call} done" for call in ("detail", "cancel", "webhook")),
                *("call cancel refused", "call detail refused", "call detail unsigned"),
                *("platform calls", "no answer to a call"),
            ),
        }

    def connect(self):
        """Add the shop to the application, and tell the platform where the carrier listens."""
        org_id = str(self.world.shop(SHOP).org_id)
        shops = self.stage.app.shops
        shops.add(SHOP, token="token", base_url="http://127.0.0.1", org_id=org_id)
        if self.scenario.calls:
            connect(self.stage)

    def add_parcel(self, place, road, joined):
        """Put a parcel on the platform."""
        return self.world.add_parcel(
            shop=SHOP,
            cod_amount=road.cod,
            order_id=joined,
            tracking_number=tracking_number(place),
        )

    def opening(self, place):
        """Return the number under which the platform asks for a parcel."""
        return {"tracking_number": tracking_number(place)}

    def answer(self, request):
        """Let the platform answer; what it tells the carrier for that waits."""
        return self.haravan.dispatch(request)

    def told(self, request):
        """Return which status is PUT, of which parcel."""
        order, fulfillment, segment = PUT_PATH.search(request.path_url).groups()
        return Told(order=order, fulfillment=fulfillment, name=segment, operations=(segment,))

    def start(self):
        """Set merchants to work, a person, and the platform's own calls."""
        start_people(self.stage)
        start_calls(self.stage)

    def shown(self, ref):
        """Return both statuses that the platform shows."""
        self.world.settle()
        parcel = self._parcel(ref)
        return str(parcel.carrier_status), str(parcel.cod_status)

    def agrees(self, ref, parcel):
        """Tell whether both sides show the same statuses."""
        return (str(parcel.delivery.status), str(parcel.cod.status)) == self.shown(ref)

    def touched(self):
        """Return what others moved."""
        return {str(ref.fulfillment_id) for ref in self._touched()}

    def doubled(self):
        """Return how often each status was PUT that an earlier PUT had reached."""
        doubled = self.judged().duplicates
        return counted(doubled, lambda put: (str(put.ref.fulfillment_id), put.to_status))

    def missing(self):
        """Return how many transitions there are to be PUT; None where polls tell them, too."""
        if self.scenario.calls:
            return None
        wanted = 0
        for ref in self.stage.refs:
            cod = self.stage.watch.history(ref.fulfillment_id, "cod")
            wanted += max(len(self.known(ref)) - 1, 0) + cod.count("codreceipt")
            wanted += cod.count("codpaid") * (not self.scenario.lifts)
        return wanted

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report(LEGAL)

    @property
    def received(self):
        """How many PUTs were received, and how many did nothing."""
        judged = self.judged()
        return judged.puts_received, judged.no_ops

    def most_reads(self, _report):
        """P4: all orders come at once, and the list of changes beside.

        A page that is full to its end has another one asked for.
        """
        return MOST_READS if self.scenario.page > len(self.stage.refs) else None

    def settle_neighbour(self):
        """Put a parcel of another carrier into the first order; its row can never be read."""
        refs, seed = self.stage.refs, f"{self.scenario.seed}:neighbour"
        _, number = self.world.add_parcel(
            shop=SHOP,
            order_id=int(refs[0].order_id),
            tracking_number="elsewhere",
            tracking_company_code="ghn2018",
        )
        self.stage.neighbour = (refs[0].order_id, str(number))
        mark = f'"id":{number},'.encode()

        def warp(outcome):
            if isinstance(outcome, Dropped) or mark not in outcome.body:
                return outcome
            body = damaged(outcome.body, random.Random(seed), only=number)
            return replace(outcome, body=body)

        self.stage.network.warp = warp

    def changed_at(self, order_id):
        """Return when an order changed last, in ticks."""
        return self.world.shop(SHOP).order(int(order_id)).updated_at

    def rename(self, order_id):
        """Change something of an order that is no status."""
        ref = next(ref for ref in self.stage.refs if ref.order_id == order_id)
        self.world.update(self._parcel(ref).ref, {"coupon_code": f"C{self.world.now()}"}, None)

    def edit(self, ref):
        """Let a merchant set a status by hand."""
        edit(self.stage, "edit", ref)

    def forbids(self, told):
        """P2: a status may be PUT that legally follows what is shown, or cancels it."""
        self._catch_up()
        status = STATUSES[told.name]
        parcel = self.world.shop(SHOP).parcel(int(told.order), int(told.fulfillment))
        shown = parcel.cod_status if status.machine == "cod" else parcel.carrier_status
        is_cancel = status.code == "cancel" and shown not in FINAL
        is_legal = (shown, status.code) in LEGAL[status.machine] or is_cancel
        return None if is_legal else shown

    def moved(self):
        """P2: no illegal step, none out of order, on parcels that nobody else touched."""
        polled = [_as_put(touch) for touch in self._catch_up() if touch.source is TouchSource.POLL]
        puts = self.world.recorder.puts[self._seen :]
        self._seen += len(puts)
        for put in (*puts, *polled):
            number = str(put.ref.fulfillment_id)
            if put.result is PutResult.APPLIED:
                self._changed_at[number] = put.at
                self.stage.watch.on_applied(put)
            self.scheduler.tell(f"  platform {put.from_status}→{put.to_status} {put.result}")
            if put.ref not in self._touched() and number not in self.stage.watch.resolved:
                self._check_put(put)

    def _world(self):
        scenario, skew = self.scenario, self.skew
        world = World(
            clock=lambda: self.scheduler.now() + skew, app=App(webhook_url=WEBHOOKS, topics=TOPICS)
        )
        world.add_shop(
            code=SHOP,
            token="token",
            bump_orders=scenario.bump,
            lifts_cod=scenario.lifts,
            bucket_size=self._bucket,
            leak_per_second=int(scenario.leak),
        )
        return world

    def _settings(self):
        return super()._settings(client_secret=App().client_secret)

    def _parcel(self, ref):
        return self.world.shop(SHOP).parcel(int(ref.order_id), int(ref.fulfillment_id))

    def _catch_up(self):
        """Note when each parcel was last moved, by whomever; return the moves that were new."""
        new = self.world.recorder.touches[self._touches :]
        self._touches += len(new)
        for touch in new:
            self._changed_at[str(touch.ref.fulfillment_id)] = touch.at
        return new

    def _touched(self):
        return {t.ref for t in self.world.recorder.touches if t.source not in OURS}

    def _check_put(self, put):
        if put.after_cancel:
            raise Broken("P2", f"PUT {put.to_status} after our own cancel of {put.ref}")
        if put.result is not PutResult.APPLIED:
            return
        machine = put.machine.value
        if (put.from_status, put.to_status) not in LEGAL[machine]:
            raise Broken("P2", f"illegal {put.from_status}→{put.to_status} on {put.ref}")
        road = self._applied.setdefault((put.ref, machine), [])
        road.append(put.to_status)
        recorded = self.stage.watch.history(put.ref.fulfillment_id, machine)[1:]
        if machine == "delivery" and recorded[: len(road)] != road:
            raise Broken("P2", f"out of order on {put.ref}: {road} of {recorded}")
        if machine == "cod":
            shown = self.world.shop(put.ref.shop).parcel(put.ref.order_id, put.ref.fulfillment_id)
            if put.to_status not in recorded or shown.carrier_status != "delivered":
                raise Broken("P2", f"{put.to_status} on a parcel that is {shown.carrier_status}")


def _as_put(touch):
    """Return what the platform took from our answer, as if we had told it."""
    names = ("at", "ref", "machine", "from_status", "to_status")
    told = {name: getattr(touch, name) for name in names}
    return ReceivedPut(**told, result=PutResult.APPLIED)


def tracking_number(place):
    """Return the number under which the platform asks for a parcel."""
    return f"T-{place}"
