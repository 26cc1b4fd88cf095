"""Once a day: replay the whole history, and fail loudly if it is not as it was written."""

from datetime import timedelta

from carrierflow import Carrierflow, HistoryBroken, Job, Verification


def verify_history(app: Carrierflow) -> Verification:
    """Verify every entry.

    Raises:
        HistoryBroken: with the first bad row.
    """
    done = app.verify()
    if not done.ok:
        first = done.problems[0]
        raise HistoryBroken(f"{first.where}: {first.what}.")
    return done


JOB = Job(
    name="verify_history",
    every=timedelta(days=1),
    run=verify_history,
    summary="Replay the whole history.",
)
