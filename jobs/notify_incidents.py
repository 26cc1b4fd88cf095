"""Every five minutes: tell of new incidents, where the settings say whom."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import notify_incidents


JOB = Job(
    name="notify_incidents",
    every=timedelta(minutes=5),
    run=notify_incidents,
    summary="Tell of new incidents by mail or into a chat.",
)
