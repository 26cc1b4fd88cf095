"""`list`, and pages of `incidents list`: what a person reads, and what a program goes on with."""

from __future__ import annotations

import pytest


OTHER = "1054978733"
"""The parcel that is there already, with cash to collect."""
EVERY = [OTHER, "800", "801", "802", "803", "804"]


@pytest.fixture
def listed(ready, shop):
    """Five parcels in a shop; two were picked up long ago, and one today."""
    assert shop
    for number in range(5):
        waybill = ("--tracking-number", f"VN-{number}")
        ready("open", "alpha", f"90{number}", f"80{number}", *waybill, "--at", "2026-03-01T08:00Z")
    for number, at in ((0, "2026-03-02T08:00Z"), (1, "2026-03-01T09:00Z")):
        assert 0 == ready("record", "alpha", f"80{number}", "picking", "--at", at).code
    ready("record", "alpha", "802", "picking")
    return ready


def names(answer):
    """Return the fulfillments on a page."""
    return [each["fulfillment_id"] for each in answer.json["fulfillments"]]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), EVERY),
        (("--shop", "alpha"), EVERY),
        (("--status", "picking"), ["801", "800", "802"]),
        (("--status", "picking", "--stuck-for", "3d"), ["801", "800"]),
        (("--stuck-for", "36h"), ["803", "804", "801", "800"]),
        (("--cod-status", "codpending"), [OTHER]),
        (("--order", "903"), ["803"]),
        (("--tracking-number", "VN-4"), ["804"]),
        (("--frozen",), []),
        (("--unpublished",), EVERY),
    ],
    ids=str,
)
def test_a_list_is_of_what_its_options_say(listed, options, wanted):
    """Each option leaves what is so; who has stood longest comes first where that is asked."""
    assert wanted == names(listed("list", *options, "--json"))


def test_pages_make_a_whole(listed):
    """The cursor of a page leads to the next one, and the last page has none."""
    found, after = [], ()
    while True:
        answer = listed("list", "--stuck-for", "36h", "--limit", "3", *after, "--json")
        found += names(answer)
        if answer.json["next"] is None:
            break
        after = ("--after", answer.json["next"])

    assert ["803", "804", "801", "800"] == found


def test_a_parcel_on_a_list_is_told_as_by_itself(listed):
    """A list says of each what `show` says of it, since when it stands there among it."""
    (told,) = listed("list", "--tracking-number", "VN-0", "--json").json["fulfillments"]

    assert told == listed("show", "alpha", "800", "--json").json
    assert "2026-03-02T08:00:00.000000Z" == told["since"]


def test_a_person_reads_a_table_and_how_to_go_on(listed):
    """There is a line for each parcel; the rest is an option away."""
    answer = listed("list", "--status", "picking", "--limit", "1")

    lines = answer.out.splitlines()
    assert ["shop", "fulfillment", "tracking", "number", "status", "since"] == lines[0].split()[:6]
    assert lines[1].split()[:4] == ["alpha", "801", "VN-1", "picking"]
    cursor = lines[-1].split()[-1]
    more = listed("list", "--status", "picking", "--after", cursor).out
    assert ["800", "802"] == [line.split()[1] for line in more.splitlines()[1:]]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--stuck-for", "3"), 2, "write days, hours or minutes"),
        (("--stuck-for", "99999d"), 2, "longer than a hundred years"),
        (("--status", "codpaid"), 2, "'codpaid' is not one of"),
        (("--limit", "0"), 2, "1<=x<=1000"),
        (("--after", "nothing"), 1, "This is no cursor"),
        (("--shop", "nowhere"), 1, "nowhere"),
    ],
)
def test_what_cannot_be_listed_is_one_sentence(listed, options, code, says):
    """Nothing is listed where it is not clear what is meant."""
    answer = listed("list", *options)

    assert code == answer.code
    assert says in answer.err
    assert not answer.out


def test_a_cursor_of_another_list_is_refused(listed):
    """A page of other parcels is not taken for the next one."""
    cursor = listed("list", "--limit", "2", "--json").json["next"]

    answer = listed("list", "--shop", "alpha", "--after", cursor)

    assert (1, True) == (answer.code, "goes on with another list" in answer.err)
