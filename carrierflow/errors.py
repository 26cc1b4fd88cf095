"""Everything that carrierflow raises, as one tree; the type says what the caller can do.

CarrierflowError
├── InvalidInput                 mend the call; nothing was written
│   ├── UnknownShop
│   ├── ShopRevoked
│   ├── UnknownFulfillment
│   ├── UnknownTrackingNumber
│   ├── AmbiguousTrackingNumber
│   ├── TrackingNumberTaken
│   ├── TermsDiffer
│   ├── CashCollected
│   ├── UnknownStatus
│   ├── UnknownIncident
│   ├── BadTime
│   ├── KeyReused
│   ├── DefinitionError
│   ├── FileAlreadyRecorded
│   ├── UnsupportedByPlatform
│   └── NotSealed
├── ConfigurationError           mend the settings or the installation
│   ├── NotMigrated
│   ├── MissingSecretKey
│   ├── WrongSecretKey
│   └── MissingSealKey
├── TryLater                     the same call may succeed later, unchanged
│   ├── DatabaseUnavailable
│   │   └── CommitUnknown        it may be written already: do the same again, with its key
│   ├── ConcurrentUpdate
│   ├── ShopHeld
│   ├── SealHeld
│   ├── AnchorUnavailable
│   ├── NotificationFailed
│   ├── DeliveryFailed
│   └── PlatformUnavailable
│       ├── ReadRefused          this question gets a clear no; another may be answered
│       │   └── NotThere
│       └── Throttled
├── PlatformError                what became of one request to a platform
│   ├── NotSent                  certainly not applied
│   ├── OutcomeUnknown           may have been applied, or may still be
│   ├── Refused                  the platform, or a proxy in its place, said no to this one
│   └── AccessDenied             the platform said no to this token
├── Interrupted                  somebody asked to stop; do the same again to go on
└── HistoryBroken                stop, and call an auditor
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any


__all__ = [
    "AccessDenied",
    "AmbiguousTrackingNumber",
    "AnchorUnavailable",
    "BadTime",
    "CarrierflowError",
    "CashCollected",
    "CommitUnknown",
    "ConcurrentUpdate",
    "ConfigurationError",
    "DatabaseUnavailable",
    "DefinitionError",
    "DeliveryFailed",
    "FileAlreadyRecorded",
    "HistoryBroken",
    "Interrupted",
    "InvalidInput",
    "KeyReused",
    "MissingSealKey",
    "MissingSecretKey",
    "NotMigrated",
    "NotSealed",
    "NotSent",
    "NotThere",
    "NotificationFailed",
    "OutcomeUnknown",
    "PlatformError",
    "PlatformUnavailable",
    "ReadRefused",
    "Refused",
    "SealHeld",
    "ShopHeld",
    "ShopRevoked",
    "TermsDiffer",
    "Throttled",
    "TrackingNumberTaken",
    "TryLater",
    "UnknownFulfillment",
    "UnknownIncident",
    "UnknownShop",
    "UnknownStatus",
    "UnknownTrackingNumber",
    "UnsupportedByPlatform",
    "WrongSecretKey",
]


WORDED = "worded by carrierflow"
"""Stands behind an error's sentence, so that it is told from what a sentence is made from."""


class CarrierflowError(Exception):
    """Something that carrierflow could not do; its text is one sentence for a person.

    It goes to another process, by pickle, as it is: its type, its text, and its attributes. A queue
    that carries its `args` alone, as Celery does by JSON, makes it again from them: of the same
    type, and with the same text, not worded a second time.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = _worded_once(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, sentence: str, worded: str = WORDED) -> None:
        super().__init__(sentence, worded)

    def __str__(self) -> str:
        return str(self.args[0])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.args[0]!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, (type(self), self.args, vars(self))


def _worded_once(wording: Callable[..., None]) -> Callable[..., None]:
    """Let an error take its own `args` for what they are, beside what its class is made from."""

    @wraps(wording)
    def init(self: CarrierflowError, *given: Any, **named: Any) -> None:
        if given[1:] == (WORDED,):
            CarrierflowError.__init__(self, *given)
        else:
            wording(self, *given, **named)

    return init


def _made_again(
    kind: type[CarrierflowError], args: tuple[Any, ...], attributes: Mapping[str, Any]
) -> CarrierflowError:
    """Return an error that says what another one said; it is not worded anew."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


def _clause(reason: str) -> str:
    """Return a reason as it stands within a sentence of ours, which has an end of its own."""
    return reason.rstrip(" .")


class InvalidInput(CarrierflowError, ValueError):
    """The call cannot be carried out as it stands; nothing was written."""


class UnknownShop(InvalidInput):
    """No shop of that code is connected."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        super().__init__(
            f"There is no shop {shop!r}; `carrierflow shop list` names those that there are."
        )


class ShopRevoked(InvalidInput):
    """The app was uninstalled from the shop: there is no token to do anything with there."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        super().__init__(
            f"Shop {shop!r} is revoked and has no token; its history is kept. "
            f"`carrierflow shop install-url {shop}` connects it again."
        )


class UnknownFulfillment(InvalidInput):
    """The ledger holds no such fulfillment."""

    def __init__(self, shop: str, fulfillment_id: str) -> None:
        self.shop = shop
        self.fulfillment_id = fulfillment_id
        super().__init__(
            f"The ledger has no fulfillment {fulfillment_id!r} of shop {shop!r}; "
            "open it first, or import it from the platform."
        )


class UnknownTrackingNumber(InvalidInput):
    """No fulfillment of the shop bears that tracking number; of any shop, where none is named."""

    def __init__(self, shop: str | None, tracking_number: str) -> None:
        self.shop = shop
        self.tracking_number = tracking_number
        super().__init__(
            f"The ledger has no fulfillment with the tracking number {tracking_number!r}"
            f"{_of_shop(shop)}; open one with it, or name the fulfillment by its id."
        )


class AmbiguousTrackingNumber(InvalidInput):
    """Several fulfillments bear that tracking number; which one is meant is never guessed."""

    def __init__(self, shop: str | None, tracking_number: str, *, count: int) -> None:
        self.shop = shop
        self.tracking_number = tracking_number
        self.count = count
        super().__init__(
            f"{count} fulfillments{_of_shop(shop)} bear the tracking number {tracking_number!r}; "
            "name the one that is meant by its id."
        )


class TrackingNumberTaken(InvalidInput):
    """The tracking number stands for another fulfillment of the shop."""

    def __init__(self, shop: str, tracking_number: str) -> None:
        self.shop = shop
        self.tracking_number = tracking_number
        super().__init__(
            f"The tracking number {tracking_number!r} stands for another fulfillment"
            f"{_of_shop(shop)}; `carrierflow show {shop} --tracking-number` shows which."
        )


class TermsDiffer(InvalidInput):
    """A fulfillment is opened once more, with another amount than was ever agreed."""

    def __init__(self, fulfillment_id: str, *, agreed: int, told: int) -> None:
        self.fulfillment_id = fulfillment_id
        self.agreed = agreed
        self.told = told
        super().__init__(
            f"Fulfillment {fulfillment_id} is open already with {agreed} đồng to collect, not "
            f"{told}; `carrierflow revise` changes what was agreed."
        )


class CashCollected(InvalidInput):
    """The cash was collected: its amount is not revised any more, but corrected."""

    def __init__(self, fulfillment_id: str, status: str) -> None:
        self.fulfillment_id = fulfillment_id
        self.status = status
        super().__init__(
            f"The cash of fulfillment {fulfillment_id} is {status}: cash that was collected is "
            "not revised but corrected, with `--correction`, or `correction=True` from Python."
        )


def _of_shop(shop: str | None) -> str:
    return "" if shop is None else f" of shop {shop!r}"


class UnknownStatus(InvalidInput):
    """A word that is none of the lifecycle's statuses; it is never guessed."""

    def __init__(self, word: str, *, known: tuple[str, ...] = (), of_sender: bool = False) -> None:
        """Name the word and those that there are: ours, or of a sender's own those mapped to ours.

        It is never guessed what a sender means by a word that is not mapped, ours or not.
        """
        self.word = word
        self.known = known
        whose = "statuses that are mapped" if of_sender else "statuses"
        choices = f"; the {whose} are {', '.join(known)}" if known else ""
        super().__init__(f"{word!r} is not a status{choices}.")


class UnknownIncident(InvalidInput):
    """No incident bears that number."""

    def __init__(self, incident_id: str) -> None:
        self.incident_id = incident_id
        super().__init__(
            f"There is no incident {incident_id!r}; `carrierflow incidents list` names them."
        )


class BadTime(InvalidInput):
    """A time that cannot be placed: unreadable, without a zone, too early, or in the future."""

    def __init__(
        self, text: str, *, why: str, example: str | None = "2026-03-01T08:30:00+07:00"
    ) -> None:
        self.text = text
        hint = f"; write it like {example}" if example else ""
        super().__init__(f"The time {text!r} {why}{hint}.")


class KeyReused(InvalidInput):
    """An idempotency key came again with other content."""

    def __init__(self, key: str, *, first: str, now: str) -> None:
        self.key = key
        super().__init__(
            f"The key {key!r} was used before for another event ({first}, now {now}); "
            "give each event a key of its own."
        )


class DefinitionError(InvalidInput):
    """A lifecycle definition contradicts itself."""


class FileAlreadyRecorded(InvalidInput):
    """A file with the same bytes was recorded before."""

    def __init__(self, name: str, *, recorded_at: str) -> None:
        self.name = name
        super().__init__(
            f"{name} was recorded before, at {recorded_at}; use --force to record it again "
            "(rows that are already known are then reported as duplicates)."
        )


class UnsupportedByPlatform(InvalidInput):
    """A platform does not offer this; another way has to be found there."""

    def __init__(self, platform: str, feature: str, *, offers: tuple[str, ...] = ()) -> None:
        self.platform = platform
        self.feature = feature
        self.offers = offers
        beside = f"; it offers {', '.join(self.offers)}" if self.offers else ""
        super().__init__(f"{platform} has no {feature}{beside}.")


class NotSealed(InvalidInput):
    """There is no checkpoint that covers what was asked about."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what} is not sealed yet; `carrierflow audit seal` seals it.")


class ConfigurationError(CarrierflowError):
    """The settings or the installation are not as they must be."""


class NotMigrated(ConfigurationError):
    """The database has not the tables of this version."""

    def __init__(self, found: str | None, *, wanted: str, newer: bool = False) -> None:
        self.found = found
        self.wanted = wanted
        self.newer = newer
        """Whether a later version of carrierflow made them."""
        state = f"is at schema {found}" if found else "has no carrierflow tables"
        what = (
            f"which is newer than this carrierflow, which knows {wanted}; install the version "
            "that upgraded it."
            if newer
            else f"not at {wanted}; run `carrierflow db upgrade`."
        )
        super().__init__(f"The database {state}, {what}")


class MissingSecretKey(ConfigurationError):
    """Something must be encrypted or decrypted, and there is no key to do it with."""

    def __init__(self) -> None:
        super().__init__(
            "No secret key is set; put one into CARRIERFLOW_SECRET_KEY "
            "(`carrierflow keys generate` makes one)."
        )


class WrongSecretKey(ConfigurationError):
    """What is encrypted in the database does not open with the keys given."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} does not open with this secret key; set CARRIERFLOW_SECRET_KEY to the key "
            "that encrypted it, or name the old one in CARRIERFLOW_SECRET_KEY_PREVIOUS."
        )


class MissingSealKey(ConfigurationError):
    """A checkpoint must be signed, and there is no key to do it with."""

    def __init__(self) -> None:
        super().__init__(
            "No seal key is set; name its file in CARRIERFLOW_SEAL_KEY_FILE "
            "(`carrierflow keys generate-seal` makes one)."
        )


class TryLater(CarrierflowError):
    """The same call may succeed later, unchanged."""


class DatabaseUnavailable(TryLater):
    """The database does not answer, or somebody holds it locked."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database cannot be used now: {reason}.")


class CommitUnknown(DatabaseUnavailable):
    """The database was lost while it committed; the work is written whole, or not at all."""

    def __init__(self) -> None:
        super().__init__(
            "it was lost while it committed, so this is written whole or not at all; do the "
            "same again, and what has a key is written once"
        )


class ConcurrentUpdate(TryLater):
    """Somebody else changed the same fulfillment at the same moment."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was changed by someone else at the same moment; try again.")


class ShopHeld(TryLater):
    """Another run holds the shop."""

    def __init__(
        self,
        shop: str,
        *,
        run: str | None = None,
        process: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self.shop = shop
        self.run = run
        self.process = process
        self.since = since
        """When it took the shop, where that is known."""
        self.until = until
        """When the shop is free if that run does not hold on to it."""
        who = f" ({process or 'run'}, run {run})" if run else ""
        span = "".join(
            f", {word} {moment:%Y-%m-%d %H:%M:%S}Z"
            for word, moment in (("since", since), ("until", until))
            if moment is not None
        )
        super().__init__(f"Another run{who} holds shop {shop!r}{span}; it will look after it.")


class SealHeld(TryLater):
    """Another process is sealing."""

    def __init__(self) -> None:
        super().__init__("Another process is sealing the history; it will seal this too.")


class AnchorUnavailable(TryLater):
    """A place that keeps checkpoints could not be given one; the next seal tries again."""

    def __init__(self, anchor: str, reason: str) -> None:
        self.anchor = anchor
        super().__init__(
            f"The {anchor} anchor did not take the checkpoint ({_clause(reason)}); "
            "the next seal tries again."
        )


class NotificationFailed(TryLater):
    """Nobody could be told of incidents on one way; the next notification tells them."""

    def __init__(self, channel: str, reason: str) -> None:
        self.channel = channel
        super().__init__(
            f"Incidents could not be told by {channel} ({_clause(reason)}); "
            "the next notification tries again."
        )


class DeliveryFailed(TryLater):
    """A destination did not take what happened; the next delivery brings the same again."""

    def __init__(self, destination: str, reason: str) -> None:
        self.destination = destination
        super().__init__(
            f"What happened could not be delivered to {destination} ({_clause(reason)}); "
            "a later delivery tries again."
        )


class PlatformUnavailable(TryLater):
    """The platform could not be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The platform cannot be read now: {_clause(reason)}.")


class ReadRefused(PlatformUnavailable):
    """The platform will not answer this question; another way of asking may be answered."""


class NotThere(ReadRefused):
    """The platform answered a read with 404: there is nothing under that address."""


class Throttled(PlatformUnavailable):
    """The platform asks for a pause; the request was not carried out."""

    def __init__(self, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"it asks us to wait {retry_after:g} s")


class PlatformError(CarrierflowError):
    """What became of one request to a platform, where it was not what we wanted."""

    def __init__(self, reason: str, *, http_status: int | None = None) -> None:
        self.reason = reason
        self.http_status = http_status
        super().__init__(f"The platform: {_clause(reason)}.")


class NotSent(PlatformError):
    """The request certainly had no effect: it never left, or was turned away at the door."""


class OutcomeUnknown(PlatformError):
    """The request may have been applied, or may still be; only a later read can tell."""


class Refused(PlatformError):
    """The platform, or something in its place, said no to this request."""


class AccessDenied(PlatformError):
    """The platform does not accept our token for this."""


class Interrupted(CarrierflowError):
    """Somebody asked to stop, and a wait ended before its time."""

    def __init__(self) -> None:
        super().__init__("The work was stopped; the next run goes on.")


class HistoryBroken(CarrierflowError):
    """The history contradicts itself; it was changed, or a writer is defective."""
