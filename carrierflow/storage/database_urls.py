"""Database URLs as people and hosters write them, and what our drivers are told in the end.

Hosters print URLs for the libraries of others, with options that our drivers take for errors.
What such an option asks for is done, or refused in one sentence, never passed over: only those
that are about another library's own pool mean nothing here. No sentence repeats a value: a
password with unencoded signs may have ended up in any part.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from carrierflow.errors import ConfigurationError


__all__ = ["read_url"]

DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""What a plain URL stands for; an explicit driver is left alone."""

BACKENDS = ("sqlite", "postgresql", "mysql", "mariadb")

OF_OTHER_POOLS = frozenset(
    {"connection_limit", "pool_timeout", "reconnect", "serverVersion", "statement_cache_size"}
)
"""Options of other libraries about their own connections; nothing is lost without them."""

SECONDS = frozenset({"connect_timeout", "read_timeout", "write_timeout"})

SQLITE = frozenset(
    {"cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout", "uri"}
)
PYMYSQL = SECONDS | {"bind_address", "charset", "init_command", "program_name", "unix_socket"}

TLS_OPTIONS = ("sslmode", "ssl-mode", "ssl_mode", "sslaccept", "ssl", "useSSL")
CERTIFICATES = {
    "ca": ("ssl_ca", "ssl-ca", "sslrootcert"),
    "cert": ("ssl_cert", "ssl-cert"),
    "key": ("ssl_key", "ssl-key"),
}
OFF, MAYBE, ON, KNOWN, NAMED = range(5)
"""How a connection is encrypted: not, where the server can, always; with the server's
certificate known, and also made for its name."""

TLS = {
    "disable": OFF,
    "disabled": OFF,
    "false": OFF,
    "prefer": MAYBE,
    "preferred": MAYBE,
    "require": ON,
    "required": ON,
    "true": ON,
    "accept_invalid_certs": ON,
    "verify-ca": KNOWN,
    "verify_ca": KNOWN,
    "verify-full": NAMED,
    "verify_identity": NAMED,
    "strict": NAMED,
}
"""The words of libpq, of MySQL's own programs, and of others, for one choice."""

LIBPQ_TLS = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_url(text: str) -> tuple[URL, dict[str, Any]]:
    """Return the URL of a database and what its driver is told besides.

    Raises:
        ConfigurationError: if it cannot be read, or asks for what cannot be done.
    """
    url = _parsed(text)
    backend, options = url.get_backend_name(), dict(url.query)
    if backend not in BACKENDS:
        raise _unreadable()
    if any("@" in (part or "") for part in (url.host, url.database)) and backend != "sqlite":
        raise ConfigurationError(
            "The database URL has an @ too many; percent-encode signs of the password, @ as %40."
        )
    told = {name: value for name, value in options.items() if name not in OF_OTHER_POOLS}
    if not all(isinstance(value, str) for value in told.values()):
        raise ConfigurationError("The database URL names an option twice; leave one of them.")
    reading = READINGS.get(url.drivername)
    arguments = reading(url, told) if reading else {}
    return url.set(query=told), arguments


def _parsed(text: str) -> URL:
    """Read a URL; what went wrong is not kept as a cause, for it may hold a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise _unreadable() from None
    except ValueError:
        raise ConfigurationError(
            "The port in the database URL is no number; percent-encode signs of the password, "
            "if it has any that mean something in a URL."
        ) from None
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "The database URL cannot be read; write it like sqlite:///carrierflow.db or "
        "postgresql://user@host/name."
    )


def _for_sqlite(_url: URL, told: Mapping[str, Any]) -> dict[str, Any]:
    if "uri" not in told:
        _check_known(told, SQLITE)
    return {}


def _for_psycopg(_url: URL, told: dict[str, Any]) -> dict[str, Any]:
    from psycopg import pq  # noqa: PLC0415 - an extra

    arguments: dict[str, Any] = {"client_encoding": "utf8"}
    if _is_yes(told.pop("pgbouncer", "false"), "pgbouncer"):
        arguments["prepare_threshold"] = None
    if told.pop("schema", "public") != "public":
        raise ConfigurationError(
            "The database URL names a schema; leave it out, and name the schema in the role's "
            "search path instead: ALTER ROLE ... SET search_path = ..."
        )
    _check_word("sslmode", told.get("sslmode", "prefer"), LIBPQ_TLS)
    _check_utf8("client_encoding", told.pop("client_encoding", "utf8"))
    _check_known(told, {option.keyword.decode() for option in pq.Conninfo.get_defaults()})
    return arguments


def _for_pymysql(url: URL, told: dict[str, Any]) -> dict[str, Any]:
    if not url.database:
        raise ConfigurationError("The database URL names no database; put its name at the end.")
    _check_utf8("charset", told.pop("charset", "utf8mb4"))
    files = {
        kind: told.pop(name)
        for kind, names in CERTIFICATES.items()
        for name in names
        if name in told
    }
    asked = [(name, told.pop(name).lower()) for name in TLS_OPTIONS if name in told]
    for name, word in asked:
        _check_word(name, word, TLS)
    _check_known(told, PYMYSQL)
    how = max([TLS[word] for _, word in asked], default=NAMED if files else MAYBE)
    if how == MAYBE:
        return {}
    return {"ssl_disabled": True} if how == OFF else {"ssl": _context(how, **files)}


def _context(
    how: int, *, ca: str | None = None, cert: str | None = None, key: str | None = None
) -> ssl.SSLContext:
    """Return how to encrypt; as with libpq, a certificate to trust is used if given."""
    try:
        context = ssl.create_default_context(cafile=ca)
        if cert is not None:
            context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError):
        raise ConfigurationError(
            "A certificate or key that the database URL names cannot be read."
        ) from None
    context.check_hostname = how == NAMED
    if how == ON and ca is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_utf8(option: str, value: str) -> None:
    if value.lower().replace("-", "") not in {"utf8", "utf8mb4", "unicode"}:
        raise ConfigurationError(
            f"The database URL's {option} is not UTF-8, and could not carry every name and note; "
            "leave it out."
        )


def _check_word(option: str, word: str, known: Mapping[str, int] | frozenset[str]) -> None:
    if word not in known:
        raise ConfigurationError(
            f"The database URL's {option} is none that is known; take one of {', '.join(known)}."
        )


def _check_known(told: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    for name in told:
        if name not in known:
            raise ConfigurationError(
                f"The database URL has an option {_shown(name)}, which means nothing to the "
                "driver; leave it out."
            )
    for name in SECONDS & set(told):
        if not told[name].isdecimal():
            raise ConfigurationError(f"The database URL's {name} is no number of seconds.")


def _shown(name: str) -> str:
    """Return the name of an option, unless it may be a part of a password."""
    return name if name.isidentifier() and len(name) <= len("target_session_attributes") else "?"


def _is_yes(word: str, option: str) -> bool:
    if word.lower() not in YES_NO:
        raise ConfigurationError(f"The database URL's {option} is neither true nor false.")
    return YES_NO[word.lower()]


READINGS: dict[str, Callable[[URL, dict[str, Any]], dict[str, Any]]] = {
    "sqlite": _for_sqlite,
    "sqlite+pysqlite": _for_sqlite,
    "postgresql+psycopg": _for_psycopg,
    "mysql+pymysql": _for_pymysql,
    "mariadb+pymysql": _for_pymysql,
}
"""What reads the options of a URL, by its driver; those of other drivers are passed on."""
