"""The way between a process and the platform: virtual time, and everything that can go wrong."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import requests
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

from carrierflow.sandbox import Dropped, Request

from .scheduler import Broken


PUT_PATH = re.compile(r"/orders/(\d+)/fulfillments/(\d+)/(?:.*/)?([a-z]+)\.json")

NEAR = (0.01, 0.25)
FAR = (1.0, 12.0)
"""A request that is stuck in some queue: it may arrive after its client gave up."""


@dataclass(slots=True)
class SentPut:
    """One PUT that left, and what its sender can know of it."""

    order: str
    fulfillment: str
    path: str
    departed_us: int
    settled_at_us: int
    """When its effect is certain, by the settle window; set when its sender gives up."""
    state: str = "open"
    commits: int = 0

    def committed(self):
        """Count what its sender committed since: the first is the budget's, then the result."""
        if self.state == "answered":
            self.commits += 1
            if self.commits > 1:
                self.state = "recorded"

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

    def __init__(self, scheduler, haravan, *, seed, jitter, timeout, settle, longest, watch):
        super().__init__()
        self.scheduler, self.haravan, self.watch = scheduler, haravan, watch
        self.chance = random.Random(f"{seed}:network")
        self.jitter, self.timeout, self.settle_us = jitter, timeout, round(settle * 1e6)
        self.longest = longest
        self.sent = []
        self.last = {}
        self.refused_connections = 0

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
        put = self._departs(request, process)
        scheduler.tell(f"→ {request.method} {request.path_url}")
        gives_up = scheduler.time_us + round(self.timeout * 1e6)
        arrival = self._arrival(request)
        scheduler.kill_point("in the air")
        self._wait(arrival.seconds + 1e-6, gives_up, put)
        scheduler.kill_point("after apply")
        outcome = arrival.outcome
        if isinstance(outcome, Dropped):
            self._wait(self._hop(), gives_up, put)
            scheduler.tell("← connection reset")
            self._ambiguous(put)
            raise requests.ConnectionError(ProtocolError("reset"))
        self._wait(self._hop() + outcome.delay_seconds, gives_up, put)
        scheduler.tell(f"← {outcome.status} {len(outcome.body)}")
        scheduler.kill_point("before reply")
        self._answered(put, outcome)
        return _response(request, outcome)

    def _connect(self):
        self.scheduler.pause(self.chance.uniform(0.001, 0.02))
        if self.chance.random() < self.jitter / 2:
            self.refused_connections += 1
            self.scheduler.tell("connection refused")
            raise requests.ConnectionError("refused")

    def _hop(self):
        far = self.chance.random() < self.jitter
        return self.chance.uniform(*(FAR if far else NEAR))

    def _arrival(self, request):
        arrival = _Arrival(self, Request.of(request.method, request.url, request.headers))
        arrival.seconds = self._hop()
        self.scheduler.at(arrival.seconds, arrival)
        return arrival

    def _wait(self, seconds, gives_up, put):
        left = (gives_up - self.scheduler.time_us) / 1e6
        if seconds < left:
            self.scheduler.pause(seconds)
            return
        self.scheduler.pause(left)
        self.scheduler.tell("← timeout")
        self._ambiguous(put)
        raise requests.ReadTimeout("too slow")

    def _departs(self, request, process):
        match = PUT_PATH.search(request.path_url) if request.method == "PUT" else None
        if match is None:
            return None
        order, fulfillment, _ = match.groups()
        now = self.scheduler.time_us
        before = self.last.get(request.path_url)
        if before is not None and before.is_ambiguous and now < before.settled_at_us:
            raise Broken("P3", f"repeated before the settle window: {request.path_url}")
        if before is not None and before.is_ambiguous:
            before.state = "resolved"
        put = SentPut(order, fulfillment, request.path_url, now, now + self.settle_us)
        self.watch.put_departs(put)
        self.sent.append(put)
        self.last[put.path] = process.put = put
        return put

    def _ambiguous(self, put):
        if put is not None:
            put.state = "ambiguous"
            put.settled_at_us = self.scheduler.time_us + self.settle_us

    def _answered(self, put, outcome):
        if put is None:
            return
        if outcome.status in {429, 400, 401, 403, 404, 422}:
            put.state = "not_applied"
        elif outcome.is_usable and len(outcome.body) <= self.longest:
            put.state = "answered"
        else:
            self._ambiguous(put)


class _Arrival:
    """A request on its way, which arrives whether or not its sender lives."""

    def __init__(self, network, request):
        self._network, self._request = network, request
        self.seconds, self.outcome = 0.0, None

    def __call__(self):
        self.outcome = self._network.haravan.handle(self._request)
        self._network.watch.platform_changed()


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
