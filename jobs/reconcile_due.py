"""Every five seconds: look after the shops that are due, for as long as other jobs can wait."""

import time
from contextlib import closing
from datetime import timedelta

from carrierflow import Carrierflow, Job, RunReport


SECONDS = 20
"""Then the other jobs have their turn; what is due still is looked after five seconds later."""


def reconcile_due(app: Carrierflow) -> list[RunReport]:
    """Publish what is new, and look at what webhooks named and at what changed."""
    until, reports = time.monotonic() + SECONDS, []
    with closing(app.work(until_idle=True)) as runs:
        for report in runs:
            reports.append(report)
            if time.monotonic() >= until:
                break
    return reports


JOB = Job(
    name="reconcile_due",
    every=timedelta(seconds=5),
    run=reconcile_due,
    summary="Look after the shops that are due.",
)
