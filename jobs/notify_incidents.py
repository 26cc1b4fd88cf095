"""Every five minutes: tell of new incidents, where the settings say whom."""

from datetime import timedelta

from carrierflow import Carrierflow, Job, Notified


def notify_incidents(app: Carrierflow) -> Notified:
    """Tell of new incidents; without anybody to tell, nothing is done.

    Raises:
        NotificationFailed: if a message was not taken; it is told again next time.
    """
    done = app.notifier.notify()
    for telling in done.tellings:
        if telling.problem is not None:
            raise telling.problem
    return done


JOB = Job(
    name="notify_incidents",
    every=timedelta(minutes=5),
    run=notify_incidents,
    summary="Tell of new incidents by mail or into a chat.",
)
