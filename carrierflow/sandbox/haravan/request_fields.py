"""What a request says about a parcel, and what of it the platform keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.refusals import Unprocessable


if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet


__all__ = ["Company", "company_of", "details_of", "whole"]

_SEARCH = "http://www.google.com/search?q="


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A carrier as a fulfillment shows it."""

    name: str
    code: str
    url: str


# The documented examples: no name at all, and one whose name alone was enough.
_OTHER = Company(name="Khác", code="other", url=_SEARCH)
_KNOWN = {
    "Giao Hàng Nhanh": Company(
        name="Giao Hàng Nhanh", code="ghn2018", url="https://donhang.ghn.vn/?order_code="
    )
}

_KEPT = {
    "tracking_number": "tracking_number",
    "location_id": "location_id",
    "coupon_code": "coupon_code",
    "carrier_service_package_name": "package_name",
}


def details_of(fields: Mapping[str, Any], registered: AbstractSet[str]) -> dict[str, Any]:
    """Pick what the platform keeps of a request; the rest is accepted and not echoed."""
    details = {ours: fields[theirs] for theirs, ours in _KEPT.items() if theirs in fields}
    if details.get("tracking_number") is not None:
        details["tracking_number"] = str(details["tracking_number"])
    if "location_id" in details:
        details["location_id"] = whole(fields, "location_id")
    if "tracking_company" in fields:
        company = company_of(fields["tracking_company"], registered)
        details["tracking_company"] = company.name
        details["tracking_company_code"] = company.code
        details["tracking_url"] = company.url
        details["tracking_urls"] = (company.url,) if company.url else ()
    return details


def whole(fields: Mapping[str, Any], name: str) -> int:
    """Return a whole number from a request, which may send it as text.

    Raises:
        Refused: if it is none.
    """
    try:
        return int(fields[name])
    except (TypeError, ValueError) as error:
        raise Unprocessable(f"{name} cannot be {fields[name]!r}.") from error


def company_of(name: str | None, registered: AbstractSet[str]) -> Company:
    """Return how the platform shows a carrier; one that an app registered is `external`."""
    if not name:
        return _OTHER
    if name in registered:
        return Company(name=name, code="external", url="")
    return _KNOWN.get(name, Company(name=name, code=_OTHER.code, url=_OTHER.url))
