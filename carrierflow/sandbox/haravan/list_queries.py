"""How lists and counts choose, sort and cut what they show."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from carrierflow.sandbox.haravan.dotnet_time import HALF_UP_MILLISECONDS, parse, rounded
from carrierflow.sandbox.haravan.parcels import Order, SandboxFulfillment
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.shop_state import SandboxShop


__all__ = [
    "ORDER_FILTERS",
    "PAGE_LIMIT",
    "PARCEL_FILTERS",
    "Reading",
    "chosen_fields",
    "count_fulfillments",
    "count_orders",
    "fulfillments_of",
    "orders_of",
    "refuse_unknown",
]

PAGE_LIMIT = 50

Params = Mapping[str, str]
Test = Callable[[Order], bool]


def _omit_nothing(_order_id: int) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How true a reading is: as of which moment, and which orders it leaves out."""

    as_of: int | None = None
    omits: Callable[[int], bool] = _omit_nothing


_STATUS_TESTS: Mapping[str, Test] = {
    "open": lambda order: order.cancelled_at is None and order.closed_at is None,
    "closed": lambda order: order.closed_at is not None,
    "cancelled": lambda order: order.cancelled_at is not None,
    "any": lambda _order: True,
}
_SHIPPED_TESTS: Mapping[str, Test] = {
    "shipped": lambda order: bool(order.fulfillment_ids),
    "unshipped": lambda order: not order.fulfillment_ids,
    "partial": lambda _order: False,
    # Not in the reference: how orders themselves print it, and what `status` calls no filter.
    "fulfilled": lambda order: bool(order.fulfillment_ids),
    "any": lambda _order: True,
}
# Every order here is pending; the other words of the reference find none.
_PAID_TESTS: Mapping[str, Test] = {
    "pending": lambda _order: True,
    **dict.fromkeys(
        ("paid", "partially_paid", "refunded", "voided", "partially_refunded"),
        lambda _order: False,
    ),
}
_TIMES = frozenset({"created_at_min", "created_at_max", "updated_at_min", "updated_at_max"})
PARCEL_FILTERS = _TIMES | {"ids", "limit", "page", "since_id", "fields"}
"""What a list of fulfillments takes, by the Fulfillment API reference."""
ORDER_FILTERS = PARCEL_FILTERS | {
    "processed_at_min",
    "processed_at_max",
    "financial_status",
    "fulfillment_status",
    "status",
    "order",
}
"""What a list of orders takes, by the Order API reference."""
_COMPARISONS = {"_min": operator.ge, "_max": operator.le}
_SORT_KEYS: Mapping[str, Callable[[Order], tuple[int, int]]] = {
    "created_at": lambda order: (order.created_at, order.id),
    "updated_at": lambda order: (_stored(order.updated_at), order.id),
}


def orders_of(shop: SandboxShop, query: Params, reading: Reading) -> list[Order]:
    """Return one page of the orders that a query asks for.

    A blank value is ignored, and a limit above 50 is quietly cut to 50, as in production.
    """
    params = _without_blanks(query)
    found = _sorted(_matching(shop, params, reading), params, already=_is_in_order(params, reading))
    return list(islice(found, *_page(params)))


def count_orders(shop: SandboxShop, query: Params, reading: Reading) -> int:
    """Return how many orders a query asks for, whatever its page."""
    return sum(1 for _ in _matching(shop, _without_blanks(query), reading))


def refuse_unknown(query: Params, known: Collection[str]) -> None:
    """Refuse a filter that the reference does not have: who sends it would trust the answer.

    Raises:
        BadInput: if there is one.
    """
    for name in query:
        if name not in known:
            raise BadInput(f"There is no filter {name!r} here.")


def fulfillments_of(parcels: list[SandboxFulfillment], query: Params) -> list[SandboxFulfillment]:
    """Return one page of an order's fulfillments; their limit is assumed to be that of orders."""
    params = _without_blanks(query)
    return list(islice(_matching_parcels(parcels, params), *_page(params)))


def count_fulfillments(parcels: list[SandboxFulfillment], query: Params) -> int:
    """Return how many of an order's fulfillments a query asks for, whatever its page."""
    return sum(1 for _ in _matching_parcels(parcels, _without_blanks(query)))


def _matching_parcels(
    parcels: list[SandboxFulfillment], params: Params
) -> Iterator[SandboxFulfillment]:
    ids = _ids(params)
    was_created, was_updated = _bounds(params, "created_at"), _bounds(params, "updated_at")
    return (
        parcel
        for parcel in parcels
        if (ids is None or parcel.ref.fulfillment_id in ids)
        and parcel.ref.fulfillment_id > _number(params, "since_id", 0)
        and was_created(parcel.created_at)
        and was_updated(parcel.updated_at)
    )


def chosen_fields(query: Params, bodies: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    """Keep of each body the fields that the query names; without any, all of them."""
    wanted = [name.strip() for name in query.get("fields", "").split(",") if name.strip()]
    if not wanted:
        return list(bodies)
    return [{name: body[name] for name in wanted if name in body} for body in bodies]


def _matching(shop: SandboxShop, params: Params, reading: Reading) -> Iterator[Order]:
    tests = _tests(params)
    for order in _candidates(shop, params, reading):
        if not reading.omits(order.id) and all(test(order) for test in tests):
            yield order


def _candidates(shop: SandboxShop, params: Params, reading: Reading) -> Iterator[Order]:
    """Yield from the narrowest index that still holds everything the query may want."""
    ids = _ids(params)
    since = _number(params, "since_id", 0)
    if ids is not None:
        named = (shop.orders.get(each, reading.as_of) for each in sorted(ids))
        return (order for order in named if order is not None and order.id > since)
    if reading.as_of is None and "updated_at_min" in params and not since:
        return shop.orders.updated_from(_moment(params["updated_at_min"]))
    if _is_in_order(params, reading) and not since:
        return shop.orders.updated_from(None)
    return shop.orders.after_id(since, reading.as_of)


def _tests(params: Params) -> list[Test]:
    # Whether `status` left out means open is not stated; the platform it is modelled on says so.
    tests = [_one_of(_STATUS_TESTS, params.get("status", "open"), "status")]
    if "fulfillment_status" in params:
        word = params["fulfillment_status"]
        tests.append(_one_of(_SHIPPED_TESTS, word, "fulfillment_status"))
    if "financial_status" in params:
        tests.append(_one_of(_PAID_TESTS, params["financial_status"], "financial_status"))
    was_created, was_updated = _bounds(params, "created_at"), _bounds(params, "updated_at")
    # "Imported" is what the reference says of `processed_at`: an order comes in as it is made.
    was_processed = _bounds(params, "processed_at")
    tests.append(lambda order: was_created(order.created_at) and was_updated(order.updated_at))
    tests.append(lambda order: was_processed(order.created_at))
    return tests


def _is_in_order(params: Params, reading: Reading) -> bool:
    """Whether the index by update already yields what the query sorts by."""
    by_update = params.get("order", "").split() in (["updated_at"], ["updated_at", "asc"])
    return by_update and reading.as_of is None and not {"ids", "since_id"} & set(params)


def _sorted(orders: Iterator[Order], params: Params, *, already: bool) -> Iterator[Order]:
    """Sort as asked; unasked, newest first, but ascending by id where a since_id walks the ids."""
    if already or ("order" not in params and "since_id" in params):
        return orders
    name, _, direction = params.get("order", "created_at desc").strip().partition(" ")
    if name not in _SORT_KEYS or direction.strip() not in {"", "asc", "desc"}:
        raise BadInput(f"Orders cannot be sorted by {params['order']!r}.")
    return iter(sorted(orders, key=_SORT_KEYS[name], reverse=direction.strip() == "desc"))


def _one_of(tests: Mapping[str, Test], word: str, name: str) -> Test:
    if word not in tests:
        raise BadInput(f"{word!r} is no {name}.")
    return tests[word]


def _without_blanks(query: Params) -> Params:
    return {name: value for name, value in query.items() if value.strip()}


def _bounds(params: Params, name: str) -> Callable[[int], bool]:
    """Return a test for a time as stored, which is the one that clients have read."""
    limits = [
        (compare, _moment(params[name + suffix]))
        for suffix, compare in _COMPARISONS.items()
        if name + suffix in params
    ]
    return lambda moment: all(compare(_stored(moment), limit) for compare, limit in limits)


def _stored(moment: int) -> int:
    return rounded(moment, HALF_UP_MILLISECONDS)


def _moment(text: str) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise BadInput(str(error)) from error


def _ids(params: Params) -> set[int] | None:
    if "ids" not in params:
        return None
    try:
        return {int(each) for each in params["ids"].split(",") if each.strip()}
    except ValueError as error:
        raise BadInput(f"{params['ids']!r} is no list of ids.") from error


def _number(params: Params, name: str, default: int) -> int:
    try:
        return int(params.get(name, default))
    except ValueError as error:
        raise BadInput(f"{params[name]!r} is no {name}.") from error


def _page(params: Params) -> tuple[int, int]:
    limit = min(max(_number(params, "limit", PAGE_LIMIT), 1), PAGE_LIMIT)
    first = (max(_number(params, "page", 1), 1) - 1) * limit
    return first, first + limit
