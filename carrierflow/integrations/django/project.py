"""The one application of a Django project, built from its settings when it is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.db import DEFAULT_DB_ALIAS, connections

from carrierflow.app.build import build
from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.joined import JoinedLedger
from carrierflow.app.settings import Settings, load_settings
from carrierflow.domain.forking import ProcessLock
from carrierflow.errors import ConfigurationError
from carrierflow.integrations.django.databases import url_of
from carrierflow.integrations.django.transactions import DjangoTransaction


__all__ = ["NAME", "app", "database", "forget", "joined", "settings"]

NAME = "CARRIERFLOW"
"""The dictionary of ours in Django's settings."""


def app() -> Carrierflow:
    """Return the application of this process, with connections of its own.

    Raises:
        ConfigurationError: if a setting cannot be used.
    """
    name = connections[_known(database())].settings_dict["NAME"]
    with _lock:
        if name not in _built:
            _built[name] = build(settings())
        return _built[name]


def forget() -> None:
    """Let go of the application, so that the next one is built from the settings as they are."""
    with _lock:
        while _built:
            _, built = _built.popitem()
            built.close()


def joined(using: str | None = None) -> JoinedLedger:
    """Return a ledger that records inside the `atomic()` that is open on one of Django's databases.

    It neither commits nor rolls back: what Django rolls back was not recorded, with a savepoint
    as with a whole transaction. The database is the one that `CARRIERFLOW` names, "default" if
    none.

    Raises:
        ConfigurationError: if a setting cannot be used, or there is no such database.
        InvalidInput: by each call of the ledger, if no `atomic()` is open there.
    """
    return app().joined(DjangoTransaction(_known(using or database())))


def database() -> str:
    """Return which of Django's databases holds the ledger."""
    return str(_given().get("using", DEFAULT_DB_ALIAS))


def settings(file: Path | None = None, **given: Any) -> Settings:
    """Read the settings: what is given, what stands in `CARRIERFLOW`, then what is read everywhere.

    Where nothing names the database, it is Django's.

    Raises:
        ConfigurationError: if a value cannot be used.
    """
    own = {name: value for name, value in _given().items() if name != "using"}
    given = own | {name: value for name, value in given.items() if value is not None}
    found = load_settings(file, **given)
    if "database_url" in found.model_fields_set:
        return found
    return load_settings(file, **given, database_url=url_of(_known(database())))


def _given() -> dict[str, Any]:
    given = getattr(django_settings, NAME, {})
    if not isinstance(given, dict):
        raise ConfigurationError(f"{NAME} in Django's settings is a dictionary of settings.")
    return given


def _known(using: str) -> str:
    if using not in connections:
        raise ConfigurationError(f"Django's DATABASES has no database {using!r}.")
    return using


_built: dict[Any, Carrierflow] = {}
"""The application by the name of its database, which Django's test runner changes."""

_lock = ProcessLock()
