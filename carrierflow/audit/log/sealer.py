"""Sealing: committed entries get a place in the log, the log a signed checkpoint, others a copy.

One transaction gives some thousand places, one more keeps the checkpoint, and only then are the
anchors called: no database is held up by a mail server.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from carrierflow.audit.log.anchoring import Anchored, Anchoring, refuse_contradiction
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote, VerifierKey
from carrierflow.audit.log.keys import SealKey, is_signature
from carrierflow.audit.log.ports import Anchor, Witness
from carrierflow.audit.log.proof import Consistency, Proof
from carrierflow.audit.log.sequencer import Sequencer
from carrierflow.audit.log.sql import (
    Log,
    SealProgress,
    add_checkpoint,
    newest_checkpoint,
    seal_progress,
)
from carrierflow.audit.log.tree import consistency_proof, inclusion_proof
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.canonical import canonical_entry
from carrierflow.domain.clock import Clock
from carrierflow.domain.model import Machine
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.domain.waiting import unheard
from carrierflow.errors import (
    CarrierflowError,
    ConfigurationError,
    HistoryBroken,
    InvalidInput,
    MissingSealKey,
    NotSealed,
    SealHeld,
)
from carrierflow.storage import Connection, SqlStore, queries
from carrierflow.storage.administration import administer


__all__ = ["LogSealer", "Sealing"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealing:
    """What one seal did."""

    sealed: int
    """Entries that got their place."""
    broken: tuple[str, ...]
    """Those among them whose content does not hash to their hash: `audit verify` says more."""
    checkpoint: SignedNote | None
    """The newest one; None while there is no history, or no key to sign with."""
    anchored: tuple[Anchored, ...]
    size: int
    """How many entries have a place now."""
    has_key: bool
    """Whether there was a key to sign with; without one places were given and nothing signed."""

    @property
    def ok(self) -> bool:
        """Tell whether it was signed, nothing was wrong, and every anchor has everything."""
        told = all(each.problem is None for each in self.anchored)
        return self.has_key and not self.broken and told


@guarded_methods
class LogSealer:
    """Seals the history and proves what stands in it."""

    def __init__(
        self,
        store: SqlStore,
        *,
        key_file: Path | None,
        anchors: Sequence[Anchor],
        lease: timedelta,
        clock: Clock,
        verifier_keys: Sequence[str] = (),
        witnesses: Sequence[Witness] = (),
    ) -> None:
        """`verifier_keys` are the keys that may sign, where somebody names them."""
        self._store = store
        self._key_file = key_file
        self._verifier_keys = verifier_keys
        self.anchoring = Anchoring(store, anchors=anchors, witnesses=witnesses, clock=clock)
        self.sequencer = Sequencer(store, lease=lease)
        self._clock = clock

    @property
    def can_seal(self) -> bool:
        """Tell whether there is a key to sign with."""
        return self._key_file is not None

    @cached_property
    def key(self) -> SealKey:
        """The key that signs, read when it is first needed.

        Raises:
            MissingSealKey: if none is set.
            ConfigurationError: if its file cannot be read.
        """
        if self._key_file is None:
            raise MissingSealKey
        return SealKey.load(self._key_file)

    @cached_property
    def trusted_keys(self) -> list[VerifierKey]:
        """The keys that may have signed: those that the settings name, else the one that signs.

        Raises:
            ConfigurationError: if the file of the key cannot be read.
            InvalidInput: if a setting is no key.
        """
        named = [VerifierKey.parse(text) for text in self._verifier_keys]
        return named or ([self.key.verifier] if self.can_seal else [])

    def seal(self, progress: Callable[[int], None] | None = None) -> Sealing:
        """Give every committed entry its place, sign a checkpoint, and give it to the anchors.

        Without a key places are given all the same, and nothing is signed.

        Raises:
            ConfigurationError: if the file of the key cannot be read, or the settings name the
                keys that may sign and it is none of them.
            SealHeld: if another process is sealing.
            HistoryBroken: if the log no longer is what its last checkpoint or an anchor says;
                nothing is signed then.
        """
        owner, key = str(uuid.uuid4()), self._own_key()
        self.sequencer.claim(owner, lambda c: self._tell_key(c, key))
        try:
            placed = self.sequencer.place(owner, progress or unheard)
            note = None if key is None else self._sign(key)
            anchored = self.anchoring.give()
        finally:
            self.sequencer.release(owner)
        if placed.broken:
            log.error("carrierflow.sealed_broken", extra={"entries": len(placed.broken)})
        return Sealing(
            sealed=placed.count,
            broken=placed.broken,
            checkpoint=note,
            anchored=anchored,
            size=placed.size,
            has_key=key is not None,
        )

    def seal_if_possible(self) -> None:
        """Give places, and sign where there is a key; what goes wrong waits for the next time."""
        try:
            self.seal()
        except SealHeld:
            log.info("carrierflow.seal_held")
        except CarrierflowError as error:
            log.error("carrierflow.seal_failed", extra={"reason": str(error)})  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - the work before it is done, and stands
            reason = type(error).__name__
            log.error("carrierflow.seal_failed", extra={"reason": reason})  # noqa: TRY400

    def progress(self) -> SealProgress:
        """Tell how much of the log the last checkpoint covers, and when it was signed."""
        with self._store.reading() as connection:
            return seal_progress(connection)

    def newest(self) -> SignedNote:
        """Return the last checkpoint.

        Raises:
            NotSealed: if there is none.
        """
        with self._store.reading() as connection:
            return _newest(connection)

    def prove(self, shop: str, fulfillment_id: str, machine: Machine, seq: int) -> Proof:
        """Prove that one entry stands in the log, against the newest checkpoint.

        Raises:
            UnknownShop, UnknownFulfillment, InvalidInput: if there is no such entry.
            NotSealed: if it has no place yet, or no checkpoint covers it.
            HistoryBroken: if the entry or the log is not what was sealed.
        """
        name = f"{shop}/{fulfillment_id} {machine}:{seq}"
        with self._store.reading() as connection:
            parcel = queries.find_parcel(connection, shop, fulfillment_id)
            entries = {(e.machine, e.seq): e for e in queries.entries_of(connection, parcel)}
            entry = entries.get((machine, seq))
            if entry is None:
                raise InvalidInput(f"The ledger has no entry {name}.")
            note, tree = _newest(connection), Log(connection)
            index, size = tree.position(parcel.id, machine, seq), note.checkpoint.size
            if index is None or index >= size:
                raise NotSealed(f"Entry {name}")
            path = inclusion_proof(tree.subtree, index, size)
        text = canonical_entry(parcel.ref, entry)
        proof = Proof(entry=text, index=index, path=tuple(path), checkpoint=note)
        if not proof.holds:
            raise HistoryBroken(
                f"Entry {name} cannot be proven: it or the log is not what was sealed; "
                "`carrierflow audit verify` says what was changed."
            )
        return proof

    def prove_consistency(self, old: Checkpoint, *, to: SignedNote | None = None) -> Consistency:
        """Prove that an older checkpoint, which somebody kept, is the beginning of the newest.

        `to` names another checkpoint than the newest.

        Raises:
            NotSealed: if there is no checkpoint.
            HistoryBroken: if it is not.
        """
        with self._store.reading() as connection:
            note, tree = to or _newest(connection), Log(connection)
            new = note.checkpoint
            if old.size > new.size:
                raise HistoryBroken(
                    f"The checkpoint that was kept has {old.size} entries, the log only "
                    f"{new.size}: it was rolled back or cut off."
                )
            path = consistency_proof(tree.subtree, old.size, new.size)
        proof = Consistency(old_size=old.size, path=tuple(path), checkpoint=note)
        if old.origin != new.origin or not proof.holds(old):
            raise HistoryBroken(
                f"The log of {new.size} entries does not continue the checkpoint of {old.size} "
                "that was kept: another history was put in its place."
            )
        return proof

    def _own_key(self) -> SealKey | None:
        if not self.can_seal:
            return None
        if self.key.verifier not in self.trusted_keys:
            raise ConfigurationError(
                f"The seal key {self.key.verifier} is none of those in verifier_keys, which name "
                "whose signature counts; add it there, or put the right key's file in its place."
            )
        return self.key

    def _check_signer(self, last: SignedNote) -> None:
        """Refuse to go on from what somebody else signed: it would look like ours afterwards."""
        if not last.is_signed_by(self.trusted_keys, is_signature):
            raise HistoryBroken(
                f"The checkpoint of {last.checkpoint.size} entries is not signed by a key that is "
                "known here, so nothing is signed. After a change of keys name the old and the "
                "new one in verifier_keys; if you changed none, call an auditor."
            )

    def _sign(self, key: SealKey) -> SignedNote | None:
        kept = self.anchoring.newest_kept()
        return self._store.transact(lambda c: self._checkpoint(c, key, kept))

    def _checkpoint(
        self, connection: Connection, key: SealKey, kept: Mapping[str, Checkpoint]
    ) -> SignedNote | None:
        """Sign what the log is now; it must continue what was signed last."""
        last, tree = newest_checkpoint(connection), Log(connection)
        size = tree.size
        if last is not None:
            seen = last.checkpoint
            if seen.size > size or tree.root(seen.size) != seen.root:
                raise HistoryBroken(
                    f"The log no longer is what its checkpoint of {seen.size} entries says, so "
                    "nothing is signed; `carrierflow audit verify` says what was changed."
                )
            if seen.size == size:
                return last
        if size == 0:
            return None
        refuse_contradiction(tree, kept)
        now, root = self._clock(), tree.root(size)
        note = key.sign(Checkpoint(origin=key.verifier.name, size=size, root=root, at=now).text)
        add_checkpoint(connection, note, now=now)
        return note

    def _tell_key(self, connection: Connection, key: SealKey | None) -> None:
        """Write down whose key is to sign, where it signs for the first time or is another one.

        That is an entry like any other, so the first checkpoint that the key signs covers it.

        Raises:
            ConfigurationError: if what was sealed bears another name.
        """
        if key is None:
            return
        ours, last = key.verifier, newest_checkpoint(connection)
        if last is not None:
            _check_name(key, last)
            self._check_signer(last)
        known = last.signatures if last is not None else ()
        if all((name, hashed) != (ours.name, ours.hash) for name, hashed, _ in known):
            administer(
                connection,
                AdministrationKind.SEAL_KEY,
                now=self._clock(),
                subject=ours.hash.hex(),
                details={"verifier_key": str(ours)},
            )


def _check_name(key: SealKey, last: SignedNote) -> None:
    sealed_as = last.checkpoint.origin
    if sealed_as != key.verifier.name:
        raise ConfigurationError(
            f"The history is sealed as {sealed_as}, and the seal key is one of "
            f"{key.verifier.name}; make a key of the same name."
        )


def _newest(connection: Connection) -> SignedNote:
    found = newest_checkpoint(connection)
    if found is None:
        raise NotSealed("The history")
    return found
