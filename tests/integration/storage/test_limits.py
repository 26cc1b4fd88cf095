"""What a reader or a door accepts, each database holds: whole, cut as documented, or refused."""

import itertools
import json
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import LargeBinary, String, insert, select

from carrierflow import build, generate_key, load_settings
from carrierflow.carrier_service import Accepted
from carrierflow.carrier_service.messages import Request
from carrierflow.carrier_service.ports import WebhookDelivery
from carrierflow.carrier_service.registration import Tokens
from carrierflow.carrier_service.shipments import Shipment
from carrierflow.domain import administration_kinds, decision, incident, limits, model, publication
from carrierflow.domain.fulfillment import RemoteSnapshot
from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status
from carrierflow.domain.publication import Attempt, AttemptResult, Outcome
from carrierflow.domain.shop import ShopState
from carrierflow.errors import CarrierflowError, InvalidInput, UnknownIncident
from carrierflow.ledger.files.fields import event_of
from carrierflow.platforms.haravan.callbacks import HaravanDialect
from carrierflow.platforms.haravan.codec import read_fulfillment
from carrierflow.reconcile import EndReason
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.shops import TokenKeeper
from carrierflow.storage import tables, types
from carrierflow.storage.callbacks import SqlCallbackStore
from carrierflow.storage.encryption import KeyRing
from carrierflow.storage.engine import UNSTORABLE
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.queries import add_file
from carrierflow.storage.reconcile import write
from carrierflow.storage.shops import change_shop


NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
S, E, H, F = tables.shops.c, tables.evidence.c, tables.history.c, tables.fulfillments.c
INCIDENTS, INSTALLS, OUTCOMES = tables.incidents.c, tables.installs.c, tables.outcomes.c
OBSERVATIONS, SHIPMENTS, WEBHOOKS = (
    tables.observations.c,
    tables.shipments.c,
    tables.webhooks.c,
)
OUR_MODULES = (administration_kinds, decision, incident, model, publication)
OF_OURS = (types.Digest, types.MachineName, types.OwnerId)
"""Types of what we make ourselves, always of one length."""

OUR_WORDS = {
    "edges": ("from_status", "to_status"),
    "shops": ("platform", "state"),
    "fulfillments": (
        "delivery_status",
        "cod_status",
        "remote_carrier_status",
        "remote_cod_status",
        "frozen",
    ),
    "terms": ("source",),
    "history": ("from_status", "to_status", "source", "cause"),
    "evidence": ("kind", "verdict", "code", "status", "source", "sentence"),
    "publications": ("state",),
    "runs": ("kind", "end_reason"),
    "attempts": ("status", "expects", "operation"),
    "outcomes": ("outcome",),
    "observations": ("source",),
    "incidents": ("kind", "state", "action"),
    "decisions": ("kind", "what", "action"),
    "run_ends": ("kind", "end_reason"),
    "administration": ("kind",),
    "destinations": ("problem",),
    "leases": ("name",),
    "log": ("kind",),
    "notifications": ("channel",),
}
"""Columns that hold words of ours alone, and those sentences that are ours throughout."""

WITHOUT_END = {
    "definitions": ("canonical",),
    "fulfillments": ("remote_dates",),
    "evidence": ("details",),
    "runs": ("counters",),
    "run_ends": ("counters",),
    "administration": ("details",),
    "observations": ("dates",),
    "incidents": ("evidence",),
    "checkpoints": ("note",),
    "anchorings": ("receipt",),
    "notes": ("sealed",),
    "webhooks": ("sealed",),
    "shops": ("token", "refresh_token"),
}
"""Columns of any length; what is sealed has its limit in clear."""


class World:
    """An application on one database, and parcels and shops as many as are needed."""

    def __init__(self, database, clock):
        self.numbers = itertools.count(1)
        self.key = generate_key()
        self.salt = uuid.uuid4().hex[:8]
        settings = load_settings(
            database_url=database.url,
            secret_key=self.key,
            client_id="app",
            client_secret="secret",
            public_url="https://carrier.example",
        )
        self.app = build(settings, now=clock, sleep=clock.sleep)
        self.store = self.app.store
        self.shop = self.new_shop()

    def new_code(self):
        return f"{next(self.numbers)}-{self.salt}"

    def new_shop(self, **values):
        code = self.new_code()
        given = {"token": "t", "base_url": "https://api.example", **values}
        self.app.shops.add(code, **given)
        return code

    def ref(self, **given):
        number = str(10_000 + next(self.numbers))
        given = {"shop": self.shop, "order_id": number, "fulfillment_id": number, **given}
        return FulfillmentRef(**given)

    def parcel(self, **opening):
        return self.app.ledger.open(Opening(ref=self.ref(), **opening))

    def one(self, column, *where):
        with self.store.reading() as connection:
            return connection.execute(select(column).where(*where)).scalar_one()

    def write(self, parcel, *, after=None, **what):
        writing = FulfillmentUpdate(before=parcel, after=after or parcel, now=NOW, **what)
        with self.store.begin() as connection:
            write(connection, writing)

    def incident(self):
        return self.opened("a sentence")

    def opened(self, sentence, evidence=None):
        finding = Finding(
            kind="odd", sentence=sentence, ref=None, evidence=evidence or {"n": next(self.numbers)}
        )
        with self.store.begin() as connection:
            shop = connection.execute(select(S.id).where(S.code == self.shop)).scalar_one()
            open_incident(connection, shop, None, finding, NOW)
            return str(
                connection.execute(select(INCIDENTS.id).order_by(INCIDENTS.id.desc()))
                .scalars()
                .first()
            )


def _recorded(name, status=Status.PICKING, call="record"):
    """Feed a field of an event, and read it where it went: history, or evidence if refused."""

    def feed(world, text):
        parcel = world.parcel()
        given = {"actor": "lan", "reason": "why", name: text}
        event = Event(
            shop=world.shop, fulfillment_id=parcel.ref.fulfillment_id, status=status, **given
        )
        getattr(world.app.ledger, call)(event)
        table = H if status is not Status.RETURN or call == "amend" else E
        column = table["event_key" if name == "key" else name]
        where = [table.fulfillment == parcel.id, table.reason == given["reason"]]
        return world.one(column, *where)

    return feed


def _from_a_row(name):
    """Feed a column of a file of events."""

    def feed(world, text):
        ref = world.ref()
        row = {"status": "picking", "at": "2026-03-01T07:00:00Z", "actor": "lan", "reason": "why"}
        row |= {"shop": ref.shop, "fulfillment_id": ref.fulfillment_id, "order_id": ref.order_id}
        row[name] = text
        world.app.ledger.record(event_of(row, fill_gaps=True))
        parcel = (
            (F.shop == S.id) & (S.code == ref.shop) & (F.fulfillment_id == row["fulfillment_id"])
        )
        if name in F:
            return world.one(F[name], parcel)
        number = world.one(F.id, parcel)
        column = H["event_key" if name == "key" else name]
        return world.one(column, H.fulfillment == number, H.to_status == "picking")

    return feed


def _note(world, text):
    parcel = world.parcel()
    world.app.ledger.record(
        Event(
            shop=world.shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=Status.PICKING,
            note=text,
        )
    )
    n = tables.notes.c
    name, sealed = (
        world.one(column, n.fulfillment == parcel.id) for column in (n.digest, n.sealed)
    )
    return world.app.ledger.open_note(name, sealed)


def _opening(name):
    def feed(world, text):
        given = {} if name == "tracking_number" else {name: text}
        number = text if name == "tracking_number" else None
        parcel = world.app.ledger.open(Opening(ref=world.ref(**given), tracking_number=number))
        return world.one(F[name], F.id == parcel.id)

    return feed


def _owner(world, text):
    incident = world.incident()
    world.app.incidents.assign(incident, text, actor="mai")
    return world.one(INCIDENTS.owner, INCIDENTS.id == int(incident))


def _resolved(name):
    def feed(world, text):
        incident = world.incident()
        given = {"actor": "lan", "reason": "why", name: text}
        world.app.incidents.resolve(incident, ResolveAction.UNFREEZE, **given)
        column = {"actor": INCIDENTS.resolved_by, "reason": INCIDENTS.resolved_reason}[name]
        kept = world.one(E[name], E.sentence == f"Incident {incident} (odd) was resolved.")
        assert kept == world.one(column, INCIDENTS.id == int(incident))
        return kept

    return feed


def _sentence(world, text):
    return world.one(INCIDENTS.sentence, INCIDENTS.id == int(world.opened(text)))


def _added(name):
    def feed(world, text):
        code = world.new_shop(**{name: text})
        return world.one(S[name], S.code == code)

    return feed


def _base_url(name):
    """Feed an address to one of the doors that take it; it begins as an address must."""

    def feed(world, text):
        url = "https://api.example/"[: len(text)] + text[len("https://api.example/") :]
        if name == "shops":
            code = world.new_shop(base_url=url)
            world.app.shops.change(code, base_url=url)
            kept = world.one(S.base_url, S.code == code)
        else:
            code = world.new_code()
            world.app.installer.invite(code, base_url=url)
            kept = world.one(INSTALLS.base_url, INSTALLS.shop == code)
        assert kept == url
        return text

    return feed


def _invited(world, text):
    code = world.new_code()
    world.app.installer.invite(code, carrier_code=text)
    return world.one(INSTALLS.carrier_code, INSTALLS.shop == code)


def _shop_code(world, text):
    """Feed a code that is another one each time, and as long."""
    mine = f"{next(world.numbers)}-{world.salt}"
    code = mine + text[len(mine) :]
    world.app.shops.add(code, token="t", base_url="https://api.example")
    assert code == world.one(S.code, S.code == code)
    return text


def _token(world, text):
    code = world.new_shop(token=text)
    world.app.shops.rotate_token(code, text)
    sealed = world.store.shop(code).encrypted_token
    return KeyRing(world.key).decrypt(sealed, context=f"token of shop {code}").decode()


def _attempt():
    return Attempt(
        machine=Machine.DELIVERY,
        seq=1,
        number=1,
        status=Status.PICKING,
        expects=Status.PICKING,
        operation="picking",
        run="r",
        fence=1,
        intent_at=NOW,
        send_deadline=NOW,
    )


def _observed(world, parcel, **said):
    body = {
        "id": parcel.ref.fulfillment_id,
        "order_id": parcel.ref.order_id,
        "carrier_status_code": "picking",
        "carrier_cod_status_code": "none",
        "updated_at": "2026-03-01T08:00:00Z",
    }
    document = json.loads(json.dumps({"fulfillment": body | said}))
    return read_fulfillment(document, shop=world.shop, asked_at=NOW, seen_at=NOW)


def _word(name, *columns):
    """Feed a word or a time of the platform's, as an observation is read and kept."""

    def feed(world, text):
        parcel = world.parcel()
        seen = _observed(world, parcel, **{name: text})
        remote = RemoteSnapshot(
            carrier=seen.carrier,
            cod=seen.cod,
            updated_at=seen.updated_at,
            dates=seen.dates,
            digest="0" * 64,
        )
        said = AttemptResult(
            attempt=_attempt(),
            outcome=Outcome.CONFIRMED,
            recorded_at=NOW,
            http_status=200,
            reply_updated_at=seen.updated_at_raw,
        )
        world.write(
            parcel,
            after=replace(parcel, remote=remote),
            attempt=_attempt(),
            conclusion=said,
            observation=seen,
        )
        kept = {
            world.one(
                c, c.table.c["id" if c.table is tables.fulfillments else "fulfillment"] == parcel.id
            )
            for c in columns
        }
        assert len(kept) == 1
        return kept.pop()

    return feed


def _answered(world, text):
    parcel = world.parcel()
    said = AttemptResult(
        attempt=_attempt(), outcome=Outcome.REFUSED, recorded_at=NOW, http_status=422, reason=text
    )
    world.write(parcel, attempt=_attempt(), conclusion=said)
    return world.one(OUTCOMES.reason, OUTCOMES.fulfillment == parcel.id)


def _file_name(world, text):
    digest = f"{next(world.numbers)}-{world.salt}"
    with world.store.begin() as connection:
        add_file(connection, digest, name=text, row_count=1, now=NOW)
    return world.one(tables.files.c.name, tables.files.c.digest == digest)


def _cancel_refused(world, text):
    parcel = world.parcel()
    SqlCallbackStore(world.store, platform="haravan").run_callback(
        lambda tx: tx.keep_refusal(parcel, text, now=NOW)
    )
    return world.one(E.reason, E.fulfillment == parcel.id)


DIALECT = HaravanDialect(secrets=["secret"])


def _webhook(header, column):
    def feed(world, text):
        headers = {"X-Haravan-Topic": "orders/updated", header: text}
        request = Request(method="POST", path="/", headers=headers, body=b"{}")
        said = DIALECT.webhook(request)
        digest = f"{next(world.numbers)}-{world.salt}"
        delivery = WebhookDelivery(
            digest=digest,
            topic=said.topic,
            org_id=said.org_id,
            order_id=said.order_id,
            received_at=NOW,
            ciphertext=b"",
        )
        SqlCallbackStore(world.store, platform="haravan").store_webhook(delivery, acted=True)
        return world.one(WEBHOOKS[column], WEBHOOKS.digest == digest)

    return feed


def _handed_over(name):
    def feed(world, text):
        parcel = world.parcel()
        body = {
            "external_code": f"c{parcel.id}",
            "external_order_id": "1",
            "external_fulfillment_id": "1",
        }
        answer = {
            "tracking_number": f"n{parcel.id}",
            "shipping_fee": 1,
            "tracking_url": "https://x",
        }
        (body if name in body else answer)[name] = text
        asked = DIALECT.accept_request(
            world.shop,
            Request(method="POST", path="/", body=json.dumps(body).encode()),
        )
        accepted = Accepted(**answer)
        shipment = Shipment(
            external_code=asked.external_code,
            digest="0" * 64,
            tracking_number=accepted.tracking_number,
            tracking_url=accepted.tracking_url,
            shipping_fee=accepted.shipping_fee,
            accepted_at=NOW,
        )
        SqlCallbackStore(world.store, platform="haravan").run_callback(
            lambda tx: tx.add_shipment(shipment, parcel)
        )
        return world.one(SHIPMENTS[name], SHIPMENTS.fulfillment == parcel.id)

    return feed


@dataclass(frozen=True, kw_only=True)
class Door:
    """A way by which a text comes in, what it has room for, and what reads it where it went."""

    name: str
    longest: int
    feed: Callable[[World, str], Any]
    columns: tuple[Any, ...]
    fillers: str = "xệ𠮷"
    cuts: bool = False
    """Whether a text that is too long is cut, by `limits.cut`."""
    instead: tuple[Any, ...] = ()
    """What stands for a text that is none of what it should be."""

    def texts(self):
        """Yield the longest texts, some that are one longer, and some that cannot be stored."""
        for filler in self.fillers:
            yield filler * self.longest, True
        for filler in "xệ𠮷":
            yield filler * (self.longest + 1), False
        yield from ((text, False) for text in ("x" * 30 + "\0", "x" * 30 + "\ud800", "x" * 100_000))


def _events():
    for name, longest in {
        "key": limits.KEY,
        "actor": limits.ACTOR,
        "reason": limits.REASON,
    }.items():
        column = "event_key" if name == "key" else name
        kept = (H[column], E[column])
        yield Door(name=f"event {name}", longest=longest, feed=_recorded(name), columns=kept)
        refused = _recorded(name, Status.RETURN)
        yield Door(name=f"refused {name}", longest=longest, feed=refused, columns=kept)
        amended = _recorded(name, Status.RETURN, "amend")
        yield Door(name=f"amend {name}", longest=longest, feed=amended, columns=kept)
        yield Door(name=f"row {name}", longest=longest, feed=_from_a_row(name), columns=kept)
    yield Door(name="note", longest=limits.NOTE, feed=_note, columns=(tables.notes.c.sealed,))


def _openings():
    for name, longest in {
        "order_id": limits.ID,
        "fulfillment_id": limits.ID,
        "tracking_number": limits.TRACKING_NUMBER,
    }.items():
        for door in (_opening(name), _from_a_row(name)):
            yield Door(
                name=f"{door.__qualname__} {name}", longest=longest, feed=door, columns=(F[name],)
            )


def _people():
    yield Door(name="owner", longest=limits.ACTOR, feed=_owner, columns=(INCIDENTS.owner,))
    for name, longest in {"actor": limits.ACTOR, "reason": limits.REASON}.items():
        kept = (INCIDENTS["resolved_by" if name == "actor" else "resolved_reason"], E[name])
        yield Door(name=f"resolve {name}", longest=longest, feed=_resolved(name), columns=kept)
    yield Door(
        name="sentence",
        longest=limits.SENTENCE,
        feed=_sentence,
        columns=(INCIDENTS.sentence,),
        cuts=True,
    )
    name = tables.files.c.name
    yield Door(
        name="file name", longest=limits.FILE_NAME, feed=_file_name, columns=(name,), cuts=True
    )


def _shops():
    yield Door(name="code", longest=limits.ID, feed=_shop_code, columns=(S.code,), fillers="x")
    for name in ("org_id", "carrier_code"):
        yield Door(name=name, longest=limits.ID, feed=_added(name), columns=(S[name],))
    yield Door(
        name="invited as", longest=limits.ID, feed=_invited, columns=(INSTALLS.carrier_code,)
    )
    for name, column in {"shops": S.base_url, "installs": INSTALLS.base_url}.items():
        yield Door(
            name=f"URL of {name}",
            longest=limits.URL,
            feed=_base_url(name),
            columns=(column,),
            fillers="x",
        )
    yield Door(name="token", longest=limits.TOKEN, feed=_token, columns=(S.token,), fillers="x")


def _platform():
    for name, columns in {
        "carrier_status_code": (OBSERVATIONS.carrier_code, F.remote_carrier),
        "carrier_cod_status_code": (OBSERVATIONS.cod_code, F.remote_cod),
    }.items():
        feed = _word(name, *columns)
        yield Door(name=name, longest=limits.WORD, feed=feed, columns=columns, cuts=True)
    columns = (OBSERVATIONS.updated_at, OUTCOMES.reply_updated_at)
    feed = _word("updated_at", *columns)
    yield Door(name="updated_at", longest=limits.WORD, feed=feed, columns=columns, fillers="")
    yield Door(
        name="answer",
        longest=limits.REASON,
        feed=_answered,
        columns=(OUTCOMES.reason,),
        cuts=True,
    )
    yield Door(
        name="cancel refused",
        longest=limits.REASON,
        feed=_cancel_refused,
        columns=(E.reason,),
        cuts=True,
    )
    for name, longest in {
        "external_code": limits.KEY,
        "tracking_number": limits.TRACKING_NUMBER,
        "tracking_url": limits.URL,
    }.items():
        column = SHIPMENTS[name]
        feed = _handed_over(name)
        yield Door(name=f"shipment {name}", longest=longest, feed=feed, columns=(column,))
    for header, column, instead in (
        ("X-Haravan-Topic", WEBHOOKS.topic, "unknown"),
        ("X-Haravan-Org-Id", WEBHOOKS.org_id, None),
        ("X-Haravan-Order-Id", WEBHOOKS.order_id, None),
    ):
        yield Door(
            name=header,
            longest=limits.TOPIC if column is WEBHOOKS.topic else limits.ID,
            feed=_webhook(header, column.name),
            columns=(column,),
            fillers="",
            instead=(instead,),
        )


GROUPS = {
    "events": tuple(_events()),
    "openings": tuple(_openings()),
    "people": tuple(_people()),
    "shops": tuple(_shops()),
    "platform": tuple(_platform()),
}


ELSEWHERE = {
    ("carrierflow_shops", "scopes"): limits.SCOPES,
    ("carrierflow_shops", "options"): limits.OPTIONS,  # words and numbers, each checked
    ("carrierflow_shops", "lease_process"): limits.PROCESS,  # a host, cut, and numbers
    ("carrierflow_runs", "sentence"): limits.SENTENCE,  # cut
    ("carrierflow_run_ends", "sentence"): limits.SENTENCE,  # the run's
    ("carrierflow_shops", "carrier_service_id"): limits.ID,  # digits, as every id there
    ("carrierflow_installs", "shop"): limits.ID,  # a shop code, checked as one
    ("carrierflow_installs", "org_id"): limits.ID,  # digits
    ("carrierflow_incidents", "subject"): limits.ID,  # a fulfillment's id
    ("carrierflow_terms", "tracking_number"): limits.TRACKING_NUMBER,  # the parcel's
    ("carrierflow_terms", "carrier_code"): limits.ID,  # the shop's
    ("carrierflow_terms", "actor"): limits.ACTOR,  # an event's
    ("carrierflow_terms", "reason"): limits.REASON,
    ("carrierflow_administration", "shop"): limits.ID,  # a shop's code
    ("carrierflow_administration", "subject"): limits.SUBJECT,  # an id, a role, a public key
    ("carrierflow_administration", "actor"): limits.ACTOR,
    ("carrierflow_administration", "os_user"): limits.ACTOR,  # cut
    ("carrierflow_administration", "db_user"): limits.ACTOR,  # cut
    ("carrierflow_decisions", "subject"): limits.ID,  # the incident's, as all of these
    ("carrierflow_decisions", "owner"): limits.ACTOR,
    ("carrierflow_decisions", "actor"): limits.ACTOR,
    ("carrierflow_decisions", "approved_by"): limits.ACTOR,
    ("carrierflow_decisions", "reason"): limits.REASON,
    ("carrierflow_decisions", "os_user"): limits.ACTOR,  # cut
    ("carrierflow_decisions", "db_user"): limits.ACTOR,  # cut
    ("carrierflow_anchorings", "anchor"): limits.CODE,
}
"""Columns that no door of these feeds, and what keeps them."""


@pytest.fixture
def world(database, clock):
    """An application on one of the databases."""
    clock.set(NOW)
    made = World(database, clock)
    yield made
    made.store.engine.dispose()


def _mishap(world, door, text, *, whole):
    """Say what is wrong with what came of a text; None if nothing is."""
    try:
        kept = door.feed(world, text)
    except CarrierflowError as error:
        sentence = str(error)
        right = sentence and sentence != UNSTORABLE and text not in sentence and not whole
        return None if right else f"refused: {sentence:.100}"
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return f"{error!r:.300}"
    allowed = (
        [text]
        if whole
        else [*door.instead, *([limits.cut(text, door.longest)] if door.cuts else [])]
    )
    return None if kept in allowed else f"kept {kept!r:.60}"


@pytest.mark.parametrize("doors", GROUPS.values(), ids=GROUPS)
def test_what_a_door_accepts_the_database_holds(world, doors):
    """The longest text is held whole; a longer one is cut as documented, or told in a sentence."""
    found = []
    for door in doors:
        world.shop = world.new_shop()
        for text, whole in door.texts():
            mishap = _mishap(world, door, text, whole=whole)
            if mishap is not None:
                found.append(f"{door.name}, {text[:3]!r} of {len(text)}: {mishap}")

    assert [] == found


def test_every_column_of_text_has_a_limit_and_a_door():
    """A new column fails this until its limit stands in the table, and a door here feeds it."""
    fed = {
        (c.table.name, c.name): door.longest
        for doors in GROUPS.values()
        for door in doors
        for c in door.columns
    }
    ours = {(f"carrierflow_{table}", name) for table, names in OUR_WORDS.items() for name in names}
    endless = {
        (f"carrierflow_{table}", name) for table, names in WITHOUT_END.items() for name in names
    }
    found = {}
    for table in tables.metadata.tables.values():
        for column in table.columns:
            if not isinstance(column.type, String | LargeBinary) or column.type in OF_OURS:
                continue
            place = (table.name, column.name)
            if place in endless:
                assert column.type.length is None, place
            elif place in ours:
                assert column.type.length in {limits.CODE, limits.SENTENCE}, place
            else:
                found[place] = column.type.length

    assert found == {p: n for p, n in (fed | ELSEWHERE).items() if p not in endless}


def test_our_own_words_have_room():
    """No word of ours is longer than its columns."""
    words = [
        word
        for kind in (
            *_enums(model),
            *_enums(incident),
            *_enums(decision),
            *_enums(publication),
            EndReason,
            ShopState,
        )
        for word in kind
    ]

    assert len(words) > 50
    assert [] == [word for word in words if len(word) > limits.CODE]


def _enums(module):
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, StrEnum) and kind is not StrEnum
    ]


def test_a_time_of_seven_digits_and_a_zone_is_kept_as_it_is_printed(world):
    """The longest time that a platform prints is held whole, beside an unknown word of 41."""
    printed, word = "2026-03-01T15:00:15.1234567+07:00", "x" * 41
    columns = (OBSERVATIONS.updated_at, OUTCOMES.reply_updated_at)

    assert printed == _word("updated_at", *columns)(world, printed)
    assert word == _word("carrier_status_code", F.remote_carrier)(world, word)


@pytest.mark.parametrize("amount", [limits.MOST_CASH, limits.MOST_CASH + 1, 2**63, 10**400, -1])
def test_an_amount_is_held_or_refused(world, amount):
    """A sum that no database holds is told at the door of openings and of acceptances."""
    whole = amount == limits.MOST_CASH
    for call in (
        lambda: world.parcel(cod_amount=amount),
        lambda: Accepted(tracking_number="n", shipping_fee=amount),
        lambda: world.app.ledger.open(Opening(ref=world.ref(), cod_amount=amount)),
    ):
        assert whole is (_refused(call) is None)


@pytest.mark.parametrize("number", ["9" * 18, "9" * 19, "9" * 400, "٣", "1.0", "-1", " 1"])
def test_an_incident_of_any_number_is_looked_up(world, number):
    """A number that no row can bear is one that there is not."""
    with pytest.raises(UnknownIncident):
        world.app.incidents.get(number)


def _refused(call):
    try:
        call()
    except InvalidInput as error:
        return error
    return None


GRANTED = (
    *("x" * 40 for _ in range(500)),
    "𠮷" * 5000,
    "half\ud800",
    "nul\0",
)


def test_new_tokens_are_kept_whatever_comes_beside_them(world, clock):
    """A list of scopes that is too long costs its end, and never the token that is good once."""
    code = world.new_shop()
    keys = KeyRing(world.key)
    old = {
        "refresh_token": keys.encrypt(b"refresh", context=f"refresh token of shop {code}"),
        "token_expires_at": clock(),
    }
    before = world.store.transact(lambda c: change_shop(c, code, **old))

    class Accounts:
        def refresh(self, _token):
            return Tokens(
                access_token="new",
                refresh_token="r" * limits.TOKEN,
                lasts=timedelta(days=1),
                scopes=GRANTED,
            )

    span = timedelta(seconds=13)
    keeper = TokenKeeper(world.store, keys, accounts=Accounts, clock=clock, request=span)
    renewed = keeper.renewed(before, clock.sleep)

    assert "new" == keeper.opened(renewed)
    assert ("x" * 40,) * 97 == renewed.scopes[:97]
    assert {"x" * 40, "half\N{REPLACEMENT CHARACTER}", "nul\N{REPLACEMENT CHARACTER}"} >= {
        *renewed.scopes
    }


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (S.code, "secretive" * 100),
        (S.code, "secretive\0"),
        (S.code, "secretive\ud800"),
        (S.fence, 2**63),
        (S.fence, 10**400),
    ],
)
def test_what_slips_through_is_a_sentence_all_the_same(world, column, value):
    """The last net tells nothing of the row, also not in what an error came from."""
    row = {
        "code": world.new_code(),
        "platform": "haravan",
        "base_url": "https://api.example",
        "carrier_code": "external",
        "token": b"",
        "state": "active",
        "added_at": NOW,
    }

    def add():
        with world.store.begin() as connection:
            connection.execute(insert(tables.shops), {**row, column.name: value})
            connection.rollback()

    refused = _refused(add)
    if refused is None:
        holds = {"sqlite", "mariadb"} if value == "secretive\0" else {"sqlite"}
        assert world.store.engine.dialect.name in holds
    else:
        assert UNSTORABLE == str(refused)
        assert "secretive" not in "".join(traceback.format_exception(refused))
