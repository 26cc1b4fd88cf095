"""What cron mails after a night of runs: nothing, or one line for each thing to do."""

from __future__ import annotations

import logging
import random

import pytest
from carrier import carrying

from carrierflow.cli.complaints import complaints
from carrierflow.sandbox.haravan import FaultMix, Faults

from .test_faults import FAST, NETWORK


RUNS = 100
FULL = 24
TROUBLE = 60
SHOPS = [f"shop-{number:02}" for number in range(24)]
ROAD = ("picking", "delivering", "delivered")
MIX = FaultMix(rates=NETWORK, late_seconds=(1, 30), stale_seconds=(1, 20), missing_share=0.1)


class Night:
    """A carrier's night: every five minutes a run, one of them full, and scans in between."""

    def __init__(self, carrier, faults, caplog):
        self.carrier, self.faults, self.caplog = carrier, faults, caplog
        self.rng = random.Random(15)
        carrier.connect(*SHOPS, bucket_size=100_000, leak_per_second=100_000)
        self.parcels = [carrier.parcel(shop, cod=1000) for shop in SHOPS for _ in range(2)]
        self.walks = {ref: list(ROAD) for ref in self.parcels}

    def mails(self, trouble=lambda: None):
        """Return what cron mails, one text for each run that says something."""
        mails = (self._run(number, trouble) for number in range(RUNS))
        return [mail for mail in mails if mail]

    def _run(self, number, trouble):
        self.faults.plan(mix=MIX)
        self.carrier.clock.advance(300)
        self._scan()
        if number == TROUBLE:
            self.faults.plan()
            trouble()
        self.caplog.clear()
        full = number == FULL
        reports = self.carrier.app.reconcile(full=full, wait=full)
        logged = [
            record.getMessage()
            for record in self.caplog.records
            if record.name.startswith("carrierflow") and record.levelno >= logging.WARNING
        ]
        told = complaints(reports, self.carrier.app.incidents.by_kind(), full=full)
        return "\n".join([*logged, *told])

    def _scan(self):
        moving = [ref for ref, walk in self.walks.items() if len(walk) > 1]
        if moving:
            ref = self.rng.choice(moving)
            self.carrier.record(ref, self.walks[ref].pop(0))

    def agrees(self):
        """Tell whether all parcels agree, after the faults are over."""
        self.faults.plan()
        for _ in range(3):
            self.carrier.clock.advance(300)
            self.carrier.app.reconcile(full=True)
        return all(map(self.carrier.agrees, self.parcels))


@pytest.fixture
def night(tmp_path, caplog):
    faults = Faults(seed=15, late_limit=30.0)
    with (
        carrying(f"sqlite:///{tmp_path}/ledger.db", faults=faults, **FAST) as carrier,
        caplog.at_level(logging.INFO, "carrierflow"),
    ):
        yield Night(carrier, faults, caplog)


@pytest.mark.slow
def test_a_night_that_needs_nobody_mails_nothing(night):
    """A hundred runs on two dozen shops, through every network fault, and cron has nothing to say.

    The faults were there: PUTs were repeated or asked about, and all the same both sides agree.
    """
    mails = night.mails()

    print(f"{RUNS} runs, {len(SHOPS)} shops, {night.carrier.writes} PUTs; mails: {mails}")
    assert [] == mails
    assert night.carrier.judged().ambiguous
    assert night.agrees()


@pytest.mark.slow
def test_what_needs_a_person_is_one_mail_with_a_line_for_each_thing(night):
    """Two parcels cancelled in one shop, and a token that is refused: one mail of two lines."""
    for ref in night.parcels[:2]:
        night.carrier.record(ref, *ROAD[:2])
        night.walks[ref] = []

    def trouble():
        for ref in night.parcels[:2]:
            there = night.carrier.world.shop(ref.shop)
            parcel = there.parcel(int(ref.order_id), int(ref.fulfillment_id))
            night.carrier.world.edit(parcel.ref, carrier_status="cancel")
        night.carrier.world.uninstall(SHOPS[5])

    (mail,) = night.mails(trouble)

    print(mail)
    first, second = sorted(mail.splitlines())
    assert first.startswith(f"{SHOPS[0]}: ")
    assert ", 2 incidents. See `carrierflow incidents list --shop shop-00`." in first
    assert second.startswith(f"{SHOPS[5]}: access_denied: ")
