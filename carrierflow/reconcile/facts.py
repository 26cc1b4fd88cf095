"""What a proposal rests on: what was known when it was made."""

from __future__ import annotations

from carrierflow.domain.approval import AMEND, facts_digest
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding, Incident


__all__ = ["facts_of"]


def facts_of(action: str, about: Incident | Finding, parcel: Fulfillment | None) -> str:
    """Return the digest of what a proposal rests on.

    For a correction that is where the parcel stands, and what is to be entered; for any other,
    what the incident is about, and where both sides stand.
    """
    facts: list[str | None] = [action, _cause(action, about)]
    if parcel is not None:
        facts += [parcel.delivery.hash, parcel.cod.hash, *_terms(parcel)]
        if action != AMEND:
            facts += [parcel.frozen, parcel.remote.digest if parcel.remote else None]
    return facts_digest(facts)


def _terms(parcel: Fulfillment) -> list[str | None]:
    return [str(parcel.cod_amount), parcel.tracking_number]


def _cause(action: str, about: Incident | Finding) -> str:
    """Return what is proposed word for word, else what tells the cause from another one.

    The row of an incident can be changed, so what it says to be entered is not taken on trust.
    """
    if action == AMEND:
        return facts_digest(f"{name}={about.evidence[name]}" for name in sorted(about.evidence))
    return about.digest if isinstance(about, Finding) else about.evidence_digest
