"""What a carrier does now and then beside its shops' runs: every engine and every job does these.

Each takes the application that it works with, and raises what went wrong.
"""

from __future__ import annotations

import logging
from dataclasses import asdict

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.audit.erasure import Erased
from carrierflow.audit.feed.push import Delivery
from carrierflow.audit.log.sealer import Sealing
from carrierflow.domain.shop import Coverage
from carrierflow.errors import HistoryBroken
from carrierflow.reconcile import RunReport
from carrierflow.reconcile.notification import Notified


__all__ = [
    "audit_pass",
    "deliver_changes",
    "erase_old",
    "notify_incidents",
    "report_coverage",
    "seal_history",
]

log = logging.getLogger("carrierflow.jobs")

SHARE = 30
"""Seconds after which no further message is begun, so that others have their turn."""


def seal_history(app: Carrierflow) -> Sealing:
    """Give entries their places, and sign where there is a key.

    Raises:
        AnchorUnavailable: if a place that keeps checkpoints did not take them.
        HistoryBroken: if an entry no longer is what was written.
    """
    done = app.sealer.seal()
    if done.broken:
        raise HistoryBroken(f"{done.broken[0]} does not hash to its hash.")
    for each in done.anchored:
        if each.problem is not None:
            raise each.problem
    return done


def audit_pass(app: Carrierflow) -> list[RunReport]:
    """Look at every open order of every active shop, however lately it was looked at."""
    return app.reconcile(full=True)


def report_coverage(app: Carrierflow) -> list[Coverage]:
    """Log the coverage of each shop; a warning where parcels were not looked at in time."""
    found = app.coverage()
    for shop in found:
        level = logging.WARNING if shop.verified < shop.open else logging.INFO
        log.log(level, "carrierflow.coverage", extra=asdict(shop))
    return found


def erase_old(app: Carrierflow) -> Erased | None:
    """Erase what is older than `retention_days`; without that setting nothing is."""
    if app.retention.keeps_for is None:
        return None
    return app.retention.erase_past()


def deliver_changes(app: Carrierflow) -> list[Delivery]:
    """Push what is new to the destinations; without any, nothing is done.

    Raises:
        DeliveryFailed: if a message was not taken; it comes again after a while.
    """
    if not app.settings.destinations:
        return []
    done = app.deliver(seconds=SHARE)
    for delivery in done:
        if delivery.problem is not None:
            raise delivery.problem
    return done


def notify_incidents(app: Carrierflow) -> Notified:
    """Tell of new incidents; without anybody to tell, nothing is done.

    Raises:
        NotificationFailed: if a message was not taken; it is told again next time.
    """
    done = app.notifier.notify()
    for telling in done.tellings:
        if telling.problem is not None:
            raise telling.problem
    return done
