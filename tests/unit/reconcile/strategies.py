"""Situations of every kind, likely and not, for properties that must hold in all of them."""

from dataclasses import replace

from hypothesis import strategies as st

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import Fulfillment, MachineHead
from carrierflow.domain.lifecycle import GROUPS
from carrierflow.domain.model import START, Machine, Status
from carrierflow.domain.publication import Publication, PublicationLog, PublicationState
from carrierflow.platforms.haravan.platform import PROJECTION
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.evaluate import accept
from carrierflow.reconcile.policy import MerchantEdit, Policy, RemoteAhead

from .making import COD, DELIVERY, REF, at, attempt, lifecycle, seen_as, steps


CARRIER_WORDS = [*(s for s in Status if s.machine is DELIVERY), "lost"]
CASH_WORDS = [*(s for s in Status if s.machine is COD), "bitcoin"]
OPEN = [PublicationState.SENT, PublicationState.UNKNOWN]

moments = st.sampled_from([-86_401, -86_400, -300, -120, -60, -59.5, -46, -45, -44, -10, -1, 0])
policies = st.builds(
    Policy, remote_ahead=st.sampled_from(RemoteAhead), merchant_edit=st.sampled_from(MerchantEdit)
)
lifecycles = st.builds(
    lambda groups, paid: lifecycle(*sorted(groups), paid_on_delivery=paid),
    st.sets(st.sampled_from(sorted(GROUPS))),
    st.booleans(),
)


@st.composite
def roads(draw, machine, law):
    """Draw recorded statuses: nearly always legal ones, now and then a correction."""
    road, place = [], START
    words = [s for s in Status if s.machine is machine and not law.never_written(s)]
    for _ in range(draw(st.integers(1, 9))):
        allowed = law.allowed(machine, place)
        if road and draw(st.integers(0, 15)) == 0:
            allowed = [word for word in words if word != place]
        if not allowed:
            break
        place = draw(st.sampled_from(allowed))
        road.append(place)
    return road


@st.composite
def publications(draw, step):
    """Draw what was tried so far to show one step."""
    attempts = draw(st.integers(0, 9))
    sent, over = sorted((draw(moments), draw(moments)))
    return Publication(
        machine=step.machine,
        seq=step.seq,
        state=draw(st.sampled_from(PublicationState)),
        attempts=attempts,
        first_sent_at=at(min(sent, draw(moments))),
        sent_at=at(sent),
        ended_at=at(over),
        confirmed_at=draw(st.none() | moments.map(at)),
        reasserted=draw(st.integers(0, 1)),
        excused=draw(st.integers(0, attempts)),
    )


@st.composite
def observations(draw, *, asked=moments):
    """Draw what a platform might say: any two words, and any dates."""
    words = draw(st.sampled_from(CARRIER_WORDS)), draw(st.sampled_from(CASH_WORDS))
    dates = draw(st.dictionaries(st.sampled_from(Status), moments, max_size=6))
    return seen_as(
        *words,
        dates=dates,
        updated=draw(moments),
        asked=draw(asked),
        order_cancelled=draw(st.booleans()),
    )


@st.composite
def publication_logs(draw, law):
    """Draw both recorded roads, and anything that may have been tried with them."""
    recorded = tuple(
        step for machine in Machine for step in steps(machine, draw(roads(machine, law)))
    )
    tried = {}
    for step in recorded:
        if draw(st.booleans()):
            tried[step.machine, step.seq] = draw(publications(step))
    made = draw(st.lists(st.tuples(st.sampled_from(recorded), moments), max_size=3))
    attempts = tuple(attempt(step.seq, step.to_status, intent) for step, intent in made)
    return PublicationLog(steps=recorded, publications=tried, attempts=attempts)


def head_of(publication_log, machine, confirmed):
    """Return the head that some recorded steps lead to."""
    road = [step for step in publication_log.steps if step.machine is machine]
    return MachineHead(
        status=road[-1].to_status, seq=len(road), confirmed=min(confirmed, len(road))
    )


@st.composite
def cases(draw):
    """Draw any situation whose parts belong together at all."""
    law = draw(lifecycles)
    publication_log, seen = draw(publication_logs(law)), draw(observations())
    said = draw(st.none() | observations())
    parcel = Fulfillment(
        id=1,
        shop_id=1,
        ref=REF,
        version=1,
        delivery=head_of(publication_log, DELIVERY, draw(st.integers(0, 9))),
        cod=head_of(publication_log, COD, draw(st.integers(0, 9))),
        cod_amount=0,
        remote=said and accept(said),
        seen_at=draw(st.none() | moments.map(at)),
        settled_at=draw(st.none() | moments.map(at)),
        frozen=draw(st.sampled_from([None, None, None, "stuck"])),
        reassert=draw(st.sampled_from([None, None, observation_digest(seen)])),
    )
    return Case(
        parcel=parcel,
        publication_log=publication_log,
        seen=seen,
        now=seen.asked_at + (at(draw(st.sampled_from([0, 1, 14.9, 15, 60]))) - at(0)),
        lifecycle=law,
        projection=PROJECTION,
        policy=draw(policies),
    )


@st.composite
def agreeing(draw):
    """Draw a parcel and a reading that mostly agree, each in one of a few ways not."""
    made = draw(cases())
    delivery, cod = (replace(h, confirmed=h.seq) for h in (made.parcel.delivery, made.parcel.cod))
    said = seen_as(
        delivery.status,
        cod.status,
        dates=draw(st.dictionaries(st.sampled_from(Status), moments, max_size=3)),
        updated=draw(moments),
        order_cancelled=draw(st.integers(0, 3)) == 0,
    )
    grace = made.policy.grace.total_seconds()
    settled = draw(st.none() | st.sampled_from([-2 * grace, -grace, -1.0]).map(at))
    over = settled is not None and settled <= at(0) - made.policy.grace
    parcel = replace(
        made.parcel,
        delivery=delivery,
        cod=cod,
        remote=accept(said),
        frozen=draw(st.sampled_from([None, None, None, "stuck"])),
        settled_at=settled,
        open=draw(st.booleans()) if over else True,
        missing=draw(st.integers(0, 2)),
        not_before=draw(st.none() | moments.map(at)),
    )
    seen = draw(st.sampled_from([said, said, said, made.seen]))
    seen = replace(seen, asked_at=at(0), seen_at=at(0))
    return replace(made, parcel=parcel, seen=seen, now=at(0))
