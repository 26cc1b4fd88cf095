"""That neither a token nor anything personal gets into an error, a log or the ledger."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from carrierflow.sandbox.exchange import HttpReply, Outcome
from carrierflow.sandbox.wire_faults import page
from carrierflow.testing.contract.expectations import expect, outcome_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.wire import Mishap, instead, rewriting


__all__: list[str] = []

PHONE, MAIL, NAME = "0901234567", "canary.an@example.com", "Canarynguyen"
PERSONAL = (PHONE, MAIL, NAME)
_SAID = f'the parcel of "{NAME} An", {PHONE}, {MAIL}, is closed'


@promise
def secrets_are_in_no_error_and_no_log(trial: Trial) -> None:
    """Whatever a platform echoes, no error, with all its causes, and no log holds it."""
    state, write = trial.first_write
    ref = trial.parcel(state)
    with _logged() as lines:
        for mishap in _indiscretions(trial):
            trial.wire.goes_wrong(mishap)
            lines.extend(_told(outcome_of(lambda: trial.platform.fulfillment(ref))))
            lines.extend(_told(outcome_of(lambda: trial.platform.orders([ref.order_id]))))
            lines.extend(_told(outcome_of(lambda: trial.tell(ref, write))))
    lines += [repr(trial.platform), trial.platform.sketch(ref, write).url]
    _check(trial, "\n".join(lines).encode())


@promise
def secrets_are_in_no_incident(trial: Trial) -> None:
    """Nothing of what a platform echoes lies in the ledger, in an incident or anywhere else."""
    app = trial.carrier(settle_seconds=5)
    state, write = trial.first_write
    for mishap in list(_indiscretions(trial))[:3]:
        trial.take_up(app, state, trial.road_to(write.to))
        with _logged() as lines:
            for _ in range(2):
                trial.wire.goes_wrong(mishap)
                trial.run(app)
                trial.wire.reads = None
                trial.run(app)
        trial.wire.goes_wrong(None)
        _check(trial, "\n".join(lines).encode())
    incidents = [dict(each.evidence) for each in app.incidents.all(state=None)]
    app.close()
    _check(trial, json.dumps(incidents).encode() + trial.ledger_bytes)


def _indiscretions(trial: Trial) -> Iterator[Mishap]:
    it = trial.under_test
    said = f"{_SAID}, token {it.token}"
    odd = trial.parcel(trial.states[0])
    yield instead(it.refused(said))
    yield instead(it.denied(said))
    yield rewriting(lambda body: it.spoiled(body, odd, said))
    yield from map(instead, _bodies(said))


def _bodies(said: str) -> Iterator[Outcome]:
    yield page(500, said)
    yield page(403, said)
    yield HttpReply(status=200, body=f'{{"half": "{said}'.encode())
    yield HttpReply(status=302, headers={"Location": f"/elsewhere?{said}".replace(" ", "+")})


def _check(trial: Trial, told: bytes) -> None:
    for canary in (trial.under_test.token, *PERSONAL):
        at = told.find(canary.encode())
        expect(at < 0, f"A secret got out: …{told[max(0, at - 80) : at + 20]!r}…")


def _told(outcome: object) -> list[str]:
    """Return all that an outcome shows to whoever prints, logs or keeps it."""
    if not isinstance(outcome, BaseException):
        return []
    return [
        *traceback.format_exception(outcome),
        repr(vars(outcome)),
        pickle.dumps(outcome).decode("latin-1"),
    ]


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {vars(record)}")


@contextmanager
def _logged() -> Iterator[list[str]]:
    """Collect every line that is logged meanwhile, whoever logs it."""
    root, handler = logging.getLogger(), _Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
