"""What `manage.py check` says of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's own word
from django.db import connections

from carrierflow.errors import (
    CarrierflowError,
    ConfigurationError,
    DatabaseUnavailable,
    NotMigrated,
)
from carrierflow.integrations.django.project import database, settings
from carrierflow.integrations.django.transactions import reading, vendor_of
from carrierflow.storage.migrate import require_migrated


__all__ = ["check_settings", "check_tables"]

ISOLATION = "read committed"
"""What the ledger works in on MariaDB and MySQL, and what Django takes by itself."""


def check_settings(**_: Any) -> list[CheckMessage]:
    """Find out whether the settings can be used; nothing is connected to."""
    try:
        settings()
    except CarrierflowError as error:
        return [Error(str(error), id="carrierflow.E001")]
    options = connections[database()].settings_dict["OPTIONS"]
    level = str(options.get("isolation_level", ISOLATION)).lower()
    if vendor_of(database()) == "mysql" and level != ISOLATION:
        return [
            Warning(
                f"Django's database {database()!r} works in {level}; the ledger needs "
                f"{ISOLATION}, where two writers meet.",
                hint="Leave `isolation_level` out of its OPTIONS.",
                id="carrierflow.W002",
            )
        ]
    return []


def check_tables(*, databases: Sequence[str] | None, **_: Any) -> list[CheckMessage]:
    """Find out whether the tables are there; only where Django may ask databases.

    That they are not is a warning: `manage.py migrate`, which makes them, would not begin after an
    error.
    """
    try:
        if database() in (databases or ()):
            with reading(database()) as connection:
                require_migrated(connection)
    except NotMigrated as error:
        hint = "`manage.py migrate` makes the tables."
        return [Warning(str(error), hint=hint, id="carrierflow.W001")]
    except DatabaseUnavailable as error:
        return [Error(str(error), id="carrierflow.E002")]
    except ConfigurationError:  # which the other check says
        return []
    return []
