"""A plan is the same bytes for the same inputs, cannot be edited, and says what a run would do."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from carrierflow.domain.model import FulfillmentRef, Machine, RequestSketch, Status
from carrierflow.errors import InvalidInput
from carrierflow.reconcile.plan import Plan, PlanClass, PlanLine, plan_line

from .exploring import start, whole_run
from .making import COD, a_case, cancelled_order, lifecycle, told, word_of
from .moments import Scenario
from .moves import situation_of
from .strategies import cases, roads


ROAD = "readytopick picking delivering"


def sketch(ref, write):
    """Return the request of a PUT."""
    return RequestSketch(method="PUT", url=f"https://platform.test/{ref.order_id}/{write.name}")


def line_of(number, made=None):
    """Return a line of a plan about one of several parcels."""
    made = made or a_case(ROAD, 1)
    ref = FulfillmentRef(shop=f"shop-{number % 2}", order_id=f"{number}", fulfillment_id="5")
    return plan_line(replace(made, parcel=replace(made.parcel, ref=ref)), sketch)


def kind_of(made):
    """Return the class of the one line that a situation makes."""
    return plan_line(made, sketch).kind


LINES = tuple(line_of(number) for number in range(5))


@given(st.permutations(LINES))
def test_the_order_of_the_lines_does_not_matter(lines):
    """The same lines in any order make the same file, byte for byte."""
    assert Plan.of(LINES).to_text() == Plan.of(lines).to_text()


@given(cases())
def test_the_same_situation_makes_the_same_line(made):
    """What a line says depends on what is known, not on the order in which it was read."""
    seen = made.seen
    turned = replace(
        seen,
        dates=dict(reversed(seen.dates.items())),
        dates_raw=dict(reversed(seen.dates_raw.items())),
    )
    again = plan_line(replace(made, seen=turned), sketch)
    line = plan_line(made, sketch)

    assert (line and line.to_json()) == (again and again.to_json())


def test_a_plan_can_be_read_back():
    """What was written is what is carried out."""
    plan = Plan.of(LINES)

    assert plan == Plan.from_text(plan.to_text())
    assert ["shop-0", "shop-1"] == Plan.from_text(plan.to_text()).shops()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
def test_a_plan_can_be_read_back_whatever_the_platform_says(word):
    """No word of a platform can break the lines of a plan."""
    lost = a_case(ROAD, 1)
    lost = replace(lost, seen=replace(lost.seen, carrier=word_of(word)))
    plan = Plan.of(line for line in [plan_line(lost, sketch)] if line)

    assert plan == Plan.from_text(plan.to_text())


@given(st.data())
def test_an_edited_plan_is_refused(data):
    """A plan that was changed in a single character is not carried out."""
    text = Plan.of(LINES).to_text()
    place = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.characters(exclude_categories=["Cs"]))
    assume(other != text[place])

    with pytest.raises(InvalidInput):
        Plan.from_text(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 2, -1])
def test_a_plan_without_one_of_its_lines_is_refused(cut):
    """A plan is carried out whole or not at all."""
    lines = Plan.of(LINES).to_text().splitlines(keepends=True)
    del lines[cut]

    with pytest.raises(InvalidInput):
        Plan.from_text("".join(lines))


@pytest.mark.parametrize(
    "text", ["", "\n", "[]\n[]\n", "1\n2\n", "null\nnull\n", "{}\n{}\n", "plan"]
)
def test_what_is_no_plan_is_refused(text):
    """Any other file is answered with a sentence, not with a traceback."""
    with pytest.raises(InvalidInput):
        Plan.from_text(text)


@st.composite
def recorded(draw):
    """Draw a parcel that was recorded and partly told, and that nobody else touched."""
    groups = draw(st.sets(st.sampled_from(["refused", "redeliver", "return_after_delivery"])))
    law = lifecycle(*sorted(groups))
    road = [str(s) for s in draw(roads(Machine.DELIVERY, law))]
    assume(all(law.allows(Machine.DELIVERY, a, b) for a, b in pairwise(road)))
    confirmed = draw(st.integers(0, len(road)))
    delivered = Status.DELIVERED in road
    lifted = Status.DELIVERED in road[:confirmed]
    cash = ["codpending", "codpaid", "codreceipt"]
    cash = cash[: draw(st.integers(2, 3)) if delivered else 1]
    cash = draw(st.sampled_from([["none"], cash]))
    return Scenario(
        road=" ".join(road),
        confirmed=confirmed,
        cash=" ".join(cash),
        cash_confirmed=min(len(cash), 1 + lifted),
        groups=tuple(sorted(groups)),
    )


@given(recorded())
def test_a_plan_names_the_puts_that_a_run_makes(scenario):
    """With a platform that answers as it should, a run PUTs what its plan says, in that order."""
    state = start(scenario)
    line = plan_line(situation_of(state, state.platform.shown(0.0, read=True)), sketch)
    planned = [status for _, status, *_ in line.puts] if line else []

    assert planned == [attempt.status for attempt in whole_run(state).publication_log.attempts]


@given(recorded(), st.integers(3, 600))
def test_a_plan_is_whole_though_the_platforms_clock_is_ahead(scenario, seconds):
    """A platform whose clock is ahead of ours changes nothing in what is planned."""
    state = start(scenario)
    seen = state.platform.shown(0.0, read=True)
    ahead = replace(state, platform=replace(state.platform, updated=float(seconds)))
    ahead_seen = ahead.platform.shown(0.0, read=True)

    def puts(state, seen):
        line = plan_line(situation_of(state, seen), sketch)
        return [put[:2] for put in line.puts] if line else []

    assert puts(state, seen) == puts(ahead, ahead_seen)


@given(cases())
def test_a_plan_tells_a_parcel_that_it_freezes_nothing_after_that(made):
    """A line that freezes at once names no PUT and no adoption."""
    line = plan_line(made, sketch)
    if line is not None and line.kind is PlanClass.FREEZE:
        assert line.adopts is None
        assert not made.parcel.frozen


@pytest.mark.parametrize(
    ("expected", "made"),
    [
        ("publish", a_case(ROAD, 1)),
        ("adopt", a_case("readytopick", shows="cancel")),
        ("freeze", a_case(ROAD, shows="cancel")),
        ("report", cancelled_order(a_case(ROAD))),
        ("wait", a_case(ROAD, 1, tried=[told(2, over=-1.0)])),
        ("note", a_case(ROAD, 1, frozen="stuck")),
    ],
)
def test_a_line_bears_its_class(expected, made):
    """A person can see at once what would become of a parcel."""
    assert expected == kind_of(made)


def test_a_parcel_in_sync_has_no_line():
    """A plan holds only what there is to do."""
    assert plan_line(a_case(ROAD), sketch) is None


def test_a_freeze_of_the_cash_stops_the_delivery_too():
    """A run would PUT nothing for a parcel that it freezes, and the plan says the same."""
    line = plan_line(a_case(ROAD, 1, cash_shows="bitcoin"), sketch)

    assert (PlanClass.FREEZE, ()) == (line.kind, line.puts)
    assert ("6", "2") == line.rows


def test_a_line_holds_its_requests_and_its_evidence():
    """A person can repeat by hand what a line says, and see what it rests on."""
    content = LINES[0].to_json()

    assert ["picking", "delivering"] == [put["status"] for put in content["puts"]]
    assert ["https://platform.test/0/picking", "https://platform.test/0/delivering"] == [
        put["url"] for put in content["puts"]
    ]
    assert "readytopick" == content["evidence"]["platform"]["carrier"]
    assert content == json.loads(json.dumps(content))


def test_lines_differ_by_their_evidence():
    """A line whose evidence changed has another digest, so that it is found to be stale."""
    newer = a_case(ROAD, 1, updated=-5.0)

    assert line_of(0).to_json()["digest"] != line_of(0, newer).to_json()["digest"]
    assert isinstance(line_of(0, newer), PlanLine)
    assert COD not in {put[0] for put in line_of(0, newer).puts}
