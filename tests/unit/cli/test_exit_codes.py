"""What the end of a reconcile tells cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.cli.reconciling import exit_code
from carrierflow.reconcile import EndReason, RunReport


MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


def report(reason, **counters):
    """Make the report of a run that ended in some way."""
    return RunReport(
        shop="alpha",
        run="",
        started_at=MOMENT,
        ended_at=MOMENT,
        end_reason=EndReason(reason),
        **counters,
    )


@pytest.mark.parametrize(
    ("reports", "incidents", "code"),
    [
        ([], False, 0),
        ([report("done")], False, 0),
        ([report("done")], True, 3),
        ([report("done", left=1)], False, 3),
        ([report("done", waiting=1)], False, 3),
        ([report("unavailable")], False, 1),
        ([report("done"), report("brake", left=9)], True, 1),
        # Another run has the shop: from the begin, or because this one was too slow.
        ([report("shop_held")], False, 75),
        ([report("lease_lost", left=67)], False, 75),
        ([report("shop_held"), report("lease_lost")], True, 75),
        # What other runs do is no news; what is left in our own shops is.
        ([report("done"), report("lease_lost", left=67)], False, 0),
        ([report("done", left=1), report("shop_held")], False, 3),
        ([report("failed"), report("shop_held")], False, 1),
    ],
)
def test_the_exit_code_says_who_must_act(reports, incidents, code):
    """Cron is alarmed where nobody does the work, and only there."""
    assert code == exit_code(reports, incidents=incidents)
