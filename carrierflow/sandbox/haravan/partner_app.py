"""The app of a carrier, as it stands in the dashboard of Haravan's partners, which has no API."""

from __future__ import annotations

from dataclasses import dataclass

from carrierflow.sandbox.haravan.webhook_queue import UNINSTALLED


__all__ = ["TOPICS", "App"]

# Orders only: no list of Haravan's topics has one for fulfillments.
TOPICS = (
    "orders/create",
    "orders/updated",
    "orders/fulfilled",
    "orders/cancelled",
    "orders/delete",
    UNINSTALLED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """What a partner sets for an app, and how patient Haravan is with it.

    The time limit of a callback, the life of a token and how often details are polled are not
    documented; 0 polls only when asked to. A webhook has five seconds; Haravan spreads its retries
    over two days, which is too long for anybody's test.
    """

    client_id: str = "sandbox-app"
    client_secret: str = "sandbox-secret"  # noqa: S105 - everybody may know it
    webhook_url: str = ""
    install_url: str = ""
    verify_token: str = "sandbox-verify"  # noqa: S105 - likewise
    topics: tuple[str, ...] = TOPICS
    token_seconds: int = 30 * 24 * 3600
    callback_seconds: float = 10.0
    webhook_seconds: float = 5.0
    retry_seconds: float = 10.0
    poll_seconds: float = 0.0
