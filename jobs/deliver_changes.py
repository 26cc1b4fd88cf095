"""Every fifteen seconds: push what happened, where the settings say to whom."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import deliver_changes


JOB = Job(
    name="deliver_changes",
    every=timedelta(seconds=15),
    run=deliver_changes,
    summary="Push what happened to the destinations.",
)
