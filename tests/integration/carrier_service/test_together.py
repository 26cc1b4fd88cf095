from __future__ import annotations

import json

import pytest
from crashes.processes import CONTEXT, Worker

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.storage.encryption import generate_key

from .concurrent_calls import handing_over
from .conftest import SECRET


PROCESSES = 8
TIMES = [2, 2, 1, 1, 1, 1, 1, 1]
"""How often each process hands a parcel over at once: ten times in all."""
ROUNDS = 15


@pytest.mark.slow
def test_a_parcel_handed_over_ten_times_at_once_is_one_shipment(own_database, make_engine):
    """Eight processes get ten equal answers, though the carrier gave each another number."""
    settings = Settings(
        database_url=own_database.url, secret_key=generate_key(), client_secret=SECRET
    )
    app = build(settings, engine=make_engine(own_database))
    app.shops.add("sms", token="t", base_url="http://127.0.0.1")
    gate = CONTEXT.Barrier(PROCESSES)

    workers = [Worker(handing_over, settings, gate, ROUNDS, times) for times in TIMES]
    told = [worker.end() for worker in workers]

    for number in range(ROUNDS):
        answers = [answer for said in told for answer in said[number]]
        assert 10 == len(answers)
        assert 1 == len(set(answers))
        assert not json.loads(answers[0])["error"]
        assert "readytopick" == app.parcel("sms", str(number + 1)).delivery.status
    with app.store.reading() as connection:
        query = "SELECT count(*), count(DISTINCT fulfillment) FROM carrierflow_shipments"
        assert (ROUNDS, ROUNDS) == tuple(connection.exec_driver_sql(query).one())
    assert app.verify().ok
