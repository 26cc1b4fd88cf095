"""What comes of every HTTP status, to a read and to a write, once, for a minute, and for ever."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from carrier import carrying

from carrierflow.platforms.http.replies import PlatformReply
from carrierflow.platforms.http.transport import Transport

from .test_faults import FAST


KINDS = (302, 401, 404, 408, 422, 429, 500)
"""One of each kind; the slow test takes them all."""

FEW = 3
MANY = 25
"""More than a run may freeze in a shop of this size."""

UNKNOWN = {408, 425, 499}


class Weather:
    """Answers requests of one method in the platform's place, while it lasts."""

    def __init__(self, monkeypatch):
        self.method, self.status, self.left, self.after = "", 0, 0, False
        self._exchange = Transport.exchange
        monkeypatch.setattr(Transport, "exchange", self._answering())

    def _answering(self):
        def exchange(transport, method, path, params=None, **options):
            if method != self.method or not self.left:
                return self._exchange(transport, method, path, params, **options)
            self.left -= 1
            if self.after:
                self._exchange(transport, method, path, params, **options)
            transport.counts.add(get=method == "GET", put=method == "PUT")
            moment = transport._now()
            return PlatformReply(
                status=self.status,
                headers={},
                body=b"<html>",
                flaw=None,
                asked_at=moment,
                seen_at=moment,
            )

        return exchange

    @contextmanager
    def storm(self, method, status, *, times=10**9, after=False):
        """Answer the next requests of a method with one status; `after` they were carried out."""
        self.method, self.status, self.left, self.after = method, status, times, after
        yield
        self.left = 0


@pytest.fixture
def weather(monkeypatch):
    return Weather(monkeypatch)


@pytest.fixture
def carrier(tmp_path):
    """A carrier that has no shop yet."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        yield made


def parcels_behind(carrier, shop, count=FEW):
    """Make parcels that the platform knows, and record one step more of each."""
    carrier.connect(shop, bucket_size=100_000, leak_per_second=100_000)
    refs = [carrier.parcel(shop) for _ in range(count)]
    carrier.clock.advance(60)
    carrier.app.reconcile([shop], full=True)
    for ref in refs:
        carrier.record(ref, "picking")
    return refs


def runs(carrier, refs, times, *, every):
    """Let cron run so often; return how each run ended."""
    ends = []
    for _ in range(times):
        (report,) = carrier.app.reconcile([refs[0].shop])
        ends.append(str(report.end_reason))
        carrier.clock.advance(every)
    return ends


def frozen(carrier, refs):
    """Return what froze any of these."""
    return {carrier.app.parcel(ref.shop, ref.fulfillment_id).frozen for ref in refs} - {None}


def is_refusal(status):
    """Tell whether a status is a clear no."""
    return 400 <= status < 500 and status not in {401, 403, 429} | UNKNOWN


def end_of_a_storm(method, status):
    """Return how a run ends in which nothing but this is answered."""
    if status in {401, 403}:
        return "access_denied"
    if method == "PUT":
        return "done"
    return "throttled" if status == 429 else "unavailable"


def check_one(carrier, weather, method, status):
    """One odd answer leaves no trace, whether the platform did what was asked or not."""
    for after in (False, True) if method == "PUT" else (False,):
        refs = parcels_behind(carrier, f"s{status}-{after}", 1)
        with weather.storm(method, status, times=1, after=after):
            runs(carrier, refs, 1, every=60)
        runs(carrier, refs, 2, every=60)
        check_all_is_told(carrier, refs)


def check_a_minute(carrier, weather, method, status):
    """A minute of it holds everything up, and that is all."""
    refs = parcels_behind(carrier, f"s{status}")
    with weather.storm(method, status):
        assert end_of_a_storm(method, status) == runs(carrier, refs, 3, every=20)[0]
    carrier.clock.advance(60)
    runs(carrier, refs, 2, every=60)
    check_all_is_told(carrier, refs)


def check_for_ever(carrier, weather, method, status):
    """However long it lasts, only three refusals give a parcel to a person, and none is gone."""
    refs = parcels_behind(carrier, f"s{status}")
    with weather.storm(method, status):
        for number in range(1, 6):
            (end,) = runs(carrier, refs, 1, every=1200)
            is_frozen = method == "PUT" and is_refusal(status) and number > 3
            assert ({"refused"} if is_frozen else set()) == frozen(carrier, refs)
            assert end_of_a_storm(method, status) == end
    assert {("readytopick", "none")} == {carrier.shown(ref) for ref in refs}
    assert {0} == {carrier.app.parcel(ref.shop, ref.fulfillment_id).missing for ref in refs}


def check_all_is_told(carrier, refs):
    """Both sides agree, and nothing is left for a person."""
    assert set() == frozen(carrier, refs)
    assert [] == [incident.kind for incident in carrier.app.incidents.all(shop=refs[0].shop)]
    assert {("picking", "none")} == {carrier.shown(ref) for ref in refs}


CHECKS = {"one": check_one, "a minute": check_a_minute, "for ever": check_for_ever}
EACH = {"one": 1, "a minute": 7, "for ever": 7}
"""Of how many statuses one is tried: what lasts is judged by the same rule as what comes once."""


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("lasting", CHECKS)
def test_each_kind_of_answer(carrier, weather, method, lasting):
    """Each kind of status holds up what it must, freezes nothing, and gives nothing up."""
    for status in KINDS:
        CHECKS[lasting](carrier, weather, method, status)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("lasting", CHECKS)
@pytest.mark.parametrize("hundred", range(1, 6))
def test_every_answer(carrier, weather, method, lasting, hundred):
    """The same of every status from 100 to 599, once; and of every seventh where it lasts."""
    for status in range(100 * hundred, 100 * hundred + 100, EACH[lasting]):
        if (method, status) != ("GET", 200):
            CHECKS[lasting](carrier, weather, method, status)


def test_a_run_that_is_refused_everywhere_is_stopped_by_the_brake(carrier, weather):
    """However long everything is refused, no parcel is frozen for it; then all is told."""
    refs = parcels_behind(carrier, "alpha", MANY)

    with weather.storm("PUT", 422):
        ends = runs(carrier, refs, 12, every=60)
        assert set() == frozen(carrier, refs)
    assert {"brake"} == {incident.kind for incident in carrier.app.incidents.all()}
    assert "brake" == ends[0] == ends[-1]

    runs(carrier, refs, 2, every=60)
    check_all_is_told(carrier, refs)


@pytest.mark.parametrize("status", [404, 409, 422])
def test_a_parcel_that_is_refused_three_times_is_frozen(carrier, weather, status):
    """A parcel that is refused again and again, with Δ between, is given to a person."""
    refs = parcels_behind(carrier, "alpha", 1)

    with weather.storm("PUT", status):
        for _ in range(3):
            assert ["done"] == runs(carrier, refs, 1, every=60)
            assert set() == frozen(carrier, refs)
        runs(carrier, refs, 1, every=60)

    assert {"refused"} == frozen(carrier, refs)
    (incident,) = carrier.app.incidents.all()
    assert f"refused picking 3 times; at last it said: HTTP {status}" in incident.sentence


def test_a_refusal_is_looked_at_again_only_after_the_settle_window(carrier, weather):
    """Runs in quick succession do not use the three tries up."""
    refs = parcels_behind(carrier, "alpha", 1)

    with weather.storm("PUT", 422, times=100):
        runs(carrier, refs, 20, every=1)
        assert 99 == weather.left


def test_what_was_refused_but_carried_out_is_never_repeated(carrier, weather):
    """A proxy that answers 422 for what the platform did costs no second PUT."""
    refs = parcels_behind(carrier, "alpha")

    with weather.storm("PUT", 422, after=True):
        runs(carrier, refs, 4, every=60)

    check_all_is_told(carrier, refs)
    assert (FEW, ()) == (carrier.judged().puts_received, carrier.judged().duplicates)
