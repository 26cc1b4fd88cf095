"""`deliver`: what is printed, how it ends, and where else it is seen."""

from __future__ import annotations

import pytest
from docs.pages import ROOT
from receiver import SECRET, receiving


@pytest.fixture
def receiver():
    """A receiver on loopback."""
    with receiving() as made:
        yield made


@pytest.fixture
def pushing(ready, shop, receiver):
    """A shell with a parcel, and a destination for what happens to it."""
    ready.environment |= {"CARRIERFLOW_DESTINATIONS": f"{receiver.url} {SECRET}"}
    return ready


def test_it_delivers_and_says_so(pushing, receiver):
    """What is new is pushed once; how far the destination is stands in the answer."""
    first = pushing("deliver", "--json")
    again = pushing("deliver")

    assert (0, 0) == (first.code, again.code)
    (delivery,) = first.json["deliveries"]
    assert ("done", 2, 0) == (delivery["end"], delivery["delivered"], delivery["behind"])
    assert ["readytopick", "codpending"] == [entry["to"] for entry in receiver.entries]
    assert [] == receiver.unsigned
    assert f"{delivery['destination']} has everything; delivered now: 0." in again.out
    assert receiver.url not in again.out


def test_a_failure_is_seen_everywhere(pushing, receiver):
    """The exit code, `status` and the job say it; `--to` tries again at once."""
    receiver.answers += [500]
    failed = pushing("deliver")
    rests = pushing("deliver")
    assert (1, 3) == (failed.code, rests.code)
    assert "HTTP status 500" in failed.out
    assert "is tried again later" in rests.out
    (standing,) = pushing("status", "--json").json["destinations"]
    assert (1, "HTTP status 500", 0) == (
        *(standing["failures"], standing["problem"]),
        pushing("status").code,
    )
    pushing.environment |= {"CARRIERFLOW_OUTAGE_HOURS": "0"}
    assert 3 == pushing("status").code

    receiver.answers += [410]
    assert 1 == pushing("deliver", "--to", receiver.url).code
    gone = pushing("status")
    assert (3, True) == (gone.code, "it is gone for good" in gone.out)
    assert 1 == pushing("deliver").code

    assert 0 == pushing("deliver", "--to", receiver.url).code
    assert 0 == pushing("status").code
    assert "has the log but for its last 0 places" in pushing("status").out


def test_the_job_fails_as_the_command_does(pushing, receiver):
    """`jobs/deliver_changes.py` fails where a message is not taken; then it leaves it alone."""
    once = ("schedule", "once", "deliver_changes", "--jobs", ROOT / "jobs")
    receiver.answers += [500]

    assert [1, 0] == [pushing(*once).code, pushing(*once).code]
    assert 0 == pushing("deliver", "--to", receiver.url).code
    pushing.environment.pop("CARRIERFLOW_DESTINATIONS")
    assert 0 == pushing(*once).code


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ((), 1, "name its address and its secret in destinations"),
        (("--to", "https://nobody.example/"), 1, "No such destination is set"),
        (("--after", "3"), 2, "--after needs --to"),
    ],
)
def test_without_a_destination_it_says_so(ready, options, code, says):
    """Nothing is set, or not that one: that is a mistake of the settings, or of the command."""
    answer = ready("deliver", *options)

    assert (code, "") == (answer.code, answer.out)
    assert says in answer.err
