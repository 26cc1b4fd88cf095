"""Whatever a caller hands in by mistake comes back as one of our errors, and nothing is written."""

import contextlib
import inspect
import sqlite3
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession

from carrierflow import Request, build, define, generate_key, load_settings
from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.keys import SealKey
from carrierflow.domain.incident import ResolveAction
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status
from carrierflow.domain.revision import Revision
from carrierflow.errors import CarrierflowError, InvalidInput
from carrierflow.reconcile import Plan


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = FulfillmentRef(shop="myshop", order_id="1001", fulfillment_id="2001")
EVENT = Event(shop="myshop", fulfillment_id="2001", status=Status.PICKING, occurred_at=NOON)
OPENING = Opening(ref=REF, cod_amount=5)

PLACES = (
    "",
    "ledger",
    "shops",
    "carriers",
    "installer",
    "webhooks",
    "incidents",
    "reports",
    "retention",
    "sealer",
    "exporter",
)
"""What an embedder holds: the application, and its parts."""

SOUND = {
    "action": ResolveAction.UNFREEZE,
    "actor": "lan",
    "at": NOON,
    "base_url": "http://127.0.0.1:9",
    "choices": {"remote_ahead": "adopt"},
    "ciphertext": b"x",
    "code": "myshop",
    "count": 1,
    "digest": "ab",
    "event": EVENT,
    "events": (EVENT,),
    "folder": Path("export"),
    "fulfillment_id": "2001",
    "handler": lambda _: None,
    "incident_id": "1",
    "limit": 10,
    "shops": ("myshop",),
    "ref": REF,
    "reports": (),
    "machine": Machine.DELIVERY,
    "name": "a.csv",
    "opening": OPENING,
    "owner": "lan",
    "plan": Plan(lines=()),
    "platform": "sapo",
    "query": {"state": "x"},
    "reason": "because",
    "revision": Revision(ref=REF, actor="lan", reason="because", cod_amount=1),
    "row_count": 1,
    "rows": (),
    "seed": "seed",
    "seq": 1,
    "shop": "myshop",
    "since": NOON,
    "status": Status.PICKING,
    "stop": lambda: False,
    "token": "a-token",
    "tracking_number": "W1",
}
"""For each parameter that has to be given, what would do."""

INSIDE = ("carrier", "tx")
"""Parameters of our own Protocols: whoever gives one has written a class for it."""

NASTY = (
    None,
    0,
    -1,
    10**30,
    1.5,
    float("nan"),
    True,
    Decimal(1),
    "",
    "x",
    "\0",
    "\ud800",
    "x" * 100_000,
    b"x",
    object(),
    [],
    [1],
    ["\ud800"],
    {},
    {"a": object()},
    datetime(2026, 3, 1, 12),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(1899, 12, 30, tzinfo=UTC),
    datetime(2926, 3, 1, tzinfo=UTC),
    timedelta.max,
    timedelta.min,
    lambda *_: None,
    int,
    EVENT,
    OPENING,
    REF,
    Path("a\0b"),
    Scope(shop=1),
    Scope(since=datetime(2026, 3, 1)),
    Checkpoint(origin="x", size=-1, root=b""),
)
"""What people hand over who did not look, or whose own input was not looked at."""

ENDS = ("until_idle",)
"""What makes an end of a call that would go on for ever."""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doors")
    SealKey.generate("log.example").save(folder / "seal.key")
    built = build(
        load_settings(
            database_url=f"sqlite:///{folder / 'ledger.db'}",
            secret_key=generate_key(),
            seal_key_file=folder / "seal.key",
            public_url="https://carrier.example",
            client_secret="secret",
        ),
        sleep=lambda _: None,
    )
    built.upgrade()
    built.shops.add("myshop", token="t", base_url="http://127.0.0.1:9")
    built.ledger.open(OPENING)
    built.sealer.seal()
    yield built
    built.store.engine.dispose()


def doors(app):
    """Yield each public method of the application and its parts, with its parameters."""
    for place in PLACES:
        part = getattr(app, place) if place else app
        for name, method in inspect.getmembers(part, inspect.ismethod):
            parameters = inspect.signature(method).parameters
            if not name.startswith("_") and not parameters.keys() & set(INSIDE):
                yield f"{place}.{name}", method, parameters.values()


def called(method, given):
    """Call a method; what comes in pieces is asked for to its end."""
    answer = method(**given)
    return list(answer) if isinstance(answer, Iterator) else answer


def misfits(app, host):
    """Yield what comes out of a door and is not one of our errors, for each nasty argument."""
    sound = SOUND | {
        "parcel": app.parcel("myshop", "2001"),
        "old": app.sealer.newest().checkpoint,
        "host": host,
    }
    for name, method, parameters in doors(app):
        given = {p.name: sound[p.name] for p in parameters if p.default is p.empty}
        given |= {p.name: True for p in parameters if p.name in ENDS}
        for parameter in parameters:
            for value in NASTY:
                try:
                    called(method, {**given, parameter.name: value})
                except CarrierflowError as error:
                    assert str(error)  # noqa: PT017 - the error is what comes out
                except Exception as error:  # noqa: BLE001 - which one it is, is the question
                    yield f"{name}({parameter.name}={value!r:.60}): {error!r:.200}"


def test_nothing_but_our_errors_comes_out_of_any_door(app, tmp_path, monkeypatch):
    """Each public call, each of its arguments, each kind of nonsense: an answer or our error."""
    monkeypatch.chdir(tmp_path)

    engine = create_engine("sqlite://")

    with engine.connect() as host:
        assert [] == list(misfits(app, host))
    engine.dispose()


def test_nothing_but_our_errors_comes_out_of_what_builds_it():
    """Settings, an engine, groups of steps of another kind: a sentence, before anything is made."""
    for value in NASTY:
        for call in (build, define, load_settings):
            with contextlib.suppress(CarrierflowError):
                call(value)
        with contextlib.suppress(CarrierflowError):
            build(engine=value)


def test_a_request_is_made_of_texts_and_bytes(app):
    """A host that hands over a decoded body, or headers as a list, is told so."""
    service = app.carrier_service(object())

    for wrong in ({"body": "{}"}, {"headers": [("a", "b")]}, {"path": b"/rates"}):
        with pytest.raises(InvalidInput, match="must be of type"):
            service.answer(Request(**({"method": "POST", "path": "/"} | wrong)))


def test_only_an_open_connection_or_session_is_joined(app):
    """An engine, an asynchronous session, a driver's connection: a sentence says what is wanted."""
    strangers = (app.store.engine, sqlite3.connect(":memory:"), "sqlite://")

    for host in strangers:
        with pytest.raises(InvalidInput, match="What is joined is an open Connection or Session"):
            app.joined(host)
    strangers[1].close()
    with pytest.raises(InvalidInput, match=r"An AsyncSession .* await session.run_sync\("):
        app.joined(AsyncSession())


def test_a_shop_is_not_read_letter_by_letter(app):
    """Whoever names one shop without a list around it is told, and no shop is looked for."""
    for call in (app.reconcile, app.plan):
        with pytest.raises(InvalidInput, match="The shops must be of type Collection, not str"):
            call("myshop")


def test_nothing_is_made_a_plan_that_is_none():
    """A plan holds lines that name their parcels, wherever it comes from."""
    for line in (1, {}, {"shop": "myshop"}):
        with pytest.raises(InvalidInput, match="not a plan"):
            Plan(lines=(line,))


def mistaken(sound):
    """Yield data that is sound but for one field, also in what stands inside of it."""
    for field in fields(sound):
        inner = getattr(sound, field.name)
        values = [*NASTY, *(mistaken(inner) if is_dataclass(inner) else ())]
        yield from (replace(sound, **{field.name: value}) for value in values)


STRANGER = replace(REF, fulfillment_id="2002")
OPENS = replace(
    EVENT, fulfillment_id="2002", actor="lan", reason="why", opening=replace(OPENING, ref=STRANGER)
)


KNOWN = replace(EVENT, actor="lan", reason="why")


@pytest.mark.parametrize(
    ("call", "sound"),
    [("record", OPENS), ("record_many", OPENS), ("amend", KNOWN), ("probe", KNOWN)],
)
def test_invalid_input_has_written_nothing(app, call, sound):
    """Whatever is wrong with an event or its opening, the host holds nothing of it."""
    _writes_nothing(app, call, sound)


def test_an_invalid_opening_has_written_nothing(app):
    """No parcel is opened with an amount that was rounded, nor under a name that is none."""
    _writes_nothing(app, "open", OPENS.opening)


def _writes_nothing(app, call, sound):
    refused = 0
    with app.store.engine.connect() as host:
        driver = host.connection.driver_connection
        assert not isinstance(_answer(app, host, call, sound), InvalidInput)
        for mistake in mistaken(sound):
            host.rollback()
            before = driver.total_changes
            answer = _answer(app, host, call, mistake)
            if isinstance(answer, InvalidInput):
                refused += 1
                assert before == driver.total_changes, (mistake, answer)
    assert refused > len(NASTY)


def _answer(app, host, call, given):
    try:
        answer = getattr(app.joined(host), call)([given] if call == "record_many" else given)
        return next(answer) if call == "record_many" else answer
    except InvalidInput as error:
        return error
