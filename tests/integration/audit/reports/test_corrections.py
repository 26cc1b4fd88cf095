from datetime import timedelta

from carrierflow.audit.reports.corrections import CorrectionKind
from carrierflow.domain.revision import Terms


AMENDED = """
SELECT f.fulfillment_id, h.machine, h.seq, h.amends, h.actor, h.reason FROM carrierflow_history h
JOIN carrierflow_fulfillments f ON f.id = h.fulfillment
JOIN carrierflow_shops s ON s.id = f.shop
WHERE s.code = :shop AND (h.edge IS NULL OR h.source = 'operator') ORDER BY h.seq
"""
DECIDED = """
SELECT e.actor, e.reason, e.code FROM carrierflow_evidence e
JOIN carrierflow_shops s ON s.id = e.shop
WHERE s.code = :shop AND e.kind = 'resolution'
"""


def test_corrections_are_those_of_the_raw_history(reports, decided, ask):
    """Each correction is listed once with who made it and why, and nothing else is."""
    for shop in decided:
        found = reports.corrections(shop=shop)
        entries = [each for each in found if each.kind is not CorrectionKind.DECISION]
        decisions = [each for each in found if each.kind is CorrectionKind.DECISION]

        assert ask(AMENDED, shop=shop) == [
            (c.fulfillment_id, c.machine, c.seq, c.amends, c.actor, c.reason) for c in entries
        ]
        assert ask(DECIDED, shop=shop) == [(c.actor, c.reason, c.action) for c in decisions]


def test_a_decision_bears_its_incident_and_who_made_it(reports, decided, desk):
    """Where nobody else had to approve it, nobody is said to have."""
    (decision,) = (c for c in reports.corrections(shop=decided[0]) if c.incident)

    assert ("mai", None, "shop-removed-it", "abandon") == (
        decision.actor,
        decision.approved_by,
        decision.reason,
        decision.action,
    )
    assert "resolved" == desk.get(decision.incident).state


def test_a_revision_is_listed_with_what_was_agreed_before(reports, ledger, make_parcel, clock):
    """Who agreed upon another amount or waybill, and why, stands among what people changed."""
    parcel = make_parcel(cod_amount=510_000)
    at = clock.advance(hours=1)
    ledger.revise(
        parcel.ref, cod_amount=450_000, tracking_number="VN2", actor="lan", reason="asked"
    )
    (found,) = reports.corrections(shop=parcel.ref.shop)

    assert (CorrectionKind.REVISION, at, "lan", "asked", parcel.ref.fulfillment_id) == (
        found.kind,
        found.recorded_at,
        found.actor,
        found.reason,
        found.fulfillment_id,
    )
    assert Terms(cod_amount=510_000, tracking_number=None) == found.before
    assert Terms(cod_amount=450_000, tracking_number="VN2") == found.after


def test_corrections_of_a_time_are_no_others(reports, decided, clock):
    """What was recorded before or after is left out."""
    now = clock()

    assert 2 == len(reports.corrections(shop=decided[0], until=now - timedelta(hours=10)))
    assert 1 == len(reports.corrections(shop=decided[0], since=now - timedelta(hours=10)))
