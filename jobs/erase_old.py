"""Once a day: erase what names people and is past its time, where a time is set."""

from datetime import timedelta

from carrierflow import Job
from carrierflow.app.duties import erase_old


JOB = Job(
    name="erase_old",
    every=timedelta(days=1),
    run=erase_old,
    summary="Erase notes, bodies of webhooks and names of files past their time.",
)
