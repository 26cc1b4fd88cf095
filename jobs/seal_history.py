"""Every hour: give what was recorded its places, sign them, hand the checkpoint to the anchors."""

from datetime import timedelta

from carrierflow import Carrierflow, HistoryBroken, Job, Sealing


def seal_history(app: Carrierflow) -> Sealing:
    """Give entries their places, and sign where there is a key; runs do so too when they end.

    Raises:
        AnchorUnavailable: if a place that keeps checkpoints did not take them.
        HistoryBroken: if an entry no longer is what was written.
    """
    done = app.sealer.seal()
    if done.broken:
        raise HistoryBroken(f"{done.broken[0]} does not hash to its hash.")
    for each in done.anchored:
        if each.problem is not None:
            raise each.problem
    return done


JOB = Job(
    name="seal_history",
    every=timedelta(hours=1),
    run=seal_history,
    summary="Seal the history, and hand the checkpoint to the anchors.",
)
