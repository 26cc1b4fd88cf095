"""The only code that appends history.

One event or a hundred thousand go the same way: read the parcels, let the rules decide in
memory, write everything in one transaction. A single event is judged by the `transitions`
machine, many at once by the compiled table; both were derived from the same definition.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice

from carrierflow.domain.canonical import digest, stamp
from carrierflow.domain.clock import EARLIEST, Clock
from carrierflow.domain.counters import Counters
from carrierflow.domain.fulfillment import Fulfillment, PastEvents
from carrierflow.domain.lifecycle import Lifecycle, LifecycleMachine
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    Opening,
    Recorded,
    ResolvedEvent,
    Status,
    Verdict,
)
from carrierflow.domain.revision import Revised, Revision
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import (
    ConcurrentUpdate,
    InvalidInput,
    MissingSecretKey,
    UnknownFulfillment,
    UnknownShop,
)
from carrierflow.ledger.naming import NamedDrafts
from carrierflow.ledger.ports import EncryptedNote, Encryptor, LedgerStore, LedgerTransaction
from carrierflow.ledger.revising import check_revision, check_same, revise
from carrierflow.ledger.validation import (
    check_event,
    check_opening,
    check_time,
    validation_errors,
)
from carrierflow.ledger.verdicts import Draft, VerdictRules


__all__ = ["Ledger"]

SALT_DIGITS = 32
"""Hex digits before a note that make its digest unguessable."""

CHUNK = 2_000
"""Events of a bulk recording that share a transaction."""

REJECTED = "rejected"
"""What is counted for an event that could not be recorded at all."""


@guarded_methods
class Ledger:
    """Records what happened to parcels and to their cash."""

    def __init__(
        self,
        store: LedgerStore,
        lifecycle: Lifecycle,
        *,
        clock: Clock,
        encryptor: Encryptor | None = None,
        counters: Counters | None = None,
        earliest: datetime = EARLIEST,
        amends_alone: bool = True,
    ) -> None:
        """Record on a store; nothing is believed to have happened before `earliest`.

        `amends_alone` says whether one person's correction is entered at once.
        """
        self._amends_alone = amends_alone
        self._store = store
        self._earliest = earliest
        self._clock = clock
        self._encryptor = encryptor
        self._counters = counters or Counters()
        self._lifecycle = lifecycle
        self._one = VerdictRules(lifecycle, LifecycleMachine(lifecycle.definition))
        self._many = VerdictRules(lifecycle, lifecycle)

    def open(self, opening: Opening) -> Fulfillment:
        """Start a fulfillment at `readytopick`, with cash pending if there is an amount.

        Opening a fulfillment again changes nothing and returns it as it is.

        Raises:
            UnknownShop: if the shop is not connected.
            InvalidInput: if the amount is negative.
            TermsDiffer: if it is open already, and that amount was never agreed.
            BadTime: if its time has no zone, lies more than a day ahead or before the earliest.
        """
        return self._store.run(lambda tx: self.open_within(tx, opening))

    def open_within(self, tx: LedgerTransaction, opening: Opening) -> Fulfillment:
        """Do as `open` within a transaction that writes more than the ledger.

        Raises:
            As `open`.
        """
        check_opening(opening)
        check_time(opening.at, now=self._clock(), earliest=self._earliest)
        ref = opening.ref
        draft = self._drafts(tx, ref.shop, [ref.fulfillment_id], [opening])[ref.fulfillment_id]
        if draft.is_new:
            now = self._clock()
            self._many.open(draft, at=(opening.at or now).astimezone(UTC), now=now)
        change = draft.change()
        _save(tx, [draft])
        parcel = change.after if change else draft.parcel
        check_same(tx, parcel, opening)
        return parcel

    def record(self, event: Event) -> Recorded:
        """Record one event and say what became of it.

        Raises:
            UnknownShop, UnknownFulfillment, UnknownTrackingNumber: if there is nothing to record
                it on.
            AmbiguousTrackingNumber: if several fulfillments bear its tracking number.
            KeyReused: if its key stands for another event.
            TermsDiffer: if it opens a fulfillment that is open with an amount never agreed.
            BadTime: if its time has no zone, lies more than a day ahead or before the earliest.
        """
        (answer,) = self._run([event], self._one)
        if isinstance(answer, InvalidInput):
            raise answer
        return answer

    def record_within(self, tx: LedgerTransaction, event: Event) -> Recorded:
        """Do as `record` within a transaction that writes more than the ledger.

        Raises:
            As `record`.
        """
        (answer,) = self._apply(tx, [event], self._one)
        if isinstance(answer, InvalidInput):
            raise answer
        return answer

    def record_many(
        self, events: Iterable[Event], *, chunk: int = CHUNK
    ) -> Iterator[Recorded | InvalidInput]:
        """Record many events and yield one answer for each, in their order.

        An event that cannot be recorded is answered with the error that says why; the others
        go on. Each chunk is one transaction: after an interruption, record the same events
        again, and those that are known already are reported as duplicates.
        """
        if not chunk:
            raise InvalidInput("A chunk has at least one event.")
        remaining = iter(events)
        while batch := list(islice(remaining, chunk)):
            yield from self._run(batch, self._many)

    def probe(self, event: Event) -> Recorded:
        """Say what `record` would answer about a fulfillment that is known, and write nothing.

        Raises:
            As `record`.
        """
        return self._store.run(lambda tx: self.probe_within(tx, event))

    def probe_within(self, tx: LedgerTransaction, event: Event) -> Recorded:
        """Do as `probe` within a transaction that goes on.

        Raises:
            As `record`.
        """
        self._check(event)
        now = self._clock()
        return self._one.decide(self._draft(tx, event), _resolved(event, None, now), now=now)

    def allows(self, parcel: Fulfillment, status: Status) -> bool:
        """Tell whether one step of the lifecycle leads a parcel to a status from where it stands.

        `record` and `probe` look at more: at its past, and at the time of the event.
        """
        return self._lifecycle.allows(status.machine, parcel.head(status.machine).status, status)

    def amend(self, event: Event) -> Recorded:
        """Correct where a parcel stands; needs an actor and a reason, and no legal step.

        Raises:
            InvalidInput: if the actor or the reason is missing, if it would say what stands there
                already, or if corrections take more people than one.
            UnknownShop, UnknownFulfillment, UnknownTrackingNumber: if there is nothing to correct.
            AmbiguousTrackingNumber: if several fulfillments bear its tracking number.
        """
        if not self._amends_alone:
            raise InvalidInput(
                "A correction takes more people than one here; propose it, by `carrierflow amend` "
                "or `Carrierflow.incidents.amend`."
            )
        return self._store.run(lambda tx: self.amend_within(tx, event))

    def amend_within(self, tx: LedgerTransaction, event: Event) -> Recorded:
        """Do as `amend` within a transaction that writes more: also who approved it.

        Raises:
            As `amend`, however many people it takes.
        """
        draft, answer = self._amended(tx, event)
        _save(tx, [draft])
        return answer

    def check_amendment(self, event: Event) -> Recorded:
        """Say of a correction where its fulfillment stands, and write nothing.

        One that was entered already is answered as a duplicate.

        Raises:
            As `amend`, however many people it takes.
        """

        def work(tx: LedgerTransaction) -> Recorded:
            _, answer = self._amended(tx, event)
            known = answer.verdict is Verdict.DUPLICATE
            return answer if known else self.probe_within(tx, event)

        return self._store.run(work)

    def _amended(self, tx: LedgerTransaction, event: Event) -> tuple[Draft, Recorded]:
        if not event.actor or not event.reason:
            raise InvalidInput("A correction needs an actor and a reason.")
        self._check(event)
        now = self._clock()
        draft = self._draft(tx, event)
        note = self._encrypted(event.note)
        answer = self._one.amend(draft, _resolved(event, note, now), now=now)
        _keep_note(tx, note, draft.parcel, answer, now=now)
        return draft, answer

    def revise(
        self,
        ref: FulfillmentRef,
        *,
        cod_amount: int | None = None,
        tracking_number: str | None = None,
        actor: str,
        reason: str,
        correction: bool = False,
    ) -> Revised:
        """Change what was agreed about a parcel: its cash to collect, in whole đồng, its waybill.

        What was agreed before stays in the log, and counts for the time in which it did. The same
        once more is answered and writes nothing. Where there is no cash any more, its status is
        corrected to `none`; where there is some at last, to `codpending`. `correction` says that
        another amount was collected than was written down.

        Raises:
            UnknownShop, UnknownFulfillment: if there is nothing to revise.
            CashCollected: if the amount was collected, and this is no correction.
            TrackingNumberTaken: if another parcel of the shop bears that number.
            InvalidInput: if nothing is named, or what cannot be agreed, or the actor or the reason
                is missing; or if it is a correction, and these take more people than one.
        """
        revision = Revision(
            ref=ref,
            cod_amount=cod_amount,
            tracking_number=tracking_number,
            actor=actor,
            reason=reason,
            correction=correction,
        )

        def work(tx: LedgerTransaction) -> Revised:
            answer = self.revise_within(tx, revision)
            if answer.corrects and not self._amends_alone:
                raise InvalidInput(
                    "This is a correction, and takes more people than one here; propose it, by "
                    "`carrierflow revise` or `Carrierflow.incidents.revise`."
                )
            return answer

        return self._store.run(work)

    def revise_within(self, tx: LedgerTransaction, revision: Revision) -> Revised:
        """Do as `revise` within a transaction that writes more: also who approved it.

        Raises:
            As `revise`, however many people it takes.
        """
        draft, answer = self._revised(tx, revision)
        _save(tx, [draft])
        return answer

    def check_revision(self, revision: Revision) -> Revised:
        """Say what a revision would do, and write nothing.

        Raises:
            As `revise`, however many people it takes.
        """
        return self._store.run(lambda tx: self._revised(tx, revision)[1])

    def _revised(self, tx: LedgerTransaction, revision: Revision) -> tuple[Draft, Revised]:
        check_revision(revision)
        ref = revision.ref
        draft = self._drafts(tx, ref.shop, [ref.fulfillment_id], []).get(ref.fulfillment_id)
        if draft is None:
            raise UnknownFulfillment(ref.shop, ref.fulfillment_id)
        return draft, revise(tx, draft, revision, self._one, now=self._clock())

    def _check(self, event: Event) -> None:
        check_event(event, now=self._clock(), earliest=self._earliest)

    def _run(self, events: Sequence[Event], rules: VerdictRules) -> list[Recorded | InvalidInput]:
        answers = self._store.run(partial(self._apply, events=events, rules=rules))
        verdicts = Counter(a.verdict if isinstance(a, Recorded) else REJECTED for a in answers)
        for verdict, times in verdicts.items():
            self._counters.count("verdicts", times, verdict=verdict)
        return answers

    def _apply(
        self, tx: LedgerTransaction, events: Sequence[Event], rules: VerdictRules
    ) -> list[Recorded | InvalidInput]:
        asked_at = self._clock()
        faults = validation_errors(events, now=asked_at, earliest=self._earliest)
        sound = [number for number in range(len(events)) if number not in faults]
        openers = _openers(events, sound, now=asked_at)
        named = NamedDrafts(tx, (events[number] for number in sound))
        answers: dict[int, Recorded | InvalidInput] = {**faults}
        for shop in dict.fromkeys(events[number].shop for number in sound):
            mine = [number for number in sound if events[number].shop == shop]
            ids = named.ids(events[number] for number in mine)
            try:
                named.add(shop, self._drafts(tx, shop, ids, _openings(openers, shop)))
            except UnknownShop as error:
                answers |= dict.fromkeys(mine, error)
        now = self._clock()
        for number in _openers_first(sound, openers, named.by_shop):
            if number not in answers:
                answers[number] = self._answer(tx, events[number], named, rules, now)
        _save(tx, [draft for by_id in named.by_shop.values() for draft in by_id.values()])
        return [answers[number] for number in range(len(events))]

    def _answer(
        self,
        tx: LedgerTransaction,
        event: Event,
        named: NamedDrafts,
        rules: VerdictRules,
        now: datetime,
    ) -> Recorded | InvalidInput:
        try:
            draft = named.of(event)
            if event.opening is not None:
                check_same(tx, draft.parcel, event.opening)
            note = self._encrypted(event.note)
            resolved = _resolved(event, note, now)
            if draft.is_new:
                at = event.opening.at if event.opening else None
                answer = rules.begin(draft, resolved, at=at and at.astimezone(UTC), now=now)
            else:
                answer = rules.decide(draft, resolved, now=now)
        except InvalidInput as error:
            return error
        _keep_note(tx, note, draft.parcel, answer, now=now)
        return answer

    def _draft(self, tx: LedgerTransaction, event: Event) -> Draft:
        """Take up the one fulfillment of an event, which must be known."""
        named = NamedDrafts(tx, [event])
        named.add(event.shop, self._drafts(tx, event.shop, named.ids([event]), []))
        return named.of(event)

    def _drafts(
        self,
        tx: LedgerTransaction,
        shop: str,
        ids: Collection[str],
        openings: Iterable[Opening],
    ) -> dict[str, Draft]:
        """Take up some fulfillments; those that only an opening knows have no history yet."""
        parcels = tx.parcels(shop, ids)
        unknown = [o for o in openings if o.ref.fulfillment_id not in parcels]
        if unknown:
            parcels |= _started(tx, shop, unknown, now=self._clock())
        past_events = tx.past_events([p for p in parcels.values() if p.delivery.seq])
        return {
            fulfillment_id: Draft.of(parcel, past_events.get(parcel.id) or PastEvents())
            for fulfillment_id, parcel in parcels.items()
        }

    def open_note(self, name: str, ciphertext: bytes) -> str:
        """Return a note in clear, without the salt that its digest was made with.

        Raises:
            MissingSecretKey, WrongSecretKey: if it does not open.
        """
        if self._encryptor is None:
            raise MissingSecretKey
        salted = self._encryptor.decrypt(ciphertext, context=f"note:{name}").decode()
        return salted[SALT_DIGITS:]

    def _encrypted(self, note: str | None) -> EncryptedNote | None:
        if not note:
            return None
        if self._encryptor is None:
            raise MissingSecretKey
        salted = secrets.token_hex(SALT_DIGITS // 2) + note
        name = digest(salted)
        return EncryptedNote(
            digest=name, ciphertext=self._encryptor.encrypt(salted.encode(), context=f"note:{name}")
        )


def _resolved(event: Event, note: EncryptedNote | None, now: datetime) -> ResolvedEvent:
    occurred_at = _when(event, now).astimezone(UTC)
    return ResolvedEvent(
        status=event.status,
        occurred_at=occurred_at,
        key=event.key or f"{event.status}@{stamp(occurred_at)}",
        timed=event.occurred_at is not None,
        source=event.source,
        actor=event.actor,
        reason=event.reason,
        note_digest=None if note is None else note.digest,
        fill_gaps=event.fill_gaps,
        inferred=event.inferred,
    )


def _keep_note(
    tx: LedgerTransaction,
    note: EncryptedNote | None,
    parcel: Fulfillment,
    answer: Recorded,
    *,
    now: datetime,
) -> None:
    """Keep the note of an event that was written; a duplicate writes nothing."""
    if note is not None and answer.verdict is not Verdict.DUPLICATE:
        tx.keep_note(note, parcel, now=now)


def _save(tx: LedgerTransaction, drafts: Iterable[Draft]) -> None:
    changes = [change for draft in drafts if (change := draft.change())]
    if changes:
        tx.save(changes)


def _started(
    tx: LedgerTransaction, shop: str, openings: Collection[Opening], *, now: datetime
) -> dict[str, Fulfillment]:
    """Begin some fulfillments and take them up, whoever began them.

    MariaDB passes over a row that another writer had begun and takes back in that moment.

    Raises:
        ConcurrentUpdate: if one is not there all the same.
    """
    parcels = tx.start(openings, now=now)
    ids = [opening.ref.fulfillment_id for opening in openings]
    if begun := [each for each in ids if each not in parcels]:
        parcels |= tx.parcels(shop, begun)
    if len(parcels) < len(openings):
        raise ConcurrentUpdate("A fulfillment")
    return parcels


Openers = dict[str, dict[str, tuple[int, Opening]]]
"""By shop and fulfillment: the place of the event that opens it, and what it opens it with."""


def _openers(events: Sequence[Event], sound: Iterable[int], *, now: datetime) -> Openers:
    """Find for each fulfillment the earliest of those events that may open it.

    A file may tell a parcel's life from its end to its beginning.
    """
    found: Openers = defaultdict(dict)
    for number in sound:
        event = events[number]
        if event.opening is None:
            continue
        mine, name = found[event.shop], event.opening.ref.fulfillment_id
        other = mine.get(name)
        if other is None or _when(event, now) < _when(events[other[0]], now):
            mine[name] = number, event.opening
    return found


def _openings(openers: Openers, shop: str) -> list[Opening]:
    return [opening for _, opening in openers.get(shop, {}).values()]


def _when(event: Event, now: datetime) -> datetime:
    return event.occurred_at or now


def _openers_first(
    sound: Iterable[int], openers: Openers, drafts: Mapping[str, Mapping[str, Draft]]
) -> Iterator[int]:
    """Yield the places of events in the order in which they are judged: what opens comes first."""
    first = {
        number
        for shop, by_id in drafts.items()
        for fulfillment_id, (number, _) in openers.get(shop, {}).items()
        if by_id[fulfillment_id].is_new
    }
    yield from sorted(first)
    yield from (number for number in sound if number not in first)
