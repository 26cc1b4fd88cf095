"""A host that uses the ledger from threads and forks workers, in the midst of that or before.

Reads pickled lists of events from the file named, one for each worker, and prints what each one
was answered, as JSON. The second argument tells what begins first: `workers-first` or
`threads-first`.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

from carrierflow import ShopHeld, build, load_settings


app = build(load_settings())


def use(stop, troubles):
    """Use the application without a pause, as the threads of a host do."""
    try:
        while not stop.is_set():
            app.shops.all()
            app.parcel("alpha", shares[0][0].fulfillment_id)
            app.counters.count("used")
    except Exception as error:  # noqa: BLE001 - the test is told
        troubles.append(repr(error))


def work(number):
    """Record a share of the events and run, in a process that was forked."""
    answers = [str(app.ledger.record(event).verdict) for event in shares[number]]
    while True:
        try:
            app.reconcile(["alpha"], seal=False)
        except ShopHeld:
            time.sleep(0.01)
        else:
            return os.getpid(), answers


def main():
    stop, troubles = threading.Event(), []
    threads = [threading.Thread(target=use, args=(stop, troubles)) for _ in range(4)]
    for event in (share[0] for share in shares):
        app.ledger.open(event.opening)
    with ProcessPoolExecutor(len(shares), mp_context=get_context("fork")) as pool:
        if order == "workers-first":
            wait([pool.submit(os.getpid)])  # a pool that forks begins all its workers at once
        for thread in threads:
            thread.start()
        done = list(pool.map(work, range(len(shares))))
    stop.set()
    for thread in threads:
        thread.join()
    app.shops.all()
    app.close()
    print(json.dumps({"answers": [answers for _, answers in done], "troubles": troubles}))


if __name__ == "__main__":
    _, file, order = sys.argv
    shares = pickle.loads(Path(file).read_bytes())  # noqa: S301 - the test's own
    main()
