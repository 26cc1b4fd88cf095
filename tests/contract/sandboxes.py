"""Haravan, Sapo and Onflow before the contract, each by its own sandbox."""

from __future__ import annotations

import json
import random
from typing import ClassVar

from carrier import LEGAL

from carrierflow import Status
from carrierflow.platforms.haravan.profile import HARAVAN
from carrierflow.platforms.onflow.profile import ONFLOW
from carrierflow.platforms.sapo.profile import SAPO
from carrierflow.sandbox.exchange import json_reply
from carrierflow.sandbox.haravan import Haravan, World
from carrierflow.sandbox.haravan.parcels import ParcelRef
from carrierflow.sandbox.odd_replies import changed, with_value
from carrierflow.sandbox.onflow import Onflow, OnflowProblem, OnflowStage, OnflowWorld
from carrierflow.sandbox.onflow.envelope import failure
from carrierflow.sandbox.sapo import Sapo, SapoAction, SapoRef, SapoState, SapoWorld
from carrierflow.sandbox.sapo.data_errors import data_error, message_error
from carrierflow.testing.contract import PlatformUnderTest


__all__ = ["HaravanUnderTest", "OnflowUnderTest", "SapoUnderTest"]

ROOMY = 1_000_000


def one_changed(body, ref, name, value):
    """Return a reply in which a field of one fulfillment has another value."""
    change, only = with_value(name, value), int(ref.fulfillment_id)
    return changed(body, random.Random(0), change, only=only)


class HaravanUnderTest(PlatformUnderTest):
    """Every status is a state, and anything may follow anything but a cancel."""

    profile = HARAVAN
    absent = ("999", "999")

    def __init__(self, clock):
        super().__init__(clock)
        self.world = World(clock=clock)
        self.haravan = Haravan(self.world)
        roomy = {"bucket_size": ROOMY, "leak_per_second": ROOMY}
        self.world.add_shop(code=self.shop, token=self.token, **roomy)

    def handle(self, request):
        return self.haravan.handle(request)

    def add_parcel(self, state, *, cod_amount=0):
        made = self.world.add_parcel(
            shop=self.shop, cod_amount=cod_amount, carrier_status=str(state)
        )
        return tuple(map(str, made))

    def shown(self, ref):
        store = self.world.shop(self.shop)
        found = store.parcel(int(ref.order_id), int(ref.fulfillment_id))
        return Status(str(found.carrier_status))

    def move(self, ref, state):
        own = ParcelRef(self.shop, int(ref.order_id), int(ref.fulfillment_id))
        self.world.edit(own, carrier_status=str(state))

    def reworded(self, body, ref):
        return one_changed(body, ref, "carrier_status_code", "teleported")

    def spoiled(self, body, ref, text):
        return one_changed(body, ref, "carrier_status_code", {"said": text})

    def refused(self, saying):
        return json_reply(422, {"errors": saying})

    def denied(self, saying):
        return json_reply(401, {"errors": saying})

    def judged(self):
        report = self.world.recorder.report(LEGAL)
        return [str(put) for put in (*report.illegal, *report.after_cancel)]


class SapoUnderTest(PlatformUnderTest):
    """Parcels are packed, and moved by actions from there."""

    profile = SAPO
    carrier_code = "10355"
    options: ClassVar = {"cancel_shipped": "now"}
    absent = ("999", "999")

    STATES: ClassVar = {
        Status.READYTOPICK: (SapoState.PACKED, []),
        Status.DELIVERING: (SapoState.FULFILLED, [SapoAction.SHIP]),
        Status.DELIVERED: (SapoState.RECEIVED, [SapoAction.SHIP, SapoAction.RECEIVE]),
        Status.WAITINGFORRETURN: (
            SapoState.FULFILLED_CANCELLING,
            [SapoAction.SHIP, SapoAction.CANCEL],
        ),
        Status.RETURN: (
            SapoState.FULFILLED_CANCELLED,
            [SapoAction.SHIP, SapoAction.CANCEL, SapoAction.TAKE_BACK],
        ),
        Status.CANCEL: (SapoState.PACKED_CANCELLED, [SapoAction.CANCEL]),
    }

    def __init__(self, clock):
        super().__init__(clock)
        self.world = SapoWorld(clock=clock)
        self.sapo = Sapo(self.world)
        roomy = {"bucket_size": ROOMY, "leak_per_minute": ROOMY}
        self.world.add_shop(code=self.shop, token=self.token, newest_first=False, **roomy)

    def handle(self, request):
        return self.sapo.handle(request)

    def add_parcel(self, state, *, cod_amount=0):
        made = self.world.add_parcel(
            shop=self.shop,
            cod_amount=cod_amount,
            delivery_service_provider_id=int(self.carrier_code),
        )
        for action in self.STATES[state][1]:
            self.world.act_by_hand(SapoRef(self.shop, *made), action)
        return tuple(map(str, made))

    def shown(self, ref):
        _, parcel = self.world.shop(self.shop).parcel(self.own(ref))
        return next(status for status, (state, _) in self.STATES.items() if state is parcel.state)

    def move(self, ref, state):
        done = len(self.STATES[self.shown(ref)][1])
        for action in self.STATES[state][1][done:]:
            self.world.act_by_hand(self.own(ref), action)

    def own(self, ref):
        return SapoRef(self.shop, int(ref.order_id), int(ref.fulfillment_id))

    def reworded(self, body, ref):
        return one_changed(body, ref, "status", "teleported")

    def spoiled(self, body, ref, text):
        return one_changed(body, ref, "status", {"said": text})

    def refused(self, saying):
        return data_error({"": saying}).reply()

    def denied(self, saying):
        return message_error(401, saying).reply()

    def judged(self):
        return [str(each) for each in self.world.recorder.report().illegal]


class OnflowUnderTest(PlatformUnderTest):
    """A warehouse that leads, lists nothing, and is told to cancel alone."""

    profile = ONFLOW
    absent = ("OASC999", "OASC999")
    lists_changes = False

    STAGES: ClassVar = {
        OnflowStage.NEW: Status.PENDING,
        OnflowStage.PACKED: Status.READYTOPICK,
        OnflowStage.PICKED: Status.READYTOPICK,
        OnflowStage.HANDOVER: Status.DELIVERING,
        OnflowStage.CANCELLED_AFTER_PACKING: Status.CANCEL,
        OnflowStage.CANCELLED_BEFORE_PACKING: Status.CANCEL,
    }

    def __init__(self, clock):
        super().__init__(clock)
        self.world = OnflowWorld(clock=clock)
        self.onflow = Onflow(self.world)
        roomy = {"bucket_size": ROOMY, "leak_per_second": ROOMY}
        self.world.add_account(code=self.shop, token=self.token, **roomy)

    def handle(self, request):
        return self.onflow.handle(request)

    def add_parcel(self, state, *, cod_amount=0):  # noqa: ARG002 (it shows no cash)
        wanted = Status.READYTOPICK if state is Status.CANCEL else state
        stage = next(stage for stage, status in self.STAGES.items() if status is wanted)
        code = self.world.add_shipment(account=self.shop, stage=stage).tracking_code
        if state is Status.CANCEL:
            self.world.cancel_by_hand(code)
        return code, code

    def shown(self, ref):
        return self.STAGES[self.world.shipment(ref.fulfillment_id).stage]

    def move(self, ref, state):
        move = self.world.cancel_by_hand if state is Status.CANCEL else self.world.move_on
        move(ref.fulfillment_id)

    def reworded(self, body, ref):
        times = ("picked_time", "packed_time", "handover_time", "cancelled_time")
        return self.rewritten(body, ref, {"value": 777}, without=times)

    def spoiled(self, body, ref, text):
        return self.rewritten(body, ref, {"value": text})

    def refused(self, saying):
        return self.failed(OnflowProblem.SHIPMENT_CANNOT_BE_CANCELLED, saying)

    def denied(self, saying):
        return self.failed(OnflowProblem.UNAUTHORIZED, saying)

    def judged(self):
        return [str(each) for each in self.world.recorder.report().illegal]

    @staticmethod
    def failed(problem, saying):
        """Say no in a 200, by the flag alone."""
        return failure(problem, status=200, log_id="66f-1a", detail=saying)

    @staticmethod
    def rewritten(body, ref, info, *, without=()):
        document = json.loads(body)
        row = document["data"]
        if isinstance(row, dict) and row.get("tracking_code") == ref.fulfillment_id:
            row = {name: value for name, value in row.items() if name not in without}
            document["data"] = row | {"status_info": info}
        return json.dumps(document).encode()
