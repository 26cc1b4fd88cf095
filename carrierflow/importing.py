"""Bringing fulfillments that exist on a platform into the ledger, as inferred history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from carrierflow.ledger import Ledger
from carrierflow.lifecycle import Lifecycle
from carrierflow.model import START, Event, Observation, Opening, Recorded, Source, Status
from carrierflow.ports import Platform
from carrierflow.reconcile.sweep import changed_orders
from carrierflow.shop import Shop
from carrierflow.storage import SqlStore
from carrierflow.storage.reading import known_ids


__all__ = ["Imported", "import_shop"]

BEGINNING = datetime(2015, 1, 1, tzinfo=UTC)
"""Before any order that a platform of ours can show."""

NOT_RECORDED = frozenset({Status.PENDING, Status.READYTOPICK, Status.NONE, Status.CODPENDING})
"""Statuses that the opening of a fulfillment stands for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import found."""

    imported: int = 0
    skipped: int = 0
    """Known to the ledger already."""
    unclear: tuple[str, ...] = ()
    """Fulfillments that were opened, and whose status on the platform no road leads to."""


def import_shop(
    shop: Shop,
    *,
    platform: Platform,
    store: SqlStore,
    ledger: Ledger,
    lifecycle: Lifecycle,
    since: datetime | None = None,
) -> Iterator[Imported]:
    """Read all orders changed since a time and open the unknown parcels of this carrier.

    Each becomes the shortest legal history that leads to its present status, with the
    platform's dates, the platform as source, and every entry marked as inferred. Yields the
    count so far after each page. Doing it again changes nothing.
    """
    imported, skipped, unclear = 0, 0, []
    for page in changed_orders(platform, since or BEGINNING):
        ours = [seen for order in page for seen in order.fulfillments if platform.is_ours(seen)]
        ids = [seen.ref.fulfillment_id for seen in ours]
        with store.reading() as connection:
            known = known_ids(connection, shop.code, ids)
        for seen in ours:
            if seen.ref.fulfillment_id in known:
                skipped += 1
                continue
            imported += 1
            if not _bring_in(seen, ledger, lifecycle):
                unclear.append(seen.ref.fulfillment_id)
        yield Imported(imported=imported, skipped=skipped, unclear=tuple(unclear))


def _bring_in(seen: Observation, ledger: Ledger, lifecycle: Lifecycle) -> bool:
    """Open one fulfillment and record where it stands; False if no road leads there."""
    ledger.open(
        Opening(ref=seen.ref, tracking_number=seen.tracking_number, cod_amount=_cash_of(seen))
    )
    answers = list(ledger.record_many(_events(seen, lifecycle)))
    return all(
        isinstance(answer, Recorded) and answer.verdict != "refused" for answer in answers
    ) and _known(seen)


def _events(seen: Observation, lifecycle: Lifecycle) -> Iterator[Event]:
    for word in (seen.carrier, seen.cod):
        if word.status is None or word.status in NOT_RECORDED:
            continue
        for status, moment in _dated_road(seen, word.status, lifecycle):
            yield Event(
                shop=seen.ref.shop,
                fulfillment_id=seen.ref.fulfillment_id,
                status=status,
                occurred_at=moment,
                key=f"import:{status}",
                source=Source.PLATFORM,
                fill_gaps=True,
                inferred=True,
            )


def _dated_road(
    seen: Observation, status: Status, lifecycle: Lifecycle
) -> Iterator[tuple[Status, datetime]]:
    """Yield the steps to a status whose dates the platform has, in order and growing."""
    end = seen.dates.get(status, seen.updated_at)
    last: datetime | None = None
    for step in lifecycle.road(START, status)[:-1]:
        moment = seen.dates.get(step)
        if moment is None or step in NOT_RECORDED:
            continue
        if moment <= end and (last is None or moment >= last):
            last = moment
            yield step, moment
    yield status, end


def _cash_of(seen: Observation) -> int:
    """Return the amount to open with: the platform's, where it says that cash is due."""
    return 0 if seen.cod.status in {Status.NONE, None} else seen.cod_amount or 0


def _known(seen: Observation) -> bool:
    return seen.carrier.status is not None and seen.cod.status is not None
