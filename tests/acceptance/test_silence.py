"""What cron mails after a night of runs: nothing, or one line for each thing to do."""

from __future__ import annotations

import logging
import random
from functools import partial

import pytest
from carrier import carrying
from terminals import runner

from carrierflow.app.build import build
from carrierflow.cli import cli
from carrierflow.sandbox.haravan import FaultKind, FaultMix, Faults
from carrierflow.storage import DatabaseClock

from .test_faults import FAST, NETWORK


MIX = FaultMix(rates=NETWORK, late_seconds=(1, 30), stale_seconds=(1, 20), missing_share=0.1)
DOWN = FaultMix(rates={FaultKind.LOST_REQUEST: 1.0})

RUNS = 100
FULL = 24
TROUBLE = 30
ROAD = ("picking", "delivering", "delivered")
EVERY_SECONDS = 300


class Night:
    """A carrier's night: every five minutes cron's line, the full pass now and then, and scans."""

    def __init__(self, carrier, faults, shops):
        self.carrier, self.faults = carrier, faults
        self.shops = [f"shop-{number:03}" for number in range(shops)]
        self.rng = random.Random(15)
        carrier.connect(*self.shops, bucket_size=100_000, leak_per_second=100_000)
        self.parcels = [carrier.parcel(shop, cod=1000) for shop in self.shops]
        self.walks = {ref: list(ROAD) for ref in self.parcels}
        settings = carrier.settings.model_dump(exclude_unset=True, exclude={"secret_key"})
        settings["secret_key"] = carrier.settings.secret_key.get_secret_value()
        self.environment = {f"CARRIERFLOW_{name.upper()}": str(it) for name, it in settings.items()}

    def mails(self, trouble=lambda: None, *, runs=RUNS, down=range(0)):
        """Return what cron mails, by the number of the run; `down` are those without a platform."""
        said = {number: self._run(number, trouble, down) for number in range(runs)}
        return {number: mail for number, mail in said.items() if mail}

    def _run(self, number, trouble, down):
        self.faults.plan(mix=DOWN if number in down else MIX)
        self.carrier.clock.advance(EVERY_SECONDS)
        self._scan()
        if number == TROUBLE:
            trouble()
        return self.cron("reconcile", *(("--full", "--wait") if number == FULL else ()))

    def cron(self, *arguments):
        """Return what a line of the crontab leaves to be mailed: stdout goes to /dev/null."""
        answer = runner().invoke(cli, arguments, env=self.environment)
        assert answer.exit_code in {0, 1, 3}, answer.output
        assert answer.exception is None or isinstance(answer.exception, SystemExit)
        return answer.stderr

    def _scan(self):
        moving = [ref for ref, walk in self.walks.items() if len(walk) > 1]
        for ref in self.rng.sample(moving, min(len(moving), 3)):
            self.carrier.record(ref, self.walks[ref].pop(0))

    def agrees(self):
        """Tell whether all parcels agree, after the faults are over."""
        self.faults.plan()
        for _ in range(3):
            self.carrier.clock.advance(EVERY_SECONDS)
            self.carrier.app.reconcile(full=True)
        return all(map(self.carrier.agrees, self.parcels))


@pytest.fixture
def night(tmp_path, monkeypatch):
    """Begins a night of so many shops; what libraries log goes to stderr, as outside of a test."""
    faults = Faults(seed=15, late_limit=30.0)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with carrying(
        f"sqlite:///{tmp_path}/ledger.db", faults=faults, parallel_shops=2, **FAST
    ) as carrier:
        now, sleep = carrier.now, carrier.clock.advance
        timed = partial(build, now=now, sleep=sleep, database_clock=DatabaseClock(now))
        monkeypatch.setattr("carrierflow.cli.session.build", timed)
        yield partial(Night, carrier, faults)


@pytest.mark.slow
def test_a_night_that_needs_nobody_mails_nothing(night):
    """A hundred runs on two hundred shops, through every network fault: cron mails nothing.

    The faults were there: PUTs were repeated or asked about, and all the same both sides agree.
    """
    night = night(200)

    mails = night.mails()

    shops, writes = len(night.shops), night.carrier.writes
    print(f"{RUNS} runs, {shops} shops, {writes} PUTs; mails: {mails}")
    assert {} == mails
    assert night.carrier.judged().ambiguous
    assert night.agrees()


@pytest.mark.slow
def test_what_needs_a_person_is_one_mail_with_a_line_for_each_thing(night):
    """Two parcels cancelled in one shop, and ten tokens that are refused: one mail of two lines."""
    night = night(12)
    first, refused = night.shops[0], night.shops[2:]
    night.parcels += [night.carrier.parcel(first, cod=1000)]
    cancelled = [ref for ref in night.parcels if ref.shop == first]
    for ref in cancelled:
        night.carrier.record(ref, *ROAD[:2])
        night.walks[ref] = []

    def trouble():
        night.faults.plan()
        for ref in cancelled:
            there = night.carrier.world.shop(ref.shop)
            parcel = there.parcel(int(ref.order_id), int(ref.fulfillment_id))
            night.carrier.world.edit(parcel.ref, carrier_status="cancel")
        for shop in refused:
            night.carrier.world.uninstall(shop)

    mails = night.mails(trouble, runs=TROUBLE + 10)

    assert [TROUBLE] == list(mails)
    print(mails[TROUBLE])
    two, ten = sorted(mails[TROUBLE].splitlines())
    assert two.startswith(f"{first}: ")
    assert ", 2 incidents. See `carrierflow incidents list --shop shop-000`." in two
    assert ten.startswith("shop-002, shop-003, shop-004 and 7 more shops: access_denied: ")
    assert ten.endswith("See `carrierflow incidents list --kind access_denied`.")


@pytest.mark.slow
def test_a_long_outage_is_told_once_and_a_short_one_never(night):
    """Twenty silent minutes are not told; of two silent hours a run after the first one tells.

    Which one that is depends on which shops rest then: the first that asks again.
    The full pass in the middle does not say it again, and nobody is told that it is over.
    """
    night = night(6)

    begin, end = 10, 34
    mails = night.mails(runs=40, down=[*range(2, 6), *range(begin, end)])

    print(mails)
    ((number, mail),) = mails.items()
    assert begin + 11 <= number < end
    assert 1 == len(mail.splitlines())
    assert "shop-000, shop-001, shop-002 and 3 more shops: no answer from 127.0.0.1" in mail
    assert night.agrees()
