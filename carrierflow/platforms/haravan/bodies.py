"""Bodies of Haravan's callbacks, field by field: lenient about shape, strict about meaning.

Where the "Connect carrier" tutorial and integrations in production differ, both shapes are read:
a number may come as text and text as a number, and any field may be null or absent. What cannot
be what it must be is an error that names the field and repeats nothing of it.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, cast

from carrierflow.domain.limits import MOST_CASH, is_storable
from carrierflow.errors import InvalidInput


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["Fields", "parse_body"]

_LONGEST_NUMBER = 40
_LONGEST_TEXT = 2_000
_MOST = Decimal(MOST_CASH)
_DECIMAL = re.compile(r"-?[0-9]{1,22}(?:\.[0-9]{1,22})?(?:[eE][+-]?[0-9]{1,2})?")


def parse_body(body: bytes) -> Fields:
    """Return the object that a body holds.

    Raises:
        InvalidInput: it is no JSON object; the error holds nothing of the body.
    """
    document: Any = None
    problem = None
    try:
        document = json.loads(
            body, parse_int=_number, parse_float=_number, parse_constant=_refuse_constant
        )
    except RecursionError:
        problem = "The body is nested too deeply."
    except ValueError:
        problem = "The body is not JSON."
    if problem is None and not isinstance(document, dict):
        problem = "The body is not a JSON object."
    if problem is not None:
        # Raised out here because the json module's error carries the whole body along.
        raise InvalidInput(problem)
    return Fields(cast("dict[str, Any]", document))


class Fields:
    """The fields of one object in a body."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = values
        self._path = path

    def text(self, name: str, *, longest: int = _LONGEST_TEXT) -> str | None:
        """Return a text; None where it is null, blank or absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._error(name, "must be a text")
        if len(value) > longest:
            raise self._error(name, f"must have at most {longest} characters")
        if not is_storable(value):
            raise self._error(name, "has characters that cannot be stored")
        return str(value.strip()) or None

    def required(self, name: str, *, longest: int) -> str:
        """Return a text that must be there."""
        value = self.text(name, longest=longest)
        if value is None:
            raise self._error(name, "is missing")
        return value

    def decimal(self, name: str) -> Decimal | None:
        """Return a number that is not negative; None where it is null, blank or absent."""
        text = self.text(name, longest=_LONGEST_NUMBER)
        if text is None:
            return None
        number = Decimal(text) if _DECIMAL.fullmatch(text) else None
        if number is None or not 0 <= number <= _MOST:
            raise self._error(name, "must be a number that is not negative")
        return number

    def whole(self, name: str) -> int | None:
        """Return a whole number that is not negative; zeros behind the point will do."""
        number = self.decimal(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise self._error(name, "must be a whole number; it is never rounded")
        return int(number)

    def fields(self, name: str) -> Fields | None:
        """Return an object within this one; None where it is null or absent."""
        value = self._values.get(name)
        if value is None:
            return None
        return self._nested(value, name)

    def each(self, name: str) -> list[Fields]:
        """Return the objects of a list; none where it is null or absent."""
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._error(name, "must be a list")
        return [self._nested(one, f"{name}[{place}]") for place, one in enumerate(value)]

    def _nested(self, value: Any, name: str) -> Fields:
        if not isinstance(value, dict):
            raise self._error(name, "must be an object")
        return Fields(value, f"{self._path}{name}.")

    def _error(self, name: str, problem: str) -> InvalidInput:
        return InvalidInput(f"`{self._path}{name}` {problem}.")


def _number(text: str) -> str:
    """Keep a number as it is printed: no digit is lost, and no long one costs time."""
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
