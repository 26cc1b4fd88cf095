"""Every hour: say how well the open fulfillments are known, loudly where they are not."""

import logging
from dataclasses import asdict
from datetime import timedelta

from carrierflow import Carrierflow, Coverage, Job


log = logging.getLogger("carrierflow.jobs")


def report_coverage(app: Carrierflow) -> list[Coverage]:
    """Log the coverage of each shop; a warning where parcels were not looked at in time."""
    found = app.coverage()
    for shop in found:
        level = logging.WARNING if shop.verified < shop.open else logging.INFO
        log.log(level, "carrierflow.coverage", extra=asdict(shop))
    return found


JOB = Job(
    name="report_coverage",
    every=timedelta(hours=1),
    run=report_coverage,
    summary="Log how well each shop's open fulfillments are known.",
)
