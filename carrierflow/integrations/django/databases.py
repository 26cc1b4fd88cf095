"""The URL of a database that stands in Django's `DATABASES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connections

from carrierflow.errors import ConfigurationError
from carrierflow.integrations.django.transactions import vendor_of


__all__ = ["url_of"]

OF_DJANGO = {
    "postgresql": frozenset(
        {"isolation_level", "pool", "prepare_threshold", "server_side_binding"}
    ),
    "mysql": frozenset({"isolation_level", "sql_mode"}),
    "sqlite": frozenset({"transaction_mode", "init_command", "timeout"}),
}
"""Options that are about Django's own connections; ours have what they need."""

CERTIFICATES = {"ca": "ssl_ca", "cert": "ssl_cert", "key": "ssl_key"}
"""What the files in MySQL's option `ssl` are called in a URL."""


def url_of(using: str) -> str:
    """Return the URL of one of Django's databases, for connections of our own.

    Raises:
        ConfigurationError: if the ledger cannot live there, or an option cannot be said by a URL.
    """
    vendor, found = vendor_of(using), connections[using].settings_dict
    passed = {k: v for k, v in found["OPTIONS"].items() if k not in OF_DJANGO[vendor]}
    options, name = _OPTIONS[vendor](found, passed), str(found["NAME"])
    for option, value in options.items():
        if not isinstance(value, str | int | float):
            raise ConfigurationError(
                f"The option {option} of Django's database {using!r} cannot be taken over; name "
                "the database in CARRIERFLOW, too, as `database_url`."
            )
    before = "sqlite:///" if vendor == "sqlite" else f"{vendor}://{_account(found)}{_place(found)}/"
    if not options:
        return before + name
    return f"{before}{name}{'&' if '?' in name else '?'}{urlencode(options)}"


def _account(found: Mapping[str, Any]) -> str:
    user, password = (quote(str(found[key] or ""), safe="") for key in ("USER", "PASSWORD"))
    if not user:
        return ""
    return f"{user}:{password}@" if password else f"{user}@"


def _place(found: Mapping[str, Any]) -> str:
    host, port = str(found["HOST"] or ""), str(found["PORT"] or "")
    if host.startswith("/"):
        return ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port}" if port else bracketed


def _of_postgresql(found: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    host, port = str(found["HOST"] or ""), str(found["PORT"] or "")
    if host.startswith("/"):
        return {**options, "host": host, **({"port": port} if port else {})}
    return options


def _of_mysql(found: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    host = str(found["HOST"] or "")
    files = options.pop("ssl", {})
    named = {CERTIFICATES.get(kind, f"ssl {kind}"): value for kind, value in files.items()}
    return options | named | ({"unix_socket": host} if host.startswith("/") else {})


def _of_sqlite(found: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Share a test's database in memory by its name, as Django's own threads do."""
    return options | ({"uri": "true"} if str(found["NAME"]).startswith("file:") else {})


_OPTIONS: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "postgresql": _of_postgresql,
    "mysql": _of_mysql,
    "sqlite": _of_sqlite,
}
