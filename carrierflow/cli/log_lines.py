"""Log lines on stderr, as JSON or for a person; many of one kind are one line with a count."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carrierflow.app.settings import LogFormat
from carrierflow.cli.of_any_shop import of_any_shop
from carrierflow.domain.canonical import stamp
from carrierflow.domain.foreign_text import shown


__all__ = ["OTHERS", "set_up_logging"]

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

OTHERS = {"stamina": logging.ERROR, "psycopg": logging.CRITICAL, "sqlalchemy": logging.CRITICAL}
"""Libraries that log beside what they raise, and from which level on they may without `-v`."""

CAUSES = ("error", "reason", "anchor", "job", "call", "step")
"""The facts that tell one kind of line from another one of the same event."""

KEPT = frozenset({"name", "levelno", "levelname", "created", "msecs"})
"""What the line in the end has of the last one that it counts."""


def facts(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD}


class JsonLines(logging.Formatter):
    """One JSON object a line: the event, and the facts beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line = {
            "time": stamp(datetime.fromtimestamp(record.created).astimezone()),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """The event, and the facts beside it, for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        told = " ".join(f"{name}={value}" for name, value in facts(record).items())
        at = stamp(datetime.fromtimestamp(record.created).astimezone())
        lines = [f"{at} {record.levelname.lower()} {record.getMessage()} {told}".rstrip()]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n".join(map(shown, lines))


@dataclass
class Counted:
    """What is known of the lines of one kind."""

    last: logging.LogRecord
    common: dict[str, Any]
    """The facts that all of them tell."""
    more: int = 0
    """How many came after the first."""

    def add(self, record: logging.LogRecord) -> None:
        """Count one more."""
        theirs = facts(record)
        self.common = {name: it for name, it in self.common.items() if theirs.get(name) == it}
        self.last = record
        self.more += 1

    def summary(self) -> logging.LogRecord:
        """Return one line for all but the first, at the time of the last."""
        own = {name: value for name, value in vars(self.last).items() if name in KEPT}
        told = {"msg": self.last.getMessage(), **self.common, "more": self.more}
        return logging.makeLogRecord(own | told)


class FoldedLines(logging.StreamHandler[Any]):
    """Writes the first line of each kind at once, and in the end how many others there were.

    What is said in the end holds the facts that all lines of the kind had in common, and as
    `more` how many came after the first.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._counted: dict[Hashable, Counted] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        kind = _kind(record)
        if kind in self._counted:
            self._counted[kind].add(record)
        else:
            self._counted[kind] = Counted(record, facts(record))
            super().emit(record)

    def tell_rest(self) -> None:
        """Write what was counted, and begin anew."""
        self.acquire()
        try:
            for each in self._counted.values():
                if each.more:
                    super().emit(each.summary())
            self._counted = {}
        finally:
            self.release()


def _kind(record: logging.LogRecord) -> Hashable:
    """Return what lines have in common that say the same of several shops or parcels."""
    told = facts(record)
    shop = str(told.get("shop") or "")
    same = tuple(of_any_shop(str(told.get(name, "")), shop) for name in CAUSES)
    raised = record.exc_info[0] if record.exc_info else None
    return record.levelno, record.getMessage(), raised, same


def set_up_logging(form: LogFormat, *, verbose: bool, folded: bool = False) -> Callable[[], None]:
    """Send carrierflow's log lines to stderr; the library itself never configures logging.

    Returns what is to be called in the end: it tells what was `folded` meanwhile.
    """
    folding = FoldedLines(sys.stderr)
    handler = folding if folded else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    logger = logging.getLogger("carrierflow")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    logger.propagate = False
    for library, quiet in OTHERS.items():
        logging.getLogger(library).setLevel(logging.INFO if verbose else quiet)
    return folding.tell_rest
