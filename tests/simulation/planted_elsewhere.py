"""Planted bugs in what is told to, and read of, platforms that show less than Haravan."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from carrierflow.domain.model import RemoteWord, Status
from carrierflow.platforms.onflow import onflow_platform
from carrierflow.platforms.onflow.onflow_platform import OnflowPlatform
from carrierflow.platforms.sapo import parcel_words, sapo_platform
from carrierflow.reconcile import decision_table
from carrierflow.reconcile.actions import Freeze
from carrierflow.reconcile.case import MachineCase
from carrierflow.reconcile.projection import Projection

from .planted import bug_at, wrapped


@bug_at("sapo")
def one_way_not_held():
    """A write that nothing takes back is made though the policy holds it."""

    def make(write_towards):
        def unheld(self, step):
            spared = replace(self.policy, held=frozenset())
            return write_towards(replace(self, whole=replace(self.whole, policy=spared)), step)

        return unheld

    return [wrapped(MachineCase, "write_towards", make)]


@bug_at("sapo")
def last_of_a_plan_first():
    """Of a plan the last write is made at once, without those that lead there."""

    def make(plan):
        return lambda self, shown, step: plan(self, shown, step)[-1:]

    return [wrapped(Projection, "plan", make)]


@bug_at("sapo")
def old_reading_believed():
    """What is read right after an answer is believed, though it may be old."""
    return [mock.patch.object(sapo_platform, "lies_at_or_past", return_value=True)]


@bug_at("sapo")
def on_its_way_back_is_back():
    """A parcel that is cancelled on its way counts as taken back."""

    def make(cancelled_from):
        return lambda before, **_is_back: cancelled_from(before, is_back=True)

    return [wrapped(parcel_words, "_cancelled_from", make)]


@bug_at("onflow")
def cancelled_after_handover():
    """A shipment is cancelled that the warehouse handed over."""
    (cancel,) = onflow_platform.PROJECTION.writes
    anytime = replace(cancel, after=frozenset({*cancel.after, Status.DELIVERING}))
    projection = replace(onflow_platform.PROJECTION, writes=(anytime,))
    return [mock.patch.object(onflow_platform, "PROJECTION", projection)]


@bug_at("onflow")
def any_answer_is_done():
    """Any answer to a cancel counts as done, whatever is read after it."""

    def make(now):
        def done(self, ref, http_status):
            cancelled = RemoteWord(raw="500", status=Status.CANCEL)
            return replace(now(self, ref, http_status), carrier=cancelled)

        return done

    return [wrapped(OnflowPlatform, "_now", make)]


@bug_at("onflow")
def warehouse_not_believed():
    """The word of a warehouse that leads waits for a person."""
    table = tuple(
        replace(r, action=lambda case: Freeze("remote_ahead", f"It shows {case.obs}."))
        if r.number == "13"
        else r
        for r in decision_table.TABLE
    )
    return [mock.patch.object(decision_table, "TABLE", table)]
