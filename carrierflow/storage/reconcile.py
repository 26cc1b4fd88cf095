"""The reconciler's side of the store: what there is to do, what was tried, what was seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    insert,
    select,
    update,
)

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Incident
from carrierflow.domain.limits import SENTENCE, WORD, cut
from carrierflow.domain.model import FulfillmentRef, Observation
from carrierflow.domain.publication import (
    PublicationLog,
)
from carrierflow.domain.shop import Coverage, Shop
from carrierflow.errors import ConcurrentUpdate, ShopHeld
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.reconcile.ports import (
    Agenda,
    DueOrder,
    FulfillmentUpdate,
    Hold,
    KnownParcel,
    OrderWithWork,
    Rest,
    WebhookHint,
)
from carrierflow.storage.binding import sliced
from carrierflow.storage.incident_ends import close_of
from carrierflow.storage.incidents import SqlIncidents, close_incident, open_incident
from carrierflow.storage.leases import SqlLeases, release
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.proposals import SqlProposals, hold
from carrierflow.storage.publications import (
    attempt_row,
    outcome_row,
    publication_logs,
    save_publication,
    save_publications,
)
from carrierflow.storage.queries import find_parcel, known_ids
from carrierflow.storage.rows import PARCEL, guarded, head_values, look_values, parcel_from
from carrierflow.storage.run_questions import (
    COUNT_UNPUBLISHED,
    READ_AGENDA,
    READ_DUE,
    READ_DUE_AFTER,
    READ_HINTS,
    READ_UNPUBLISHED,
    READ_WORK,
)
from carrierflow.storage.shops import change_shop, coverage
from carrierflow.storage.tables import (
    attempts,
    fulfillments,
    observations,
    outcomes,
    run_ends,
    runs,
    shops,
)
from carrierflow.storage.types import UtcDateTime


__all__ = ["SqlReconcileStore", "write"]

CHUNK = 500
"""How many ids one statement asks for."""

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

READ_PARCELS = (
    select(*PARCEL)
    .where(
        fulfillments.c.shop == bindparam("of"),
        fulfillments.c.order_id.in_(bindparam("orders", expanding=True)),
    )
    .order_by(fulfillments.c.id)
)

READ_KNOWN = (
    select(*(fulfillments.c[name] for name in KnownParcel._fields))
    .where(
        fulfillments.c.shop == bindparam("of"),
        fulfillments.c.order_id.in_(bindparam("orders", expanding=True)),
    )
    .order_by(fulfillments.c.id)
)

READ_SOME = (
    select(*PARCEL)
    .where(fulfillments.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(fulfillments.c.id)
)

KEPT_OF_RUN = ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence")
KEEP_END = insert(run_ends).from_select(
    ["run", *KEPT_OF_RUN, "recorded_at"],
    select(runs.c.id, *(runs.c[name] for name in KEPT_OF_RUN), runs.c.ended_at).where(
        runs.c.id == bindparam("this")
    ),
)
"""Copy a run that has just ended to where it is never changed."""

FOLLOWED = (
    update(fulfillments)
    .where(
        fulfillments.c.shop == bindparam("its"),
        fulfillments.c.order_id == bindparam("order"),
        fulfillments.c.hinted_at <= bindparam("until"),
    )
    .values(hinted_at=None)
)


END_RUN = (
    update(runs)
    .where(runs.c.id == bindparam("this"), runs.c.ended_at.is_(None))
    .values(
        {
            name: bindparam(f"new_{name}", type_=runs.c[name].type)
            for name in ("ended_at", "end_reason", "counters", "sentence")
        }
    )
)


class SqlReconcileStore(SqlLeases, SqlIncidents, SqlProposals):
    """What runs read and write; each call is a transaction of its own."""

    def shop(self, code: str) -> Shop:
        """Return a shop by its code."""
        return self._store.shop(code)

    def coverage(self, shop: Shop, *, since: datetime) -> Coverage:
        """Return how well the open fulfillments of a shop are known."""
        with self._store.reading() as connection:
            return coverage(connection, shop, since=since)

    def end_run(
        self,
        run: str,
        *,
        reason: str,
        counters: Mapping[str, int],
        now: datetime,
        hold: Hold,
        rest: Rest,
        sentence: str | None = None,
    ) -> None:
        """Write how a run ended, and let its shop go; what was written first of it stays."""
        ended = {
            "this": run,
            "new_ended_at": now,
            "new_end_reason": reason,
            "new_counters": json.dumps(dict(counters)),
            "new_sentence": cut(sentence, SENTENCE) if sentence else None,
        }

        def work(connection: Connection) -> None:
            if connection.execute(END_RUN, ended).rowcount:
                connection.execute(KEEP_END, {"this": run})
            release(connection, hold, rest, now=now)

        self._store.transact(work)

    def save_watermark(self, shop: Shop, to: datetime) -> None:
        """Write up to which change a shop was read."""
        self._store.transact(lambda c: change_shop(c, shop.code, swept_to=to))

    def parcel(self, shop: str, fulfillment_id: str) -> Fulfillment:
        """Return one fulfillment."""
        with self._store.reading() as connection:
            return find_parcel(connection, shop, fulfillment_id)

    def known_ids(self, shop: Shop, fulfillment_ids: Collection[str]) -> set[str]:
        """Return those of some fulfillment ids that the ledger knows."""
        with self._store.reading() as connection:
            return known_ids(connection, shop.code, fulfillment_ids)

    def publication_logs(self, parcels: Collection[Fulfillment]) -> dict[int, PublicationLog]:
        """Return what was recorded and tried for some fulfillments, by their own ids."""
        with self._store.reading() as connection:
            return publication_logs(connection, parcels)

    def write(
        self, writing: FulfillmentUpdate, *, fence: tuple[Shop, int] | None
    ) -> tuple[Fulfillment, int]:
        """Write an update, where the fence is still valid."""
        with self._store.begin() as connection:
            if fence is not None and not self.holds(connection, *fence):
                raise ShopHeld(fence[0].code)
            return write(connection, writing)

    def write_all(
        self, writings: Sequence[FulfillmentUpdate]
    ) -> tuple[tuple[Fulfillment, ...], int]:
        """Write some updates that tell the platform nothing, all of them or none."""
        with self._store.begin() as connection:
            return _write_all(connection, writings)

    def resolve(
        self,
        incident: Incident,
        make: Callable[[LedgerTransaction], FulfillmentUpdate | None],
        *,
        action: str,
        actor: str,
        reason: str,
        now: datetime,
        approved_by: str | None = None,
    ) -> None:
        """Write what a person's decision changes and close its incident, in one moment."""
        with self._store.begin() as connection:
            writing = make(SqlLedgerTransaction(connection, self._store.definitions))
            if writing is not None:
                write(connection, writing)
            hold(connection, incident)
            decided = {"action": action, "actor": actor, "reason": reason}
            close_incident(connection, incident, now=now, approved_by=approved_by, **decided)

    def agenda(self, shop: Shop, *, verified_before: datetime, now: datetime) -> Agenda:
        """Return what there is to do at a shop, by one statement where that is nothing.

        Of what webhooks named, a parcel that is no longer open counts too: a merchant's late
        change is what nobody else would notice.
        """
        it = {"of": shop.id}
        with self._store.reading() as connection:
            count = connection.execute(READ_AGENDA, it | {"before": verified_before}).one()
            work = connection.execute(READ_WORK, it | {"now": now}) if count.unpublished else ()
            hints = connection.execute(READ_HINTS, it) if count.hinted else ()
            return Agenda(
                open=count.open,
                incidents=count.incidents,
                due=count.due,
                unpublished=count.unpublished,
                work=tuple(OrderWithWork(order_id=row[0], puts=int(row[1])) for row in work),
                hints=tuple(
                    WebhookHint(order_id=row[0], puts=int(row[1]), hinted_at=row[2])
                    for row in hints
                ),
            )

    def due(
        self, shop: Shop, *, verified_before: datetime, after: DueOrder | None, limit: int
    ) -> list[DueOrder]:
        """Return the next of the open orders not looked at since, the longest waiting first."""
        query, given = READ_DUE, {"of": shop.id, "before": verified_before, "most": limit}
        if after is not None:
            query = READ_DUE_AFTER
            given |= {"last_at": after.verified_at, "last_order": after.order_id}
        with self._store.reading() as connection:
            return [
                DueOrder(order_id=row[0], verified_at=row[1])
                for row in connection.execute(query, given)
            ]

    def clear_hints(self, shop: Shop, followed: Collection[WebhookHint]) -> None:
        """Write that some hints were followed; those that came later stand."""

        def work(connection: Connection) -> None:
            connection.execute(
                FOLLOWED,
                [{"its": shop.id, "order": h.order_id, "until": h.hinted_at} for h in followed],
            )

        self._store.transact(work)

    def hinted_shops(self) -> set[str]:
        """Return the codes of the shops that have hints."""
        with self._store.reading() as connection:
            query = (
                select(shops.c.code)
                .join(fulfillments, fulfillments.c.shop == shops.c.id)
                .where(fulfillments.c.hinted_at.is_not(None))
                .distinct()
            )
            return set(connection.execute(query).scalars())

    def count_unpublished(self, shop: Shop) -> int:
        """Count the fulfillments with something unpublished that are not frozen."""
        with self._store.reading() as connection:
            return int(connection.execute(COUNT_UNPUBLISHED, {"of": shop.id}).scalar_one())

    def unpublished(self, shop: Shop, *, but: Collection[int], limit: int) -> list[FulfillmentRef]:
        """Return the first of those fulfillments, without some that are named by their own ids."""
        given = {"of": shop.id, "most": limit + len(but)}
        with self._store.reading() as connection:
            found = [
                row for row in connection.execute(READ_UNPUBLISHED, given) if row.id not in but
            ]
        return [
            FulfillmentRef(shop=shop.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id)
            for row in found[:limit]
        ]

    def known_of(self, shop: Shop, order_ids: Collection[str]) -> list[KnownParcel]:
        """Return what is compared of the fulfillments of some orders, in the order of their ids."""
        with self._store.reading() as connection:
            found = [
                KnownParcel._make(row)
                for some in sliced(connection, order_ids)
                for row in connection.execute(READ_KNOWN, {"of": shop.id, "orders": some})
            ]
            return sorted(found, key=attrgetter("id"))

    def parcels(self, shop: Shop, parcel_ids: Collection[int]) -> list[Fulfillment]:
        """Return some fulfillments by their own ids, in the order of these."""
        with self._store.reading() as connection:
            return [
                parcel_from(row, shop.code)
                for some in sliced(connection, sorted(parcel_ids))
                for row in connection.execute(READ_SOME, {"ids": some})
            ]

    def parcels_of(self, shop: Shop, order_ids: Collection[str]) -> list[Fulfillment]:
        """Return the fulfillments of some orders, in the order of their ids."""
        with self._store.reading() as connection:
            found = [
                parcel_from(row, shop.code)
                for some in sliced(connection, order_ids)
                for row in connection.execute(READ_PARCELS, {"of": shop.id, "orders": some})
            ]
            return sorted(found, key=attrgetter("id"))

    def mark_verified(
        self, parcels: Collection[KnownParcel | Fulfillment], *, at: datetime
    ) -> None:
        """Write that some fulfillments were looked at and nothing was new."""

        def work(connection: Connection) -> None:
            for ids in sliced(connection, [parcel.id for parcel in parcels], at_once=CHUNK):
                connection.execute(SAVE_LOOK, {"ids": ids, "at": at})

        self._store.transact(work)


def write(connection: Connection, writing: FulfillmentUpdate) -> tuple[Fulfillment, int]:
    """Write an update; return the version that the parcel now has, and the incidents opened."""
    after = _save(connection, writing)
    for publication in writing.publications:
        save_publication(connection, after.id, publication)
    if writing.attempt is not None:
        connection.execute(insert(attempts), attempt_row(after.id, writing.attempt))
    if writing.conclusion is not None:
        connection.execute(insert(outcomes), outcome_row(after.id, writing.conclusion))
    if writing.observation is not None:
        connection.execute(insert(observations), _observation_row(after, writing.observation))
    return after, _tell_people(connection, writing, after)


def _write_all(
    connection: Connection, writings: Sequence[FulfillmentUpdate]
) -> tuple[tuple[Fulfillment, ...], int]:
    """Write updates without attempts, in as few statements as for one."""
    written = tuple(_as_saved(writing) for writing in writings)
    saved = [_saving(w, after) for w, after in zip(writings, written, strict=True)]
    saved.sort(key=itemgetter("this"))  # whoever locks several rows does so in this order
    if connection.execute(SAVE_PARCEL, saved).rowcount != len(saved):
        raise ConcurrentUpdate(f"{len(saved)} fulfillments")
    if tried := [(w.before.id, publication) for w in writings for publication in w.publications]:
        save_publications(connection, tried)
    if seen := [
        _observation_row(w.before, w.observation) for w in writings if w.observation is not None
    ]:
        connection.execute(insert(observations), seen)
    opened = 0
    for writing, after in zip(writings, written, strict=True):
        opened += _tell_people(connection, writing, after)
    return written, opened


def _tell_people(connection: Connection, writing: FulfillmentUpdate, after: Fulfillment) -> int:
    """Close and open the incidents of an update; return how many are new."""
    if writing.over:
        close_of(connection, after.shop_id, after.id, writing.over, writing.now)
    return sum(
        open_incident(connection, after.shop_id, after.id, finding, writing.now)
        for finding in writing.findings
    )


def _save(connection: Connection, writing: FulfillmentUpdate) -> Fulfillment:
    after = _as_saved(writing)
    if connection.execute(SAVE_PARCEL, _saving(writing, after)).rowcount != 1:
        raise ConcurrentUpdate(f"Fulfillment {after.ref.fulfillment_id}")
    return after


def _as_saved(writing: FulfillmentUpdate) -> Fulfillment:
    return replace(writing.after, version=writing.before.version + 1)


def _saving(writing: FulfillmentUpdate, after: Fulfillment) -> dict[str, Any]:
    return guarded(writing.before, head_values(after) | look_values(after))


def _observation_row(parcel: Fulfillment, seen: Observation) -> dict[str, Any]:
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
