"""How a platform speaks, as far as the carrier service must know; adapters owe exactly this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from carrierflow.carrier_service.carrier import AcceptRequest, QuoteRequest, Rate
from carrierflow.carrier_service.messages import Request, Response
from carrierflow.carrier_service.routes import Route, RoutedPath
from carrierflow.domain.model import Status


__all__ = ["Dialect", "HintDialect", "ShownParcel", "Webhook"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownParcel:
    """One parcel as the platform is shown it; without statuses right after it was made."""

    tracking_number: str | None
    tracking_url: str | None
    shipping_fee: int | None
    cod_amount: int
    carrier_status: Status | None = None
    cod_status: Status | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """What a webhook says, as far as anybody here wants to know."""

    topic: str
    """In one spelling, whatever the platform's was."""
    org_id: str | None
    order_id: str | None


class Dialect(Protocol):
    """How a platform signs, words and shapes what it asks, and what it wants to hear.

    Every reader raises `InvalidInput`, with a sentence that repeats nothing personal, where a
    body cannot be understood.
    """

    mounted_at: str
    """Below which path the platform finds its calls: a slash and its name."""
    signature_header: str
    """Where a signature stands."""
    signed_by: str
    """What a signature is, and where it stands, in a sentence of Markdown."""

    def is_signed(self, request: Request) -> bool:
        """Tell whether a callback comes from the platform; in the same time for any signature."""
        ...

    def is_signed_webhook(self, request: Request) -> bool:
        """Tell whether a webhook comes from the platform."""
        ...

    def quote_request(self, shop: str, request: Request) -> QuoteRequest:
        """Read what is to be priced."""
        ...

    def accept_request(self, shop: str, request: Request) -> AcceptRequest:
        """Read what parcel is handed over."""
        ...

    def tracking_number(self, request: Request) -> str:
        """Read which parcel a call is about."""
        ...

    def external_code(self, request: Request) -> str:
        """Read which parcel a call is about, by the platform's own code for it."""
        ...

    def challenge(self, request: Request) -> str | None:
        """Return what to answer a challenge with; None where it does not know our token."""
        ...

    def webhook(self, request: Request) -> Webhook:
        """Read what a webhook is about; a body that cannot be read names no order."""
        ...

    def rates(self, rates: Sequence[Rate]) -> Response:
        """Answer with the services offered."""
        ...

    def shipment(self, shown: ShownParcel) -> Response:
        """Answer with a parcel."""
        ...

    def refusal(self, sentence: str, *, status: int = 200) -> Response:
        """Answer that it will not be done, and why."""
        ...


class HintDialect(Protocol):
    """How a platform tells that something changed, which is then read and never taken as told."""

    mounted_at: str
    """Below which path the platform finds its webhooks: a slash and its name."""
    signature_header: str | None
    """Where a signature stands; None where a secret in the path takes its place."""
    route: Route
    """The path of a shop's webhooks."""

    def is_admitted(self, request: Request, found: RoutedPath) -> bool:
        """Tell whether a webhook comes from the platform; in the same time for any proof."""
        ...

    def webhook(self, request: Request) -> Webhook:
        """Read what a webhook is about; a body that cannot be read names no order."""
        ...
