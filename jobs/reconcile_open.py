"""Every five minutes: publish what is missing, and look at what changed."""

from datetime import timedelta

from carrierflow import Carrierflow, Job, RunReport


def reconcile_open(app: Carrierflow) -> list[RunReport]:
    """Reconcile every active shop."""
    return app.reconcile()


JOB = Job(
    name="reconcile_open",
    every=timedelta(minutes=5),
    run=reconcile_open,
    summary="Publish what is missing in every active shop.",
)
