"""What a run may write about an attempt when it concludes late."""

from __future__ import annotations

from carrierflow.domain.publication import PublicationState
from carrierflow.reconcile.publisher import _over

from .making import DELIVERY, a_case, attempt, told


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
