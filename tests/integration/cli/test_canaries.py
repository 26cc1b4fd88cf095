"""Secrets and personal data are found nowhere they do not belong."""

from __future__ import annotations

import json
import logging

import pytest

from carrierflow.sandbox.haravan import FaultKind, FaultMix, Recipient
from carrierflow.storage import build_engine
from carrierflow.storage.encryption import KeyRing
from carrierflow.storage.tables import notes

from .conftest import TOKEN


PHONE = "0909123987"
ADDRESS = "77 Canary Street, Ward 15"
NAME = "Canary Customer"
NOTE = f"call {NAME} on {PHONE}, {ADDRESS}"
CANARIES = (TOKEN, PHONE, ADDRESS, NAME)

AT = "2026-03-01T08:30:00+07:00"


@pytest.fixture
def eventful(ready, shop, haravan, caplog):
    """A ledger after deliveries, faults, incidents, a plan, a file and notes full of canaries."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("carrierflow").propagate = True
    world = haravan.haravan.world
    person = Recipient(
        first_name=NAME, last_name=NAME, phone=PHONE, address=ADDRESS, email="canary@example.com"
    )
    printed, parcels = [], [shop]
    for _ in range(25):
        order, fulfillment = world.add_parcel(shop="alpha", cod_amount=70_000, recipient=person)
        parcels.append(str(fulfillment))
        printed.append(ready("open", "alpha", order, fulfillment, "--cod-amount", 70_000))
    rows = [
        {"shop": "alpha", "fulfillment_id": f, "status": s, "at": AT, "note": NOTE}
        for f in parcels
        for s in ("picking", "delivered", "nonsense")
    ]
    path = ready.file("scans.jsonl", "\n".join(map(json.dumps, rows)))
    verdicts = ready.folder / "verdicts.jsonl"
    printed.append(ready("record-file", path, "--fill-gaps", "--verdicts", verdicts))
    plan = ready.folder / "plan.jsonl"
    printed.append(ready("reconcile", "--plan-out", plan))
    rates = {
        FaultKind.ERROR_500_BEFORE: 0.1,
        FaultKind.HTML: 0.1,
        FaultKind.MERCHANT_CANCEL_BEFORE: 0.2,
        FaultKind.NONSENSE_WORD: 0.1,
    }
    haravan.faults.plan(mix=FaultMix(rates=rates), seed=3)
    printed += [ready("-v", "reconcile", "--full", "--json") for _ in range(3)]
    haravan.faults.plan()
    world.replace_token("alpha", "other")
    printed.append(ready("-v", "reconcile", "--full"))
    printed.append(ready("incidents", "list", "--json"))
    printed.append(ready("incidents", "export"))
    printed += [ready("history", "alpha", parcel, "--json") for parcel in parcels]
    files = [verdicts.read_text(), plan.read_text()]
    texts = [text for answer in printed for text in (answer.out, answer.err)] + files
    yield ready, texts, caplog
    logging.getLogger("carrierflow").propagate = False


def test_no_canary_in_output_logs_plans_or_incidents(eventful):
    """Token, name, phone and address are in no output, log line, plan, verdict or incident."""
    _, texts, caplog = eventful
    logged = [f"{r.getMessage()} {vars(r)}" for r in caplog.records if r.name != "urllib3"]

    assert any("cancelled" in text or "refused" in text for text in texts), "nothing happened"
    for canary in CANARIES:
        assert not [text for text in texts + logged if canary in text]


def test_no_canary_in_the_database_in_clear(eventful):
    """The database file, its journal included, holds none of them in clear."""
    ready, _, _ = eventful
    content = b"".join(path.read_bytes() for path in ready.folder.glob("ledger.db*"))

    assert len(content) > 50_000
    for canary in CANARIES:
        assert canary.encode() not in content
        assert canary.encode("utf-16-le") not in content


def test_a_note_opens_with_the_key_alone(eventful):
    """What was sealed is really there, and opens under its own digest only."""
    ready, _, _ = eventful
    keys = KeyRing(ready.environment["CARRIERFLOW_SECRET_KEY"])
    engine = build_engine(ready.environment["CARRIERFLOW_DATABASE_URL"])
    with engine.connect() as connection:
        row = connection.execute(notes.select().limit(1)).one()
    engine.dispose()

    assert keys.decrypt(row.sealed, context=f"note:{row.digest}").decode().endswith(NOTE)
