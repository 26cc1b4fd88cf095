"""Waiting for one's turn: shops that another run holds are tried again until it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from carrierflow.domain.clock import Sleep
from carrierflow.errors import Interrupted, ShopHeld
from carrierflow.reconcile.run_report import RunReport


__all__ = ["work_in_turn"]

BETWEEN_SECONDS = 10.0
"""Seconds between two looks whether held shops are free."""

TURNS = 360
"""How often shops are tried again: for an hour, and then the run says that they are held."""


def work_in_turn(
    work: Callable[[Sequence[str]], Iterable[RunReport]], codes: Sequence[str], *, sleep: Sleep
) -> list[RunReport]:
    """Look after shops, and after those that another run holds as soon as it has let go of them.

    The free ones come first: nobody waits for a shop while another could be looked after.
    `sleep` may raise `Interrupted`; `work` is expected to end at once then.

    Raises:
        ShopHeld: if the only shop is held to the end.
    """
    reports: dict[str, RunReport] = {}
    for turn in range(TURNS + 1):
        held = [code for code in codes if code not in reports or reports[code].held]
        try:
            for report in work(held):
                before = reports.get(report.shop)
                reports[report.shop] = before.then(report) if before else report
        except ShopHeld:
            if turn == TURNS:
                raise
        if turn == TURNS or not any(code not in reports or reports[code].held for code in codes):
            break
        with suppress(Interrupted):  # the next look says so for each that is held
            sleep(BETWEEN_SECONDS)
    return [reports[code] for code in codes]
