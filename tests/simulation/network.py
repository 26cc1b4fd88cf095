"""The way between a process and the platform: virtual time, and everything that can go wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass

import requests
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from carrierflow.sandbox.exchange import HTML, Dropped, HttpReply, HttpRequest

from .scheduler import Broken
from .side import BAD_REQUEST, PAUSE, SETTLE, TIMEOUT, Told


PATIENCE = 0.05

NEAR = (0.01, 0.25)
FAR = (1.0, 12.0)
"""A request that is stuck in some queue: it may arrive after its client gave up."""


def nothing(_request):
    """Do nothing."""


def unchanged(outcome):
    """Return a reply as it is."""
    return outcome


@dataclass(slots=True)
class SentPut:
    """One PUT that left, and what its sender can know of it."""

    watch: object
    told: Told
    path: str
    departed_us: int
    settled_at_us: int
    """When its effect is certain, by the settle window; set when its sender gives up."""
    refused: bool = False
    """Whether it was answered with a no, by whomever."""
    state: str = "open"

    def committed(self):
        """Take note where a commit of its sender's brought its result on record."""
        if self.state == "answered" and (result := self.watch.result_of(self)):
            self.state = "ambiguous" if result == "unknown" else "recorded"

    @property
    def fulfillment(self):
        """The parcel that it is about."""
        return self.told.fulfillment

    @property
    def is_ambiguous(self):
        """Tell whether its sender does not know what became of it."""
        return self.state in {"open", "ambiguous", "answered"}


class Body:
    """The bytes of a reply as they come in; some break off."""

    def __init__(self, content, *, breaks):
        self._content, self._breaks = content, breaks

    def read(self, size):
        """Return some bytes."""
        if not self._content and self._breaks:
            raise ProtocolError("the connection broke")
        chunk, self._content = self._content[:size], self._content[size:]
        return chunk

    def close(self):
        """Do nothing: there is no socket."""


class Network(BaseAdapter):
    """Carries requests of all processes to one platform; stands in for the socket."""

    def __init__(self, scheduler, side, watch, *, seed, jitter):
        super().__init__()
        self.scheduler, self.side, self.watch = scheduler, side, watch
        self.chance = random.Random(f"{seed}:network")
        self.jitter, self.timeout, self.settle_us = jitter, TIMEOUT, round(SETTLE * 1e6)
        self.sent = []
        self.last = {}
        self.after_cancel = lambda: None
        """Lets the platform tell the carrier of a cancel; its reply waits until that has ended."""
        self.before_read = self.after_read = nothing
        """What happens at the platform whenever it is read."""
        self.storm = None
        self.warp = unchanged
        """What every reply looks like when it comes over."""

    def session(self, departure):
        """Return a session for the client whose requests go through here."""
        session = requests.Session()
        session.trust_env = False
        session.cookies = RequestsCookieJar()
        session.adapters.clear()
        session.mount("http://", _Way(self, departure))
        return session

    def close(self):
        """Do nothing."""

    def carry(self, request, departure):
        """Send one request and wait for its reply, no longer than the client would."""
        scheduler, process = self.scheduler, self.scheduler.current
        self._connect()
        scheduler.kill_point("before send")
        departure.leave()
        departed_us = scheduler.time_us
        put = self._departs(request, process)
        scheduler.tell(f"→ {request.method} {request.path_url}")
        gives_up = scheduler.time_us + round(self.timeout * 1e6)
        arrival = self._arrival(request)
        scheduler.kill_point("in the air")
        self._wait(arrival.seconds + 1e-6, gives_up, put)
        while arrival.calling is not None and arrival.calling.alive:
            self._wait(PATIENCE, gives_up, put)
        scheduler.kill_point("after apply")
        outcome = arrival.outcome
        if isinstance(outcome, Dropped):
            self._wait(self._hop(), gives_up, put)
            scheduler.met["connection reset"] += 1
            scheduler.tell("← connection reset")
            self._ambiguous(put)
            raise requests.ConnectionError(ProtocolError("reset"))
        self._wait(self._hop() + outcome.delay_seconds, gives_up, put)
        scheduler.tell(f"← {outcome.status} {len(outcome.body)}")
        scheduler.kill_point("before reply")
        self._answered(put, outcome)
        self._understood(process, outcome, departed_us)
        return _response(request, outcome)

    def _connect(self):
        self.scheduler.pause(self.chance.uniform(0.001, 0.02))
        if self.chance.random() < self.jitter / 2:
            self.scheduler.met["connection refused"] += 1
            self.scheduler.tell("connection refused")
            raise requests.ConnectionError("refused")

    def _hop(self):
        far = self.chance.random() < self.jitter
        return self.chance.uniform(*(FAR if far else NEAR))

    def _arrival(self, request):
        arrival = _Arrival(
            self,
            HttpRequest.of(request.method, request.url, request.headers, request.body or b""),
        )
        arrival.seconds = self._hop()
        self.scheduler.at(arrival.seconds, arrival)
        return arrival

    def _wait(self, seconds, gives_up, put):
        left = (gives_up - self.scheduler.time_us) / 1e6
        if seconds < left:
            self.scheduler.pause(seconds)
            return
        self.scheduler.pause(left)
        self.scheduler.met["timeout"] += 1
        self.scheduler.tell("← timeout")
        self._ambiguous(put)
        raise requests.ReadTimeout("too slow")

    def _departs(self, request, process):
        if self.scheduler.time_us < process.paused_until_us:
            raise Broken("budget", f"{request.path_url} leaves within Retry-After")
        if request.method == "GET":
            return None
        now = self.scheduler.time_us
        before = self.last.get(request.path_url)
        settled = before is None or now >= before.settled_at_us - self.watch.tolerance * 1e6
        if before is not None and before.is_ambiguous and not settled:
            raise Broken("P3", f"repeated before the settle window: {request.path_url}")
        if before is not None and before.is_ambiguous:
            before.state = "resolved"
        put = SentPut(
            self.watch, self.side.told(request), request.path_url, now, now + self.settle_us
        )
        self.watch.put_departs(put, process)
        self.sent.append(put)
        self.last[put.path] = process.put = put
        return put

    def storms(self, request):
        """Tell whether a proxy answers a request in the platform's place now."""
        storm, now = self.storm, self.scheduler.time_us / 1e6
        if storm is None or (storm.spares_reads and request.method == "GET"):
            return False
        return storm.begins < now < storm.ends

    def _understood(self, process, outcome, departed_us):
        """Note what a process knows now that it has a reply."""
        if "Retry-After" in outcome.headers:
            pause_us = round(min(float(outcome.headers["Retry-After"]), PAUSE) * 1e6)
            process.paused_until_us = self.scheduler.time_us + pause_us
        if outcome.is_usable and outcome.status < BAD_REQUEST:
            for number in self.side.numbers.findall(outcome.body):
                process.readings[number.decode()] = departed_us

    def _ambiguous(self, put):
        """Note that the outcome is unclear from the end of the request on.

        A process that stands still over a request hears of its end late; the end is no later
        for that, and other runs count from there.
        """
        if put is not None:
            end_us = min(self.scheduler.time_us, put.departed_us + round(self.timeout * 1e6))
            put.state = "ambiguous"
            put.settled_at_us = end_us + self.settle_us

    def _answered(self, put, outcome):
        if put is None:
            return
        put.refused = self.side.says_no(outcome)
        if self.side.turned_away(outcome):
            put.state = "not_applied"
        elif outcome.is_usable and len(outcome.body) <= self.side.longest_reply:
            put.state = "answered"
        else:
            self._ambiguous(put)


class _Arrival:
    """A request on its way, which arrives whether or not its sender lives."""

    def __init__(self, network, request):
        self._network, self._request = network, request
        self.seconds, self.outcome, self.calling = 0.0, None, None

    def __call__(self):
        network = self._network
        if network.storms(self._request):
            self.outcome = HttpReply(status=network.storm.status, headers={"Content-Type": HTML})
            network.scheduler.met["storm"] += 1
            return
        is_read = self._request.method == "GET"
        if is_read:
            network.before_read(self._request)
        self.outcome = network.warp(network.side.answer(self._request))
        network.side.moved()
        if self._request.path.endswith("/cancel.json"):
            self.calling = network.after_cancel()
        if is_read:
            network.after_read(self._request)


class _Way(BaseAdapter):
    """What a session holds: the network, and the departure of this session's requests."""

    def __init__(self, network, departure):
        super().__init__()
        self._network, self._departure = network, departure

    def send(self, request, **_options):
        """Send one request."""
        return self._network.carry(request, self._departure)

    def close(self):
        """Do nothing."""


def _response(request, outcome):
    response = requests.Response()
    body = outcome.body[: len(outcome.body) // 2] if outcome.is_truncated else outcome.body
    response.status_code = outcome.status
    response.headers = CaseInsensitiveDict(outcome.headers)
    response.raw = Body(body, breaks=outcome.is_truncated)
    response.request, response.url = request, request.url
    return response
