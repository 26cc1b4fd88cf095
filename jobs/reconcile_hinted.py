"""Every ten seconds: look at the parcels that webhooks named, if there are any."""

from datetime import timedelta

from carrierflow import Carrierflow, Job, RunReport


def reconcile_hinted(app: Carrierflow) -> list[RunReport]:
    """Reconcile what webhooks named; without any, nothing is asked of the platform."""
    return app.reconcile(hinted=True)


JOB = Job(
    name="reconcile_hinted",
    every=timedelta(seconds=10),
    run=reconcile_hinted,
    summary="Look at the parcels that webhooks named.",
)
