"""What has to happen sometimes, wherever it is played: what never happens is not tested."""

from __future__ import annotations

from .person import DECISIONS
from .scenario import PROFILES


KILLED_AT = (
    *("before a transaction", "before a commit", "after a commit"),
    *("before send", "in the air", "after apply", "before reply"),
)

ENDS = ("done", "shop_held", "lease_lost", "unavailable", "throttled")

EVERYWHERE = {
    "profiles": tuple(PROFILES),
    "verdicts": ("accepted", "duplicate", "late", "refused"),
    "met": (
        *(f"kill {label}" for label in KILLED_AT),
        *(f"person {action}" for action in DECISIONS),
        *(f"run {end}" for end in ENDS),
        *("stall", "slow database", "connection refused", "connection reset", "timeout"),
        *("clocks apart", "platform's clock fast", "platform's clock slow"),
        *("tight bucket", "several crons", "storm"),
    ),
}

PLATFORM_S_LISTS = (
    *("page of 3", "cron away", "orders without a bump", "change surfaces late"),
    *("order moves in the list", "a row is never readable", "an order hides"),
)
"""What happens where changed orders are listed."""
