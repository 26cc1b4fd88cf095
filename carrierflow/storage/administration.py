"""What is done to the installation is written down where nobody can change it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, insert

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.limits import ACTOR, cut, held
from carrierflow.storage.tables import administration


__all__ = ["accounts", "administer", "let_act"]

ACTING = "carrierflow_actor"
"""The option of an engine that says who acts by it."""


def let_act(engine: Engine, actor: str) -> None:
    """Say who acts by an engine, where somebody is named."""
    if actor:
        engine.update_execution_options(**{ACTING: actor})


def administer(
    connection: Connection,
    kind: AdministrationKind,
    *,
    now: datetime,
    shop: str | None = None,
    subject: str = "",
    actor: str | None = None,
    details: Mapping[str, str | bool | None] | None = None,
) -> None:
    """Write down an act, in the transaction that it happens in.

    `shop` is a shop's code, `subject` what else it is about: a parcel's id at its platform, a
    role, a key that is public. Neither a secret nor what names a person goes into `details`.
    Who it was is told by the accounts of the system and of the database, beside `actor`, by
    default whom the settings name.
    """
    row = {
        "kind": kind,
        "shop": shop,
        "subject": subject,
        "actor": actor or connection.get_execution_options().get(ACTING),
        **accounts(connection),
        "details": _canonical(details or {}),
        "recorded_at": now,
    }
    connection.execute(insert(administration), row)


def accounts(connection: Connection) -> dict[str, str]:
    """Return as whom the system and the database know us, by the columns that say so."""
    return {"os_user": _os_user(), "db_user": _db_user(connection)}


def _os_user() -> str:
    """Return the account of the process; empty where the system has no name for it."""
    try:
        return cut(getpass.getuser(), ACTOR)
    except (ImportError, KeyError, OSError):
        return ""


def _db_user(connection: Connection) -> str:
    """Return by which name the database knows us; empty for a file, which knows nobody."""
    if connection.dialect.name == "sqlite":
        return ""
    return cut(str(connection.exec_driver_sql("SELECT CURRENT_USER").scalar()), ACTOR)


def _canonical(details: Mapping[str, str | bool | None]) -> str:
    return held(json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
