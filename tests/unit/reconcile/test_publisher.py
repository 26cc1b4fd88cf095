"""What a run may write about an attempt when it concludes late."""

from __future__ import annotations

from dataclasses import replace

from carrierflow.domain.publication import PublicationState
from carrierflow.errors import ConcurrentUpdate
from carrierflow.reconcile.publisher import Publisher, _over
from carrierflow.reconcile.run_counters import EndState, RunCounters

from .making import DELIVERY, a_case, at, attempt, told


NOW = at(0)


def concluded(publication, number, *, unknown=False):
    """Conclude an attempt, and return what the publication then is."""
    made = a_case("readytopick picking", tried=[publication])
    ours = attempt(publication.seq, "picking", -60, number=number)
    return _over(made, ours, unknown=unknown).publication_log.publications[
        DELIVERY, publication.seq
    ]


def test_a_conclusion_closes_its_own_attempt():
    """The run that tried last says what its attempt became."""
    publication = told(2, state=PublicationState.SENT, attempts=1)

    assert PublicationState.TODO is concluded(publication, 1).state
    assert PublicationState.UNKNOWN is concluded(publication, 1, unknown=True).state


def test_a_stalled_run_does_not_undo_the_attempt_of_another():
    """A run that concludes after another has tried again leaves that attempt open."""
    publication = told(2, state=PublicationState.SENT, attempts=2)

    assert publication == concluded(publication, 1)


def test_a_stalled_run_does_not_reopen_what_is_confirmed():
    """What a read has confirmed meanwhile stays confirmed."""
    publication = told(2, state=PublicationState.CONFIRMED, attempts=1)

    assert publication == concluded(publication, 1, unknown=True)


class Store:
    """What runs write, kept; others changed a parcel before everything is written together."""

    def __init__(self, *, met):
        self._met = met
        self.together, self.alone = [], []

    def write_all(self, writings):
        """Write some updates at once, or meet another writer."""
        if self._met:
            raise ConcurrentUpdate("Fulfillment 5001")
        self.together.append(list(writings))
        return tuple(replace(it.after, version=it.before.version + 1) for it in writings), 0

    def write(self, writing, *, fence):
        """Write one update."""
        assert fence is None
        self.alone.append(writing)
        return replace(writing.after, version=writing.before.version + 1), 0


def noted(store):
    """Let a publisher take three quiet turns; return how they ended, and what was counted."""
    made = [a_case("readytopick picking", 0, shows="picking", looked=False) for _ in range(3)]
    cases = [replace(it, parcel=replace(it.parcel, id=n)) for n, it in enumerate(made)]
    counters = RunCounters(since=NOW)
    publisher = Publisher(
        shop=None,
        run="run",
        fence=1,
        store=store,
        platform=None,
        ledger=None,
        clock=lambda: NOW,
        counters=counters,
    )
    results = publisher.note([(case, publisher.consider(case)) for case in cases])
    return [(it.case.parcel, it.ending) for it in results], counters.rows


def test_quiet_turns_are_written_at_once():
    """Turns that tell nothing are one write, and end as they were decided."""
    store = Store(met=False)
    ended, rows = noted(store)

    assert [3] == [len(it) for it in store.together]
    assert not store.alone
    assert [(n, EndState.IN_SYNC) for n in range(3)] == [(p.id, end) for p, end in ended]
    assert {"7": 3, "8": 6} == {row: rows[row] for row in ("7", "8")}


def test_where_another_writer_is_met_each_is_settled_alone():
    """A write together that fails is made one by one: the same updates, endings and counts."""
    calm, met = Store(met=False), Store(met=True)

    assert noted(calm) == noted(met)
    assert calm.together == [met.alone]
