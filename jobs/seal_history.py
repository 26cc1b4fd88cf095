"""Every hour: give what was recorded its places, sign them, hand the checkpoint to the anchors."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import seal_history


JOB = Job(
    name="seal_history",
    every=timedelta(hours=1),
    run=seal_history,
    summary="Seal the history, and hand the checkpoint to the anchors.",
)
