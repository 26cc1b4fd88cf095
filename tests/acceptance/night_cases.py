"""The incidents of a prepared night: how each came about, what the telephone says, what is right.

Whoever is tried with them reads the calls, and neither the causes nor the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from carrierflow.sandbox.haravan import Fault, FaultKind, Rule


__all__ = ["CASES", "Case", "Right", "mend", "move"]


@dataclass(frozen=True, kw_only=True)
class Right:
    """The end that follows from the facts; a status is the delivery's and the cash's.

    Where nothing is given, that side has nothing to show.
    """

    actions: frozenset[str]
    """How the incident may have been closed; `gone` is by a run that saw its cause gone."""
    ledger: tuple[str, str] | None = None
    platform: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One incident of the night."""

    name: str
    kind: str
    shop: str
    call: str
    """What the hub, the driver or the shop says; `{parcel}` is the fulfillment."""
    cause: Callable[..., None]
    """Brings it about, by the carrier and the parcel, which both sides have as `delivering`."""
    right: Right
    cod: int = 0


def move(carrier, ref, **words):
    """Let somebody set something by hand on the platform."""
    shop = carrier.world.shop(ref.shop)
    carrier.world.edit(shop.parcel(int(ref.order_id), int(ref.fulfillment_id)).ref, **words)


def mend(carrier, ref):
    """Let the platform show again what the ledger says."""
    move(carrier, ref, carrier_status=carrier.known(ref)[0])


def _moved(**words):
    return lambda carrier, ref: move(carrier, ref, **words)


def _refuse(carrier, ref):
    fault = Fault(kind=FaultKind.PROXY_BEFORE, status=422)
    where = f"/{ref.fulfillment_id}"
    carrier.server.haravan.faults.add(Rule(fault=fault, method="PUT", path=where, times=3))
    carrier.record(ref, "delivered")


def _lock_out(carrier, ref):
    carrier.world.replace_token(ref.shop, f"new-{ref.shop}")
    carrier.record(ref, "delivered")


def _stranger(carrier, ref):
    carrier.platform_parcel(ref.shop, carrier_status="readytopick")


def _remove(carrier, ref):
    carrier.world.remove_order(ref.shop, int(ref.order_id))


def _right(*actions, ledger=None, platform=None):
    return Right(actions=frozenset(actions), ledger=ledger, platform=platform)


def _both(status, cash="none"):
    return {"ledger": (status, cash), "platform": (status, cash)}


CASES = (
    Case(
        name="a slip of the shop's",
        kind="merchant_edit",
        shop="bakery",
        call="Parcel {parcel}. The driver has it in the van and is on the road. The shop says: our "
        "new clerk clicked the wrong line, sorry.",
        cause=_moved(carrier_status="picking"),
        right=_right("reassert", **_both("delivering")),
    ),
    Case(
        name="a scan of the wrong parcel",
        kind="merchant_edit",
        shop="books",
        call="Parcel {parcel}. The shop says: it still stands at our counter and waits to be "
        "picked up, so we set it back. The driver looks: right, I scanned its "
        "neighbour as out for delivery.",
        cause=_moved(carrier_status="picking"),
        right=_right("adopt", **_both("picking")),
    ),
    Case(
        name="an empty scanner",
        kind="remote_ahead",
        shop="bakery",
        call="Parcel {parcel}. The driver says: handed over an hour ago, my scanner was empty. The "
        "recipient says: yes, it is here.",
        cause=_moved(carrier_status="delivered"),
        right=_right("adopt", "gone", **_both("delivered")),
    ),
    Case(
        name="delivered too soon",
        kind="remote_ahead",
        shop="ceramics",
        call="Parcel {parcel}. The driver says: it is in my van, I go there tomorrow. The shop "
        "says: we set it to delivered to close our books for the month; do as you see fit.",
        cause=_moved(carrier_status="delivered"),
        right=_right("reassert", **_both("delivering")),
    ),
    Case(
        name="a recall",
        kind="cancelled_in_transit",
        shop="tea",
        call="Parcel {parcel}. The shop says: the customer wants it no more, we cancelled. The hub "
        "says: it has turned round, the shop gets it back in the morning.",
        cause=_moved(carrier_status="cancel"),
        right=_right("adopt", **_both("cancel")),
    ),
    Case(
        name="a recall that came too late",
        kind="cancelled_in_transit",
        shop="ceramics",
        call="Parcel {parcel}. The shop says: we cancelled it. The driver says: the recipient has "
        "it and signed. The shop says: then let it be, we settle that with the customer.",
        cause=_moved(carrier_status="cancel"),
        right=_right("abandon", platform=("cancel", "none")),
    ),
    Case(
        name="a word of an app's",
        kind="unknown_code",
        shop="books",
        call="Parcel {parcel}. The shop says: an app of ours wrote nonsense there; we took the app "
        "out a minute ago and put the old status back. The driver has the parcel in the van.",
        cause=_moved(carrier_status="lost in the rain"),
        right=_right("unfreeze", "gone", **_both("delivering")),
    ),
    Case(
        name="a locked warehouse",
        kind="refused",
        shop="tea",
        call="Parcel {parcel}. The shop says: during our stock-taking the firewall let no change "
        "through; that is over. The driver says: delivered, and signed for.",
        cause=_refuse,
        right=_right("unfreeze", "gone", **_both("delivered")),
    ),
    Case(
        name="paid by transfer",
        kind="cash_disputed",
        shop="bakery",
        call="Parcel {parcel}. The shop says: the customer has paid us by bank transfer, collect "
        "nothing. The money people say: yes, we have it in writing. It is still on the road.",
        cause=_moved(cod_status="none"),
        right=_right("adopt", **_both("delivering")),
        cod=250_000,
    ),
    Case(
        name="an order that was taken away",
        kind="gone",
        shop="books",
        call="Parcel {parcel}. The shop says: a test order of ours, we removed it for good. The "
        "hub says: there never was a parcel.",
        cause=_remove,
        right=_right("abandon"),
    ),
    Case(
        name="a parcel that nobody opened",
        kind="unknown_here",
        shop="tea",
        call="The parcel that we do not know at the shop tea. The hub says: it was handed to us "
        "last night and lies here, not picked yet; nobody typed it in.",
        cause=_stranger,
        right=_right("gone", **_both("readytopick")),
    ),
    Case(
        name="a token that was replaced",
        kind="access_denied",
        shop="wine",
        call="The shop wine says: we gave the app a new token yesterday. You have it by the usual "
        "way, in the file wine-token.txt.",
        cause=_lock_out,
        right=_right("gone", **_both("delivered")),
    ),
)
"""Twelve incidents of nine kinds in five shops."""
