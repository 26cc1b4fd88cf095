"""People are told of each incident once, in one message, and only where that was taken."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mail_server import mailbox, served

from carrierflow import ConfigurationError, NotificationFailed, ResolveAction, Settings, build
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import FulfillmentRef
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.incidents import open_incident
from carrierflow.storage.notifications import CLAIM


NIGHT = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
"""Six in the morning in Vietnam."""


class Chat(BaseHTTPRequestHandler):
    """Takes what is POSTed, or answers as it was told."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.set()
        self.server.asked.wait(self.server.slow)
        self.server.posted.append((self.path, json.loads(body)))
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def chat():
    """A chat on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        server.posted, server.answer = [], 200
        server.arrived, server.asked, server.slow = threading.Event(), threading.Event(), 0
        server.url = f"http://127.0.0.1:{server.server_address[1]}/hook?key=canary"
        with served(server):
            yield server


@pytest.fixture
def post():
    """A mail server on loopback."""
    with mailbox() as server:
        yield server


@pytest.fixture
def make_app(own_database, clock, make_engine):
    """Build applications on one database that nobody else uses."""

    def make(**settings):
        return build(
            Settings(secret_key=generate_key(), **settings),
            engine=make_engine(own_database),
            now=clock,
            sleep=clock.sleep,
            database_clock=DatabaseClock(clock),
        )

    return make


@pytest.fixture
def app(make_app, chat, post):
    """An application that tells a chat and a mailbox of its two shops."""
    host, port = post.server_address
    made = make_app(
        notify_webhook=chat.url,
        notify_mail_to="night@carrier.example,lan@carrier.example",
        notify_mail_from="carrierflow@carrier.example",
        notify_smtp=f"smtp://{host}:{port}",
    )
    for code in ("alpha", "beta"):
        made.shops.add(code, token="t", base_url="http://127.0.0.1")
    return made


def find(app, shop, *, kind="stuck", parcel="1", sentence="It does not move."):
    """Open an incident as a run does."""
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=parcel)
    finding = Finding(kind=kind, sentence=sentence, ref=ref, evidence={}, freezes=True)
    number = app.shops.get(shop).id
    app.store.transact(lambda c: open_incident(c, number, None, finding, app.now()))


def texts(chat):
    return [body["text"] for _, body in chat.posted]


def test_each_is_told_once_and_all_in_one_message(app, chat, post):
    """A second notification tells what is new since, or sends nothing at all."""
    for number in range(3):
        find(app, "alpha", parcel=str(number))
    find(app, "beta", kind="diverged")

    first, second = app.notifier.notify(), app.notifier.notify()
    find(app, "beta", parcel="9")
    third = app.notifier.notify()

    assert [4, 0, 1] == [done.tellings[0].incidents for done in (first, second, third)]
    assert 2 == len(chat.posted) == len(post.letters)
    assert [
        "carrierflow: 4 new incidents in 2 shops.",
        "- alpha: 3 x stuck (incident 1): It does not move.",
        "- beta: diverged (incident 4): It does not move.",
        "Look: carrierflow incidents show 1",
    ] == texts(chat)[0].splitlines()
    letter = message_from_bytes(post.letters[0], policy=policy.default)
    assert "carrierflow: 4 new incidents in 2 shops" == letter["Subject"]
    assert "night@carrier.example, lan@carrier.example" == letter["To"]
    assert texts(chat)[0] == letter.get_content().replace("\r", "").rstrip()


def test_what_was_not_taken_is_told_the_next_time(app, chat, post):
    """A chat that refuses costs the mailbox nothing, and gets all of it later."""
    find(app, "alpha")
    chat.answer = 500

    by_mail, by_chat = app.notifier.notify().tellings
    chat.answer = 200
    again_by_mail, again_by_chat = app.notifier.notify().tellings

    assert by_mail.problem is None
    assert isinstance(by_chat.problem, NotificationFailed)
    assert "HTTP status 500" in str(by_chat.problem)
    assert "canary" not in str(by_chat.problem)
    assert (0, 1) == (again_by_mail.incidents, again_by_chat.incidents)
    assert 1 == len(post.letters)


def test_what_comes_back_is_told_again(app, chat):
    """An incident that was resolved, and whose cause froze the parcel again, is news."""
    find(app, "alpha")
    app.notifier.notify()
    app.incidents.resolve("1", ResolveAction.UNFREEZE, actor="lan", reason="seen")
    nothing = app.notifier.notify().tellings

    find(app, "alpha")
    app.notifier.notify()

    assert [0, 0] == [telling.incidents for telling in nothing]
    assert 2 == len(chat.posted)


def test_nothing_is_sent_in_quiet_hours(make_app, app, chat, clock):
    """What is found at night is told in the morning, by the clocks of Vietnam."""
    find(app, "alpha")
    quiet = make_app(notify_webhook=chat.url, quiet_hours="22:00-06:00").notifier

    clock.moment = NIGHT - timedelta(seconds=1)
    at_night = quiet.notify()
    seen = quiet.preview()
    clock.moment = NIGHT
    in_the_morning = quiet.notify()

    assert (True, ()) == (at_night.quiet, at_night.tellings)
    assert (True, 1) == (seen.quiet, seen.tellings[0].incidents)
    assert (False, 1) == (in_the_morning.quiet, in_the_morning.tellings[0].incidents)
    assert 1 == len(chat.posted)


def test_a_preview_tells_nobody(app, chat, post):
    """It shows the message, sends nothing, and writes nothing down."""
    find(app, "alpha")

    seen = app.notifier.preview()

    assert [] == chat.posted == post.letters
    app.notifier.notify()
    assert [seen.tellings[1].text] == texts(chat)


def test_of_two_at_once_one_tells(app, make_app, chat):
    """While one sends, the other finds nothing that it could tell; nothing is locked meanwhile."""
    find(app, "alpha")
    chat.slow = 5
    others = [make_app(notify_webhook=chat.url).notifier for _ in range(2)]
    done = []
    slow = threading.Thread(target=lambda: done.append(others[0].notify()))
    slow.start()
    assert chat.arrived.wait(5)

    other = others[1].notify()
    find(app, "alpha", parcel="7")
    chat.asked.set()
    slow.join()

    assert 0 == other.tellings[0].incidents
    assert 1 == done[0].tellings[0].incidents
    assert 1 == len(chat.posted)


def test_who_died_while_sending_is_not_waited_for_for_ever(app, chat, clock):
    """What was claimed and never told is told after five minutes."""
    find(app, "alpha")
    app.notifier._store.claim("chat")

    early = app.notifier.notify().tellings[1]
    clock.moment += CLAIM
    late = app.notifier.notify().tellings[1]

    assert (0, 1) == (early.incidents, late.incidents)


def test_texts_of_others_call_nobody_and_hide_nothing(app, chat):
    """Markup of chats, control characters and any length in a sentence do no harm."""
    find(app, "alpha", sentence="Says <!channel> @everyone\x1b[31m\r\n" + "x" * 900)
    for number in range(60):
        find(app, f"{'alpha' if number % 2 else 'beta'}", kind=f"kind-{number}", sentence="y" * 200)

    app.notifier.notify()

    (text,) = texts(chat)
    assert set() == set("<>@\x1b\r") & set(text)
    assert "further lines." in text
    assert len(text) < 2000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"notify_webhook": "http://chat.example/hook"}, "notify_webhook must be https"),
        ({"notify_webhook": "https://u:p@chat.example"}, "notify_webhook must be https"),
        ({"notify_mail_to": "a@b.example"}, "notify_mail_from"),
        (
            {"notify_mail_to": "a@b", "notify_mail_from": "c@d", "notify_smtp": "mail.example"},
            "notify_smtp must be written like",
        ),
        ({"quiet_hours": "22-6"}, "quiet_hours must be"),
        ({"quiet_hours": "22:00-22:00"}, "quiet_hours must be"),
        ({"quiet_hours": "24:00-06:00"}, "quiet_hours must be"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings, says):
    """A wrong address or span is said at the start, not at the first incident."""
    with pytest.raises(ConfigurationError, match=says):
        build(Settings(secret_key=generate_key(), **settings))


def test_a_server_that_is_not_there_is_a_problem_and_no_exception(make_app, app):
    """Nothing listens: the telling says so."""
    find(app, "alpha")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lost = make_app(
        notify_mail_to="a@b.example",
        notify_mail_from="c@d.example",
        notify_smtp=f"smtp://u:canary@127.0.0.1:{port}",
    )

    (telling,) = lost.notifier.notify().tellings

    assert "Connection refused" in str(telling.problem)
    assert "canary" not in repr(telling)
