"""Planted bugs in what is decided."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from carrierflow.domain.model import Status
from carrierflow.reconcile import decision_table, publisher, row_actions
from carrierflow.reconcile.actions import Freeze, InSync, Write
from carrierflow.reconcile.batches import ShopReader
from carrierflow.reconcile.case import MachineCase

from .planted import bug, changed_property, wrapped


@bug
def no_settle_wait():
    """No settle wait."""
    return [changed_property(MachineCase, "is_settling", lambda _view: False)]


@bug
def no_monotone_guard():
    """No monotone guard: stale reads are believed."""
    return [changed_property(MachineCase, "outdated", lambda _view: False)]


@bug
def wrong_visit():
    """A repeated state is confirmed by its earlier visit."""
    return [changed_property(MachineCase, "_is_entered_anew", lambda _view: True)]


@bug
def codpaid_always():
    """Codpaid is always PUT, without waiting for the platform's own lift."""
    action = row_actions.tell_next
    return [
        mock.patch.object(
            decision_table,
            "TABLE",
            tuple(
                replace(r, action=action) if r.number == "C3" else r
                for r in decision_table.TABLE
                if r.number not in {"C1", "C2"}
            ),
        )
    ]


@bug
def cancel_ignored():
    """The platform's cancel is ignored."""
    table = tuple(
        replace(r, action=lambda _view: InSync()) if r.number in {"9", "10"} else r
        for r in decision_table.TABLE
    )
    return [mock.patch.object(decision_table, "TABLE", table)]


@bug
def put_after_cancel():
    """PUT after a cancel: the platform's cancel counts as any other status."""

    def put(view, step):
        return _tell(view, step)

    table = tuple(
        replace(
            r,
            applies=lambda view: view.obs is Status.CANCEL and bool(view.path),
            action=lambda view: _tell(view, view.path[0]),
        )
        if r.number == "10"
        else r
        for r in decision_table.TABLE
        if r.number != "9"
    )
    return [
        mock.patch.object(decision_table, "TABLE", table),
        mock.patch.object(row_actions, "_tell", put),
    ]


@bug
def jump():
    """Jump to the head: the steps between are left out."""

    def head(view):
        told = (s for s in reversed(view.path) if view.projection.is_told(s.to_status))
        return next(told, None)

    return [changed_property(MachineCase, "next_told", head)]


@bug
def overwrite():
    """Where both sides diverge, the ledger's status is PUT over the platform's."""

    def action(view):
        target = view.path[-1] if view.path else view.shown_before
        steps = [s for s in view.whole.publication_log.steps if s.machine is view.machine]
        last = target or steps[-1]
        if view.projection.is_told(steps[-1].to_status):
            return _tell(view, steps[-1])
        return Freeze("diverged", str(last))

    table = tuple(
        replace(r, action=action) if r.number in {"13", "15", "16"} else r
        for r in decision_table.TABLE
    )
    return [mock.patch.object(decision_table, "TABLE", table)]


@bug
def freshness_ignored():
    """An observation is acted on however old it is."""
    return [changed_property(MachineCase, "is_fresh", lambda _view: True)]


@bug
def nonsense_guessed():
    """A word that nobody knows is taken for what the ledger says."""
    table = tuple(
        replace(r, action=lambda _view: InSync()) if r.number == "2" else r
        for r in decision_table.TABLE
    )
    return [mock.patch.object(decision_table, "TABLE", table)]


@bug
def frozen_forgotten():
    """A frozen fulfillment is published all the same."""
    table = tuple(r for r in decision_table.TABLE if r.number != "1")

    def make(take):
        def thawed(a_case):
            made = take(replace(a_case, parcel=replace(a_case.parcel, frozen=None)))
            return replace(made, before=a_case.parcel)

        return thawed

    return [
        mock.patch.object(decision_table, "TABLE", table),
        wrapped(publisher, "evaluate", make),
    ]


@bug
def subsume_nothing():
    """Nothing is subsumed: what the platform shows already is told from the beginning."""
    table = tuple(
        replace(r, action=row_actions.tell_next) if r.number == "7" else r
        for r in decision_table.TABLE
    )
    return [mock.patch.object(decision_table, "TABLE", table)]


@bug
def list_believed():
    """An order that one list leaves out counts as gone, and is not asked for alone."""
    gone = Freeze("gone", "It is not in the list.")
    table = tuple(
        replace(r, action=lambda _case: gone) if r.number == "17" else r
        for r in decision_table.ORDER_TABLE
    )
    return [
        mock.patch.object(decision_table, "ORDER_TABLE", table),
        mock.patch.object(ShopReader, "look_alone", return_value=None),
    ]


def _tell(view, step):
    return Write(step, view.projection.plan(None, step.to_status)[0])
