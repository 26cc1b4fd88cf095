"""A night that somebody else can be given: a ledger with open incidents, its platform, the calls.

`python -m acceptance.prepared_night FOLDER` prepares it and serves the platform until Ctrl-C;
with `--grade` it says of each incident whether it came to the end that follows from the facts.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from carrier import Carrier
from sqlalchemy import select

from acceptance.night_cases import CASES, mend
from carrierflow import build, load_settings
from carrierflow.domain.fulfillment import ABANDONED
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.storage.tables import fulfillments


__all__ = ["Grade", "grade", "prepared", "settings_of"]

SETTLE_SECONDS = 2
HEALTHY = 12
"""How many parcels a shop has of which nothing is to be said."""

HOURS = 8
"""How long before now the night began."""


class LaggingClock:
    """The machine's clock, so far behind that a night fits in before now."""

    def __init__(self, behind):
        self._behind = behind

    def __call__(self):
        return datetime.now(UTC) - self._behind

    def advance(self, seconds):
        """Let time pass, as far as now."""
        self._behind = max(timedelta(0), self._behind - timedelta(seconds=seconds))

    def catch_up(self):
        """Be the machine's clock from now on."""
        self._behind = timedelta(0)


@dataclass(frozen=True)
class Grade:
    """What became of one incident, and why that is wrong; an empty `why` is right."""

    name: str
    incident: str
    why: str


@contextmanager
def prepared(folder, *, port=0):
    """Prepare the night in an empty folder and serve its platform."""
    clock = LaggingClock(timedelta(hours=HOURS))
    with SandboxServer(World(clock=clock), port=port) as server:
        url = f"sqlite:///{folder.resolve()}/ledger.db"
        carrier = Carrier(url, server.world, server, clock=clock, settle_seconds=SETTLE_SECONDS)
        try:
            refs = _happen(carrier)
            clock.catch_up()
            _hand_over(folder, carrier, refs)
        finally:
            carrier.close()
        yield server


def _happen(carrier):
    carrier.connect(*dict.fromkeys(case.shop for case in CASES))
    refs = [carrier.parcel(case.shop, cod=case.cod) for case in CASES]
    healthy = [carrier.parcel(case.shop) for case in CASES for _ in range(HEALTHY)]
    for ref in refs + healthy:
        carrier.record(ref, "picking", "delivering")
    _run(carrier, times=2)
    for case, ref in zip(CASES, refs, strict=True):
        case.cause(carrier, ref)
    _run(carrier, times=6)
    for case, ref in zip(CASES, refs, strict=True):
        if case.kind == "unknown_code":
            mend(carrier, ref)
    return refs


def _run(carrier, *, times):
    for _ in range(times):
        carrier.clock.advance(1800)
        carrier.app.reconcile(full=True)


def _hand_over(folder, carrier, refs):
    """Write what the person gets: the environment, the calls, the token that came by post."""
    settings = carrier.settings
    environment = {
        "CARRIERFLOW_DATABASE_URL": settings.database_url,
        "CARRIERFLOW_SECRET_KEY": settings.secret_key.get_secret_value(),
        "CARRIERFLOW_ACTOR": "night-shift",
        "CARRIERFLOW_SETTLE_SECONDS": SETTLE_SECONDS,
    }
    lines = [f"export {name}={shlex.quote(str(value))}" for name, value in environment.items()]
    (folder / "environment").write_text("\n".join([*lines, ""]), "utf-8")
    (folder / "wine-token.txt").write_text("new-wine\n", "utf-8")
    told = zip(CASES, refs, strict=True)
    calls = [f"- {case.call.format(parcel=ref.fulfillment_id)}\n" for case, ref in told]
    text = "# What people said when you called\n\n" + "".join(calls)
    (folder / "calls.md").write_text(text, "utf-8")
    (folder / "places.json").write_text(json.dumps(_places(carrier, refs)), "utf-8")


def _places(carrier, refs):
    """Return for each case its incident and its parcel; each case has one, and there is no more."""
    found, opened = {}, carrier.app.incidents.all()
    for case, ref in zip(CASES, refs, strict=True):
        mine = [
            each
            for each in opened
            if (each.kind, each.shop) == (case.kind, case.shop)
            and each.fulfillment_id in {None, ref.fulfillment_id}
        ]
        (incident,) = mine
        order, parcel = ref.order_id, ref.fulfillment_id
        if case.kind == "unknown_here":
            order, parcel = incident.evidence["order_id"], incident.evidence["fulfillment_id"]
        found[case.name] = {"incident": incident.id, "order": str(order), "parcel": str(parcel)}
    if len(opened) != len(CASES):
        raise RuntimeError(f"There are {len(opened)} incidents for {len(CASES)} cases.")
    return found


def grade(folder, url):
    """Say of each case whether it came to its right end; the platform must still be served."""
    settings = load_settings(**settings_of(folder))
    app = build(settings)
    try:
        places = json.loads((folder / "places.json").read_text("utf-8"))
        shown = _shown(url)
        return [_graded(app, case, places[case.name], shown) for case in CASES]
    finally:
        app.store.engine.dispose()


def settings_of(folder):
    """Return the settings that the night's environment holds."""
    pairs = (
        shlex.split(line)[1].split("=", 1)
        for line in (folder / "environment").read_text("utf-8").splitlines()
    )
    return {name.removeprefix("CARRIERFLOW_").lower(): value for name, value in pairs}


def _shown(url):
    """Return what the platform shows of each parcel, from the sandbox's own page."""
    state = requests.get(f"{url}/_sandbox/state", timeout=10).json()
    return {
        str(parcel["id"]): (parcel["carrier_status"], parcel["cod_status"])
        for shop in state["shops"]
        for order in shop["orders"]
        for parcel in order["fulfillments"]
    }


def _graded(app, case, place, shown):
    incident = app.incidents.get(place["incident"])
    return Grade(case.name, incident.id, "; ".join(_wrong(app, case, place, shown, incident)))


def _wrong(app, case, place, shown, incident):
    """Give what is not as it should be."""
    right, parcel = case.right, place["parcel"]
    if incident.state == "open":
        yield "it is still open"
    elif incident.action not in right.actions:
        yield f"it was closed by {incident.action}, and not by {' or '.join(sorted(right.actions))}"
    again = [
        each.kind
        for each in app.incidents.all(shop=case.shop)
        if each.id != incident.id and each.fulfillment_id == parcel
    ]
    if again:
        yield f"it is asked again, as {again[0]}"
    if right.ledger is not None and (known := _known(app, case.shop, parcel)) != right.ledger:
        yield f"the ledger has {known}, and not {right.ledger}"
    if right.platform is not None and shown.get(parcel) != right.platform:
        yield f"the platform shows {shown.get(parcel)}, and not {right.platform}"
    if "abandon" in right.actions and app.parcel(case.shop, parcel).frozen != ABANDONED:
        yield "it is looked after"


def _known(app, shop, parcel):
    known = select(fulfillments.c.id).where(fulfillments.c.fulfillment_id == parcel)
    with app.store.engine.connect() as connection:
        if connection.execute(known).first() is None:
            return None
    found = app.parcel(shop, parcel)
    return str(found.delivery.status), str(found.cod.status)


def main(arguments=None):
    """Prepare a night and serve it, or grade one; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8070)
    parser.add_argument("--grade", action="store_true")
    given = parser.parse_args(arguments)
    if given.grade:
        return _tell(grade(given.folder, f"http://127.0.0.1:{given.port}"))
    given.folder.mkdir(parents=True, exist_ok=False)
    with prepared(given.folder, port=given.port) as server:
        print(f"The night is in {given.folder}, its platform at {server.url}.", flush=True)
        threading.Event().wait()
    return 0


def _tell(grades):
    for each in grades:
        print(f"{each.incident:>4}  {'wrong' if each.why else 'right'}  {each.name}: {each.why}")
    wrong = sum(bool(each.why) for each in grades)
    print(f"{len(grades) - wrong} of {len(grades)} right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
