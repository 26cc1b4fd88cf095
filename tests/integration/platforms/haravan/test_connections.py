"""A later request never gets an earlier one's answer, whatever a connection says."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from carrierflow.errors import OutcomeUnknown, PlatformUnavailable
from carrierflow.platforms.haravan import HttpLimits

from .conftest import PICK


BAIT = {"orders": [{"id": 666, "updated_at": "2026-03-01T01:30:00Z", "fulfillments": []}]}
PAGE = {"orders": [{"id": 7, "updated_at": "2026-03-01T01:30:00Z", "fulfillments": []}]}


def http(body, *, status="200 OK", length=None, headers=""):
    """Return a reply as it goes over the wire."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = len(content) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n"
    return head.encode() + content


def interim(status):
    """Return an interim answer, which is no reply yet."""
    return f"HTTP/1.1 {status}\r\nX-Odd: 1\r\n\r\n".encode()


STALE = http(BAIT)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = json.dumps(PAGE).encode()

SOUND = {
    "plain": [http(PAGE)],
    "in two parts": [http(PAGE)[:30], http(PAGE)[30:]],
    "chunked": [CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(WHOLE), WHOLE)],
}
"""What one connection may say again and again."""

ODD = {
    "100 first": [interim("100 Continue") + http(PAGE)],
    "102 first": [interim("102 Processing") + http(PAGE)],
    "103 first": [interim("103 Early Hints"), http(PAGE)],
    "many interim answers": [interim("100 Continue") * 3 + interim("199 Odd") + http(PAGE)],
    "the reply twice": [http(PAGE) + STALE],
    "the reply twice, the second later": [http(PAGE), STALE],
    "bytes behind the body": [http(PAGE) + b"garbage"],
    "a line end too much": [http(PAGE) + b"\r\n"],
    "bytes behind the last chunk": [
        CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(WHOLE), WHOLE) + STALE
    ],
}
"""What is read all the same, on a connection that is then not used again."""

BROKEN = {
    "102 alone": [interim("102 Processing")],
    "101": [interim("101 Switching Protocols") + STALE],
    "204 with a body": [http(BAIT, status="204 No Content")],
    "304 with a body": [http(BAIT, status="304 Not Modified")],
    "a length that is too short": [http(PAGE, length=10) + STALE],
    "a length that is too long": [http(PAGE, length=10_000)],
    "two lengths": [http(PAGE, headers="Content-Length: 3\r\n") + STALE],
    "no HTTP at all": [b"SSH-2.0-OpenSSH_9.6\r\n" + STALE],
    "a status that is no number": [b"HTTP/1.1 OK\r\n\r\n" + STALE],
    "a chunk that is none": [CHUNKED + b"zz\r\n" + STALE],
}
"""What cannot be read, and leaves something behind for whoever comes next."""


class RawServer:
    """Says scripted bytes for each request, whatever HTTP thinks of them."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.script, self.connections, self.requests = [], 0, []
        self._open = []
        self.said = threading.Semaphore(0)
        """Released when all parts of a reply have left, which its reader need not wait for."""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                talk, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(talk)
            talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(talk,), daemon=True).start()

    def _talk(self, talk):
        try:
            while request := self._request(talk):
                self.requests.append(request.split(b" ", 1)[0].decode())
                for part in self.script.pop(0):
                    talk.sendall(part)
                self.said.release()
        except OSError:
            pass

    def _request(self, talk):
        heard = b""
        while b"\r\n\r\n" not in heard:
            more = talk.recv(65536)
            if not more:
                return b""
            heard += more
        return heard

    def close(self):
        """Stop listening, and hang up."""
        self._listener.close()
        for talk in self._open:
            talk.close()


@pytest.fixture
def raw():
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def told(raw, make_platform):
    """A platform on the raw server, which asks once and not for long."""
    return make_platform(base_url=raw.url, limits=HttpLimits(get_retries=0, request_timeout=0.2))


def ids(platform):
    """Return the ids of the orders that a read brings."""
    return [order.order_id for order in platform.orders_changed(platform._client._now())]


@pytest.mark.parametrize("case", SOUND)
def test_a_sound_connection_is_used_again(raw, told, case):
    """Plain replies, however they are cut, come one after the other on one connection."""
    raw.script = [SOUND[case]] * 3

    assert [["7"]] * 3 == [ids(told) for _ in range(3)]
    assert 1 == raw.connections


@pytest.mark.parametrize("case", ODD)
def test_what_says_more_than_one_reply_is_not_used_again(raw, told, case):
    """The reply counts; the next request has a connection of its own, and its own answer."""
    raw.script = [ODD[case], [http({"orders": []})]]

    assert ["7"] == ids(told)
    assert raw.said.acquire(timeout=10)
    assert [] == ids(told)
    assert 2 == raw.connections


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_leaves_nothing_to_the_next_request(raw, told, case):
    """A read that failed says so, and the next one gets its own answer on a new connection."""
    raw.script = [BROKEN[case], [http(PAGE)]]

    with pytest.raises(PlatformUnavailable):
        ids(told)
    assert ["7"] == ids(told)
    assert 2 == raw.connections


@pytest.mark.parametrize("case", BROKEN)
def test_a_write_that_got_no_reply_leaves_nothing_to_the_next_request(raw, told, ref, soon, case):
    """Whatever came instead of a reply to a PUT, its outcome is unknown and it is not repeated."""
    raw.script = [BROKEN[case], [http(PAGE)]]

    with pytest.raises(OutcomeUnknown):
        told.write(ref, PICK, not_later_than=soon)
    assert ["7"] == ids(told)
    assert (["PUT", "GET"], 2) == (raw.requests, raw.connections)
