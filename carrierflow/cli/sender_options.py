"""`--sender`, and what may stand in its file: how somebody's files are written."""

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
_TABLES = ("columns", "statuses")
_KEYS = ("shop", "timezone", "date_format", *_TABLES)


def sender_options(function: _Command) -> _Command:
    """Add these options to a command, which hands them to `sender_of`."""
    for option in (
        click.option(
            "--sender",
            "sender_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="TOML file with a sender's shop, timezone, date_format, [columns] and [statuses].",
        ),
        click.option("--shop", help="Shop of all rows, in files without a column for it."),
        click.option("--timezone", help="Zone of times without one, such as Asia/Ho_Chi_Minh."),
        click.option("--date-format", help="Form of times, such as '%d/%m/%Y %H:%M'."),
        click.option(
            "--map",
            "columns",
            multiple=True,
            metavar="THEIRS=OURS",
            help="A column by its name in the file; with nothing after = it is passed over.",
        ),
        click.option(
            "--status",
            "statuses",
            multiple=True,
            metavar="THEIRS=OURS",
            help="A status by the sender's word for it; any other word is rejected.",
        ),
    ):
        function = option(function)
    return function


def sender_of(
    sender_file: Path | None,
    *,
    shop: str | None,
    timezone: str | None,
    date_format: str | None,
    columns: tuple[str, ...],
    statuses: tuple[str, ...],
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
        columns=kept.get("columns", {}) | _pairs("--map", columns),
        statuses=kept.get("statuses", {}) | _pairs("--status", statuses),
        shop=shop or kept.get("shop"),
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
        if name in _TABLES and not isinstance(value, dict):
            raise InvalidInput(f"The {name} in {file} must be a table.")
        values = value.values() if name in _TABLES else [value]
        if not all(isinstance(each, str) for each in values):
            raise InvalidInput(f"The {name} in {file} must be text.")
    return found


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in texts:
        theirs, sign, ours = text.rpartition("=")
        if not sign or not theirs.strip():
            raise InvalidInput(f"{option} {text!r} is not THEIRS=OURS.")
        found[theirs.strip()] = ours.strip()
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise InvalidInput(
            f"There is no time zone {name!r}; Vietnam's is Asia/Ho_Chi_Minh."
        ) from None
