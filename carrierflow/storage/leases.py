"""Who may work on a shop: leases, with fences."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    insert,
    or_,
    select,
    update,
)

from carrierflow.domain.incident import Finding
from carrierflow.domain.shop import Shop, ShopState
from carrierflow.errors import ConcurrentUpdate, ShopHeld, UnknownShop
from carrierflow.reconcile.ports import Hold, LeftAlone, Rest
from carrierflow.reconcile.silence import pause_after
from carrierflow.storage.database_clock import EPOCH, MICROSECOND, DatabaseClock
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.lease_holders import holder_in_words, is_gone, this_holder
from carrierflow.storage.shops import shop_from
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import runs, shops
from carrierflow.storage.types import UtcDateTime


__all__ = ["SqlLeases", "release"]


log = logging.getLogger(__name__)

DEATHS = 3
"""So many runs in a row that ended without a word, and the shop is left alone for a while."""

s = shops.c
LEFT = dict.fromkeys(("lease_owner", "lease_process", "lease_since", "lease_until"))
"""What the row of a shop says that nobody holds."""


def _given(*names: str) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}", type_=s[name].type) for name in names}


AS_READ = and_(
    s.id == bindparam("this"),
    s.fence == bindparam("read"),
    or_(
        s.lease_until == bindparam("until", type_=UtcDateTime()),
        and_(s.lease_until.is_(None), bindparam("free", type_=Integer()) == 1),
    ),
)
"""Neither taken by another run since, nor held on to by the one that had it."""

SINCE = _given("lease_since")["lease_since"]
TAKE = (
    update(shops)
    .where(AS_READ)
    .values(
        _given(*LEFT, "runs_died")
        | {
            "queued_until": None,
            "fence": s.fence + 1,
            "next_due": case((s.next_due > SINCE, SINCE), else_=s.next_due),
        }
    )
)
"""What is later than the begin of a run is then said by whoever woke the shop since."""

BEGIN = insert(runs)

LEAVE_ALONE = (
    update(shops)
    .where(AS_READ)
    .values(
        {**LEFT, "queued_until": None, "fence": s.fence + 1}
        | _given("runs_died", "next_due", "retry_at")
    )
)
MINE = and_(s.id == bindparam("this"), s.fence == bindparam("mine"))
RENEW = update(shops).where(MINE).values(_given("lease_process", "lease_until"))
READ_MINE = select(s.id).where(MINE)
RELEASE = (
    update(shops)
    .where(MINE)
    .values(
        {**LEFT, "queued_until": None, "runs_died": 0}
        | _given("unanswered", "retry_at", "unpublished_left")
        | {
            # Whoever woke it meanwhile knew of something that this run may not have seen.
            "next_due": case(
                (s.next_due > s.lease_since, bindparam("woken", type_=UtcDateTime())),
                else_=_given("next_due")["next_due"],
            )
        }
    )
)
"""Each run executes these, so they are put together once."""


@lru_cache(maxsize=8)
def _look(clock: DatabaseClock, dialect: str) -> Select[Any]:
    present = clock.microseconds(dialect).label("present")
    return select(shops, present).where(s.code == bindparam("code"))


class SqlLeases:
    """Who may work on a shop: one run at a time, for so long, with a number that only grows."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._clock = store.database_clock

    def begin_run(
        self, run: str, code: str, *, kind: str, span: timedelta, now: datetime, insist: bool = True
    ) -> Hold:
        """Take a shop for a run, and write that it began.

        Raises:
            UnknownShop: if there is none.
            ShopHeld: if another run holds it.
            LeftAlone: if it is not active; or, unless somebody does `insist`, if its runs die.
        """
        begun = self._store.transact(
            lambda c: self._begin(c, run, code, kind=kind, span=span, now=now, insist=insist)
        )
        if isinstance(begun, LeftAlone):
            raise begun
        return begun

    def _begin(
        self,
        connection: Connection,
        run: str,
        code: str,
        *,
        kind: str,
        span: timedelta,
        now: datetime,
        insist: bool,
    ) -> Hold | LeftAlone:
        row = connection.execute(
            _look(self._clock, connection.dialect.name), {"code": code}
        ).one_or_none()
        if row is None:
            raise UnknownShop(code)
        shop, present = shop_from(row), EPOCH + row.present * MICROSECOND
        if shop.state is not ShopState.ACTIVE:
            return LeftAlone(shop)
        died = row.runs_died + _has_died(connection, row, present)
        as_read = {
            "this": shop.id,
            "read": row.fence,
            "until": row.lease_until,
            "free": int(row.lease_until is None),
            "new_runs_died": died,
        }
        if died > row.runs_died and died >= DEATHS and not insist:
            return self._leave_alone(connection, shop, as_read, died, now=now, present=present)
        mine = {
            "new_lease_owner": run,
            "new_lease_process": this_holder(connection),
            "new_lease_since": present,
            "new_lease_until": present + span,
        }
        _as_read(connection.execute(TAKE, as_read | mine).rowcount)
        began = {"id": run, "kind": kind, "shop": shop.id, "started_at": now}
        connection.execute(BEGIN, began)
        return Hold(shop=shop, fence=row.fence + 1, ahead=present - now, died=died)

    def _leave_alone(
        self,
        connection: Connection,
        shop: Shop,
        as_read: dict[str, Any],
        died: int,
        *,
        now: datetime,
        present: datetime,
    ) -> LeftAlone:
        """Let a shop rest whose runs die: whatever kills them may kill what else is in there."""
        pause = pause_after(died - DEATHS + 2)  # like a host's second silence, and so on
        rest = {"new_next_due": present + pause, "new_retry_at": now + pause}
        _as_read(connection.execute(LEAVE_ALONE, as_read | rest).rowcount)
        finding = Finding(
            kind="run_dies",
            sentence=f"{died} runs in a row ended without a word: killed, or cut off from the "
            "database. The shop is left alone for a while, longer each time.",
            ref=None,
            evidence={},
            detail={"runs": died},
            freezes=True,
        )
        open_incident(connection, shop.id, None, finding, now)
        shop = replace(shop, retry_at=now + pause)
        return LeftAlone(shop, f"Its last {died} runs died; it is tried again later.")

    def renew(self, hold: Hold, span: timedelta) -> bool:
        """Hold on to a shop for longer; False if another run took it meanwhile."""
        return self._store.transact(lambda c: self._renew(c, hold, span))

    def _renew(self, connection: Connection, hold: Hold, span: timedelta) -> bool:
        until = self._clock.now(connection) + span
        mine = {"new_lease_process": this_holder(connection), "new_lease_until": until}
        kept = connection.execute(RENEW, _of(hold) | mine)
        return bool(kept.rowcount)

    def holds(self, connection: Connection, shop: Shop, fence: int) -> bool:
        """Tell whether no other run has taken the shop since."""
        mine = {"this": shop.id, "mine": fence}
        return connection.execute(READ_MINE, mine).scalar() is not None


def release(connection: Connection, hold: Hold, rest: Rest, *, now: datetime) -> None:
    """Let a shop go, if it is still held, and say when it wants its next run."""
    left = {
        "woken": max(now, rest.retry_at or now) + hold.ahead,
        "new_unanswered": rest.unanswered,
        "new_retry_at": rest.retry_at,
        "new_unpublished_left": rest.unpublished,
        "new_next_due": rest.next_due + hold.ahead,
    }
    connection.execute(RELEASE, _of(hold) | left)


def _of(hold: Hold) -> dict[str, Any]:
    return {"this": hold.shop.id, "mine": hold.fence}


def _as_read(rows: int) -> None:
    if rows != 1:
        raise ConcurrentUpdate("A shop")


def _has_died(connection: Connection, row: Row[Any], present: datetime) -> bool:
    """Tell whether the run that has a shop is provably gone, or let its lease run out.

    Raises:
        ShopHeld: if it may be alive.
    """
    if row.lease_until is None:
        return False
    if row.lease_until > present:
        if not is_gone(connection, row.lease_process):
            raise ShopHeld(
                row.code,
                run=row.lease_owner,
                process=holder_in_words(row.lease_process),
                since=row.lease_since,
                until=row.lease_until,
            )
        extra = {"shop": row.code, "run": row.lease_owner}
        log.info("carrierflow.shop.taken_over", extra=extra)
    return True
