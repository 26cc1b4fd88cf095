"""Every fifteen seconds: push what happened, where the settings say to whom."""

from datetime import timedelta

from carrierflow import Carrierflow, Delivery, Job


SHARE = 30
"""Seconds after which no further message is begun, so that other jobs have their turn."""


def deliver_changes(app: Carrierflow) -> list[Delivery]:
    """Push what is new; without a destination nothing is done.

    Raises:
        DeliveryFailed: if a message was not taken; it comes again after a while.
    """
    if not app.settings.destinations:
        return []
    done = app.deliver(seconds=SHARE)
    for delivery in done:
        if delivery.problem is not None:
            raise delivery.problem
    return done


JOB = Job(
    name="deliver_changes",
    every=timedelta(seconds=15),
    run=deliver_changes,
    summary="Push what happened to the destinations.",
)
