"""One account of Onflow's kind API User: its token, its options, and its budget of requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.onflow.status_numbers import OnflowNumbers


__all__ = ["OnflowAccount", "OnflowOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowOptions:
    """What the documents leave open, so that every reading of them can be tried.

    `refusal_status` and `missing_status` go with a refused write and an unknown code: 200 leaves
    it to the error flag. `cancels_again` answers a second cancel as if it were the first, without
    it a second cancel is refused. `unique_references` refuses a reference that is taken.
    `pace` are the seconds until picked, packed and handed over; without it the warehouse stands
    still. `webhook_url` hears of every stage; the secret is in its path. No limit of requests is
    documented: `bucket_size` and `leak_per_second` are invented.
    """

    numbers: OnflowNumbers = field(default_factory=OnflowNumbers)
    refusal_status: int = HTTPStatus.OK
    missing_status: int = HTTPStatus.OK
    cancels_again: bool = True
    unique_references: bool = False
    pace: tuple[float, float, float] | None = None
    webhook_url: str = ""
    webhook_retry_seconds: float = 60.0
    webhook_tries: int = 5
    bucket_size: int = 60
    leak_per_second: int = 2
    tells_wait: bool = True


class OnflowAccount:
    """A merchant's account; `business_id` and `user_id` name it in webhooks."""

    def __init__(self, *, code: str, token: str, number: int, options: OnflowOptions) -> None:
        self.code = code
        self.token = token
        self.business_id = 450 + number
        self.user_id = 340 + number
        self.options = options
        self.empty()

    def empty(self) -> None:
        """Forget every request; token and options stay."""
        self.bucket = LeakyBucket(
            size=self.options.bucket_size, leak_per_second=self.options.leak_per_second
        )
