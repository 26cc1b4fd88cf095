"""One bad row costs one row, and one bad shop costs one shop: whole runs over real sockets."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from carrier import carrying
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from carrierflow.reconcile import EndReason
from carrierflow.sandbox.haravan import HttpReply

from .test_faults import FAST


PAGE = 50
FIELDS = ("id", "order_id", "updated_at", "carrier_status_code", "carrier_cod_status_code")
ODD = st.sampled_from([None, [], {}, True, 1.5, "", "\0", "0001-01-01T00:00:00+14:00", "x" * 300])


class Between:
    """What lies between the carrier and the platform, and changes what comes back."""

    def __init__(self, haravan):
        self.haravan, self.change = haravan, None

    def handle(self, request):
        """Let a request through, and change its reply if it is a page of orders."""
        outcome = self.haravan.handle(request)
        if self.change is None or not isinstance(outcome, HttpReply) or request.method != "GET":
            return outcome
        document = json.loads(outcome.body)
        for order in document.get("orders", ()):
            self.change(order)
        return replace(outcome, body=json.dumps(document).encode())


@pytest.fixture
def carrier(tmp_path):
    """A carrier whose platform is behind something that can be odd."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        made.between = made.server.haravan = Between(made.server.haravan)
        made.numbers = itertools.count()
        yield made


def shops(carrier):
    """Connect two shops of parcels in agreement, each with steps that are not published yet."""
    codes = [f"{name}-{next(carrier.numbers)}" for name in ("alpha", "beta")]
    carrier.between.change = None
    carrier.connect(*codes, bucket_size=100_000, leak_per_second=100_000)
    refs = {
        code: [carrier.parcel(code) for _ in range(size)]
        for code, size in zip(codes, (PAGE, 3), strict=True)
    }
    carrier.app.reconcile(codes, full=True)
    carrier.clock.advance(3600)
    return codes, refs


def damage(target, name, value, *, whole_row):
    """Return a change of one fulfillment, wherever it is listed."""

    def change(order):
        rows = order["fulfillments"]
        for place, row in enumerate(rows):
            if isinstance(row, dict) and str(row.get("id")) == target.fulfillment_id:
                rows[place] = value if whole_row else {**row, name: value}

    return change


def rows_of(carrier, query, **values):
    """Ask the database, past all production code."""
    with carrier.app.store.engine.connect() as connection:
        return connection.execute(text(query), values).all()


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    victim=st.integers(0, PAGE - 1),
    name=st.sampled_from(FIELDS),
    value=ODD,
    whole_row=st.booleans(),
)
def test_a_damaged_row_costs_that_row(carrier, victim, name, value, whole_row):
    """The other forty-nine are looked after, both shops get their report, the watermark moves."""
    (alpha, beta), refs = shops(carrier)
    healthy = [ref for place, ref in enumerate(refs[alpha]) if place != victim]
    for ref in (healthy[0], healthy[-1], refs[beta][0]):
        carrier.record(ref, "picking")
    carrier.between.change = damage(refs[alpha][victim], name, value, whole_row=whole_row)
    began = carrier.clock()

    first, second = carrier.app.reconcile([alpha, beta], full=True)
    again, _ = carrier.app.reconcile([alpha, beta], full=True)

    assert [EndReason.DONE] * 3 == [first.end_reason, second.end_reason, again.end_reason]
    assert {"picking"} == {carrier.shown(r)[0] for r in (healthy[0], healthy[-1], refs[beta][0])}
    seen = rows_of(
        carrier,
        "SELECT count(*) FROM carrierflow_fulfillments f JOIN carrierflow_shops s ON s.id = f.shop "
        "WHERE s.code = :code AND verified_at >= :began",
        code=alpha,
        began=began.isoformat(timespec="microseconds"),
    )
    assert seen[0][0] >= PAGE - 1
    incidents = [i for i in carrier.app.incidents.all() if i.shop == alpha]
    assert 1 == len(incidents)
    assert incidents[0].kind in {"unreadable", "unknown_code"}
    unended = rows_of(carrier, "SELECT count(*) FROM carrierflow_runs WHERE ended_at IS NULL")
    assert [(0,)] == unended
    ((swept_to,),) = rows_of(
        carrier, "SELECT swept_to FROM carrierflow_shops WHERE code = :code", code=alpha
    )
    newest = rows_of(carrier, "SELECT max(remote_updated_at) FROM carrierflow_fulfillments")[0][0]
    assert swept_to >= min(newest, began.isoformat())


ORDER_FIELDS = ("id", "updated_at", "fulfillments", "cancelled_at")


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(victim=st.integers(0, PAGE - 1), name=st.sampled_from(ORDER_FIELDS), value=ODD)
def test_a_damaged_order_costs_that_order(carrier, victim, name, value):
    """The others are published and both shops get their report, whatever one order looks like."""
    (alpha, beta), refs = shops(carrier)
    healthy = [ref for place, ref in enumerate(refs[alpha]) if place != victim]
    told = [healthy[0], healthy[-1], refs[beta][0]]
    for ref in told:
        carrier.record(ref, "picking")

    def change(order):
        if str(order["id"]) == refs[alpha][victim].order_id:
            order[name] = value

    carrier.between.change = change

    reports = [*carrier.app.reconcile([alpha, beta], full=True), *carrier.app.reconcile([alpha])]

    assert [EndReason.DONE] * 3 == [report.end_reason for report in reports]
    assert {"picking"} == {carrier.shown(ref)[0] for ref in told}
    assert len([i for i in carrier.app.incidents.all() if i.shop == alpha]) <= 1
    victim_now = carrier.app.parcel(alpha, refs[alpha][victim].fulfillment_id)
    assert victim_now.frozen is None
    assert [(0,)] == rows_of(
        carrier, "SELECT count(*) FROM carrierflow_runs WHERE ended_at IS NULL"
    )


def test_a_row_under_anothers_id_is_not_taken_for_it(carrier):
    """Of a parcel that two rows claim to be, neither is believed; its own address decides."""
    (alpha, _), refs = shops(carrier)
    mine, other = refs[alpha][:2]
    carrier.record(mine, "picking")

    def claim(order):
        if str(order["id"]) in {mine.order_id, other.order_id}:
            (row,) = order["fulfillments"]
            claimed = {"id": int(mine.fulfillment_id), "carrier_status_code": "delivered"}
            order["fulfillments"] = [row, {**row, **claimed}]

    carrier.between.change = claim
    (report,) = carrier.app.reconcile([alpha], full=True)
    carrier.app.reconcile([alpha], full=True)

    assert EndReason.DONE == report.end_reason
    assert ("picking", "picking") == (carrier.known(mine)[0], carrier.shown(mine)[0])
    assert "readytopick" == carrier.known(other)[0]
    assert {None} == {carrier.app.parcel(alpha, ref.fulfillment_id).frozen for ref in refs[alpha]}


def test_what_can_be_read_again_is_over(carrier):
    """The incident of an odd row is closed by the run that reads its order whole."""
    (alpha, _), refs = shops(carrier)
    carrier.between.change = damage(refs[alpha][3], "updated_at", None, whole_row=False)
    carrier.app.reconcile([alpha], full=True)
    (incident,) = carrier.app.incidents.all()
    carrier.between.change = None

    carrier.app.reconcile([alpha], full=True)

    assert "unreadable" == incident.kind
    assert refs[alpha][3].fulfillment_id == incident.evidence["fulfillment_id"]
    assert {"digest", "place", "reason"} <= set(incident.evidence)
    assert [] == carrier.app.incidents.all()


def test_a_date_ahead_hides_no_change(carrier):
    """An order that claims to change tomorrow takes the watermark to now, and not beyond."""
    (alpha, _), refs = shops(carrier)
    first, second = refs[alpha][:2]
    tomorrow = (carrier.clock() + timedelta(hours=20)).isoformat()

    def change(order):
        if str(order["id"]) == first.order_id:
            order["updated_at"] = tomorrow

    carrier.between.change = change
    carrier.world.cancel_order(alpha, int(first.order_id))
    carrier.app.reconcile([alpha])
    carrier.clock.advance(600)
    carrier.world.cancel_order(alpha, int(second.order_id))

    (report,) = carrier.app.reconcile([alpha])

    assert 1 == report.adopted
    assert ("cancel", "none") == carrier.known(second)


def test_an_odd_row_of_ours_is_not_gone(carrier):
    """A parcel whose row cannot be read, not even its id, is not counted as missing."""
    (alpha, _), refs = shops(carrier)
    carrier.between.change = damage(refs[alpha][0], "", None, whole_row=True)

    for _ in range(4):
        carrier.app.reconcile([alpha], full=True)
        carrier.clock.advance(3600)

    parcel = carrier.app.parcel(alpha, refs[alpha][0].fulfillment_id)
    assert (0, None) == (parcel.missing, parcel.frozen)
    assert ["unreadable"] == [incident.kind for incident in carrier.app.incidents.all()]


def test_progress_is_told_by_one_thread_at_a_time(carrier):
    """Whoever listens need not think of threads: while one tells, the others wait for it."""
    codes, _ = shops(carrier)
    meeting, met = threading.Barrier(2), []

    def look(progress):
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.3)
            met.append(progress.shop)

    carrier.app.reconcile(codes, full=True, parallel=2, progress=look)

    assert meeting.broken
    assert [] == met


def test_an_unexpected_error_costs_one_shop(carrier, caplog):
    """A run that meets a defect is a report that failed, nothing of it is told; others go on."""
    (alpha, beta), refs = shops(carrier)
    carrier.record(refs[beta][0], "picking")
    began = carrier.clock().isoformat(timespec="microseconds")

    def stumble(progress):
        if progress.shop == alpha:
            raise LookupError("Nguyen 0901234567")

    (alone,) = carrier.app.reconcile([alpha], full=True, progress=stumble)
    first, second = carrier.app.reconcile([alpha, beta], full=True, progress=stumble)

    assert [EndReason.FAILED] * 2 == [alone.end_reason, first.end_reason]
    assert (EndReason.DONE, 1) == (second.end_reason, second.published)
    assert "LookupError" in first.sentence
    told = first.sentence + caplog.text + str([record.__dict__ for record in caplog.records])
    assert "Nguyen" not in told
    ends = "SELECT end_reason FROM carrierflow_runs WHERE started_at > :began ORDER BY end_reason"
    assert [("done",), ("failed",), ("failed",)] == rows_of(carrier, ends, began=began)
