"""Connections to a database server that are cut, at the worst moment above all."""

from __future__ import annotations

import itertools
import random
import uuid
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from carrier import carrying
from databases import every_database
from sqlalchemy.engine import make_url

from carrierflow.app.build import build
from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.settings import Settings
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import CommitUnknown, DatabaseUnavailable
from carrierflow.storage.encryption import generate_key

from .busy_carrier import busy, kept
from .processes import Worker, reconciling, recording
from .proxy import Cut, Wire


PORTS = {"postgres": 5432, "mariadb": 3306}
ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)
ON_OWN_SERVERS = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite"]), indirect=True
)


@contextmanager
def wire_to(database):
    """Lay a wire to a database; yields it with the URL that leads through it.

    In clear, so that a COMMIT can be seen.
    """
    url = make_url(database.url)
    with Wire(url.host, url.port or PORTS[database.kind]) as wire:
        url = url.set(host="127.0.0.1", port=wire.port)
        if database.kind == "postgres":
            url = url.update_query_dict({"sslmode": "disable"})
        yield wire, url.render_as_string(hide_password=False)


@dataclass
class Office:
    """A carrier's backend with one shop, at the near end of a wire."""

    app: Carrierflow
    wire: Wire
    shop: str

    def happening(self, number):
        """Return an event that opens a parcel of its own."""
        ref = FulfillmentRef(shop=self.shop, order_id="1", fulfillment_id=f"{number}")
        return Event(
            shop=self.shop,
            fulfillment_id=f"{number}",
            status=Status.PICKING,
            key=self.shop,
            opening=Opening(ref=ref),
        )

    def kept(self):
        """Count the rows that events of this shop became."""
        return kept(self.app.store.engine)[self.shop]


@pytest.fixture
def office(database):
    with wire_to(database) as (wire, url):
        app = build(Settings(database_url=url, secret_key=generate_key()))
        shop = f"shop-{uuid.uuid4().hex[:12]}"
        app.shops.add(shop, token="t", base_url="http://127.0.0.1:1")
        yield Office(app, wire, shop)
        app.store.engine.dispose()


@ON_SERVERS
@pytest.mark.parametrize("how", Cut)
@pytest.mark.parametrize("many", [False, True])
def test_a_commit_without_an_answer_is_told_as_unknown(office, how, many):
    """Whoever records is told that nobody knows; the same again is one entry, and says which."""
    events = [office.happening(number) for number in range(1 + 2 * many)]
    ledger = office.app.ledger

    def record():
        return list(ledger.record_many(events)) if many else [ledger.record(events[0])]

    office.wire.cut(how)
    with pytest.raises(CommitUnknown, match="whole or not at all"):
        record()
    office.wire.mend()
    (verdict,) = {str(answer.verdict) for answer in record()}

    certain = {Cut.BEFORE: {"accepted"}, Cut.AFTER: {"duplicate"}}
    assert verdict in certain.get(how, {"accepted", "duplicate"})
    assert len(events) == office.kept()


@ON_SERVERS
def test_a_connection_that_was_cut_idle_is_not_noticed(office):
    """Connections that died while nobody used them are replaced, and nobody hears of it."""
    office.app.ledger.record(office.happening(1))
    assert office.wire.cut_all()

    assert "accepted" == office.app.ledger.record(office.happening(2)).verdict


@ON_SERVERS
def test_a_server_that_is_gone_is_told_as_such(office):
    """Without a server the answer is that nothing can be done now; with it, work goes on."""
    office.wire.close_door()
    office.wire.cut_all()
    with pytest.raises(DatabaseUnavailable) as told:
        office.app.ledger.record(office.happening(1))
    assert not isinstance(told.value, CommitUnknown)
    office.wire.open_door()

    assert "accepted" == office.app.ledger.record(office.happening(1)).verdict
    assert 1 == office.kept()


@pytest.mark.slow
@ON_OWN_SERVERS
@pytest.mark.parametrize("how", Cut)
def test_a_run_that_is_cut_at_any_commit_is_mended_by_the_next(own_database, how):
    """Whichever COMMIT of a run is cut: the next runs agree, and no PUT was made twice."""
    with wire_to(own_database) as (wire, url), carrying(url) as carrier:
        carrier.connect("alpha")
        refs, cuts = [], 0
        for commit in itertools.count(1):
            refs.append(carrier.parcel("alpha", cod=5, walk=["picking", "delivering"]))
            wire.cut(how, commit=commit)
            try:
                carrier.app.reconcile(["alpha"])
            except DatabaseUnavailable:
                cuts += 1
            was_cut = wire.commits >= commit
            wire.mend()
            for _ in range(3):
                carrier.clock.advance(200)
                carrier.app.reconcile(["alpha"], wait=True)
            assert [carrier.known(ref) for ref in refs] == [carrier.shown(ref) for ref in refs]
            if not was_cut:
                break
        judged = carrier.judged()
        assert judged.is_clean
        assert 2 * len(refs) == judged.puts_received
        assert [] == carrier.app.incidents.all()
        assert commit - 1 >= cuts >= 10
        print(f"{commit - 1} COMMITs, {how.value}: {cuts} runs ended early")


@pytest.mark.slow
@ON_OWN_SERVERS
def test_connections_that_are_cut_at_any_moment_lose_and_double_nothing(own_database):
    """Scanners and runs whose connections die again and again tell everything, once."""
    rng, cuts = random.Random(5), 0
    with wire_to(own_database) as (wire, url), busy(url) as real:
        events = real.happenings("alpha", 80, seed=6)
        chunks = rng.choices((1, 1, 1, 4), k=len(events))
        scanner = Worker(recording, real.settings, events, chunks)
        run = Worker(reconciling, real.settings, "alpha")
        while scanner.lives:
            scanner.listen(seconds=rng.uniform(0.02, 0.2))
            if rng.random() < 0.5:
                wire.cut(rng.choice(list(Cut)), commit=rng.randrange(1, 5))
            else:
                cuts += wire.cut_all()
        wire.mend()
        scanner.end()
        run.listen()
        run.check()
        run.kill()

        real.assert_in_agreement(ambiguous=cuts + wire.cuts)
        troubles = {said for each in (scanner, run) for said in each.heard if type(said) is str}
        assert {"begun", "DatabaseUnavailable", "CommitUnknown"} <= troubles
        assert troubles <= {"begun", "DatabaseUnavailable", "CommitUnknown", "ShopHeld"}
        print(f"{cuts + wire.cuts} cuts, {wire.cuts} of them at a COMMIT")
