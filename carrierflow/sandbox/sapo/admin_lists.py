"""How Sapo's lists choose, sort and cut what they show.

Documented are `page`, `limit` and the metadata. The filters are those that integrators use; how
lists are sorted is documented nowhere, so it is an option of the shop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.refusals import BadInput
from carrierflow.sandbox.sapo.sapo_numbers import moment


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoOrder
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop


__all__ = ["Paged", "SapoReading", "fulfillments_page", "orders_page"]

_LIMIT = 20


def _omit_nothing(_order_id: int) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoReading:
    """How true a reading is: as of which moment, and which orders it leaves out."""

    as_of: int | None = None
    omits: Callable[[int], bool] = _omit_nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """One page, and what its metadata say."""

    rows: Sequence[Any]
    total: int
    page: int
    limit: int

    @property
    def metadata(self) -> dict[str, int]:
        """What the reply prints beside the rows."""
        return {"total": self.total, "page": self.page, "limit": self.limit}


def orders_page(shop: SapoShop, query: Mapping[str, str], reading: SapoReading) -> Paged:
    """Return one page of the orders that a query asks for.

    Raises:
        BadInput: if there is no such filter, or its value cannot be read.
    """
    tests = _order_tests(shop, _known(query, _OF_ORDERS))
    found = [
        order
        for order in shop.orders(reading.as_of)
        if not reading.omits(order.id) and all(test(order) for test in tests)
    ]
    found.sort(key=lambda order: (order.created_on, order.id), reverse=shop.options.newest_first)
    return _cut(shop, found, query)


def fulfillments_page(shop: SapoShop, query: Mapping[str, str], reading: SapoReading) -> Paged:
    """Return one page of the parcels, each with its order, that a query asks for.

    Raises:
        BadInput: if there is no such filter, or its value cannot be read.
    """
    tests = _parcel_tests(_known(query, _OF_PARCELS))
    found = [
        (order, parcel)
        for order in shop.orders(reading.as_of)
        for parcel in order.fulfillments
        if not reading.omits(order.id) and all(test(parcel) for test in tests)
    ]
    found.sort(key=lambda row: (row[1].created_on, row[1].id), reverse=shop.options.newest_first)
    return _cut(shop, found, query)


def _cut(shop: SapoShop, found: Sequence[Any], query: Mapping[str, str]) -> Paged:
    """Cut out a page; a limit above the greatest is quietly cut, which is assumed."""
    limit = min(max(_whole(query, "limit", _LIMIT), 1), shop.options.most_rows)
    page = max(_whole(query, "page", 1), 1)
    first = (page - 1) * limit
    return Paged(rows=found[first : first + limit], total=len(found), page=page, limit=limit)


def _order_tests(shop: SapoShop, params: Mapping[str, str]) -> list[Callable[[SapoOrder], bool]]:
    tests: list[Callable[[SapoOrder], bool]] = []
    if "ids" in params:
        ids = {int(each) for each in _listed(params["ids"]) if each.isdecimal()}
        tests.append(lambda order: order.id in ids)
    if "status" in params:
        tests.append(lambda order: order.status in _listed(params["status"]))
    if "location_id" in params:
        tests.append(lambda _order: str(shop.location_id) in _listed(params["location_id"]))
    if "query" in params:
        tests.append(lambda order: _mentions(order, params["query"].strip()))
    was_created, was_modified = _span(params, "created_on"), _span(params, "modified_on")
    tests.append(lambda order: was_created(order.created_on))
    if shop.options.filters_modified:
        tests.append(lambda order: was_modified(order.modified_on))
    return tests


def _parcel_tests(params: Mapping[str, str]) -> list[Callable[[SapoFulfillment], bool]]:
    tests: list[Callable[[SapoFulfillment], bool]] = []
    if "query" in params:
        tests.append(lambda parcel: params["query"].strip() in _codes(parcel))
    if "delivery_types" in params:
        tests.append(lambda parcel: parcel.delivery_type in _listed(params["delivery_types"]))
    if "composite_fulfillment_statuses" in params:
        words = _listed(params["composite_fulfillment_statuses"])
        tests.append(lambda parcel: parcel.state in words)
    was_packed, was_shipped = _span(params, "packed_on"), _span(params, "shipped_on")
    tests.append(lambda parcel: was_packed(parcel.packed_on) and was_shipped(parcel.shipped_on))
    return tests


def _mentions(order: SapoOrder, text: str) -> bool:
    return text == order.code or any(text in _codes(each) for each in order.fulfillments)


def _codes(parcel: SapoFulfillment) -> set[str]:
    tracking = {parcel.shipment.tracking_code} if parcel.shipment is not None else set()
    return {parcel.code, *tracking}


def _span(params: Mapping[str, str], name: str) -> Callable[[int | None], bool]:
    least = moment(params[f"{name}_min"]) if f"{name}_min" in params else None
    most = moment(params[f"{name}_max"]) if f"{name}_max" in params else None
    if least is None and most is None:
        return lambda _at: True
    return lambda at: (
        at is not None and (least is None or at >= least) and (most is None or at <= most)
    )


def _known(query: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    """Return what a query asks for; a filter that nobody ever used is refused, not ignored.

    Whoever sends one would trust the answer. What Sapo does with it is not documented.
    """
    for name in query:
        if name not in names:
            raise BadInput(f"There is no filter {name!r} here.")
    return {name: value for name, value in query.items() if value.strip()}


def _listed(text: str) -> set[str]:
    return {each.strip() for each in text.split(",") if each.strip()}


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name) or default)
    except ValueError as error:
        raise BadInput(f"{query[name]!r} is no {name}.") from error


_PAGED = frozenset({"page", "limit", "query"})
_OF_ORDERS = _PAGED | {
    *("ids", "status", "location_id"),
    *("created_on_min", "created_on_max", "modified_on_min", "modified_on_max"),
}
_OF_PARCELS = _PAGED | {
    *("delivery_types", "composite_fulfillment_statuses"),
    *("packed_on_min", "packed_on_max", "shipped_on_min", "shipped_on_max"),
}
