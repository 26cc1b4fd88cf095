"""What Haravan asks of the carrier, as plain callables that whoever builds the world passes in."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.haravan.parcels import ParcelRef


__all__ = ["SIGNATURE_HEADER", "CarrierCallables", "sign"]

SIGNATURE_HEADER = "X-Haravan-Hmac-SHA256"


def _ignore_cancel(_ref: ParcelRef) -> None:
    return None


def _know_nothing(_ref: ParcelRef) -> tuple[str, str] | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCallables:
    """The two calls by which Haravan reaches a carrier after a parcel was made.

    `on_cancel` is told of a cancelled parcel. `poll_detail` answers the delivery and the COD word
    of a parcel in the callbacks' own vocabulary (`ReadyToPick`, `CODPending`), or None.
    """

    on_cancel: Callable[[ParcelRef], None] = _ignore_cancel
    poll_detail: Callable[[ParcelRef], tuple[str, str] | None] = _know_nothing


def sign(body: bytes, client_secret: str) -> str:
    """Return the signature of a callback: HMAC-SHA256 of the exact bytes, in base64."""
    digest = hmac.new(client_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")
