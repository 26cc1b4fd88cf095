"""What was recorded of fulfillments and tried so far to show it on their platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.limits import REASON, WORD, cut
from carrierflow.domain.model import Machine, Source, Status
from carrierflow.domain.publication import (
    Attempt,
    AttemptResult,
    Outcome,
    Publication,
    PublicationLog,
    PublicationState,
    PublishableStep,
)
from carrierflow.storage.binding import sliced
from carrierflow.storage.tables import (
    attempts,
    history,
    outcomes,
    publications,
)


__all__ = [
    "add_publication",
    "attempt_row",
    "outcome_row",
    "publication_logs",
    "save_publication",
    "save_publications",
]

CHUNK = 500
"""How many ids one statement asks for."""

SAVE_PUBLICATION = (
    update(publications)
    .where(*(column == bindparam(f"new_{column.name}") for column in publications.primary_key))
    .values({c.name: bindparam(f"new_{c.name}") for c in publications.c if not c.primary_key})
)

ADD_PUBLICATION = insert(publications)

IDS: BindParameter[int] = bindparam("ids", expanding=True)

ENTRY = ("fulfillment", "machine", "seq")

STEP = ("from_status", "to_status", "source", "cause", "occurred_at", "inferred")

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

READ_KEYS = select(*publications.primary_key).where(publications.c.fulfillment.in_(IDS))

READ_ATTEMPTS = (
    select(attempts, outcomes.c.outcome, outcomes.c.reason)
    .outerjoin(
        outcomes, and_(*(attempts.c[name] == outcomes.c[name] for name in (*ENTRY, "number")))
    )
    .where(attempts.c.fulfillment.in_(IDS))
    .order_by(attempts.c.intent_at)
)


def publication_logs(
    connection: Connection, parcels: Collection[Fulfillment], *, attempts: bool = True
) -> dict[int, PublicationLog]:
    """Return what was recorded and tried for some fulfillments, by their own ids."""
    ids = [parcel.id for parcel in parcels]
    steps: dict[int, list[PublishableStep]] = defaultdict(list)
    tried: dict[int, dict[tuple[Machine, int], Publication]] = defaultdict(dict)
    sent: dict[int, list[Attempt]] = defaultdict(list)
    for few in sliced(connection, ids, at_once=CHUNK):
        some = {"ids": few}
        for row in connection.execute(READ_STEPS, some):
            number, step = row[0], _step_from(row)
            steps[number].append(step)
            if row.state is not None:
                tried[number][step.machine, step.seq] = _publication_from(row)
        for row in connection.execute(READ_ATTEMPTS, some) if attempts else ():
            sent[row.fulfillment].append(_attempt_from(row))
    return {
        number: PublicationLog(
            steps=tuple(steps[number]), publications=tried[number], attempts=tuple(sent[number])
        )
        for number in ids
    }


def save_publication(connection: Connection, parcel_id: int, publication: Publication) -> None:
    """Write what was tried so far to show one entry."""
    row = _publication_row(parcel_id, publication)
    changes = {f"new_{name}": value for name, value in row.items()}
    if not connection.execute(SAVE_PUBLICATION, changes).rowcount:
        connection.execute(ADD_PUBLICATION, row)


def save_publications(connection: Connection, tried: Collection[tuple[int, Publication]]) -> None:
    """Write what was tried so far to show some entries, of parcels by their own ids."""
    stored = {
        tuple(key)
        for few in sliced(connection, {number for number, _ in tried}, at_once=CHUNK)
        for key in connection.execute(READ_KEYS, {"ids": few})
    }
    rows = [_publication_row(number, publication) for number, publication in tried]
    known = [(row["fulfillment"], row["machine"], row["seq"]) in stored for row in rows]
    if old := [row for row, is_known in zip(rows, known, strict=True) if is_known]:
        changes = [{f"new_{name}": value for name, value in row.items()} for row in old]
        connection.execute(SAVE_PUBLICATION, changes)
    if new := [row for row, is_known in zip(rows, known, strict=True) if not is_known]:
        connection.execute(ADD_PUBLICATION, new)


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
        "over_at": publication.ended_at,
        "confirmed_at": publication.confirmed_at,
        "reasserted": publication.reasserted,
        "forgiven": publication.excused,
    }


def attempt_row(parcel_id: int, attempt: Attempt) -> dict[str, Any]:
    """Return the row of the intent of a PUT."""
    return {
        "fulfillment": parcel_id,
        "machine": attempt.machine,
        "seq": attempt.seq,
        "number": attempt.number,
        "status": attempt.status,
        "expects": attempt.expects,
        "operation": attempt.operation,
        "run": attempt.run,
        "fence": attempt.fence,
        "intent_at": attempt.intent_at,
        "send_deadline": attempt.send_deadline,
    }


def outcome_row(parcel_id: int, conclusion: AttemptResult) -> dict[str, Any]:
    """Return the row of what became of a PUT."""
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


def _step_from(row: Any) -> PublishableStep:
    """Build a step from the first columns of a row, by their places: that is the faster way."""
    _, machine, seq, from_status, to_status, source, cause, occurred_at, inferred, *_ = row
    return PublishableStep(
        machine=Machine(machine),
        seq=seq,
        from_status=from_status,
        to_status=Status(to_status),
        source=Source(source),
        cause=cause,
        occurred_at=occurred_at,
        inferred=bool(inferred),
    )


def _publication_from(row: Any) -> Publication:
    return Publication(
        machine=Machine(row.machine),
        seq=row.seq,
        state=PublicationState(row.state),
        attempts=row.attempts,
        first_sent_at=row.first_sent_at,
        sent_at=row.sent_at,
        ended_at=row.over_at,
        confirmed_at=row.confirmed_at,
        reasserted=row.reasserted,
        excused=row.forgiven,
    )


def _attempt_from(row: Any) -> Attempt:
    return Attempt(
        machine=Machine(row.machine),
        seq=row.seq,
        number=row.number,
        status=Status(row.status),
        expects=Status(row.expects or row.status),
        operation=row.operation or "",
        run=row.run,
        fence=row.fence,
        intent_at=row.intent_at,
        send_deadline=row.send_deadline,
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
    )
