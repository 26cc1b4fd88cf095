"""What is given to an anchor lies there to the byte; what one refuses is lost by nobody."""

from __future__ import annotations

import socketserver
import traceback
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mail_server import mailbox, served

from carrierflow.app.assembly import anchors_from
from carrierflow.app.settings import Settings
from carrierflow.audit.log import delivery
from carrierflow.audit.log.anchors import FileAnchor, HttpAnchor, MailAnchor
from carrierflow.audit.log.checkpoint import split_notes
from carrierflow.audit.log.keys import SealKey
from carrierflow.errors import AnchorUnavailable, ConfigurationError

from .conftest import ACTS


class Shelf(BaseHTTPRequestHandler):
    """A store behind HTTP that takes what is PUT, or answers as it was told."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers.get("Authorization"), body))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def shelf():
    """A store on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as server:
        server.taken, server.answer = [], 201
        with served(server):
            yield server


@pytest.fixture
def post():
    """A mail server on loopback."""
    with mailbox() as server:
        yield server


def sealed(book, anchor, *, times=1):
    """Seal with an anchor, after more history each time; return what the last seal said."""
    for number in range(times):
        book.record(1, first=100 + number)
        done = book.sealer(anchors=[anchor]).seal()
    return done


def test_a_file_gets_every_checkpoint(book, tmp_path):
    """Each seal appends one note; they can be read one by one."""
    file = tmp_path / "elsewhere.txt"

    done = sealed(book, FileAnchor(file), times=3)

    assert done.ok
    notes = list(split_notes(file.read_text("utf-8")))
    assert 3 == len(notes)
    assert str(done.checkpoint) == notes[-1]


def test_a_store_gets_every_checkpoint_under_its_size(book, shelf):
    """The bytes that are PUT are those of the note, with the token that was given."""
    url = f"http://127.0.0.1:{shelf.server_port}/log/"

    done = sealed(book, HttpAnchor(url, token="a-token"))

    expected = (f"/log/{ACTS + 7}", "Bearer a-token", str(done.checkpoint).encode())
    assert [expected] == shelf.taken


def test_a_mailbox_gets_the_bytes_of_the_note(book, post):
    """The attachment of the letter is the note, whatever mail does to texts."""
    port = post.server_address[1]
    anchor = MailAnchor(
        f"smtp://127.0.0.1:{port}", sender="log@carrier.example", to=["auditor@example.org"]
    )

    done = sealed(book, anchor)

    (letter,) = post.letters
    message = message_from_bytes(letter, policy=policy.default)
    (attached,) = message.iter_attachments()
    assert f"Checkpoint {ACTS + 7} of log.example" == message["Subject"]
    assert "auditor@example.org" == message["To"]
    assert [str(done.checkpoint)] == list(split_notes(attached.get_content()))


@pytest.mark.parametrize("answer", [307, 401, 500])
def test_what_a_store_refuses_comes_again(book, shelf, answer):
    """A failure is reported, loses nothing, and the next seal delivers what is missing."""
    url = f"http://127.0.0.1:{shelf.server_port}"
    shelf.answer = answer
    failed = sealed(book, HttpAnchor(url), times=2)

    assert not failed.ok
    assert f"HTTP status {answer}" in str(failed.anchored[0].problem)
    assert ACTS + 14 == failed.checkpoint.checkpoint.size

    shelf.answer, shelf.taken[:] = 200, []
    done = book.sealer(anchors=[HttpAnchor(url)]).seal()
    assert done.ok
    assert [f"/{ACTS + 7}", f"/{ACTS + 14}"] == [path for path, _, _ in shelf.taken]
    assert 2 == done.anchored[0].kept


def test_a_failing_anchor_does_not_keep_another_from_its_checkpoint(book, tmp_path):
    """One anchor down, the other has everything."""
    file = tmp_path / "elsewhere.txt"
    down = HttpAnchor("http://127.0.0.1:1")
    book.record(1)

    done = book.sealer(anchors=[down, FileAnchor(file)]).seal()

    assert ["http"] == [each.anchor for each in done.anchored if each.problem]
    assert 1 == len(list(split_notes(file.read_text("utf-8"))))


def test_an_anchor_that_is_not_there_is_named(tmp_path):
    """Neither a missing directory nor a closed port is anything but our own error."""
    note = [(1, "note\n")]
    mail = MailAnchor("smtp://127.0.0.1:1", sender="a@example", to=["b@example"])

    for anchor in (FileAnchor(tmp_path / "no" / "file"), HttpAnchor("http://127.0.0.1:1"), mail):
        with pytest.raises(AnchorUnavailable, match=f"The {anchor.name} anchor"):
            anchor.keep(note)


NOTE = [(1, "log.example\n1\nroot\n")]
CANARY = "canary-4be1"


@pytest.fixture
def broken(monkeypatch):
    """A port where every connection is answered as no protocol does, or not at all."""
    monkeypatch.setattr(delivery, "TIMEOUT", 0.2)

    class Mute(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(self.server.says)
            if self.server.waits:
                self.request.recv(65536)
                self.request.recv(65536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mute) as server:
        server.says, server.waits = b"", False
        with served(server):
            yield server


def failing_files(folder):
    """Return file anchors that cannot keep anything."""
    paths = [folder, folder / CANARY / "file", folder / f"{CANARY}\x00", Path("/dev/full")]
    return [FileAnchor(path) for path in paths]


def failing_stores(port):
    """Return stores that cannot keep anything, whatever the port says."""
    place = f"127.0.0.1:{port}/{CANARY}"
    return [
        HttpAnchor("http://127.0.0.1:1", token=CANARY),
        HttpAnchor(f"http://{place}", token=CANARY),
        HttpAnchor(f"https://{place}", token=CANARY),
        HttpAnchor(f"http://{place}", token=f"{CANARY}\u1ebf"),
        HttpAnchor(f"http://{place}", token=f"{CANARY}\nx"),
    ]


def failing_mailboxes(port):
    """Return mailboxes that cannot keep anything, whatever the port says."""
    places = [f"{scheme}://u:{CANARY}@127.0.0.1:{port}" for scheme in delivery.MAIL_PORTS]
    made = [MailAnchor(place, sender="a@b.example", to=["c@d.example"]) for place in places]
    return [*made, MailAnchor("smtp://127.0.0.1:1", sender="a@b.example", to=["c@d.example"])]


@pytest.mark.parametrize(
    ("says", "waits"),
    [(b"", False), (b"", True), (b"nonsense\r\n", False), (b"HTTP/1.1 700 \r\n\r\n", False),
     (b"554 " + CANARY.encode() + b"\r\n", False), (b"\xff\x00" * 99, True)],
)  # fmt: skip
def test_every_failure_of_an_anchor_is_our_own_error(broken, tmp_path, says, waits):
    """Files, TLS, protocols, encodings, silence: one error, and no value of a setting in it."""
    broken.says, broken.waits = says, waits
    port = broken.server_address[1]

    for anchor in (
        *failing_files(tmp_path),
        *failing_stores(port),
        *failing_mailboxes(port),
    ):
        with pytest.raises(AnchorUnavailable, match=f"The {anchor.name} anchor") as caught:
            anchor.keep(NOTE)
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_login_or_a_letter_that_cannot_be_is_our_own_error(post):
    """A password outside of ASCII, a server without login, an address that is none."""
    place = f"127.0.0.1:{post.server_address[1]}"

    for server, sender in (
        (f"smtp://u:{CANARY}%C3%A9@{place}", "a@b.example"),
        (f"smtp+starttls://u:{CANARY}@{place}", "a@b.example"),
        (f"smtp://{place}", f"a@b.example\n{CANARY}"),
        (f"smtp://{place}", f"{CANARY}\udc80@b.example"),
    ):
        anchor = MailAnchor(server, sender=sender, to=["c@d.example"])
        with pytest.raises(AnchorUnavailable) as caught:
            anchor.keep(NOTE)
        assert CANARY not in "".join(traceback.format_exception(caught.value))


class Rude:
    """An anchor of somebody else, which keeps no promise."""

    name = "rude"

    def keep(self, _checkpoints):
        """Raise what nobody expects."""
        raise RuntimeError(CANARY)


def test_an_anchor_of_somebody_else_ends_nothing(book, tmp_path):
    """Whatever it raises, the others get theirs, and it is told without the text."""
    file = tmp_path / "elsewhere.txt"
    book.record(1)

    done = book.sealer(anchors=[Rude(), FileAnchor(file)]).seal()

    assert ["rude"] == [each.anchor for each in done.anchored if each.problem]
    assert CANARY not in str(done.anchored[0].problem)
    assert str(done.checkpoint) in file.read_text("utf-8")


@pytest.mark.parametrize("trouble", [KeyError(CANARY), OSError(28, CANARY)])
def test_no_trouble_with_a_seal_ends_what_came_before_it(book, caplog, monkeypatch, trouble):
    """The run's work is done; that its history was not sealed is a line in the log."""
    sealer = book.sealer()
    book.record(1)

    def fail(*_):
        raise trouble

    monkeypatch.setattr(SealKey, "sign", fail)
    sealer.seal_if_possible()

    assert ["carrierflow.seal_failed"] == [record.message for record in caplog.records]
    assert CANARY not in str(vars(caplog.records[0]))


@pytest.mark.parametrize(
    "values",
    [
        {"anchor_url": "http://store.example"},
        {"anchor_url": "https://u:canary@store.example"},
        {"anchor_url": "https://store.example/?canary=1"},
        {"anchor_url": "https://[store.example"},
        {"anchor_url": "https://store.example:canary"},
        {
            "anchor_mail_to": "a@example",
            "anchor_mail_from": "b@example",
            "anchor_smtp": "smtp://u:canary@mail.example:port",
        },
        {"anchor_url": "ftp://store.example"},
        {"anchor_mail_to": "a@example"},
        {"anchor_mail_to": "a@example", "anchor_mail_from": "b@example", "anchor_smtp": "mail"},
    ],
)
def test_an_anchor_that_cannot_be_used_is_refused(values):
    """What could leak a token, or cannot work, is refused before anything is sealed."""
    with pytest.raises(ConfigurationError) as caught:
        anchors_from(Settings(**values))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_every_anchor_of_the_settings_is_made(tmp_path):
    """One of each kind, where the settings name it; none by default."""
    settings = Settings(
        anchor_file=tmp_path / "f",
        anchor_url="https://store.example",
        anchor_mail_to="a@example, c@example",
        anchor_mail_from="b@example",
    )

    assert ["file", "http", "mail"] == [anchor.name for anchor in anchors_from(settings)]
    assert [] == anchors_from(Settings())
