"""URLs as hosters print them: each works, or is refused in one sentence without its password."""

from __future__ import annotations

import ssl

import pytest
from databases import every_database
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import make_url

from carrierflow.errors import ConfigurationError, DatabaseUnavailable
from carrierflow.storage import build_engine
from carrierflow.storage.database_urls import LIBPQ_TLS, OF_OTHER_POOLS, TLS, read_url
from carrierflow.storage.engine import translated


SECRET = "s3cr3t"
ON_POSTGRES = pytest.mark.parametrize(
    "database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_MARIADB = pytest.mark.parametrize(
    "database", every_database(but=["sqlite", "postgres"]), indirect=True
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h:6543/d?pgbouncer=true", "postgresql+psycopg://u:p@h:6543/d"),
        ("postgresql://u:p@h/d?schema=public", "postgresql+psycopg://u:p@h/d"),
        (
            "postgresql://u:p@h/d?connection_limit=1&sslmode=require&channel_binding=require",
            "postgresql+psycopg://u:p@h/d?channel_binding=require&sslmode=require",
        ),
        ("postgresql+pg8000://u:p@h/d?anything=1", "postgresql+pg8000://u:p@h/d?anything=1"),
        ("mysql://u:p@h:3307/d?ssl-mode=REQUIRED", "mysql+pymysql://u:p@h:3307/d"),
        ("mysql://u:p@h/d?reconnect=true", "mysql+pymysql://u:p@h/d"),
        ("mariadb://u:p@h/d?sslmode=require", "mariadb+pymysql://u:p@h/d"),
        (
            "mysql://u:p@h/d?charset=utf8&connect_timeout=5",
            "mysql+pymysql://u:p@h/d?connect_timeout=5",
        ),
        ("sqlite:///a.db?timeout=5", "sqlite:///a.db?timeout=5"),
        ("sqlite:///file:a.db?mode=ro&uri=true", "sqlite:///file:a.db?mode=ro&uri=true"),
    ],
)
def test_a_url_of_a_hoster_is_understood(url, expected):
    """What other libraries write is turned into what our drivers take, and nothing else."""
    assert make_url(expected) == read_url(url)[0]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"postgresql://u:{SECRET}@h:54x/d", "port"),
        (f"postgresql://u:12@{SECRET}@h/d", "%40"),
        (f"postgresql://h:{SECRET}/d", "port"),
        (f"postgresql://u:{SECRET}@h/d?schema=books", "search path"),
        (f"postgresql://u:{SECRET}@h/d?sslmode=sometimes", "sslmode"),
        (f"postgresql://u:{SECRET}@h/d?pgbouncer=perhaps", "pgbouncer"),
        (f"postgresql://u:{SECRET}@h/d?client_encoding=latin1", "UTF-8"),
        (f"postgresql://u:{SECRET}@h/d?connect_timeout=soon", "connect_timeout"),
        (f"postgresql://u:{SECRET}@h/d?nonsense=1", "nonsense"),
        (f"postgresql://u:{SECRET}@h/d?{SECRET}!=1", "option"),
        (f"postgresql://u:{SECRET}@h/d?sslmode=require&sslmode=disable", "twice"),
        (f"postgresql+asyncpg://u:{SECRET}@h/d", "asynchronous"),
        (f"mysql://u:{SECRET}@h:x/d", "port"),
        (f"mysql://u:{SECRET}@h/", "names no database"),
        (f"mysql://u:{SECRET}@h/d?charset=latin1", "UTF-8"),
        (f"mysql://u:{SECRET}@h/d?sslmode=sometimes", "sslmode"),
        (f"mysql://u:{SECRET}@h/d?ssl_ca=/nowhere/ca.pem", "certificate"),
        (f"mysql://u:{SECRET}@h/d?read_timeout=soon", "read_timeout"),
        (f"mysql://u:{SECRET}@h/d?autocommit=true", "autocommit"),
        (f"mssql://u:{SECRET}@h/d", "cannot be read"),
        (f"jdbc:postgresql://h/d?password={SECRET}", "cannot be read"),
        ("sqlite:///a.db?sslmode=require", "sslmode"),
    ],
)
def test_a_url_that_asks_for_what_cannot_be_done_is_one_sentence(url, said):
    """What cannot be done as it is asked for is refused, with no part of a password."""
    with pytest.raises(ConfigurationError, match=said) as told:
        build_engine(url)

    sentence = str(told.value)
    assert SECRET not in f"{sentence}{told.value.__cause__}"
    assert sentence.endswith(".")
    assert "\n" not in sentence


PARTS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), max_size=9)


@given(
    scheme=st.sampled_from(["postgres", "postgresql", "mysql", "mariadb"]),
    password=PARTS,
    rest=st.lists(st.sampled_from([":", "/", "@", "?", "#", "&", "=", "h", "5432", "%", "[", "]"])),
)
def test_any_url_is_read_or_refused(scheme, password, rest):
    """Whatever signs stand where, a URL makes an engine or our one kind of error, without them."""
    try:
        build_engine(f"{scheme}://u:{SECRET}{password}@{''.join(rest)}").dispose()
    except ConfigurationError as error:
        assert SECRET not in str(error)  # noqa: PT017 - most are refused, some are not


@pytest.mark.parametrize("word", sorted(TLS))
def test_the_words_for_encryption_mean_the_same_on_mariadb(word):
    """Each word for encryption is known: off, where there is any, always, and by whose name."""
    _, arguments = read_url(f"mariadb://u@h/d?sslmode={word}")
    context = arguments.get("ssl")

    found = arguments.get("ssl_disabled"), context and (context.verify_mode, context.check_hostname)
    assert (
        found
        == {
            0: (True, None),
            1: (None, None),
            2: (None, (ssl.CERT_NONE, False)),
            3: (None, (ssl.CERT_REQUIRED, False)),
            4: (None, (ssl.CERT_REQUIRED, True)),
        }[TLS[word]]
    )


@ON_POSTGRES
@pytest.mark.parametrize(
    "query", ["pgbouncer=true", "schema=public", *(f"{name}=1" for name in sorted(OF_OTHER_POOLS))]
)
def test_postgresql_takes_what_is_left(database, query):
    """A URL with a hoster's options connects."""
    engine = build_engine(f"{database.url}?{query}")
    with engine.connect() as connection:
        assert 1 == connection.execute(text("SELECT 1")).scalar()
    engine.dispose()


@ON_POSTGRES
def test_statements_are_prepared_without_a_pooler_alone(database):
    """Where the URL says that there is a pooler, no statement is prepared; else they are."""
    kept = {}
    for query in ("?pgbouncer=true", ""):
        engine = build_engine(database.url + query)
        with engine.connect() as connection:
            kept[query] = connection.connection.driver_connection.prepare_threshold
        engine.dispose()

    assert kept["?pgbouncer=true"] is None
    assert kept[""] is not None


@ON_MARIADB
@pytest.mark.parametrize("word", sorted(TLS))
def test_mariadb_is_never_reached_in_clear_where_encryption_is_asked_for(database, word):
    """A connection is encrypted where that is asked for, or there is none, said in a sentence."""
    engine = build_engine(f"{database.url}?sslmode={word}")
    query = text("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    try:
        with translated(), engine.connect() as connection:
            encrypted = bool(connection.execute(query).one()[1])
            assert TLS[word] == 1 or encrypted == (TLS[word] > 1)
    except DatabaseUnavailable as error:
        assert "cannot be used now" in str(error)  # noqa: PT017 - as its certificate is, or none
        assert TLS[word] > 1
    engine.dispose()


@ON_POSTGRES
@pytest.mark.parametrize("word", sorted(LIBPQ_TLS))
def test_postgresql_knows_each_word_for_encryption(database, word):
    """The words that pass are those of the driver."""
    engine = build_engine(f"{database.url}?sslmode={word}")
    try:
        with translated(), engine.connect() as connection:
            assert 1 == connection.execute(text("SELECT 1")).scalar()
    except DatabaseUnavailable as error:
        assert "invalid" not in str(error)  # noqa: PT017 - the server may have no certificate
    engine.dispose()
