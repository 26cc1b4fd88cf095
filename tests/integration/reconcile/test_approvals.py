"""What one person decides and another one has to approve."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import select, update

from carrierflow.domain.approval import ApprovalPolicy
from carrierflow.domain.decision import DecisionKind
from carrierflow.domain.fulfillment import RemoteSnapshot
from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import Event, FulfillmentRef, Opening, RemoteWord, Source, Status
from carrierflow.domain.revision import Revision
from carrierflow.errors import ConcurrentUpdate, InvalidInput
from carrierflow.ledger.ledger import Ledger
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.resolution import IncidentResolver
from carrierflow.storage.decisions import decisions_of
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import decisions, incidents


LAN = {"actor": "lan", "reason": "shop-is-right"}
NUMBERS = count(1)


@pytest.fixture
def runs(sqlite_store):
    """What runs write."""
    return SqlReconcileStore(sqlite_store)


@pytest.fixture
def desk_of(runs, sqlite_ledger, clock):
    """Make a desk whose decisions take so many people."""

    def make(**people):
        return IncidentResolver(
            runs,
            sqlite_ledger,
            clock=clock,
            projection_of=lambda _shop: PLATFORMS["haravan"].projection,
            policy=ApprovalPolicy(people=people),
        )

    return make


@pytest.fixture
def frozen(runs, sqlite_ledger, sqlite_shop, clock):
    """Make a frozen parcel on the road, of which the platform shows something else."""

    def make(*shows, cash=0):
        name = str(next(NUMBERS))
        ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id=name)
        sqlite_ledger.open(Opening(ref=ref, cod_amount=cash))
        mine = {"shop": ref.shop, "fulfillment_id": name}
        for status in (Status.PICKING, Status.DELIVERING):
            sqlite_ledger.record(Event(status=status, **mine))
        before = runs.parcel(ref.shop, name)
        words = [RemoteWord(raw=status, status=Status(status)) for status in shows]
        remote = RemoteSnapshot(
            carrier=words[0], cod=words[1], updated_at=clock(), dates={}, digest="seen"
        )
        why = Finding(kind="diverged", sentence="They differ.", ref=ref, evidence={}, freezes=True)
        after = replace(before, frozen="diverged", remote=remote)
        runs.write(
            FulfillmentUpdate(before=before, after=after, now=clock(), findings=(why,)), fence=None
        )
        clock.advance(minutes=10)
        (incident,) = [i for i in runs.incidents() if i.fulfillment_id == name]
        return incident

    return make


def entries(runs, incident):
    """Return where a parcel stands, and after how many entries."""
    parcel = runs.parcel(incident.shop, incident.fulfillment_id)
    return parcel.delivery.status, parcel.delivery.seq, parcel.cod.status, parcel.cod.seq


def kinds(store, incident):
    """Return what was decided about an incident, by whom, and who approved it."""
    with store.reading() as connection:
        return [
            (d.what, d.actor, d.approved_by) for d in decisions_of(connection, int(incident.id))
        ]


def test_adopted_cash_takes_an_approver(desk_of, frozen, runs, sqlite_store):
    """Where nothing is set, adopting books no cash until somebody else says so."""
    desk, incident = desk_of(), frozen("delivered", "codpaid", cash=90_000)
    before = entries(runs, incident)

    waiting = desk.resolve(incident.id, ResolveAction.ADOPT, **LAN)

    assert ("open", "adopt", "lan") == (waiting.state, waiting.proposal.action, "lan")
    assert before == entries(runs, incident)
    assert [waiting] == desk.proposed()
    done = desk.approve(incident.id, actor="mai")
    assert ("resolved", "lan", ("mai",), None) == (
        done.state,
        done.resolved_by,
        done.approved_by,
        done.proposal,
    )
    assert ("delivered", "codpaid") == entries(runs, incident)[::2]
    assert [
        ("opened", "carrierflow", None),
        ("proposed", "lan", None),
        ("resolved", "lan", "mai"),
    ] == kinds(sqlite_store, incident)
    assert [] == desk.proposed()


def test_what_books_no_cash_is_done_at_once(desk_of, frozen, runs):
    """A carrier that sets nothing resolves all else alone, as ever."""
    incident = frozen("notmeetcustomer", "none")

    assert "resolved" == desk_of().resolve(incident.id, ResolveAction.ADOPT, **LAN).state
    assert "notmeetcustomer" == entries(runs, incident)[0]


def test_adopting_writes_nothing_that_stands_already(desk_of, frozen, runs):
    """What the delivery moves by rule is not entered once more as a correction."""
    desk, incident = desk_of(), frozen("delivered", "codpaid", cash=90_000)
    before = entries(runs, incident)
    desk.resolve(incident.id, ResolveAction.ADOPT, **LAN)
    desk.approve(incident.id, actor="mai")

    parcel = runs.parcel(incident.shop, incident.fulfillment_id)
    after = entries(runs, incident)
    assert (before[1] + 1, before[3] + 1) == (after[1], after[3])
    assert (after[1], after[3]) == (parcel.delivery.confirmed, parcel.cod.confirmed)


@pytest.mark.parametrize("again", ["lan", " LAN ", "\N{FULLWIDTH LATIN SMALL LETTER L}an"])
def test_nobody_approves_what_is_their_own(desk_of, frozen, again):
    """Whoever proposed it is refused, however the name is spelled."""
    desk, incident = desk_of(abandon=2), frozen("picking", "none")
    desk.resolve(incident.id, ResolveAction.ABANDON, **LAN)

    with pytest.raises(InvalidInput, match="somebody else"):
        desk.approve(incident.id, actor=again)


def test_three_people_are_three(desk_of, frozen, sqlite_store):
    """Each approval is a row of its own, nobody counts twice, and the last one carries it out."""
    desk, incident = desk_of(abandon=3), frozen("picking", "none")
    desk.resolve(incident.id, ResolveAction.ABANDON, **LAN)

    assert ("mai",) == desk.approve(incident.id, actor="mai").proposal.approved_by
    with pytest.raises(InvalidInput, match="somebody else"):
        desk.approve(incident.id, actor="mai")
    done = desk.approve(incident.id, actor="tam")

    assert ("resolved", ("mai", "tam")) == (done.state, done.approved_by)
    assert [("approved", "lan", "mai"), ("resolved", "lan", "tam")] == kinds(
        sqlite_store, incident
    )[-2:]


def test_a_proposal_is_of_what_was_so(desk_of, frozen, runs, sqlite_ledger):
    """After a scan that came meanwhile it is refused and changes nothing; rejected, it is gone."""
    desk, incident = desk_of(abandon=2), frozen("picking", "none")
    desk.resolve(incident.id, ResolveAction.ABANDON, **LAN)
    mine = {"shop": incident.shop, "fulfillment_id": incident.fulfillment_id}
    sqlite_ledger.record(Event(status=Status.DELIVERED, **mine))
    before = entries(runs, incident)

    with pytest.raises(InvalidInput, match="has changed since"):
        desk.approve(incident.id, actor="mai")
    with pytest.raises(InvalidInput, match="waits for approval"):
        desk.resolve(incident.id, ResolveAction.UNFREEZE, **LAN)
    rejected = desk.reject(incident.id, actor="lan", reason="it came")

    assert ("open", None) == (rejected.state, rejected.proposal)
    assert before == entries(runs, incident)
    with pytest.raises(InvalidInput, match="Nothing"):
        desk.approve(incident.id, actor="mai")


def test_two_approvals_of_one_moment_are_one(desk_of, frozen, runs, monkeypatch):
    """Whoever decides about what another one decided meanwhile is told so, and writes nothing."""
    desk, incident = desk_of(abandon=2), frozen("picking", "none")
    desk.resolve(incident.id, ResolveAction.ABANDON, **LAN)
    looked_at = desk.get(incident.id)
    desk.approve(incident.id, actor="mai")

    monkeypatch.setattr(runs, "incident", lambda _: looked_at)
    with pytest.raises(ConcurrentUpdate):
        desk.reject(incident.id, actor="tam", reason="late")


def correction(incident, **changed):
    """A correction of the parcel of an incident."""
    mine = {"shop": incident.shop, "fulfillment_id": incident.fulfillment_id, **LAN}
    return Event(**(mine | {"status": Status.PICKING, "source": Source.OPERATOR} | changed))


def test_a_correction_waits_as_an_incident(desk_of, frozen, runs, sqlite_store, clock):
    """Nothing is entered before somebody else approves; then it is dated as it was proposed."""
    desk, about = desk_of(amend=2), frozen("picking", "none")
    before, at = entries(runs, about), clock()

    waiting = desk.amend(correction(about))

    assert ("correction_proposed", "open", "amend") == (
        waiting.kind,
        waiting.state,
        waiting.proposal.action,
    )
    assert before == entries(runs, about)
    with pytest.raises(InvalidInput, match="waits for approval already"):
        desk.amend(correction(about))
    with pytest.raises(InvalidInput, match="waits for approval"):
        desk.resolve(waiting.id, ResolveAction.UNFREEZE, **LAN)
    clock.advance(hours=3)
    done = desk.approve(waiting.id, actor="mai")
    assert ("resolved", "amend", ("mai",)) == (done.state, done.action, done.approved_by)
    parcel = runs.parcel(about.shop, about.fulfillment_id)
    assert ("picking", at) == (parcel.delivery.status, parcel.delivery.since)
    assert waiting.id != desk.amend(correction(about, status=Status.DELIVERING)).id


def test_a_rejected_correction_is_over(desk_of, frozen, runs, sqlite_store):
    """Its incident ends with it, and says who did not want it and why."""
    desk, about = desk_of(amend=2), frozen("picking", "none")
    before = entries(runs, about)
    waiting = desk.amend(correction(about))

    over = desk.reject(waiting.id, actor="mai", reason="parcel-found")

    assert ("resolved", "rejected", "mai", "parcel-found") == (
        over.state,
        over.action,
        over.resolved_by,
        over.resolved_reason,
    )
    assert before == entries(runs, about)


def test_what_was_proposed_is_what_is_entered(desk_of, frozen, runs, sqlite_store):
    """A proposal whose incident was edited in the database is refused."""
    desk, about = desk_of(amend=2), frozen("picking", "none")
    waiting = desk.amend(correction(about))
    with sqlite_store.begin() as connection:
        text = connection.execute(
            select(incidents.c.evidence).where(incidents.c.id == int(waiting.id))
        ).scalar_one()
        other = text.replace('"status":"picking"', '"status":"return"')
        assert other != text
        connection.execute(
            update(incidents).where(incidents.c.id == int(waiting.id)).values(evidence=other)
        )

    with pytest.raises(InvalidInput, match="has changed since"):
        desk.approve(waiting.id, actor="mai")
    assert "delivering" == entries(runs, about)[0]


def test_adopting_is_no_way_round_a_correction(desk_of, frozen, runs):
    """What could be adopted by a correction alone takes as many people as a correction."""
    desk, incident = desk_of(amend=2), frozen("picking", "none")

    assert 2 == desk.preview(incident.id, ResolveAction.ADOPT).people
    assert desk.resolve(incident.id, ResolveAction.ADOPT, **LAN).proposal is not None


def test_the_ledger_alone_corrects_nothing_where_two_have_to(
    sqlite_store, sqlite_ledger, frozen, clock
):
    """A ledger of such a carrier refuses a correction that nobody approved."""
    about = frozen("picking", "none")
    ledger = Ledger(sqlite_store, sqlite_ledger._lifecycle, clock=clock, amends_alone=False)

    with pytest.raises(InvalidInput, match="more people than one"):
        ledger.amend(correction(about))


def test_a_correction_says_something_new(sqlite_ledger, frozen, runs):
    """What would say again what stands there is refused, and no entry is written."""
    about = frozen("picking", "none")
    before = entries(runs, about)

    with pytest.raises(InvalidInput, match="nothing to correct"):
        sqlite_ledger.amend(correction(about, status=Status.DELIVERING))
    assert before == entries(runs, about)


def test_the_accounts_stand_beside_people_alone(desk_of, frozen, sqlite_store):
    """A person's row names the account of the process; a run's row is as it always was."""
    desk, incident = desk_of(abandon=2), frozen("picking", "none")
    desk.assign(incident.id, "tam", actor="mai")
    desk.resolve(incident.id, ResolveAction.ABANDON, **LAN)
    d = decisions.c
    with sqlite_store.reading() as connection:
        query = select(d.what, d.actor, d.os_user, d.db_user).where(d.incident == int(incident.id))
        opened, *people = connection.execute(query.order_by(d.number)).all()

    assert (None, None) == (opened.os_user, opened.db_user)
    assert [("assigned", "mai"), ("proposed", "lan")] == [row[:2] for row in people]
    assert all(row.os_user for row in people)
    assert {DecisionKind.OPENED} == {opened.what}


@pytest.fixture
def collected(sqlite_ledger, sqlite_shop):
    """A parcel whose cash was collected."""
    ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id=str(next(NUMBERS)))
    sqlite_ledger.open(Opening(ref=ref, cod_amount=510_000))
    for status in (Status.PICKING, Status.DELIVERING, Status.DELIVERED):
        mine = {"shop": ref.shop, "fulfillment_id": ref.fulfillment_id}
        sqlite_ledger.record(Event(status=status, **mine))
    return ref


def test_a_correction_of_the_amount_waits_for_somebody_else(desk_of, runs, collected):
    """What was collected stays as written until another person approves, and then is corrected."""
    desk = desk_of(amend=2)
    revision = Revision(ref=collected, cod_amount=450_000, correction=True, **LAN)
    waiting = desk.revise(revision)

    assert ("correction_proposed", "lan") == (waiting.kind, waiting.proposal.actor)
    assert 510_000 == runs.parcel(collected.shop, collected.fulfillment_id).cod_amount
    with pytest.raises(InvalidInput, match="somebody else"):
        desk.approve(waiting.id, actor="Lan")
    with pytest.raises(InvalidInput, match="waits for approval"):
        desk.revise(revision)
    done = desk.approve(waiting.id, actor="mai")
    assert ("resolved", ("mai",)) == (done.state, done.approved_by)
    assert 450_000 == runs.parcel(collected.shop, collected.fulfillment_id).cod_amount


def test_a_correction_of_another_amount_is_decided_anew(desk_of, runs, sqlite_ledger, collected):
    """A proposal whose parcel was revised meanwhile is not approved any more."""
    desk = desk_of(amend=2)
    waiting = desk.revise(Revision(ref=collected, cod_amount=1, correction=True, **LAN))
    sqlite_ledger.revise(collected, cod_amount=2, correction=True, **LAN)

    with pytest.raises(InvalidInput, match="has changed"):
        desk.approve(waiting.id, actor="mai")
    assert 2 == runs.parcel(collected.shop, collected.fulfillment_id).cod_amount


def test_a_revision_that_corrects_nothing_takes_one(desk_of, runs, sqlite_ledger, sqlite_shop):
    """Cash that was not collected is agreed anew at once, however many a correction takes."""
    ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id=str(next(NUMBERS)))
    sqlite_ledger.open(Opening(ref=ref, cod_amount=510_000))
    answer = desk_of(amend=2).revise(Revision(ref=ref, cod_amount=450_000, **LAN))

    assert (1, True) == (answer.number, answer.changed)
    assert 450_000 == runs.parcel(ref.shop, ref.fulfillment_id).cod_amount
