"""What the platform asks of the carrier: polls, cancels and webhooks, over the same bad network."""

from __future__ import annotations

from itertools import count
from urllib.parse import parse_qsl, urlsplit

from carrierflow.carrier_service import Accepted, Request, Result
from carrierflow.sandbox.haravan import SandboxError
from carrierflow.sandbox.haravan.carrier_callables import sign
from carrierflow.sandbox.http_client import Answer
from carrierflow.sandbox.refusals import NoAnswer

from .network import NEAR
from .scheduler import Broken


ROOT = "http://127.0.0.1/carrier"
ADDRESSES = {
    "get_order_detail_url": f"{ROOT}/alpha/detail",
    "cancel_order_url": f"{ROOT}/alpha/cancel",
}
WEBHOOKS = f"{ROOT}/webhooks"
TOPICS = ("orders/updated", "orders/cancelled")

UNAUTHORIZED = 401

PATIENCE = 0.05
"""How often the platform looks whether an answer is there."""

POLLED = 0.4
"""How many of the parcels one round of polls asks for."""

WEBHOOKS_EVERY = 12.0


class Agreeable:
    """A carrier that takes everything, and gives everything back."""

    def quote(self, _request):
        """Offer nothing: nobody asks here."""
        return []

    def accept(self, request):
        """Take a parcel."""
        return Accepted(tracking_number=f"T{request.fulfillment_id}", shipping_fee=0)

    def cancel(self, _request):
        """Agree."""


class Line:
    """The way from the platform to a web process of the carrier, and back."""

    def __init__(self, stage):
        self._stage, self._numbers = stage, count(1)

    def send(self, outgoing):
        """Bring one call over; the web process may die of it, or be too slow."""
        scheduler, chance = self._stage.scheduler, self._stage.network.chance
        scheduler.pause(chance.uniform(*NEAR))
        genuine = self._is_genuine(outgoing)
        answers, parts = [], urlsplit(outgoing.url)
        request = Request(
            method=outgoing.method,
            path=parts.path.removeprefix(urlsplit(ROOT).path),
            query=dict(parse_qsl(parts.query)),
            headers=outgoing.headers,
            body=outgoing.body,
        )

        def work(_process):
            with self._stage.living() as app:
                service = app.carrier_service(Agreeable(), on_answer=self._answered)
                answers.append(service.answer(request))
                if genuine == (answers[0].status == UNAUTHORIZED):
                    raise Broken("signature", f"{request.path} was answered {answers[0].status}")
                scheduler.kill_point("before an answer")

        web = scheduler.spawn(f"web{next(self._numbers)}", work)
        gives_up = scheduler.time_us + round(outgoing.seconds * 1e6)
        while web.alive and scheduler.time_us < gives_up:
            scheduler.pause(PATIENCE)
        if web.alive or web.killed:
            scheduler.met["no answer to a call"] += 1
            raise NoAnswer("The carrier did not answer.")
        scheduler.pause(chance.uniform(*NEAR))
        return Answer(status=answers[0].status, body=answers[0].body)

    def _is_genuine(self, outgoing):
        """Tell whether a call bears the signature that the app's secret makes."""
        signed = sign(outgoing.body, self._stage.world.app.client_secret)
        return signed in outgoing.headers.values()

    def _answered(self, answered):
        scheduler = self._stage.scheduler
        scheduler.met[f"call {answered.call} {answered.result}"] += 1
        scheduler.tell(f"answered {answered.call}: {answered.result}")
        if answered.result is Result.FAILED:
            raise Broken("no process crashes", f"{answered.call} could not be answered")


def connect(stage):
    """Let the platform know where the carrier listens."""
    shop = stage.world.shop(stage.code)
    shop.services.register({"name": "Carrier", "active": True, **ADDRESSES}, stage.world.now())
    stage.world.webhook_queue.subscribe(stage.code)
    stage.network.after_cancel = lambda: tell_cancels(stage)


def start_calls(stage):
    """Let the platform poll, and send its webhooks, until the scenario's horizon."""
    scenario, scheduler = stage.scenario, stage.scheduler
    if not scenario.calls:
        return

    def every(seconds, name, work):
        def tick():
            if scheduler.time_us / 1e6 <= scenario.horizon:
                scheduler.at(seconds, tick)
                scheduler.spawn(name, work, mortal=False)

        scheduler.at(stage.chance.uniform(1, seconds), tick)

    every(scenario.poll_every, "poller", lambda _process: poll(stage, share=POLLED))
    every(WEBHOOKS_EVERY, "postman", lambda _process: stage.side.haravan.webhook_sender.deliver())


def poll(stage, *, share=1.0):
    """Let the platform ask for the details of parcels; return how many it moved for that."""
    moved = 0
    for ref in stage.refs:
        if stage.chance.random() < share:
            parcel = stage.world.shop(stage.code).parcel(int(ref.order_id), int(ref.fulfillment_id))
            moved += not parcel.is_cancelled and stage.world.poll(parcel.ref)
            stage.side.moved()
    return moved


def tell_cancels(stage):
    """Let the platform tell the carrier of what was cancelled."""
    return stage.scheduler.spawn(
        "platform", lambda _process: stage.world.deliver_callbacks(), mortal=False
    )


def ask_for_cancel(stage, ref):
    """Let a seller ask the carrier to give a parcel up; the platform waits for the answer."""
    parcel = stage.world.shop(stage.code).parcel(int(ref.order_id), int(ref.fulfillment_id))

    def work(_process):
        try:
            stage.side.haravan.carrier_calls.cancel(parcel.ref)
        except SandboxError as error:
            stage.scheduler.tell(f"seller: {type(error).__name__}")

    stage.scheduler.spawn("seller", work, mortal=False)
