"""The contract can fail: for each promise there is an adapter with a fault that breaks it."""

from dataclasses import replace

import pytest

from carrierflow.testing.contract import PROMISES

from . import broken_adapters as broken
from .postbox import POSTBOX, PostboxPlatform
from .postbox_sandbox import PostboxUnderTest


ALONE = {
    broken.Disowning: "states_are_read_as_they_are",
    broken.Misdescribing: "sketches_are_what_is_sent",
    broken.Guessing: "unknown_words_have_no_status",
    broken.GuessingAnswers: "unknown_words_are_no_success",
    broken.Dropping: "one_bad_row_costs_one_row",
    broken.Alarming: "what_is_not_there_is_said_to_be_none",
    broken.Burying: "strangers_prove_nothing_gone",
    broken.Knocking: "denied_reads_stop",
    broken.Closed: "connections_can_be_closed_and_used_again",
    broken.Despairing: "unclear_writes_are_unknown",
    broken.Insisting: "writes_are_sent_once",
    broken.Doubting: "refusals_are_told_as_such",
    broken.Confusing: "denied_writes_are_told_as_such",
    broken.Waiting: "throttled_writes_were_not_sent",
    broken.Late: "late_writes_never_leave",
    broken.Fearing: "without_a_connection_nothing_was_sent",
    broken.Following: "redirects_are_never_followed",
    broken.Reversing: "changes_are_listed_oldest_first",
    broken.Sneaking: "every_request_is_paid_for",
    broken.Talking: "secrets_are_in_no_error_and_no_log",
}
"""For each fault, the one promise that it breaks."""

AMONG_OTHERS = {
    "what_can_be_no_id_is_never_sent": broken.Trusting,
    "unclear_reads_say_nothing": broken.BuryingEarly,
    "writes_lead_where_they_say": broken.Remembering,
    "plans_arrive": broken.Overshooting,
    "reads_are_tried_again": broken.Hasty,
    "throttled_reads_pause": broken.Playing,
    "what_changes_while_it_is_read_is_not_lost": broken.Losing,
    "nothing_leaves_on_an_empty_budget": broken.Spending,
    "runs_keep_to_the_shops_rate": broken.Spending,
    "secrets_are_in_no_incident": broken.Quoting,
    "what_looks_alike_is_never_drift": broken.MissingMoves,
    "cash_that_is_not_shown_is_never_drift": broken.SeeingCash,
    "exactly_what_is_missing_is_told": broken.Doubling,
    "what_the_platform_leads_is_adopted": broken.MissingCancels,
    "unknown_words_freeze_their_parcel_alone": broken.GuessingOrders,
    "no_write_without_an_intent": broken.Doubling,
    "the_profile_says_what_the_adapter_does": broken.Boasting,
    "what_cannot_be_told_is_never_sent": broken.Boasting,
    "runs_converge": broken.InsistingOften,
    "runs_converge_with_many_parcels": broken.InsistingOften,
}
"""For each further promise, a fault that breaks it, and may break others."""

CLAIMED = "what_is_not_offered_is_said_in_a_sentence"
"""The promise that no adapter can break, but its profile can."""

NAMED = {promise.name: promise for promise in PROMISES}
BREAKING = [(name, adapter) for adapter, name in ALONE.items()] + [*AMONG_OTHERS.items()]


def under_test(*, adapter=PostboxPlatform, profile=POSTBOX):
    """Return the made-up platform with a fault."""
    return type("Broken", (PostboxUnderTest,), {"profile": replace(profile, connect=adapter)})


def is_broken(name, made, folder):
    """Tell whether a platform breaks a promise; nothing else may go wrong."""
    (own := folder / name).mkdir()
    try:
        NAMED[name].keep(made, own)
    except AssertionError:
        return True
    return False


def test_every_promise_can_fail():
    """For each one there is a platform here that breaks it."""
    assert NAMED.keys() == {name for name, _ in BREAKING} | {CLAIMED}


@pytest.mark.parametrize(("name", "adapter"), BREAKING)
def test_a_fault_is_found(name, adapter, tmp_path):
    """An adapter with the fault breaks the promise that it is about."""
    assert is_broken(name, under_test(adapter=adapter), tmp_path)


def test_a_list_that_is_left_out_in_silence_is_found(tmp_path):
    """Whoever lists nothing says so: an empty list would be taken for a shop without parcels."""
    made = type("Listless", (under_test(adapter=broken.Silent),), {"lists_changes": False})

    assert is_broken("changes_are_listed_oldest_first", made, tmp_path)


def test_a_claim_is_found(tmp_path):
    """A profile that claims a feature breaks the promise that it is about."""
    assert is_broken(CLAIMED, under_test(profile=broken.PRETENDING), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ALONE)
def test_a_fault_breaks_one_promise(adapter, tmp_path):
    """It breaks no other: what fails says where the fault is."""
    made = under_test(adapter=adapter)

    assert [ALONE[adapter]] == [name for name in NAMED if is_broken(name, made, tmp_path)]
