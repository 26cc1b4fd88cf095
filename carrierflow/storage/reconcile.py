"""The reconciler's side of the store: what there is to do, what was tried, what was seen."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.limits import REASON, WORD, cut
from carrierflow.domain.model import Machine, Observation, Source, Status
from carrierflow.domain.publication import (
    Attempt,
    Conclusion,
    Outcome,
    Publication,
    PublicationState,
    Step,
    Track,
)
from carrierflow.domain.shop import Shop
from carrierflow.errors import ConcurrentUpdate
from carrierflow.reconcile.ports import Due, Hint, Work, Writing
from carrierflow.storage.binding import sliced
from carrierflow.storage.clock import EPOCH
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.rows import PARCEL, guarded, head_values, look_values, parcel_from
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    history,
    observations,
    outcomes,
    publications,
    shops,
)
from carrierflow.storage.types import UtcDateTime


__all__ = [
    "add_publication",
    "count_due",
    "due",
    "heard",
    "hinted_shops",
    "hints",
    "left",
    "parcels_of",
    "save_publication",
    "tracks",
    "verified",
    "work",
    "write",
]

CHUNK = 500
"""How many ids one statement asks for."""

NEVER = cast(literal(EPOCH, UtcDateTime()), UtcDateTime())
"""Cast, because MariaDB takes a parameter for text, and then the whole column too."""

SAVE_COLUMNS = tuple(
    column.name
    for column in fulfillments.c
    if column.name
    not in {
        "id",
        "shop",
        "order_id",
        "fulfillment_id",
        "tracking_number",
        "cod_amount",
        "opened_at",
        "hinted_at",
    }
)

SAVE_PARCEL = (
    update(fulfillments)
    .where(fulfillments.c.id == bindparam("this"), fulfillments.c.version == bindparam("read"))
    .values({name: bindparam(f"new_{name}") for name in SAVE_COLUMNS})
)

SAVE_LOOK = (
    update(fulfillments)
    .where(fulfillments.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        {name: bindparam("at", type_=UtcDateTime()) for name in ("verified_at", "seen_at")}
        | {"not_before": None, "missing": 0, "missing_since": None}
    )
)

SAVE_PUBLICATION = (
    update(publications)
    .where(*(column == bindparam(f"new_{column.name}") for column in publications.primary_key))
    .values({c.name: bindparam(f"new_{c.name}") for c in publications.c if not c.primary_key})
)

ADD_PUBLICATION = insert(publications)

READ_PARCELS = (
    select(*PARCEL)
    .where(
        fulfillments.c.shop == bindparam("of"),
        fulfillments.c.order_id.in_(bindparam("orders", expanding=True)),
    )
    .order_by(fulfillments.c.id)
)

IDS: BindParameter[int] = bindparam("ids", expanding=True)
ENTRY = ("fulfillment", "machine", "seq")
STEP = ("from_status", "to_status", "source", "cause", "occurred_at")

READ_STEPS = (
    select(
        *(history.c[name] for name in (*ENTRY, *STEP)),
        *(column for column in publications.c if not column.primary_key),
    )
    .outerjoin(publications, and_(*(history.c[name] == publications.c[name] for name in ENTRY)))
    .where(history.c.fulfillment.in_(IDS))
    .order_by(*(history.c[name] for name in ENTRY))
)
"""Every entry, with what was tried so far to show it."""

READ_ATTEMPTS = (
    select(attempts, outcomes.c.outcome, outcomes.c.reason)
    .outerjoin(
        outcomes, and_(*(attempts.c[name] == outcomes.c[name] for name in (*ENTRY, "number")))
    )
    .where(attempts.c.fulfillment.in_(IDS))
    .order_by(attempts.c.intent_at)
)

FOLLOWED = (
    update(fulfillments)
    .where(
        fulfillments.c.shop == bindparam("its"),
        fulfillments.c.order_id == bindparam("order"),
        fulfillments.c.hinted_at <= bindparam("until"),
    )
    .values(hinted_at=None)
)


def work(connection: Connection, shop: Shop, *, now: datetime) -> list[Work]:
    """Return the orders with something to publish now, those first that waited longest."""
    f = fulfillments.c
    query = (
        select(f.order_id, func.sum(f.unpublished))
        .where(f.shop == shop.id, f.unpublished > 0, f.frozen.is_(None), f.open)
        .where(or_(f.not_before.is_(None), f.not_before <= now))
        .group_by(f.order_id)
        .order_by(func.min(f.verified_at), f.order_id)
    )
    return [Work(order_id=row[0], puts=int(row[1])) for row in connection.execute(query)]


def due(
    connection: Connection,
    shop: Shop,
    *,
    verified_before: datetime,
    after: Due | None,
    limit: int,
) -> list[Due]:
    """Return the next of the open orders not looked at since, those first that waited longest."""
    f = fulfillments.c
    verified_at = func.min(func.coalesce(f.verified_at, NEVER), type_=UtcDateTime())
    query = (
        select(f.order_id, verified_at)
        .where(*_is_due(shop, verified_before))
        .group_by(f.order_id)
        .order_by(verified_at, f.order_id)
        .limit(limit)
    )
    if after is not None:
        later = verified_at > after.verified_at
        next_one = and_(verified_at == after.verified_at, f.order_id > after.order_id)
        query = query.having(or_(later, next_one))
    return [Due(order_id=row[0], verified_at=row[1]) for row in connection.execute(query)]


def count_due(connection: Connection, shop: Shop, *, verified_before: datetime) -> int:
    """Count the open orders not looked at since."""
    orders = func.count(fulfillments.c.order_id.distinct())
    query = select(orders).where(*_is_due(shop, verified_before))
    return int(connection.execute(query).scalar_one())


def _is_due(shop: Shop, verified_before: datetime) -> tuple[ColumnElement[bool], ...]:
    f = fulfillments.c
    overdue = or_(f.verified_at.is_(None), f.verified_at < verified_before)
    return f.shop == shop.id, f.open, overdue


def hints(connection: Connection, shop: Shop) -> list[Hint]:
    """Return the orders that webhooks named since they were looked at, the oldest first.

    A parcel that is no longer open counts too: a merchant's late change is what nobody else
    would notice.
    """
    f = fulfillments.c
    oldest = func.min(f.hinted_at, type_=UtcDateTime())
    query = (
        select(f.order_id, func.sum(f.unpublished), func.max(f.hinted_at, type_=UtcDateTime()))
        .where(f.shop == shop.id, f.hinted_at.is_not(None))
        .group_by(f.order_id)
        .order_by(oldest, f.order_id)
    )
    return [
        Hint(order_id=row[0], puts=int(row[1]), hinted_at=row[2])
        for row in connection.execute(query)
    ]


def heard(connection: Connection, shop: Shop, followed: Collection[Hint]) -> None:
    """Write that some hints were followed; those that came later stand."""
    connection.execute(
        FOLLOWED, [{"its": shop.id, "order": h.order_id, "until": h.hinted_at} for h in followed]
    )


def hinted_shops(connection: Connection) -> set[str]:
    """Return the codes of the shops that have hints."""
    query = (
        select(shops.c.code)
        .join(fulfillments, fulfillments.c.shop == shops.c.id)
        .where(fulfillments.c.hinted_at.is_not(None))
        .distinct()
    )
    return set(connection.execute(query).scalars())


def left(connection: Connection, shop: Shop) -> int:
    """Count the fulfillments with something unpublished that are not frozen."""
    f = fulfillments.c
    query = select(func.count()).where(
        f.shop == shop.id, f.unpublished > 0, f.frozen.is_(None), f.open
    )
    return int(connection.execute(query).scalar_one())


def parcels_of(connection: Connection, shop: Shop, order_ids: Collection[str]) -> list[Parcel]:
    """Return the fulfillments of some orders, in the order of their ids."""
    found = [
        parcel_from(row, shop.code)
        for some in sliced(connection, order_ids)
        for row in connection.execute(READ_PARCELS, {"of": shop.id, "orders": some})
    ]
    return sorted(found, key=attrgetter("id"))


def tracks(
    connection: Connection, parcels: Collection[Parcel], *, attempts: bool = True
) -> dict[int, Track]:
    """Return what was recorded and tried for some fulfillments, by their own ids."""
    ids = [parcel.id for parcel in parcels]
    steps: dict[int, list[Step]] = defaultdict(list)
    tried: dict[int, dict[tuple[Machine, int], Publication]] = defaultdict(dict)
    sent: dict[int, list[Attempt]] = defaultdict(list)
    for few in sliced(connection, ids, at_once=CHUNK):
        some = {"ids": few}
        for row in connection.execute(READ_STEPS, some):
            step = _step_from(row)
            steps[row.fulfillment].append(step)
            if row.state is not None:
                tried[row.fulfillment][step.machine, step.seq] = _publication_from(row)
        for row in connection.execute(READ_ATTEMPTS, some) if attempts else ():
            sent[row.fulfillment].append(_attempt_from(row))
    return {
        number: Track(
            steps=tuple(steps[number]), publications=tried[number], attempts=tuple(sent[number])
        )
        for number in ids
    }


def verified(connection: Connection, parcels: Collection[Parcel], *, at: datetime) -> None:
    """Write that some fulfillments were looked at and nothing was new."""
    for ids in sliced(connection, [parcel.id for parcel in parcels], at_once=CHUNK):
        connection.execute(SAVE_LOOK, {"ids": ids, "at": at})


def write(connection: Connection, writing: Writing) -> tuple[Parcel, int]:
    """Write a turn; return the version that the parcel now has, and the incidents opened."""
    after = _save(connection, writing)
    for publication in writing.publications:
        save_publication(connection, after.id, publication)
    if writing.attempt is not None:
        connection.execute(insert(attempts), _attempt_row(after.id, writing.attempt))
    if writing.conclusion is not None:
        connection.execute(insert(outcomes), _outcome_row(after.id, writing.conclusion))
    if writing.observation is not None:
        connection.execute(insert(observations), _observation_row(after, writing.observation))
    opened = [
        open_incident(connection, after.shop_id, after.id, finding, writing.now)
        for finding in writing.findings
    ]
    return after, sum(opened)


def _save(connection: Connection, writing: Writing) -> Parcel:
    before = writing.before
    after = replace(writing.after, version=before.version + 1)
    values = guarded(before, head_values(after) | look_values(after))
    if connection.execute(SAVE_PARCEL, values).rowcount != 1:
        raise ConcurrentUpdate(f"Fulfillment {before.ref.fulfillment_id}")
    return after


def save_publication(connection: Connection, parcel_id: int, publication: Publication) -> None:
    """Write what was tried so far to show one entry."""
    row = _publication_row(parcel_id, publication)
    changes = {f"new_{name}": value for name, value in row.items()}
    if not connection.execute(SAVE_PUBLICATION, changes).rowcount:
        connection.execute(ADD_PUBLICATION, row)


def add_publication(connection: Connection, parcel_id: int, publication: Publication) -> None:
    """Write what is tried first to show one entry."""
    connection.execute(ADD_PUBLICATION, _publication_row(parcel_id, publication))


def _publication_row(parcel_id: int, publication: Publication) -> dict[str, Any]:
    return {
        "fulfillment": parcel_id,
        "machine": publication.machine,
        "seq": publication.seq,
        "state": publication.state,
        "attempts": publication.attempts,
        "first_sent_at": publication.first_sent_at,
        "sent_at": publication.sent_at,
        "over_at": publication.over_at,
        "confirmed_at": publication.confirmed_at,
        "reasserted": publication.reasserted,
        "forgiven": publication.forgiven,
    }


def _attempt_row(parcel_id: int, attempt: Attempt) -> dict[str, Any]:
    return {
        "fulfillment": parcel_id,
        "machine": attempt.machine,
        "seq": attempt.seq,
        "number": attempt.number,
        "status": attempt.status,
        "run": attempt.run,
        "fence": attempt.fence,
        "intent_at": attempt.intent_at,
        "send_deadline": attempt.send_deadline,
    }


def _outcome_row(parcel_id: int, conclusion: Conclusion) -> dict[str, Any]:
    attempt = conclusion.attempt
    return {
        "fulfillment": parcel_id,
        "machine": attempt.machine,
        "seq": attempt.seq,
        "number": attempt.number,
        "outcome": conclusion.outcome,
        "http_status": conclusion.http_status,
        "reply_digest": conclusion.reply_digest,
        "reply_updated_at": conclusion.reply_updated_at and cut(conclusion.reply_updated_at, WORD),
        "reason": conclusion.reason and cut(conclusion.reason, REASON),
        "recorded_at": conclusion.recorded_at,
    }


def _observation_row(parcel: Parcel, seen: Observation) -> dict[str, Any]:
    return {
        "fulfillment": parcel.id,
        "source": seen.source,
        "asked_at": seen.asked_at,
        "seen_at": seen.seen_at,
        "carrier_code": cut(seen.carrier.raw, WORD),
        "cod_code": cut(seen.cod.raw, WORD),
        "dates": json.dumps(dict(sorted(seen.dates_raw.items()))),
        "updated_at": cut(seen.updated_at_raw, WORD),
        "order_cancelled": seen.order_cancelled,
        "digest": observation_digest(seen),
    }


def _step_from(row: Any) -> Step:
    return Step(
        machine=Machine(row.machine),
        seq=row.seq,
        from_status=row.from_status,
        to_status=Status(row.to_status),
        source=Source(row.source),
        cause=row.cause,
        occurred_at=row.occurred_at,
    )


def _publication_from(row: Any) -> Publication:
    return Publication(
        machine=Machine(row.machine),
        seq=row.seq,
        state=PublicationState(row.state),
        attempts=row.attempts,
        first_sent_at=row.first_sent_at,
        sent_at=row.sent_at,
        over_at=row.over_at,
        confirmed_at=row.confirmed_at,
        reasserted=row.reasserted,
        forgiven=row.forgiven,
    )


def _attempt_from(row: Any) -> Attempt:
    return Attempt(
        machine=Machine(row.machine),
        seq=row.seq,
        number=row.number,
        status=Status(row.status),
        run=row.run,
        fence=row.fence,
        intent_at=row.intent_at,
        send_deadline=row.send_deadline,
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
    )
