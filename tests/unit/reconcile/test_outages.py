"""Long outages, each told once: by the host, and by the time since its last answer."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from carrierflow.reconcile import EndReason, RunReport
from carrierflow.reconcile.outages import new_outages

from .active_shops import BEGIN, shop


LIMIT = timedelta(hours=1)


class Runs:
    """Runs that ask some shops together; they remember what the table of runs would."""

    def __init__(self, *shops):
        self.shops, self.answered, self.vain = shops, {}, []

    def at(self, minutes, *silent, resting=()):
        """Ask all shops but those that rest; return what is told."""
        now, reports = BEGIN + timedelta(minutes=minutes), []
        before = list(self.vain)
        for each in self.shops:
            reason = EndReason.RESTING if each.code in resting else EndReason.DONE
            reason = EndReason.UNAVAILABLE if each.code in silent else reason
            run = "" if reason is EndReason.RESTING else "r"
            moments = {"started_at": now, "ended_at": now}
            reports.append(RunReport(shop=each.code, run=run, end_reason=reason, **moments))
            if reason is EndReason.DONE:
                self.answered[each.code] = now
            if reason is EndReason.UNAVAILABLE:
                self.vain.append((each.code, now))

        def asked_before(codes, since):
            return any(code in codes and at >= since for code, at in before)

        return list(new_outages(self.shops, reports, self.answered, asked_before, limit=LIMIT))


@given(every=st.integers(1, 90), lasts=st.integers(1, 2000), spared=st.booleans())
def test_an_outage_is_told_once_if_it_is_long(every, lasts, spared):
    """However often runs ask: once, by the first that asks after the limit, or never."""
    runs = Runs(shop("a"), shop("b"))
    runs.at(0)
    tries = range(every, lasts, every)

    told = {at: runs.at(at, "a", "b", *(("b",) if not spared else ())) for at in tries}

    told = [(at, found) for at, found in told.items() if found]
    late = [at for at in tries if at >= 60]
    assert late[:1] == [at for at, _ in told]
    assert all(["a.example", ("a", "b"), BEGIN] == [f.host, f.shops, f.since] for _, (f,) in told)
    assert [] == runs.at(lasts + every)


def test_shops_that_are_spared_say_nothing_of_their_host():
    """A run in which all of a host's shops rest tells no outage; the next one that asks does."""
    runs = Runs(shop("a"), shop("b"))
    runs.at(0)

    assert [] == runs.at(70, resting=("a", "b"))
    (outage,) = runs.at(80, "a", resting=("b",))
    assert (("a", "b"), True) == (outage.shops, outage.whole)


def test_a_second_outage_is_news():
    """Once the host has answered, its next long silence is told again."""
    runs = Runs(shop("a"))
    runs.at(0)
    assert 1 == len(runs.at(60, "a"))
    runs.at(100)

    assert [] == runs.at(110, "a")
    assert 1 == len(runs.at(160, "a"))
    assert [] == runs.at(170, "a")


def test_one_shop_that_is_silent_among_others_is_told_for_itself():
    """Where the host answers others, it is the shop's outage; other hosts have nothing to do."""
    runs = Runs(shop("a"), shop("b"), shop("c", host="c.example"))
    runs.at(0)

    assert [] == runs.at(30, "a")
    (outage,) = runs.at(61, "a")
    assert ("a.example", ("a",), False) == (outage.host, outage.shops, outage.whole)
    assert [] == runs.at(90, "a")


def test_a_host_that_never_answered_is_silent_since_it_was_connected():
    """A wrong address is told as well, an hour after the shop was added."""
    runs = Runs(shop("a"))

    assert [] == runs.at(5, "a")
    assert [BEGIN] == [outage.since for outage in runs.at(65, "a")]
    assert [] == runs.at(70, "a")
