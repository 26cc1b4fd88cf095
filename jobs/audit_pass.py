"""Once a day: look at every open order, however lately it was looked at."""

from datetime import timedelta

from carrierflow import Carrierflow, Job, RunReport


def audit_pass(app: Carrierflow) -> list[RunReport]:
    """Reconcile every open order of every active shop."""
    return app.reconcile(full=True)


JOB = Job(
    name="audit_pass",
    every=timedelta(days=1),
    run=audit_pass,
    summary="Look at every open order of every active shop.",
)
