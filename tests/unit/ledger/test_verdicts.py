import json
from dataclasses import FrozenInstanceError, asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import Event, FulfillmentRef, Reason, Recorded, Status, Verdict
from carrierflow.errors import (
    BadTime,
    InvalidInput,
    KeyReused,
    UnknownFulfillment,
    UnknownTrackingNumber,
)
from carrierflow.ledger.files import VerdictCounts, verdict_line


def recorded(verdict=Verdict.ACCEPTED):
    """Build an answer of the ledger."""
    return Recorded(
        ref=FulfillmentRef(shop="demo", order_id="9", fulfillment_id="1001"),
        verdict=verdict,
        reason=Reason.LEGAL_STEP,
        sentence="picking → delivering.",
        carrier_status=Status.DELIVERING,
        cod_status=Status.CODPENDING,
    )


BY_ID = Event(shop="demo", fulfillment_id="1001", status=Status.DELIVERING)
BY_WAYBILL = Event(shop="demo", tracking_number="W1", status=Status.DELIVERING)


def test_a_verdict_line_says_what_became_of_a_row():
    """A recorded row's line says which it was, its verdict, and where the parcel stands."""
    expected = {
        "row": 7,
        "shop": "demo",
        "fulfillment_id": "1001",
        "tracking_number": None,
        "verdict": "accepted",
        "reason": "legal_step",
        "sentence": "picking → delivering.",
        "carrier_status": "delivering",
        "cod_status": "codpending",
    }

    line = verdict_line(7, BY_ID, recorded())

    assert expected == line
    assert expected == json.loads(json.dumps(line))


def test_a_row_by_its_tracking_number_has_both_names_once_they_are_known():
    """A rejected one has the name that it gave, and no other."""
    error = UnknownTrackingNumber("demo", "W1")

    known, unknown = verdict_line(7, BY_WAYBILL, recorded()), verdict_line(7, BY_WAYBILL, error)

    assert ("1001", "W1") == (known["fulfillment_id"], known["tracking_number"])
    assert (None, "W1") == (unknown["fulfillment_id"], unknown["tracking_number"])
    assert "unknown_tracking_number" == unknown["reason"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidInput("The row has no at."), "invalid_input"),
        (BadTime("noon", why="is not ISO 8601"), "bad_time"),
        (KeyReused("k", first="a", now="b"), "key_reused"),
        (UnknownFulfillment("demo", "1001"), "unknown_fulfillment"),
    ],
)
def test_a_rejected_row_has_a_line_of_the_same_keys(error, reason):
    """A rejected row's line gives the kind of error, its sentence, and no status."""
    line = verdict_line(7, None, error)

    assert list(verdict_line(7, BY_ID, recorded())) == list(line)
    assert ("rejected", reason, str(error)) == (line["verdict"], line["reason"], line["sentence"])
    assert line["shop"] is line["carrier_status"] is line["cod_status"] is None


@given(st.lists(st.sampled_from([*map(recorded, Verdict), InvalidInput("No.")])))
def test_what_goes_in_is_counted(answers):
    """Each answer is counted once, under its own kind, and the kinds sum up to the rows."""
    counts = VerdictCounts()
    for answer in answers:
        counts = counts.add(answer)

    found = asdict(counts)
    assert len(answers) == found.pop("rows") == sum(found.values())
    for verdict in Verdict:
        assert found[verdict] == sum(
            answer.verdict is verdict for answer in answers if isinstance(answer, Recorded)
        )


def test_counts_never_change():
    """Counting makes new counts, so a report cannot be changed after it was given."""
    before = VerdictCounts()
    before.add(recorded())

    assert VerdictCounts() == before
    with pytest.raises(FrozenInstanceError):
        before.rows = 1
