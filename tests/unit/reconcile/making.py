"""Situations in one readable line: what was recorded, what was told, what the platform shows.

All times are seconds around T0, the moment at which the platform was asked. What was confirmed
was entered on the platform an hour before, a minute apart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from carrierflow.domain.fulfillment import Fulfillment, MachineHead
from carrierflow.domain.lifecycle import Lifecycle, define
from carrierflow.domain.model import (
    START,
    FulfillmentRef,
    Machine,
    Observation,
    RemoteWord,
    Source,
    Status,
)
from carrierflow.domain.publication import (
    Attempt,
    Publication,
    PublicationLog,
    PublicationState,
    PublishableStep,
)
from carrierflow.platforms.haravan.platform import PROJECTION
from carrierflow.reconcile.actions import Write
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.decision_table import decide
from carrierflow.reconcile.evaluate import accept
from carrierflow.reconcile.policy import Policy


T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TICK = 0.000_001
REF = FulfillmentRef(shop="shop", order_id="1001", fulfillment_id="5001")
WRITES = {write.to: write for write in PROJECTION.writes}
POLICY = Policy()
DELTA = POLICY.settle.total_seconds()

DELIVERY, COD = Machine.DELIVERY, Machine.COD
SENT, UNKNOWN = PublicationState.SENT, PublicationState.UNKNOWN

LOOP = "readytopick picking delivering notmeetcustomer delivering"


def at(seconds):
    """Return the moment so many seconds after T0."""
    return T0 + timedelta(seconds=seconds)


@cache
def lifecycle(*groups, paid_on_delivery=True):
    """Return a lifecycle with some groups of steps switched on."""
    return Lifecycle(define(groups, paid_on_delivery=paid_on_delivery))


def steps(machine, words, *, caused=True):
    """Return recorded steps; cash that follows a delivery has it as its cause if `caused`."""
    found, before = [], START
    for seq, word in enumerate(words, start=1):
        cause = "delivery:4" if caused and word == Status.CODPAID else None
        source = Source.RULE if seq == 1 or cause else Source.CARRIER
        found.append(
            PublishableStep(
                machine=machine,
                seq=seq,
                from_status=before,
                to_status=Status(word),
                source=source,
                cause=cause,
            )
        )
        before = word
    return tuple(found)


def told(seq, *, over=-60.0, state=UNKNOWN, machine=DELIVERY, attempts=1, **changes):
    """Return a publication whose last try was over so many seconds after T0."""
    sent_at = at(over - 2)
    fixed = {"first_sent_at": sent_at, "sent_at": sent_at, "ended_at": at(over)}
    return Publication(
        machine=machine, seq=seq, state=state, attempts=attempts, **(fixed | changes)
    )


def attempt(seq, status, intent, *, number=1, **known):
    """Return an attempt at an entry whose intent was written so many seconds after T0."""
    return Attempt(
        machine=Status(status).machine,
        seq=seq,
        number=number,
        status=Status(status),
        expects=Status(status),
        operation=status,
        run="run",
        fence=1,
        intent_at=at(intent),
        send_deadline=at(intent) + POLICY.send_deadline,
        **known,
    )


def tell(step):
    """Return the action that tells a step."""
    return Write(step, WRITES[step.to_status])


def word_of(raw):
    """Return a platform's word with our status for it, if there is one."""
    known = raw in set(Status)
    return RemoteWord(raw=raw, status=Status(raw) if known else None)


def seen_as(carrier, cod="none", *, dates=None, updated=-3600.0, asked=0.0, **parts):
    """Return what the platform says; dates and times are seconds after T0."""
    dates = {Status(status): at(second) for status, second in (dates or {}).items()}
    return Observation(
        ref=REF,
        asked_at=at(asked),
        seen_at=at(asked),
        carrier=word_of(carrier),
        cod=word_of(cod),
        updated_at=at(updated),
        updated_at_raw=at(updated).isoformat(),
        dates=dates,
        dates_raw={status: moment.isoformat() for status, moment in dates.items()},
        **parts,
    )


def entered(road, confirmed):
    """Return when the platform entered what was confirmed, as it was read back."""
    return {word: -3600.0 + 60 * seq for seq, word in enumerate(road[:confirmed], start=1)}


def a_case(
    road="readytopick",
    confirmed=None,
    shows=None,
    *,
    cash="none",
    cash_confirmed=None,
    cash_shows=None,
    date=None,
    updated=None,
    asked=0.0,
    now=0.0,
    tried=(),
    attempts=(),
    groups=(),
    caused=True,
    policy=POLICY,
    projection=PROJECTION,
    looked=True,
    **parcel,
):
    """Return a situation; by default everything is confirmed, and shown since an hour ago.

    A status that is shown and was not confirmed was entered ten seconds before T0; `date` puts
    that elsewhere, and `updated` the time of the last change. `looked` is whether the platform
    was ever looked at before.
    """
    road, cash = road.split(), cash.split()
    confirmed = len(road) if confirmed is None else confirmed
    cash_confirmed = len(cash) if cash_confirmed is None else cash_confirmed
    dates = entered(road, confirmed) | entered(cash, cash_confirmed)
    dates = {word: when for word, when in dates.items() if projection.shows(Status(word)) == word}
    before = seen_as(
        projection.shows(Status(road[confirmed - 1] if confirmed else road[0])),
        projection.shows(Status(cash[cash_confirmed - 1] if cash_confirmed else cash[0])),
        dates=dates,
        updated=max(dates.values(), default=-3600.0),
        asked=-30.0,
    )
    carrier, cod = shows or before.carrier.raw, cash_shows or before.cod.raw
    news = [w for w, was in ((carrier, before.carrier), (cod, before.cod)) if w != was.raw]
    if date is not None and carrier not in news:
        news.append(carrier)
    moment = -10.0 if date is None else date
    dates |= dict.fromkeys((word for word in news if word in set(Status)), moment)
    if updated is None:
        updated = moment if news else (before.updated_at - T0).total_seconds()
    return Case(
        parcel=Fulfillment(
            id=1,
            shop_id=1,
            ref=REF,
            version=1,
            delivery=MachineHead(status=road[-1], seq=len(road), confirmed=confirmed),
            cod=MachineHead(status=cash[-1], seq=len(cash), confirmed=cash_confirmed),
            cod_amount=0 if cash[0] == Status.NONE else 100_000,
            **{
                "remote": accept(before) if looked else None,
                "seen_at": at(-30) if looked else None,
                **parcel,
            },
        ),
        publication_log=PublicationLog(
            steps=steps(COD, cash, caused=caused) + steps(DELIVERY, road),
            publications={(p.machine, p.seq): p for p in tried},
            attempts=tuple(attempts),
        ),
        seen=seen_as(carrier, cod, dates=dates, updated=updated, asked=asked),
        now=at(now),
        lifecycle=lifecycle(*groups, paid_on_delivery=caused),
        projection=projection,
        policy=policy,
    )


def row(made, machine=DELIVERY):
    """Return the number of the row that decides about one machine."""
    return decide(made, machine).row


def action(made, machine=DELIVERY):
    """Return what is decided about one machine."""
    return decide(made, machine).action


def step_of(made, seq, machine=DELIVERY):
    """Return a recorded step."""
    return next(s for s in made.publication_log.steps if s.machine is machine and s.seq == seq)


def cancelled_order(made):
    """Return the same situation, with the order cancelled."""
    return replace(made, seen=replace(made.seen, order_cancelled=True))
