"""Kinds of incidents: what each means, what a person can do about it, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from carrierflow.domain.approval import CORRECTION
from carrierflow.domain.incident import ResolveAction


__all__ = ["ACTIONS", "FREEZING", "KINDS", "IncidentKind"]

UNFREEZE, ADOPT, REASSERT, ABANDON = (
    ResolveAction.UNFREEZE,
    ResolveAction.ADOPT,
    ResolveAction.REASSERT,
    ResolveAction.ABANDON,
)

ACTIONS: Mapping[ResolveAction, str] = MappingProxyType(
    {
        UNFREEZE: "looks again at the next run; eight new attempts",
        ADOPT: "makes the ledger say what the platform shows, by legal steps or, where there are "
        "none, by a correction; about cash, where the incident is about cash",
        REASSERT: "tells the platform where the parcel stands, once, if it still shows what the "
        "person saw; where it shows both statuses already, nothing is told",
        ABANDON: "stops looking after the fulfillment; its history stays, and what is scanned "
        "later is recorded and not told",
        ResolveAction.RESUME: "takes `abandon` back: the next run looks at the fulfillment again",
    }
)
"""What each decision does."""

AGREED = "both sides agree again when a run looks: nothing is left to be told"
STAYS_FROZEN = "no write for the fulfillment; events are recorded all the same"
GOES_ON = "everything goes on; a run that finds it again counts it"
SHOP_STANDS = "each run of the shop ends there, and the next one tries again"


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentKind:
    """One kind of incident, in words for the person who has to see to it."""

    rows: str
    """The rows of the decision table that open it."""
    freezes: str
    """Whether writes stop for its fulfillment: `yes`, `no`, or `shop` for all of the shop's."""
    means: str
    to_do: str
    ends: str
    """What closes it without a person, by what a run has seen."""
    meanwhile: str
    """What happens next where nobody does anything."""
    heals: bool = True
    """Whether it ever closes by itself; where not, only a person ends it."""
    actions: tuple[ResolveAction, ...] = (UNFREEZE, ADOPT, REASSERT, ABANDON)
    """The decisions that fit it."""


KINDS: Mapping[str, IncidentKind] = MappingProxyType(
    {
        "unknown_code": IncidentKind(
            rows="2",
            freezes="yes",
            means="the platform says a word that is no status",
            to_do="find out what it means; upgrade carrierflow if it is new; then `unfreeze`",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
            actions=(UNFREEZE, ABANDON),
        ),
        "stuck": IncidentKind(
            rows="5, 6",
            freezes="yes",
            means="eight attempts, or a day of them, had no effect",
            to_do="repeat the request by hand from the curl line; report it to the platform; "
            "then `unfreeze`",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
        ),
        "refused": IncidentKind(
            rows="5",
            freezes="yes",
            means="the platform answered three writes of a step with 400, 404, 422 or the like, "
            "and does not show it",
            to_do="read in the sentence what it said; mend the cause; `unfreeze` for three more "
            "tries, or `adopt` what it shows",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
        ),
        "cannot_be_told": IncidentKind(
            rows="6b, C3, 11",
            freezes="no",
            means="the platform has no way from what it shows to what was recorded",
            to_do="tell the shop, or do it by hand over there",
            ends=AGREED,
            meanwhile="later steps that can be told are told",
            actions=(UNFREEZE, ADOPT, ABANDON),
        ),
        "cash_disputed": IncidentKind(
            rows="C5",
            freezes="no",
            means="the platform shows no cash where cash is due",
            to_do="compare the amounts with the shop; decide with money people",
            ends=AGREED,
            meanwhile="the delivery goes on being told, the cash does not",
        ),
        "cancelled_in_transit": IncidentKind(
            rows="10",
            freezes="yes",
            means="the platform cancelled a parcel that is under way or at an end",
            to_do="call the hub. Cancel is final on the platform: `adopt` if the parcel comes "
            "back; if it was delivered all the same, record that, then `abandon`",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
            actions=(UNFREEZE, ADOPT, ABANDON),
        ),
        "cancel_conflict": IncidentKind(
            rows="12",
            freezes="yes",
            means="cancelled here, delivered or returned there",
            to_do="find the parcel; `adopt` or `reassert`",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
        ),
        "remote_ahead": IncidentKind(
            rows="13",
            freezes="yes",
            means="the platform is legally further than the ledger",
            to_do="look for missing scans and record them with their own times; else `adopt` if "
            "the platform is right, `reassert` if somebody set it there too soon",
            ends=AGREED + ", as when the missing scans were recorded",
            meanwhile=STAYS_FROZEN,
        ),
        "merchant_edit": IncidentKind(
            rows="15",
            freezes="yes",
            means="somebody moved the platform back",
            to_do="ask the shop; `reassert` if the ledger is right, `adopt` if the shop is",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
        ),
        "diverged": IncidentKind(
            rows="16",
            freezes="yes",
            means="the two sides fit no other row",
            to_do="read both histories; `adopt` or `reassert`",
            ends=AGREED,
            meanwhile=STAYS_FROZEN,
        ),
        "gone": IncidentKind(
            rows="17",
            freezes="yes",
            means="the parcel's own address answered 404 three times over an hour",
            to_do="ask the shop; `abandon` if it was removed; what the ledger should not say is "
            "corrected by `amend`",
            ends="it is there again, and " + AGREED,
            meanwhile=STAYS_FROZEN,
            actions=(UNFREEZE, ABANDON),
        ),
        "order_cancelled": IncidentKind(
            rows="18",
            freezes="no",
            means="the order is cancelled, its parcel is not",
            to_do="ask the shop whether the parcel should come back; the truth goes on being told",
            ends="the parcel has come to an end, or the order is no longer cancelled, and "
            + AGREED,
            meanwhile=GOES_ON,
            actions=(UNFREEZE, ABANDON),
        ),
        "unknown_here": IncidentKind(
            rows="19",
            freezes="no",
            means="the platform shows a parcel of ours that the ledger lacks",
            to_do="`carrierflow import SHOP --since` a moment before it began, or open it",
            ends="the ledger knows the parcel when a run of the shop ends",
            meanwhile=GOES_ON,
            actions=(UNFREEZE,),
        ),
        "cod_amount_differs": IncidentKind(
            rows="20",
            freezes="no",
            means="the platform has another amount of cash for the parcel than the ledger: a run "
            "saw it, or the parcel was handed over once more with it",
            to_do="ask the shop which is right before the parcel is delivered; if it is the "
            "platform's, `carrierflow revise`",
            ends="the amounts are equal when a run looks, as when the ledger's was revised",
            meanwhile=GOES_ON,
            actions=(UNFREEZE, ABANDON),
        ),
        "timeline_differs": IncidentKind(
            rows="21",
            freezes="no",
            means="the platform dates a status more than six hours before the carrier's first "
            "event of it",
            to_do="look who set it there; check the scanner's clock and time zone; then "
            "`unfreeze`, which closes it",
            ends="nothing: what is past stays so",
            heals=False,
            meanwhile=GOES_ON,
            actions=(UNFREEZE,),
        ),
        "unreadable": IncidentKind(
            rows="",
            freezes="no",
            means="one row of the platform's, ours or not, cannot be read: a key is missing, a "
            "date is none; the evidence has its place, its ids as far as they can be read, what "
            "is wrong with it, and a digest",
            to_do="show the shop or the platform that row",
            ends="all rows of its order are read; of a row without an order, all of the shop",
            meanwhile="the rows beside it are looked after",
            actions=(UNFREEZE,),
        ),
        CORRECTION: IncidentKind(
            rows="",
            freezes="no",
            means="somebody proposes to correct where the parcel stands, or the amount that was "
            "collected, and corrections take more people than one here",
            to_do="compare it with what happened; then `incidents approve`, or `incidents reject`",
            ends="nothing: it waits for somebody else",
            heals=False,
            meanwhile="nothing is corrected; a scan that comes meanwhile is recorded, and the "
            "proposal can then no longer be approved",
            actions=(),
        ),
        "access_denied": IncidentKind(
            rows="",
            freezes="shop",
            means="the platform does not accept the shop's token",
            to_do="`shop rotate-token`, or another install by the owner",
            ends="something is read with it; where writes were not accepted, one is, or none is "
            "wanted any more; or the shop is paused or revoked",
            meanwhile=SHOP_STANDS,
            actions=(UNFREEZE,),
        ),
        "run_dies": IncidentKind(
            rows="",
            freezes="shop",
            means="three runs of the shop in a row ended without a word: they were killed, or cut "
            "off from the database",
            to_do="look into the log of the machine for what killed them: too little memory, a "
            "worker's time limit; `carrierflow reconcile --shop` tries it at once",
            ends="a run of the shop ends in any other way",
            meanwhile="the shop is left alone for a minute, then for two, up to an hour",
            actions=(UNFREEZE,),
        ),
        "brake": IncidentKind(
            rows="",
            freezes="shop",
            means="a run would have frozen or cancelled too much, was refused too often in a "
            "row, or most orders were missing",
            to_do="check shop, token and base URL; `unfreeze` when they are right",
            ends="a run looks at the whole shop and need not stop",
            meanwhile=SHOP_STANDS,
            actions=(UNFREEZE,),
        ),
    }
)
"""Every kind of incident: those that a run can open, and a correction that waits."""

FREEZING = frozenset(name for name, kind in KINDS.items() if kind.freezes == "yes")
"""Those that stop writes for their fulfillment."""
