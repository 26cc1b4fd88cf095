"""What callers hand in is of the type that is declared; anything else is a sentence, at the door.

The declarations are the signatures and the fields themselves, so there is no second list of
them. What is refused here has reached no database, no platform and no transaction of a host.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import PurePath
from types import UnionType
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints

from carrierflow.domain.limits import fits, is_name, is_storable
from carrierflow.errors import BadTime, InvalidInput


__all__ = ["check_fields", "check_text", "guarded", "guarded_methods"]

Guarded = TypeVar("Guarded", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)

MOST = 2**63 - 1
"""The largest number that a database holds; none that is handed in is below zero."""
LONGEST = timedelta(days=36_525)
YEARS = range(2, 9_998)
"""Whoever reckons with a moment leaves the calendar from none of these."""

_OURS = "carrierflow."
_UNSTORABLE = "The {what} holds a character that cannot be stored."
_LETTERS = (str, bytes, bytearray)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """What a value may be: one of some classes, and of a collection what each thing in it is."""

    classes: tuple[type, ...]
    each: _Kind | None = None

    def takes(self, given: type) -> bool:
        """Tell whether a value of a type is one; `True` is no number, and a text no list."""
        return any(_is_one(given, wanted) for wanted in self.classes)

    def __str__(self) -> str:
        return " or ".join("None" if it is type(None) else it.__name__ for it in self.classes)


def guarded_methods(cls: Class) -> Class:
    """Guard each public method of a class."""
    for name, member in list(vars(cls).items()):
        if inspect.isfunction(member) and not name.startswith("_"):
            setattr(cls, name, guarded(member))
    return cls


def guarded(function: Guarded) -> Guarded:
    """Let a function refuse an argument that is not of the type declared, by `InvalidInput`.

    A text must be one that databases can hold, and a moment must have a zone.
    """
    names = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        kinds = _kinds(function)
        for name, value in [*zip(names, args, strict=False), *named.items()]:
            if name in kinds:
                _check(name, value, kinds[name])
        return function(*args, **named)

    return call  # type: ignore[return-value]  # the same calls, refused earlier


def check_fields(given: object, wanted: type) -> None:
    """Raise `InvalidInput` where something is no frozen data of a class, or a field's type is not.

    What the texts and the times in it say is not looked at.
    """
    if not isinstance(given, wanted):
        raise InvalidInput(
            f"What is needed here is of type {wanted.__name__}, not {type(given).__name__}."
        )
    wrong = _wrong_field(wanted, tuple(map(type, _values(wanted)(given))))
    if wrong is not None:
        raise InvalidInput(wrong)


def check_text(what: str, text: str, longest: int, *, names: bool = False) -> None:
    """Raise `InvalidInput` where a text is blank, too long, or holds what no database holds.

    One that names something has no outer blanks either.
    """
    if (is_name if names else fits)(text, longest):
        return
    if not is_storable(text):
        raise InvalidInput(_UNSTORABLE.format(what=what))
    more = " and no outer blanks" if names else ""
    raise InvalidInput(f"The {what} must have 1 to {longest} characters{more}.")


def _check(what: str, value: Any, kind: _Kind) -> None:
    if not kind.takes(type(value)):
        raise InvalidInput(_refusal(what, kind, type(value)))
    _check_value(what, value)
    if kind.each is not None and isinstance(value, Collection):
        for one in value:
            _check(f"{what}, each of them,", one, kind.each)


def _check_value(what: str, value: Any) -> None:
    match value:
        case None | str():
            if value and not is_storable(value):
                raise InvalidInput(_UNSTORABLE.format(what=what))
        case PurePath() if "\0" in str(value):
            raise InvalidInput(f"The {what} holds a NUL, and no file is called so.")
        case int() | float() if not 0 <= value <= MOST:  # nan is neither
            raise InvalidInput(f"The {what} must be a number from 0 to {MOST}.")
        case timedelta() if not -LONGEST <= value <= LONGEST:
            raise InvalidInput(f"The {what} must be a span of at most {LONGEST.days} days.")
        case datetime() if value.utcoffset() is None:
            raise BadTime(value.isoformat(), why="has no time zone")
        case datetime() if value.year not in YEARS:
            raise BadTime(value.isoformat(), why="lies at an end of the calendar")
        case _ if is_dataclass(kind := type(value)) and kind.__module__.startswith(_OURS):
            check_fields(value, kind)
            for field, one in zip(fields(kind), _values(kind)(value), strict=True):
                _check_value(field.name, one)


def _refusal(what: str, kind: _Kind, given: type) -> str:
    return f"The {what} must be of type {kind}, not {given.__name__}."


@functools.lru_cache(maxsize=1024)
def _wrong_field(of: type, given: tuple[type, ...]) -> str | None:
    """Say what is wrong with the types of some fields; most data has one of a few shapes."""
    kinds = _kinds(of)
    for field, one in zip(fields(of), given, strict=True):
        kind = kinds.get(field.name)
        if kind is not None and not kind.takes(one):
            return _refusal(field.name, kind, one)
    return None


@functools.cache
def _values(of: Any) -> Callable[[object], tuple[object, ...]]:
    names = [field.name for field in fields(of)]
    return attrgetter(*names) if len(names) > 1 else lambda given: (getattr(given, names[0]),)


@functools.cache
def _kinds(of: Any) -> Mapping[str, _Kind]:
    """Return what may be given for each parameter or field that says so."""
    hints = {name: hint for name, hint in get_type_hints(of).items() if name != "return"}
    found = {n: _kind(hint) for n, hint in hints.items() if get_origin(hint) is not ClassVar}
    return {name: kind for name, kind in found.items() if object not in kind.classes}


def _kind(hint: Any) -> _Kind:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        kinds = [_kind(each) for each in inner]
        return _Kind(
            classes=tuple(it for kind in kinds for it in kind.classes),
            each=next((kind.each for kind in kinds if kind.each), None),
        )
    if origin is not None and issubclass(origin, Collection) and not {*inner[1:]} - {...}:
        return _Kind(classes=(Collection,), each=_kind(inner[0]))
    kept = origin or hint
    if hint is Any or not isinstance(kept, type) or getattr(kept, "_is_protocol", False):
        return _Kind(classes=(object,))
    return _Kind(classes=(kept,))


def _is_one(given: type, wanted: type) -> bool:
    if given is bool:
        return wanted in {bool, object}
    if wanted is float:
        return issubclass(given, (float, int))
    if issubclass(given, _LETTERS):
        return wanted is object or (issubclass(wanted, _LETTERS) and issubclass(given, wanted))
    return issubclass(given, wanted)
