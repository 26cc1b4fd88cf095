"""What a revision changed, in words."""

from __future__ import annotations

from carrierflow.audit.reports.language import ENGLISH, Tongue
from carrierflow.audit.reports.wording import dong
from carrierflow.domain.revision import Terms


__all__ = ["revised_text"]


def revised_text(before: Terms, after: Terms, tongue: Tongue = ENGLISH) -> str:
    """Say what is agreed otherwise: the amount to collect, the waybill, or both."""
    told = []
    if before.cod_amount != after.cod_amount:
        amounts = {"before": dong(before.cod_amount), "after": dong(after.cod_amount)}
        told.append(tongue.say("To collect: {before} → {after}.", **amounts))
    if before.tracking_number != after.tracking_number:
        numbers = {"before": before.tracking_number or "-", "after": after.tracking_number or "-"}
        told.append(tongue.say("Tracking number: {before} → {after}.", **numbers))
    return " ".join(told)
