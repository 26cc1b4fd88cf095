"""Once a day: look at every open order, however lately it was looked at."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import audit_pass


JOB = Job(
    name="audit_pass",
    every=timedelta(days=1),
    run=audit_pass,
    summary="Look at every open order of every active shop.",
)
