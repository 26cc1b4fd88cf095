"""Every hour: say how well the open fulfillments are known, loudly where they are not."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import report_coverage


JOB = Job(
    name="report_coverage",
    every=timedelta(hours=1),
    run=report_coverage,
    summary="Log how well each shop's open fulfillments are known.",
)
