"""What may be concluded from an answer to a write, and that it is sent once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from carrierflow.domain.model import Observation
from carrierflow.errors import AccessDenied, NotSent, OutcomeUnknown, PlatformUnavailable, Refused
from carrierflow.sandbox.exchange import Outcome
from carrierflow.testing.contract.answers import (
    FOREIGN_REFUSALS,
    SILENCE,
    throttling,
    unclear_answers,
)
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.wire import Mishap, afterwards, instead


__all__: list[str] = []


def _tried(trial: Trial, mishap: Mishap, *, impatient: bool = False) -> tuple[Any, bool, int]:
    """Return what a write came to, whether it had an effect, and how often it was sent."""
    state, write = trial.first_write
    ref = trial.parcel(state)
    before = len(trial.wire.writes_passed)
    trial.wire.writes = mishap
    by = trial.impatient if impatient else trial.platform
    outcome = outcome_of(lambda: trial.tell(ref, write, by=by))
    trial.wire.writes = None
    has_effect = trial.under_test.shown(ref) is write.to
    return outcome, has_effect, len(trial.wire.writes_passed) - before


def _says_the_truth(trial: Trial, outcome: object, *, has_effect: bool) -> bool:
    """Tell whether a success is one: it may have been read after the answer."""
    _, write = trial.first_write
    return isinstance(outcome, Observation) and has_effect and outcome.carrier.status is write.to


@promise
def unclear_writes_are_unknown(trial: Trial) -> None:
    """Only what was read afterwards decides about a write whose answer proves nothing."""
    for what, answer in unclear_answers():
        for mishap, when in ((instead(answer), "without effect"), (afterwards(answer), "done")):
            outcome, has_effect, _ = _tried(trial, mishap)
            if not _says_the_truth(trial, outcome, has_effect=has_effect):
                is_kind(outcome, OutcomeUnknown, f"a write, {when}, answered by {what}")
    for mishap in (instead(SILENCE), afterwards(SILENCE)):
        outcome, _, _ = _tried(trial, mishap, impatient=True)
        is_kind(outcome, OutcomeUnknown, "a write that is not answered")


@promise
def writes_are_sent_once(trial: Trial) -> None:
    """Whatever comes of a write, below the table it is never sent a second time."""
    it = trial.under_test
    answers: list[tuple[str, Outcome]] = [*unclear_answers(), ("a 429", throttling(1))]
    answers += [("a refusal", it.refused("no")), ("a denial", it.denied("no"))]
    for what, answer in answers:
        for mishap in (instead(answer), afterwards(answer)):
            _, _, sent = _tried(trial, mishap)
            equal(1, sent, f"requests for one write answered by {what}")


@promise
def refusals_are_told_as_such(trial: Trial) -> None:
    """The platform's own no is a refusal, and never passes for a success or for nothing sent."""
    outcome, _, _ = _tried(trial, instead(trial.under_test.refused("no")))
    is_kind(outcome, Refused, "a write that was refused")
    for mishap in (
        afterwards(trial.under_test.refused("no")),
        *(instead(answer) for answer in FOREIGN_REFUSALS),
    ):
        outcome, has_effect, _ = _tried(trial, mishap)
        if not _says_the_truth(trial, outcome, has_effect=has_effect):
            is_kind(outcome, (Refused, OutcomeUnknown), "a no that may be anybody's")


@promise
def denied_writes_are_told_as_such(trial: Trial) -> None:
    """A token that is not accepted is no refusal of the write."""
    outcome, _, _ = _tried(trial, instead(trial.under_test.denied("no")))
    is_kind(outcome, AccessDenied, "a write with a token that is not accepted")


@promise
def throttled_writes_were_not_sent(trial: Trial) -> None:
    """A 429 to a write had no effect, and pauses the shop's budget for as long as it asks."""
    outcome, _, _ = _tried(trial, instead(throttling(7)))
    is_kind(outcome, NotSent, "a write met by a 429")
    expect(max(trial.wallet.pauses, default=0) >= 7, "A pause that was asked for is not kept.")  # noqa: PLR2004


@promise
def late_writes_never_leave(trial: Trial) -> None:
    """After its deadline no byte of a write leaves."""
    state, write = trial.first_write
    ref = trial.parcel(state)
    past = trial.clock() - timedelta(seconds=1)
    outcome = outcome_of(lambda: trial.platform.write(ref, write, not_later_than=past))
    is_kind(outcome, NotSent, "a write after its deadline")
    equal([], trial.wire.writes_passed, "writes after their deadline")


@promise
def without_a_connection_nothing_was_sent(trial: Trial) -> None:
    """Where nobody listens, a write was certainly not sent, and a read may be made later."""
    state, write = trial.first_write
    ref = trial.parcel(state)
    nowhere = trial.connect(base_url=trial.nowhere())
    is_kind(outcome_of(lambda: trial.tell(ref, write, by=nowhere)), NotSent, "a write to nobody")
    outcome = outcome_of(lambda: nowhere.fulfillment(ref))
    is_kind(outcome, PlatformUnavailable, "a read from nobody")
