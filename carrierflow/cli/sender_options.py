"""`--sender`, `--timezone`, `--date-format` and `--map`: how somebody's files are written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from carrierflow.errors import InvalidInput
from carrierflow.ledger.files import Sender


__all__ = ["sender_of", "sender_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_KEYS = ("timezone", "date_format", "columns")


def sender_options(function: _Command) -> _Command:
    """Add the four options to a command, which hands them to `sender_of`."""
    for option in (
        click.option(
            "--sender",
            "sender_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="TOML file with a sender's timezone, date_format and [columns].",
        ),
        click.option("--timezone", help="Zone of times without one, such as Asia/Ho_Chi_Minh."),
        click.option("--date-format", help="Form of times, such as '%d/%m/%Y %H:%M'."),
        click.option(
            "--map",
            "columns",
            multiple=True,
            metavar="THEIRS=OURS",
            help="A column by its name in the file; with nothing after = it is passed over.",
        ),
    ):
        function = option(function)
    return function


def sender_of(
    sender_file: Path | None,
    timezone: str | None,
    date_format: str | None,
    columns: tuple[str, ...],
) -> Sender:
    """Return how the files are written; an option goes before what the sender's file says.

    Raises:
        InvalidInput: if the file or an option cannot be understood.
    """
    kept = _kept(sender_file) if sender_file else {}
    zone = timezone or kept.get("timezone")
    return Sender(
        zone=_zone(zone) if zone else None,
        date_format=date_format or kept.get("date_format"),
        columns=kept.get("columns", {}) | dict(map(_pair, columns)),
    )


def _kept(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"{file} is not TOML in UTF-8: {error}.") from error
    for name, value in found.items():
        if name not in _KEYS:
            raise InvalidInput(f"{file} has {name!r}; it may have {', '.join(_KEYS)}.")
        values = value.values() if name == "columns" and isinstance(value, dict) else [value]
        if not all(isinstance(each, str) for each in values):
            raise InvalidInput(f"The {name} in {file} must be text.")
    if not isinstance(found.get("columns", {}), dict):
        raise InvalidInput(f"The columns in {file} must be a table.")
    return found


def _pair(text: str) -> tuple[str, str]:
    theirs, sign, ours = text.rpartition("=")
    if not sign or not theirs.strip():
        raise InvalidInput(f"--map {text!r} is not THEIRS=OURS.")
    return theirs.strip(), ours.strip()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidInput(
            f"There is no time zone {name!r}; Vietnam's is Asia/Ho_Chi_Minh."
        ) from None
