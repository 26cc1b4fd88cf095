"""What the ledger asks of the world outside, as Protocols; adapters owe exactly this."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from carrierflow.domain.fulfillment import Change, Fulfillment, PastEvents
from carrierflow.domain.model import Opening
from carrierflow.domain.revision import AgreedTerms


__all__ = ["Borne", "EncryptedNote", "Encryptor", "LedgerStore", "LedgerTransaction"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class EncryptedNote:
    """Free text that may name a person: encrypted, and found again by a salted digest."""

    digest: str
    ciphertext: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Borne:
    """How many fulfillments of a shop bear a tracking number, and one of them."""

    count: int
    fulfillment_id: str | None


class LedgerTransaction(Protocol):
    """What the ledger reads and writes, all in one database transaction."""

    def parcels(self, shop: str, fulfillment_ids: Collection[str]) -> dict[str, Fulfillment]:
        """Read and lock the known ones of some fulfillments, by fulfillment id.

        Raises:
            UnknownShop: if no such shop is connected.
        """
        ...

    def bearers(self, shop: str, tracking_numbers: Collection[str]) -> dict[str, Borne]:
        """Find by whom some tracking numbers are borne in a shop; what nobody bears is not there.

        A fulfillment bears the number that was agreed last, and the one that it was given when
        the platform handed it over. Nothing is locked.
        """
        ...

    def terms(self, parcel: Fulfillment) -> list[AgreedTerms]:
        """Read all that was agreed about a parcel, oldest first."""
        ...

    def past_events(self, parcels: Collection[Fulfillment]) -> dict[int, PastEvents]:
        """Read what the past of some parcels says, by the parcels' own ids."""
        ...

    def start(self, openings: Collection[Opening], *, now: datetime) -> dict[str, Fulfillment]:
        """Make rows without history for those fulfillments of one shop that have none.

        Return those of which it can tell that it made them, by fulfillment id.
        """
        ...

    def save(self, changes: Collection[Change]) -> None:
        """Write terms, histories, evidence and heads.

        Raises:
            ConcurrentUpdate: if a parcel is no longer at the version that was read.
        """
        ...

    def keep_note(self, note: EncryptedNote, parcel: Fulfillment, *, now: datetime) -> None:
        """Keep an encrypted note, apart from the history, where it can be erased."""
        ...


class LedgerStore(Protocol):
    """Where a ledger lives."""

    def run(self, work: Callable[[LedgerTransaction], T]) -> T:
        """Do some work in one transaction, again from the start where it met another writer.

        On a connection of the host's own the work joins the host's transaction instead: it is
        done once, and neither committed nor rolled back.

        Raises:
            ConcurrentUpdate: if it met other writers too often.
            DatabaseUnavailable: if the database does not answer.
        """
        ...


class Encryptor(Protocol):
    """Encrypts what must not stand in the database in clear."""

    def encrypt(self, secret: bytes, *, context: str) -> bytes:
        """Encrypt; the result opens under the same context only."""
        ...

    def decrypt(self, ciphertext: bytes, *, context: str) -> bytes:
        """Decrypt.

        Raises:
            WrongSecretKey: if no key that we have opens it under this context.
        """
        ...
