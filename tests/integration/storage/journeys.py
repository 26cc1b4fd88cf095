"""Legal walks of both machines of one parcel, drawn at random, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from carrierflow.domain.fulfillment import Fulfillment, MachineHead, PastEvents
from carrierflow.domain.lifecycle import GROUPS, Definition, Lifecycle, define
from carrierflow.domain.model import FulfillmentRef, Machine, ResolvedEvent, Status
from carrierflow.ledger.verdicts import Draft, VerdictRules


if TYPE_CHECKING:
    from collections.abc import Sequence

MORNING = datetime(2026, 2, 28, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Journey:
    """What happened to one parcel, in the order in which it happened, a minute apart."""

    definition: Definition
    cash: int | None
    walk: tuple[Status, ...]
    ends: tuple[str, str]
    fills: tuple[bool, ...]
    """For each event whether it may fill gaps."""

    def at(self, number):
        """When an event of the walk happened."""
        return MORNING + timedelta(minutes=number)


@st.composite
def journeys(draw, longest=10):
    """Draw a lifecycle with some of its groups, and a legal walk of both machines."""
    definition = define(
        draw(st.sets(st.sampled_from(sorted(GROUPS)))), paid_on_delivery=draw(st.booleans())
    )
    lifecycle = Lifecycle(definition)
    cash = draw(st.sampled_from([None, 250_000]))
    places = {Machine.DELIVERY: Status.READYTOPICK, Machine.COD: Status.NONE}
    if cash:
        places[Machine.COD] = Status.CODPENDING
    walk, passed = [], {None}
    while len(walk) < longest:
        choices = [
            status
            for machine, place in places.items()
            for status in lifecycle.allowed(machine, place)
            if lifecycle.needs(status) in passed
        ]
        if not choices or draw(st.integers(0, 9)) == 0:
            break
        walk.append(draw(st.sampled_from(choices)))
        passed.add(walk[-1])
        places[walk[-1].machine] = walk[-1]
        _follow(draw, lifecycle, walk, places)
    fills = draw(st.lists(st.booleans(), min_size=len(walk), max_size=len(walk)))
    ends = (places[Machine.DELIVERY], places[Machine.COD])
    return Journey(definition, cash, tuple(walk), ends, tuple(fills))


def _follow(draw, lifecycle, walk, places):
    """Take the step that the rule takes; somebody may tell of it as well."""
    follower = lifecycle.follower(walk[-1])
    if follower is None or follower not in lifecycle.allowed(Machine.COD, places[Machine.COD]):
        return
    places[Machine.COD] = follower
    if draw(st.booleans()):
        walk.append(follower)


@st.composite
def arrivals(draw, longest=10):
    """Draw a journey and some order in which its events arrive."""
    journey = draw(journeys(longest))
    return journey, draw(st.permutations(range(len(journey.walk))))


def judged(journey: Journey, order: Sequence[int], *, opened: bool = True):
    """Give the events of a journey to the judge alone; return where both machines end.

    A parcel that was not opened before is opened by the first of them.
    """
    lifecycle = Lifecycle(journey.definition)
    parcel = Fulfillment(
        id=1,
        shop_id=1,
        ref=FulfillmentRef(shop="s", order_id="1", fulfillment_id="2"),
        version=0,
        delivery=MachineHead(),
        cod=MachineHead(),
        cod_amount=journey.cash or 0,
    )
    draft, rules = Draft.of(parcel, PastEvents()), VerdictRules(lifecycle, lifecycle)
    if opened:
        rules.open(draft, at=MORNING, now=MORNING)
    for number in order:
        event = ResolvedEvent(
            status=journey.walk[number],
            occurred_at=journey.at(number),
            key=f"event-{number}",
            fill_gaps=journey.fills[number],
        )
        now = MORNING + timedelta(days=1)
        if draft.is_new:
            rules.begin(draft, event, at=None, now=now)
        else:
            rules.decide(draft, event, now=now)
    return tuple(draft.heads[machine].status for machine in Machine)
