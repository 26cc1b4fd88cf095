"""What is over closes by itself, and a decision does what was said of it beforehand."""

from __future__ import annotations

import pytest
from carrier import carrying

from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.incident_kinds import KINDS
from carrierflow.domain.model import Event, Status
from carrierflow.errors import InvalidInput
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.storage.incidents import open_incident

from .causes import CAUSES, edit, opened, run, told
from .test_faults import FAST


DECIDED = {"actor": "lan", "reason": "seen"}


@pytest.fixture
def carrier(tmp_path):
    """A carrier with one shop."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        made.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        yield made


def put_answers(carrier, status, times=1000):
    """Let something before the platform answer each PUT so."""
    fault = Fault(kind=FaultKind.PROXY_BEFORE, status=status)
    carrier.server.haravan.faults.add(Rule(fault=fault, method="PUT", times=times))


def log_of(carrier):
    """Return what the sandbox was told, in order: a status, or the name of an operation."""
    log = carrier.world.recorder
    return [str(put.to_status) for put in log.puts] if hasattr(log, "puts") else log.writes[:]


def history(carrier, incident):
    """Return the entries of the parcel that an incident is about; none where it is about none."""
    if incident.order_id is None:
        return ()
    return carrier.app.timeline("alpha", incident.fulfillment_id).entries


def decided(desk, incident, action):
    """Decide, and let somebody else approve it where that takes two; return what came of it."""
    done = desk.resolve(incident.id, action, **DECIDED)
    return desk.approve(incident.id, actor="mai") if done.proposal else done


def test_each_kind_has_a_cause():
    """A kind that nobody opens for real is not known to close."""
    assert KINDS.keys() == CAUSES.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_over_closes_by_the_next_run(tmp_path, kind):
    """Opened for real, it stays while its cause does, and is gone with it, if anything heals it."""
    with opened(kind, tmp_path) as (carrier, ref, healing):
        assert [kind] == run(carrier)

        next(healing, None)

        left = run(carrier)
        (was,) = carrier.app.incidents.all(state=None)
        if KINDS[kind].heals:
            assert [] == left
            assert ("gone", "resolved", "carrierflow") == (was.action, was.state, was.resolved_by)
            assert carrier.agrees(ref)
        else:
            assert [kind] == left == run(carrier)
        assert KINDS[kind].heals == (not KINDS[kind].ends.startswith("nothing"))


PAIRS = [(kind, action) for kind, it in KINDS.items() for action in it.actions]


@pytest.mark.parametrize(("kind", "action"), PAIRS)
def test_a_decision_does_exactly_what_was_said(tmp_path, kind, action):
    """Of each kind, each action that fits it ends it, and writes and tells what was announced."""
    with opened(kind, tmp_path) as (carrier, _, _):
        (incident,) = carrier.app.incidents.all()
        desk, before, puts = carrier.app.incidents, history(carrier, incident), log_of(carrier)
        rows = carrier.rows()

        said = desk.preview(incident.id, action)

        assert (None, rows) == (said.refused, carrier.rows())
        assert action == decided(desk, incident, action).action
        assert [] == carrier.app.incidents.all()
        run(carrier)
        entries = history(carrier, incident)[len(before) :]
        assert [(each.machine, each.from_status, each.to_status) for each in said.writes] == [
            (each.machine, each.from_status, each.to_status) for each in entries
        ]
        assert [each.correction for each in said.writes] == [bool(e.amends) for e in entries]
        assert list(said.tells) == log_of(carrier)[len(puts) :]


@pytest.mark.parametrize(
    "kind", [k for k, it in KINDS.items() if ResolveAction.ABANDON in it.actions]
)
def test_resuming_tells_what_was_said(tmp_path, kind):
    """What was abandoned over any incident is looked at again, and told as announced."""
    with opened(kind, tmp_path) as (carrier, _, _):
        (incident,) = carrier.app.incidents.all()
        desk = carrier.app.incidents
        desk.resolve(incident.id, ResolveAction.ABANDON, **DECIDED)
        run(carrier)
        puts, rows = log_of(carrier), carrier.rows()

        said = desk.preview(incident.id, ResolveAction.RESUME)

        assert (None, (), rows) == (said.refused, said.writes, carrier.rows())
        desk.resolve(incident.id, ResolveAction.RESUME, **DECIDED)
        run(carrier)
        assert list(said.tells) == log_of(carrier)[len(puts) :]


def test_a_parcel_that_is_freed_has_no_incident_left_that_froze_it(tmp_path):
    """Whichever of two a person decides about: what is free is not said to be frozen."""
    with opened("merchant_edit", tmp_path) as (carrier, ref, _):
        store, parcel = carrier.app.store, carrier.app.parcel("alpha", ref.fulfillment_id)
        reported = Finding(kind="order_cancelled", sentence="It is.", ref=ref, evidence={})
        with store.begin() as connection:
            open_incident(connection, parcel.shop_id, parcel.id, reported, carrier.now())
        _, other = carrier.app.incidents.all()

        carrier.app.incidents.resolve(other.id, ResolveAction.UNFREEZE, **DECIDED)

        assert carrier.app.parcel("alpha", ref.fulfillment_id).frozen is None
        assert [] == carrier.app.incidents.all()
        assert carrier.app.verify().ok
        assert 1 == len(run(carrier))
        assert carrier.app.verify().ok


def test_a_disputed_cash_that_moves_on_is_not_announced(tmp_path):
    """Where the platform shows no cash, a run tells none, and a preview says so."""
    with opened("cash_disputed", tmp_path) as (carrier, ref, _):
        (incident,) = carrier.app.incidents.all()
        carrier.record(ref, "codreceipt")
        puts = carrier.writes

        said = carrier.app.incidents.preview(incident.id, ResolveAction.UNFREEZE)

        assert () == said.tells
        carrier.app.incidents.resolve(incident.id, ResolveAction.UNFREEZE, **DECIDED)
        run(carrier)
        assert puts == carrier.writes


def test_a_parcel_that_is_free_again_is_told_what_comes_next(carrier):
    """Once both sides agree, a frozen parcel goes on as if nothing had been."""
    cause = CAUSES["merchant_edit"].play(carrier)
    ref = next(cause)
    assert ["merchant_edit"] == run(carrier)
    next(cause, None)
    run(carrier)

    carrier.record(ref, "delivered")

    assert [] == run(carrier)
    assert carrier.agrees(ref)


def test_what_is_not_over_stays(carrier):
    """A frozen parcel that is moved, and not to where the ledger has it, stays frozen."""
    ref = told(carrier, cod=0)
    edit(carrier, ref, carrier_status="picking")
    run(carrier)
    edit(carrier, ref, carrier_status="readytopick")

    assert ["merchant_edit"] == run(carrier)
    assert "merchant_edit" == carrier.app.parcel("alpha", ref.fulfillment_id).frozen


def test_a_token_that_may_not_write_is_not_proved_right_by_reading(carrier):
    """A 403 to a PUT stops the shop as a 401 does; only a PUT that is taken closes that."""
    refs = [carrier.parcel("alpha") for _ in range(3)]
    run(carrier)
    put_answers(carrier, 403, times=1)
    for ref in refs:
        carrier.record(ref, "picking")
    (report,) = carrier.app.reconcile(full=True)
    assert ("access_denied", 1) == (report.end_reason, report.requests.put)
    assert ["access_denied"] == [incident.kind for incident in carrier.app.incidents.all()]
    for ref in refs:
        parcel = carrier.app.parcel("alpha", ref.fulfillment_id)
        assert (None, 1) == (parcel.frozen, parcel.unpublished)

    assert [] == run(carrier)
    assert {"picking"} == {carrier.shown(ref)[0] for ref in refs}


def test_reading_alone_does_not_close_what_refuses_writes(carrier):
    """Where all that waits is frozen, nothing is written, and the incident stays."""
    ref = told(carrier, cod=0)
    put_answers(carrier, 403)
    carrier.record(ref, "delivered")
    assert ["access_denied"] == run(carrier)
    edit(carrier, ref, carrier_status="picking")

    assert ["access_denied", "merchant_edit"] == run(carrier) == run(carrier)
    carrier.app.shops.pause("alpha")
    assert ["merchant_edit"] == [incident.kind for incident in carrier.app.incidents.all()]


def test_one_kind_is_open_once_for_a_parcel(carrier):
    """A second cause of the same kind is counted, and its evidence is the one that is shown."""
    ref = told(carrier)
    edit(carrier, ref, cod_status="none")
    run(carrier)
    edit(carrier, ref, cod_status="codnotreceipt")

    assert ["cash_disputed"] == run(carrier)
    (incident,) = carrier.app.incidents.all(state=None)
    assert 2 == incident.times_seen
    assert "codnotreceipt" in incident.sentence


def test_adopting_about_cash_leaves_the_delivery(carrier):
    """An incident about cash takes over the cash alone, and says so beforehand."""
    ref = told(carrier)
    edit(carrier, ref, cod_status="none")
    run(carrier)
    carrier.record(ref, "delivered")
    (incident,) = carrier.app.incidents.all()
    desk = carrier.app.incidents

    said = desk.preview(incident.id, ResolveAction.ADOPT)
    assert [("cod", "codpaid", "none")] == [
        (str(each.machine), each.from_status, each.to_status) for each in said.writes
    ]
    assert ("delivered",) == said.tells
    before = carrier.rows()
    desk.preview(incident.id, ResolveAction.REASSERT)
    assert before == carrier.rows()

    decided(desk, incident, ResolveAction.ADOPT)
    assert ("delivered", "none") == carrier.known(ref)


@pytest.mark.parametrize("action", ["unfreeze", "adopt", "reassert", "abandon"])
def test_a_decision_does_what_was_said(carrier, action):
    """The entries and PUTs that follow are those of the preview."""
    ref = told(carrier, cod=0)
    edit(carrier, ref, carrier_status="picking")
    run(carrier)
    (incident,) = carrier.app.incidents.all()
    written, puts = len(carrier.app.timeline("alpha", ref.fulfillment_id).entries), carrier.writes

    said = carrier.app.incidents.preview(incident.id, ResolveAction(action))
    carrier.app.incidents.resolve(incident.id, ResolveAction(action), **DECIDED)
    carrier.clock.advance(600)
    carrier.app.reconcile(full=True)

    entries = carrier.app.timeline("alpha", ref.fulfillment_id).entries[written:]
    assert [each.to_status for each in said.writes] == [each.to_status for each in entries]
    assert len(said.tells) == carrier.writes - puts


def test_what_was_abandoned_can_be_resumed(carrier):
    """Abandoned, a parcel is recorded and not told, nor counted; resumed, it is told."""
    ref = told(carrier, cod=0)
    edit(carrier, ref, carrier_status="picking")
    run(carrier)
    (incident,) = carrier.app.incidents.all()
    desk = carrier.app.incidents
    with pytest.raises(InvalidInput, match="was not abandoned"):
        desk.resolve(incident.id, ResolveAction.RESUME, **DECIDED)
    desk.resolve(incident.id, ResolveAction.ABANDON, **DECIDED)

    scan = Event(shop="alpha", fulfillment_id=ref.fulfillment_id, status=Status.DELIVERED)
    answer = carrier.app.ledger.record(scan)
    assert ("accepted", True) == (answer.verdict, "abandoned" in answer.sentence)
    assert [] == run(carrier)
    (backlog,), (coverage,) = carrier.app.backlogs(), carrier.app.coverage()
    assert (None, 0) == (backlog.oldest_unpublished_at, coverage.unpublished)

    assert "resume" == desk.resolve(incident.id, ResolveAction.RESUME, **DECIDED).action
    edit(carrier, ref, carrier_status="delivering")
    run(carrier)
    assert ("delivered", "none") == carrier.shown(ref)
