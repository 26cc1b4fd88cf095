"""The endpoints of B2C shipments and returns: which request is for which, and what each does.

Documented are the cancel, the create, both details and their methods; the path of the list, its
query and its order are inferred, and so is the body that a create answers with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.onflow.envelope import OnflowProblem, failure, success
from carrierflow.sandbox.onflow.shipment_json import cancel_data, return_data, shipment_data
from carrierflow.sandbox.onflow.status_numbers import OnflowLanguage
from carrierflow.sandbox.refusals import BadInput, NotFound, Unprocessable


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.exchange import HttpReply, HttpRequest
    from carrierflow.sandbox.onflow.api_user import OnflowAccount
    from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = ["OnflowCall", "OnflowPaths", "OnflowRoutes"]

_PLATFORMS = frozenset({"shopee", "lazada", "tiktok", "tiki"})
_PAGE_SIZE, _LARGEST_PAGE = 20, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowPaths:
    """The paths of which the documents leave a doubt; two copies of them print two details."""

    details: tuple[str, ...] = (
        "/api/v1/shipments/{code}/detail",
        "/api/v1/shipments/b2c/{code}/detail",
    )
    listing: str = "/api/v1/shipments/b2c"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowCall:
    """One request on its way through Onflow; `as_of` and `hides` are what faults do to a read."""

    world: OnflowWorld
    account: OnflowAccount
    request: HttpRequest
    arrival: int
    code: str = ""
    as_of: int | None = None
    hides: Callable[[str], bool] = lambda _code: False

    @property
    def language(self) -> OnflowLanguage:
        """The language of the labels."""
        return OnflowLanguage.wanted(self.request.headers.get("accept-language", ""))

    def failed(
        self, problem: OnflowProblem, *, status: int, detail: str | None = None
    ) -> HttpReply:
        """Return a failure in the language of the request."""
        return failure(
            problem,
            status=status,
            log_id=self.world.next_log_id(),
            language=self.language,
            detail=detail,
        )

    def refused(self, problem: OnflowProblem, detail: str | None = None) -> HttpReply:
        """Return a failure with the status that this account's refusals have."""
        return self.failed(problem, status=self.account.options.refusal_status, detail=detail)


class OnflowRoutes:
    """Finds what a request is for."""

    def __init__(self, paths: OnflowPaths) -> None:
        table = (
            ("PUT", "/api/v1/shipments/b2c/{code}/cancel", _cancel),
            ("POST", "/api/v1/shipments/b2c/create", _create),
            ("GET", "/api/v1/return-shipments/b2c/{code}/detail", _return_detail),
            ("GET", paths.listing, _listing),
            *(("GET", template, _detail) for template in paths.details),
        )
        self._table = [(method, _pattern(template), act) for method, template, act in table]

    def has(self, path: str) -> bool:
        """Whether there is anything under a path; an empty segment is no code, so that is not."""
        return any(pattern.fullmatch(path) for _, pattern, _ in self._table)

    def code_in(self, path: str) -> str | None:
        """Return the tracking code in a path, if it has one."""
        found = (pattern.fullmatch(path) for _, pattern, _ in self._table)
        return next((match["code"] for match in found if match and match.groupdict()), None)

    def answer(self, call: OnflowCall) -> HttpReply:
        """Do what a request asks."""
        for method, pattern, act in self._table:
            match = pattern.fullmatch(call.request.path)
            if match and method == call.request.method:
                return _tried(act, replace(call, code=match.groupdict().get("code", "")))
        return call.failed(OnflowProblem.METHOD_NOT_ALLOWED, status=HTTPStatus.METHOD_NOT_ALLOWED)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(re.escape("{code}"), "(?P<code>[^/]+)"))


def _tried(act: Callable[[OnflowCall], HttpReply], call: OnflowCall) -> HttpReply:
    try:
        return act(call)
    except NotFound as missing:
        status = call.account.options.missing_status
        return call.failed(OnflowProblem.NOT_FOUND, status=status, detail=str(missing))
    except BadInput as error:
        return call.refused(OnflowProblem.INVALID_PAYLOAD, str(error))


def _cancel(call: OnflowCall) -> HttpReply:
    try:
        shipment = call.world.cancel(call.account, call.code, call.arrival)
    except Unprocessable as refusal:
        return call.refused(OnflowProblem.SHIPMENT_CANNOT_BE_CANCELLED, str(refusal))
    return success(cancel_data(shipment, call.account.options.numbers, call.language))


def _create(call: OnflowCall) -> HttpReply:
    fields = call.request.payload()
    reference = _text(fields, "merchant_tracking_code_reference")
    details = {name: _text(fields, name) for name in ("warehouse_code", "platform")}
    if details["platform"] not in _PLATFORMS:
        raise BadInput(f"The platform {details['platform']} is not one of the marketplaces.")
    try:
        made = call.world.create(call.account, call.arrival, reference, **details)
    except Unprocessable as refusal:
        return call.refused(OnflowProblem.REFERENCE_TAKEN, str(refusal))
    return success(shipment_data(made, call.account.options.numbers, call.language))


def _detail(call: OnflowCall) -> HttpReply:
    shipment = call.world.shipment(call.code, account=call.account.code, as_of=call.as_of)
    if call.hides(call.code):
        raise NotFound(f"There is no shipment {call.code!r}.")
    return success(shipment_data(shipment, call.account.options.numbers, call.language))


def _listing(call: OnflowCall) -> HttpReply:
    page = _number(call.request.query, "page", 1)
    size = min(_number(call.request.query, "page_size", _PAGE_SIZE), _LARGEST_PAGE)
    known = (each.as_of(call.as_of) for each in call.world.shipments.values())
    mine = [each for each in known if each is not None and each.account == call.account.code]
    seen = [each for each in reversed(mine) if not call.hides(each.tracking_code)]
    shown = seen[(page - 1) * size : page * size]
    numbers, language = call.account.options.numbers, call.language
    return success([shipment_data(each, numbers, language) for each in shown], total=len(seen))


def _return_detail(call: OnflowCall) -> HttpReply:
    return success(
        return_data(call.world.returned(call.code, account=call.account.code), call.language)
    )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"The field {name} is missing or no text.")
    return value


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise BadInput(f"The parameter {name} is no number from 1.")
    return int(text)
