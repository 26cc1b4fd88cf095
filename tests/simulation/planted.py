"""Bugs put in on purpose: the simulation must find each, or its silence proves nothing."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from unittest import mock

from sqlalchemy import bindparam, update

from carrierflow import judgement
from carrierflow.errors import OutcomeUnknown
from carrierflow.model import Status, Verdict
from carrierflow.platforms.haravan.client import HaravanClient
from carrierflow.reconcile import decide, publish, survey, sweep
from carrierflow.reconcile.actions import Freeze, InSync, Put
from carrierflow.reconcile.publish import Publisher
from carrierflow.reconcile.view import View
from carrierflow.storage import ledger as sql_ledger
from carrierflow.storage import reconcile as sql_reconcile
from carrierflow.storage.budget import ShopBudget
from carrierflow.storage.shops import Leases
from carrierflow.storage.tables import fulfillments


@dataclass(frozen=True)
class Bug:
    """One planted bug: what it does wrong, and the patches that do it."""

    name: str
    patches: object

    @contextmanager
    def planted(self):
        """Have the bug for a while."""
        with ExitStack() as stack:
            for patch in self.patches():
                stack.enter_context(patch)
            yield


BUGS = []


def bug(function):
    """Collect a function that returns the patches of one bug."""
    BUGS.append(Bug(function.__doc__.rstrip(".").lower(), function))
    return function


def _property(owner, name, value):
    return mock.patch.object(owner, name, property(value))


def _method(owner, name, make):
    return mock.patch.object(owner, name, make(getattr(owner, name)))


def _rows(number, **changes):
    """Change one row of the decision table."""
    table = tuple(replace(r, **changes) if r.number == number else r for r in decide.TABLE)
    return mock.patch.object(decide, "TABLE", table)


@bug
def no_settle_wait():
    """No settle wait."""
    return [_property(View, "is_settling", lambda _view: False)]


@bug
def no_monotone_guard():
    """No monotone guard: stale reads are believed."""
    return [_property(View, "outdated", lambda _view: False)]


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

    return [_method(HaravanClient, "put", make)]


@bug
def no_intent():
    """No intent before the send: everything is written with the result."""

    def make(commit):
        def late(self, situation, writing):
            if writing.attempt is not None:
                self._late_attempt = writing.attempt
                return situation
            if writing.conclusion is not None:
                writing = replace(writing, attempt=self._late_attempt)
            return commit(self, situation, writing)

        return late

    return [_method(Publisher, "_commit", make)]


@bug
def wrong_visit():
    """A repeated state is confirmed by its earlier visit."""
    return [_property(View, "_is_entered_anew", lambda _view: True)]


@bug
def codpaid_always():
    """Codpaid is always PUT, without waiting for the platform's own lift."""
    action = decide._put_next
    return [
        mock.patch.object(
            decide,
            "TABLE",
            tuple(
                replace(r, action=action) if r.number == "C3" else r
                for r in decide.TABLE
                if r.number not in {"C1", "C2"}
            ),
        )
    ]


@bug
def cancel_ignored():
    """The platform's cancel is ignored."""
    table = tuple(
        replace(r, action=lambda _view: InSync()) if r.number in {"9", "10"} else r
        for r in decide.TABLE
    )
    return [mock.patch.object(decide, "TABLE", table)]


@bug
def put_after_cancel():
    """PUT after a cancel: the platform's cancel counts as any other status."""

    def put(view, step):
        return Put(step)

    table = tuple(
        replace(
            r,
            applies=lambda view: view.obs is Status.CANCEL and bool(view.path),
            action=lambda view: Put(view.path[0]),
        )
        if r.number == "10"
        else r
        for r in decide.TABLE
        if r.number != "9"
    )
    return [mock.patch.object(decide, "TABLE", table), mock.patch.object(decide, "_put", put)]


@bug
def jump():
    """Jump to the head: the steps between are left out."""

    def head(view):
        return next((s for s in reversed(view.path) if s.to_status in view.situation.can_put), None)

    return [_property(View, "next_put", head)]


@bug
def exclusive_cursor():
    """The sweep begins after its cursor, without overlap."""

    def make(orders_changed):
        def after(self, since, *, page=1):
            return orders_changed(self, since + timedelta(milliseconds=1), page=page)

        return after

    from carrierflow.platforms.haravan import HaravanPlatform

    return [
        _method(HaravanPlatform, "orders_changed", make),
        mock.patch.object(survey, "OVERLAP", timedelta(0)),
    ]


@bug
def page_numbers():
    """The sweep goes by page numbers instead of keys."""

    def paged(platform, since):
        page = 1
        while orders := platform.orders_changed(since, page=page):
            yield orders
            page += 1
            if len(orders) < sweep.BATCH:
                return

    return [mock.patch.object(survey, "changed_orders", paged)]


@bug
def overwrite():
    """Where both sides diverge, the ledger's status is PUT over the platform's."""

    def action(view):
        target = view.path[-1] if view.path else view.shown_before
        steps = [s for s in view.situation.track.steps if s.machine is view.machine]
        last = target or steps[-1]
        if steps[-1].to_status in view.situation.can_put:
            return Put(steps[-1])
        return Freeze("diverged", str(last))

    table = tuple(
        replace(r, action=action) if r.number in {"13", "15", "16"} else r for r in decide.TABLE
    )
    return [mock.patch.object(decide, "TABLE", table)]


@bug
def late_lost():
    """A late event is forgotten."""

    def make(keep):
        def keep_unless_late(draft, claim, weighed, *, now):
            if weighed.verdict is not Verdict.LATE:
                keep(draft, claim, weighed, now=now)

        return keep_unless_late

    return [_method(judgement, "_keep", make)]


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
        _method(ShopBudget, "_try_to_spend", make),
        mock.patch.object(ShopBudget, "learn_used", lambda self, used: None),
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
        def confirmed(self, situation, attempt, error):
            parcel, machine = situation.parcel, attempt.machine
            head = replace(parcel.head(machine), confirmed=attempt.seq)
            self._commit(
                situation,
                publish.Writing(
                    before=parcel, after=parcel.with_head(machine, head), now=situation.now
                ),
            )
            return publish.Settled(situation=situation, ending=publish.Ending.NOTED)

        return confirmed

    return [_method(Publisher, "_unknown", make)]


@bug
def freshness_ignored():
    """An observation is acted on however old it is."""
    return [_property(View, "is_fresh", lambda _view: True)]


@bug
def deadline_ignored():
    """A PUT leaves however long ago its intent was."""

    def make(put):
        def whenever(self, path, read, *, not_later_than):
            return put(self, path, read, not_later_than=not_later_than + timedelta(hours=1))

        return whenever

    return [_method(HaravanClient, "put", make)]


@bug
def nonsense_guessed():
    """A word that nobody knows is taken for what the ledger says."""
    table = tuple(
        replace(r, action=lambda _view: InSync()) if r.number == "2" else r for r in decide.TABLE
    )
    return [mock.patch.object(decide, "TABLE", table)]


@bug
def frozen_forgotten():
    """A frozen fulfillment is published all the same."""
    table = tuple(r for r in decide.TABLE if r.number != "1")

    def make(take):
        def thawed(situation):
            made = take(replace(situation, parcel=replace(situation.parcel, frozen=None)))
            return replace(made, before=situation.parcel)

        return thawed

    return [
        mock.patch.object(decide, "TABLE", table),
        _method(publish, "take_turn", make),
    ]


@bug
def never_verified():
    """A fulfillment in sync is never looked at again."""
    return [mock.patch.object(sql_reconcile, "due", lambda *_all, **_named: [])]


SURVIVABLE = []
"""Not bugs: what safety may not rest on. The simulation must stay silent about them."""


def survivable(function):
    """Collect a change that must break nothing."""
    SURVIVABLE.append(Bug(function.__doc__.rstrip(".").lower(), function))
    return function


@survivable
def lease_ignored():
    """The lease is ignored: any number of runs work at one shop."""

    def make(claim):
        def always(self, connection, shop, owner, span):
            connection.execute(
                sql_reconcile.update(_shops())
                .where(_shops().c.id == shop.id)
                .values(lease_until=None)
            )
            return claim(self, connection, shop, owner, span)

        return always

    return [_method(Leases, "claim", make)]


def _shops():
    from carrierflow.storage.tables import shops

    return shops


def hunt(one, seeds, play):
    """Play seeds until one catches the bug; return that seed and what broke, or None."""
    with one.planted():
        for seed in seeds:
            played = play(seed)
            if played.broken is not None:
                return seed, played.broken
    return None
