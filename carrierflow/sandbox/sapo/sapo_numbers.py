"""Times and amounts as Sapo prints and reads them: whole seconds with a Z, and no idle decimals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from carrierflow.sandbox.refusals import BadInput


__all__ = ["amount", "moment", "printed", "printed_time"]


def printed(number: Decimal) -> int | Decimal:
    """Return an amount as it goes into JSON: 80000, or 0.1 where there is a fraction."""
    return int(number) if number == number.to_integral_value() else number.normalize()


def amount(value: Any) -> Decimal:
    """Return a number of a body exactly; nothing is none.

    Raises:
        BadInput: if it is not a number.
    """
    try:
        return Decimal(str(value if value is not None else 0))
    except InvalidOperation as error:
        raise BadInput(f"{value!r} is not a number.") from error


def printed_time(seconds: int | None) -> str | None:
    """Return a time like `2018-07-09T09:28:50Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> int:
    """Return a time as seconds since 1970; without a zone it is taken for UTC, which is assumed.

    Raises:
        BadInput: if it is not a time.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"{text!r} is not a time.") from error
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
