"""Once a day: erase what names people and is past its time, where a time is set."""

from datetime import timedelta

from carrierflow import Carrierflow, Erased, Job


def erase_old(app: Carrierflow) -> Erased | None:
    """Erase what is older than `retention_days`; without that setting nothing is."""
    if app.retention.keeps_for is None:
        return None
    return app.retention.erase_past()


JOB = Job(
    name="erase_old",
    every=timedelta(days=1),
    run=erase_old,
    summary="Erase notes, bodies of webhooks and names of files past their time.",
)
