"""From the named values of one row to an event; nothing is guessed or dropped.

Only the marks by which a spreadsheet keeps an id as text (`'123`, `="123"`) are taken off.

A sentence about a row names columns and ids, and repeats the text of a status or a time only
where it is short; what stands in a note, a reason or any other free text it never repeats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from carrierflow.domain import limits
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status, parse_status
from carrierflow.errors import InvalidInput
from carrierflow.ledger.files.times import parse_time


__all__ = ["COLUMNS", "NAMED", "REQUIRED", "Whole", "event_of", "shown", "status_of"]

REQUIRED = ("shop", "fulfillment_id", "status", "at")
NAMED = {"fulfillment_id": "fulfillment_id or tracking_number"}
"""What may stand in place of what each row has."""
COLUMNS = (
    *REQUIRED,
    "actor",
    "reason",
    "key",
    "note",
    "order_id",
    "tracking_number",
    "cod_amount",
)

_LONGEST = {
    "shop": limits.ID,
    "fulfillment_id": limits.ID,
    "order_id": limits.ID,
    "tracking_number": limits.TRACKING_NUMBER,
    "status": limits.CODE,
}
_PLAIN = ("shop", "fulfillment_id", "order_id", "tracking_number")
_IDS = frozenset({"fulfillment_id", "order_id", "tracking_number"})
_MAY_BE_WHOLE = _IDS | {"key", "cod_amount"}
_SPREADSHEET_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+|[0-9]+[.,]0+")
_KEPT_AS_TEXT = re.compile(r"'([0-9A-Za-z][0-9A-Za-z._-]*)|=\"([0-9A-Za-z][0-9A-Za-z._-]*)\"")
_CASH = re.compile(r"[0-9]{1,13}")
_CUT = 40
_MOST_NAMED = 3


class Whole(str):
    """A JSON integer as it is written, so that no digit of an id is lost or costs time."""

    __slots__ = ()


def event_of(
    values: Mapping[str, Any],
    *,
    fill_gaps: bool,
    moment: Callable[[str], datetime] = parse_time,
    status: Callable[[str], Status] | None = None,
) -> Event:
    """Return the event that the values of a row tell.

    Raises:
        InvalidInput: if a value is missing, unknown, of the wrong type or out of bounds.
    """
    texts = _texts(values)
    _check_required(texts)
    for name in _PLAIN:
        if name in texts:
            _check_plain(name, texts[name])
    return Event(
        shop=texts["shop"],
        fulfillment_id=texts.get("fulfillment_id"),
        tracking_number=None if "fulfillment_id" in texts else texts["tracking_number"],
        status=(status or status_of)(texts["status"]),
        occurred_at=moment(texts["at"]),
        key=texts.get("key"),
        actor=texts.get("actor"),
        reason=texts.get("reason"),
        note=texts.get("note"),
        fill_gaps=fill_gaps,
        opening=_opening(texts),
    )


def _check_required(texts: Mapping[str, str]) -> None:
    by_waybill = "fulfillment_id" not in texts and "tracking_number" in texts
    missing = [NAMED.get(name, name) for name in REQUIRED if name not in texts]
    if by_waybill:
        missing.remove(NAMED["fulfillment_id"])
    if missing:
        raise InvalidInput(f"The row has no {', no '.join(missing)}.")
    if by_waybill and "order_id" in texts:
        raise InvalidInput(
            "The row has an order_id, which opens a fulfillment, and no fulfillment_id to open it "
            "by; map that column to nothing to go by the tracking_number alone."
        )


def shown(name: str) -> str:
    """Write a name that came from outside, on one line and not at any length."""
    return repr(name if len(name) <= _CUT else name[:_CUT] + "…")


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    unknown = [name for name in values if name not in COLUMNS]
    if unknown:
        raise InvalidInput(_unknown(unknown))
    pairs = ((name, _text(name, value)) for name, value in values.items())
    return {name: text for name, text in pairs if text}


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or (isinstance(value, Whole) and name not in _MAY_BE_WHOLE):
        wanted = "a text or a whole number" if name in _MAY_BE_WHOLE else "a text"
        raise InvalidInput(f"The {name} must be {wanted}, not {_kind(value)}.")
    if not limits.is_storable(value):
        raise InvalidInput(f"The {name} holds a character that cannot be stored.")
    return _unmarked(value) if name in _IDS else str(value)


def _unmarked(text: str) -> str:
    """Return an id without the marks by which a spreadsheet keeps it as text."""
    found = _KEPT_AS_TEXT.fullmatch(text)
    return (found[1] or found[2]) if found else str(text)


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case float():
            return "a fraction"
        case str():
            return "a number"
        case dict():
            return "an object"
        case _:
            return "a list"


def _unknown(names: list[str]) -> str:
    named = [shown(name) + _nearest(name[:_CUT]) for name in names[:_MOST_NAMED]]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"The row has {', '.join(named)}{more}, which is unknown; "
        f"the columns are {', '.join(COLUMNS)}."
    )


@lru_cache(maxsize=64)
def _nearest(name: str) -> str:
    close = get_close_matches(name.strip().lower(), COLUMNS, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _check_plain(name: str, text: str) -> None:
    longest = _LONGEST[name]
    if len(text) > longest:
        raise InvalidInput(f"The {name} has {len(text)} characters; {longest} are the most.")
    if text != text.strip() or not text.isprintable():
        raise InvalidInput(f"The {name} has blanks around it, or characters that do not print.")
    if name != "shop" and _SPREADSHEET_NUMBER.fullmatch(text):
        raise InvalidInput(
            f"The {name} is {text!r}, which a spreadsheet made of it; export that column as text."
        )


def status_of(text: str) -> Status:
    """Return the status that a text is the code of.

    Raises:
        InvalidInput: if it is none of ours; it is repeated where it is short.
    """
    if len(text) > _LONGEST["status"]:
        raise InvalidInput(f"The status has {len(text)} characters; it is none that we know.")
    return parse_status(text)


def _opening(texts: Mapping[str, str]) -> Opening | None:
    cash = _cash(texts["cod_amount"]) if "cod_amount" in texts else None
    if "order_id" not in texts:
        return None
    ref = FulfillmentRef(
        shop=texts["shop"], order_id=texts["order_id"], fulfillment_id=texts["fulfillment_id"]
    )
    return Opening(ref=ref, tracking_number=texts.get("tracking_number"), cod_amount=cash)


def _cash(text: str) -> int:
    if not _CASH.fullmatch(text) or int(text) > limits.MOST_CASH:
        raise InvalidInput(
            f"The cod_amount must be whole đồng, from 0 to {limits.MOST_CASH}, in digits alone."
        )
    return int(text)
