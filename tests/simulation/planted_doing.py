"""Planted bugs in what is sent, read and stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest import mock

from sqlalchemy import bindparam, update

from carrierflow.domain.model import Verdict
from carrierflow.errors import OutcomeUnknown
from carrierflow.ledger import verdicts
from carrierflow.platforms.haravan import HaravanPlatform
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.reconcile import batches, changes
from carrierflow.reconcile.ports import FulfillmentUpdate, OrderWithWork
from carrierflow.reconcile.publisher import Publisher
from carrierflow.reconcile.run_counters import EndState, PublishResult
from carrierflow.storage import ledger as sql_ledger
from carrierflow.storage import reconcile as sql_reconcile
from carrierflow.storage.budget import ShopBudget
from carrierflow.storage.leases import SqlLeases
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import fulfillments, shops

from .planted import bug, survivable, wrapped


@bug
def blind_retry():
    """Blind retry of a PUT whose outcome is unknown."""

    def make(put):
        def again(self, path, read, *, not_later_than):
            try:
                return put(self, path, read, not_later_than=not_later_than)
            except OutcomeUnknown:
                return put(self, path, read, not_later_than=not_later_than)

        return again

    return [wrapped(PlatformClient, "put", make)]


@bug
def no_intent():
    """No intent before the send: everything is written with the result."""

    def make(commit):
        def late(self, a_case, writing):
            if writing.attempt is not None:
                self._late_attempt = writing.attempt
                return a_case
            if writing.conclusion is not None:
                writing = replace(writing, attempt=self._late_attempt)
            return commit(self, a_case, writing)

        return late

    return [wrapped(Publisher, "_commit", make)]


@bug
def exclusive_cursor():
    """The sweep begins after its cursor, without overlap."""

    def make(orders_changed):
        def after(self, since, *, page=1):
            return orders_changed(self, since + timedelta(milliseconds=1), page=page)

        return after

    return [
        wrapped(HaravanPlatform, "orders_changed", make),
        mock.patch.object(batches, "OVERLAP", timedelta(0)),
    ]


@bug
def page_numbers():
    """The sweep goes by page numbers instead of keys."""

    def paged(platform, since):
        page = 1
        while orders := platform.orders_changed(since, page=page):
            yield orders
            page += 1
            if len(orders) < changes.BATCH:
                return

    return [mock.patch.object(batches, "changed_orders", paged)]


@bug
def late_lost():
    """A late event is forgotten."""

    def make(keep):
        def keep_unless_late(draft, claim, weighed, *, now):
            if weighed.verdict is not Verdict.LATE:
                keep(draft, claim, weighed, now=now)

        return keep_unless_late

    return [wrapped(verdicts, "_keep", make)]


@bug
def budget_apart():
    """The budget is not shared: each process counts for itself."""

    def make(spend):
        def alone(self):
            if not getattr(self, "_counted", 0):
                self._counted = 1
            return 0.0

        return alone

    return [
        wrapped(ShopBudget, "_try_to_spend", make),
        mock.patch.object(ShopBudget, "learn_used"),
    ]


@bug
def version_unguarded():
    """The head row is written whatever its version is."""

    def unguarded(statement, columns):
        return (
            update(fulfillments)
            .where(fulfillments.c.id == bindparam("this"), bindparam("read") >= 0)
            .values({name: bindparam(f"new_{name}") for name in columns})
        )

    return [
        mock.patch.object(
            sql_reconcile, "SAVE_PARCEL", unguarded(None, sql_reconcile.SAVE_COLUMNS)
        ),
        mock.patch.object(sql_ledger, "SAVE_HEAD", unguarded(None, sql_ledger.HEAD_COLUMNS)),
    ]


@bug
def result_before_reply():
    """The result is committed before the reply: a PUT sent counts as confirmed."""

    def make(unknown):
        def confirmed(self, a_case, attempt, error):
            parcel, machine = a_case.parcel, attempt.machine
            head = replace(parcel.head(machine), confirmed=attempt.seq)
            self._commit(
                a_case,
                FulfillmentUpdate(
                    before=parcel, after=parcel.with_head(machine, head), now=a_case.now
                ),
            )
            return PublishResult(case=a_case, ending=EndState.NOTED)

        return confirmed

    return [wrapped(Publisher, "_unknown", make)]


@bug
def deadline_ignored():
    """A PUT leaves however long ago its intent was."""

    def make(put):
        def whenever(self, path, read, *, not_later_than):
            return put(self, path, read, not_later_than=not_later_than + timedelta(hours=1))

        return whenever

    return [wrapped(PlatformClient, "put", make)]


@bug
def never_verified():
    """A fulfillment in sync is never looked at again."""
    return [mock.patch.object(SqlReconcileStore, "due", return_value=[])]


@bug
def history_without_head():
    """A history row is written without its fulfillment row."""
    return [mock.patch.object(SqlLedgerTransaction, "_save_heads")]


@bug
def retry_after_ignored():
    """Retry-After is ignored."""
    return [mock.patch.object(ShopBudget, "pause")]


@bug
def reads_one_by_one():
    """Every order is asked for by itself."""

    def make(take):
        def one(self, *, puts):
            first, *others = take(self, puts=puts)
            self.again(OrderWithWork(order_id=each, puts=0) for each in others)
            return [first]

        return one

    return [wrapped(changes.OrderQueue, "take", make)]


@survivable
def lease_ignored():
    """The lease is ignored: any number of runs work at one shop."""

    def make(begin_run):
        def always(self, run, code, **how):
            freed = update(shops).where(shops.c.code == code).values(lease_until=None)
            self._store.transact(lambda connection: connection.execute(freed))
            return begin_run(self, run, code, **how)

        return always

    return [wrapped(SqlLeases, "begin_run", make)]


@bug
def neither_lease_nor_intent():
    """Neither a lease nor an intent: two runs at once know nothing of each other."""
    return [*lease_ignored(), *no_intent()]


@survivable
def fence_ignored():
    """The fence is ignored: a run that lost its shop may still write intents."""

    def make(write):
        def unfenced(self, writing, *, fence):
            return write(self, writing, fence=None)

        return unfenced

    return [wrapped(SqlReconcileStore, "write", make)]
