"""Adapters of the made-up platform, each with one fault that somebody might make in earnest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from carrierflow import (
    AccessDenied,
    HttpLimits,
    NotSent,
    OutcomeUnknown,
    PlatformUnavailable,
    ReadRefused,
    Refused,
    RemoteWord,
    Status,
    Throttled,
)
from carrierflow.testing.contract.wallet import Wallet

from .postbox import POSTBOX, PostboxPlatform
from .postbox_sandbox import PostboxUnderTest


def worded(seen, status, *, where):
    """Return an observation, if it is one with a status of some kind, with another."""
    if getattr(seen, "carrier", None) is None or seen.carrier.status is not where:
        return seen
    return replace(seen, carrier=RemoteWord(raw=seen.carrier.raw, status=status))


class Guessing(PostboxPlatform):
    """Takes a word that it does not know for the likeliest one."""

    def fulfillment(self, ref):
        return worded(super().fulfillment(ref), Status.DELIVERING, where=None)


class GuessingAnswers(PostboxPlatform):
    """Takes such a word for what it told."""

    def write(self, ref, write, *, not_later_than):
        seen = super().write(ref, write, not_later_than=not_later_than)
        return worded(seen, write.to, where=None)


class GuessingOrders(PostboxPlatform):
    """Takes such a word for the likeliest one in every list."""

    STATUS, WHERE = Status.READYTOPICK, None

    def orders(self, order_ids):
        return tuple(self._guessed(order) for order in super().orders(order_ids))

    def orders_changed(self, since, *, page=1):
        return tuple(self._guessed(order) for order in super().orders_changed(since, page=page))

    def _guessed(self, order):
        rows = (worded(seen, self.STATUS, where=self.WHERE) for seen in order.fulfillments)
        return replace(order, fulfillments=tuple(rows))


class MissingCancels(GuessingOrders):
    """Does not know the word for a cancel."""

    STATUS, WHERE = None, Status.CANCEL


class MissingMoves(GuessingOrders):
    """Does not know the word for being on the way."""

    STATUS, WHERE = None, Status.DELIVERING


class SeeingCash(PostboxPlatform):
    """Claims that cash is waited for, of which the platform says nothing."""

    def orders(self, order_ids):
        owed = RemoteWord(raw="owed", status=Status.CODPENDING)
        return tuple(
            replace(order, fulfillments=tuple(replace(s, cod=owed) for s in order.fulfillments))
            for order in super().orders(order_ids)
        )


class Disowning(PostboxPlatform):
    """Takes every parcel for another carrier's."""

    def is_ours(self, observation):  # noqa: ARG002 (the port's)
        return False


class Dropping(PostboxPlatform):
    """Passes over what it cannot read."""

    def orders(self, order_ids):
        return tuple(order for order in super().orders(order_ids) if not order.unreadable)


class Burying(PostboxPlatform):
    """Takes anybody's no for the end of a parcel."""

    def fulfillment(self, ref):
        try:
            return super().fulfillment(ref)
        except ReadRefused:
            return None


class BuryingEarly(PostboxPlatform):
    """Takes an outage for the end of a parcel."""

    def fulfillment(self, ref):
        try:
            return super().fulfillment(ref)
        except PlatformUnavailable as error:
            if isinstance(error, ReadRefused | Throttled):
                raise
            return None


class Alarming(PostboxPlatform):
    """Takes a parcel that is not there for a failure."""

    def order(self, order_id):
        found = super().order(order_id)
        if found is None:
            raise ReadRefused(f"there is no {order_id}")
        return found


class Hasty(PostboxPlatform):
    """Never tries a read again."""

    def __init__(self, link):
        super().__init__(replace(link, limits=HttpLimits(get_retries=0)))


class Knocking(PostboxPlatform):
    """Tries a token again that was not accepted."""

    def fulfillment(self, ref):
        try:
            return super().fulfillment(ref)
        except AccessDenied:
            return super().fulfillment(ref)


class Playing(PostboxPlatform):
    """Takes a 429 for an outage."""

    def fulfillment(self, ref):
        try:
            return super().fulfillment(ref)
        except Throttled as error:
            raise PlatformUnavailable("it is busy") from error


class Following(PostboxPlatform):
    """Goes where a redirect leads."""

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except OutcomeUnknown as unknown:
            if unknown.http_status == 302:
                self._led()
            raise

    def _led(self):
        try:
            self._client.get("/elsewhere", {}, lambda reply: reply)
        except PlatformUnavailable:
            return


class Closed(PostboxPlatform):
    """Is of no use once it was closed."""

    is_closed = False

    def close(self):
        self.is_closed = True
        super().close()

    def fulfillment(self, ref):
        assert not self.is_closed
        return super().fulfillment(ref)


class Rewriting(PostboxPlatform):
    """Lets one error of a write pass for another."""

    FROM, TO, STATUS = OutcomeUnknown, Refused, 503

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except self.FROM as error:
            if error.http_status != self.STATUS:
                raise
            raise self.TO(error.reason, http_status=self.STATUS) from error


class Despairing(Rewriting):
    """Takes a busy gate's word for nothing done."""

    TO = NotSent


class Confusing(Rewriting):
    """Takes a token that is not accepted for an outage."""

    FROM, TO, STATUS = AccessDenied, OutcomeUnknown, 401


class Doubting(Rewriting):
    """Does not believe the platform's own no."""

    FROM, TO, STATUS = Refused, OutcomeUnknown, 409


class Waiting(Rewriting):
    """Does not know that a 429 did nothing."""

    FROM, TO, STATUS = NotSent, OutcomeUnknown, 429


class Fearing(Rewriting):
    """Does not know that nothing is sent without a connection."""

    FROM, TO, STATUS = NotSent, OutcomeUnknown, None

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except OutcomeUnknown as error:
            if "too late" in error.reason or "passed" in error.reason:
                raise NotSent(error.reason) from error
            raise


class Insisting(PostboxPlatform):
    """Sends a write again where a gate answered oddly."""

    STATUSES = (520,)

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except OutcomeUnknown as unknown:
            if unknown.http_status not in self.STATUSES:
                raise
            self.wait_for_room()
            return super().write(ref, write, not_later_than=not_later_than)


class InsistingOften(Insisting):
    """Sends a write again wherever no good answer came."""

    STATUSES = (None, 200, 500, 502)


class Doubling(PostboxPlatform):
    """Makes sure by sending each write twice."""

    def write(self, ref, write, *, not_later_than):
        seen = super().write(ref, write, not_later_than=not_later_than)
        try:
            self.wait_for_room()
            return super().write(ref, write, not_later_than=not_later_than)
        except Refused:
            return seen


class Remembering(PostboxPlatform):
    """Answers a write with how the parcel was before."""

    def write(self, ref, write, *, not_later_than):
        before = self.fulfillment(ref)
        super().write(ref, write, not_later_than=not_later_than)
        return before


class Overshooting(PostboxPlatform):
    """Sends back at once what it is to deliver."""

    def write(self, ref, write, *, not_later_than):
        wrong = replace(write, name="back") if write.name == "arrived" else write
        return super().write(ref, wrong, not_later_than=not_later_than)


class Late(PostboxPlatform):
    """Gives itself an hour more than it has."""

    def write(self, ref, write, *, not_later_than):
        later = not_later_than + timedelta(hours=1)
        return super().write(ref, write, not_later_than=later)


class Misdescribing(PostboxPlatform):
    """Tells a person another request than its own."""

    def sketch(self, ref, write):
        return replace(super().sketch(ref, write), method="POST")


class Trusting(PostboxPlatform):
    """Puts anything into an address."""

    def order(self, order_id):
        return self._parcel(order_id)


class Reversing(PostboxPlatform):
    """Gives a page as people like it, the newest change first."""

    def orders_changed(self, since, *, page=1):
        return super().orders_changed(since, page=page)[::-1]


class Silent(PostboxPlatform):
    """Lists no change, and passes that over as if nothing had changed."""

    def orders_changed(self, since, *, page=1):
        return super().orders_changed(since, page=page)[:0]


class Losing(PostboxPlatform):
    """Lists no change after the first page."""

    def orders_changed(self, since, *, page=1):
        found = super().orders_changed(since, page=page)
        return found if len(found) == 50 else ()


class Sneaking(PostboxPlatform):
    """Looks at single orders once more, past the shop's budget."""

    def __init__(self, link):
        super().__init__(link)
        self._past = PostboxPlatform(replace(link, budget=Wallet()))

    def order(self, order_id):
        super().order(order_id)
        found = self._past.order(order_id)
        self._past.close()
        return found


class Spending(PostboxPlatform):
    """Asks no budget at all."""

    def __init__(self, link):
        super().__init__(replace(link, budget=Wallet()))


class Talking(PostboxPlatform):
    """Shows its token to whoever prints it."""

    def __repr__(self):
        return f"{type(self).__name__}({PostboxUnderTest.token})"


class Quoting(PostboxPlatform):
    """Says in a refusal what it asked with."""

    def write(self, ref, write, *, not_later_than):
        try:
            return super().write(ref, write, not_later_than=not_later_than)
        except Refused as refused:
            said = f"{refused.reason} ({PostboxUnderTest.token})"
            raise Refused(said, http_status=refused.http_status) from refused


class Boasting(PostboxPlatform):
    """Claims that it cancels whatever is on its way."""

    projection = replace(
        POSTBOX.projection,
        writes=tuple(
            replace(write, after=None) if write.name == "stopped" else write
            for write in POSTBOX.projection.writes
        ),
    )


class NowhereListed:
    """The carriers of a shop whose platform lists none."""

    def listed(self):
        raise ReadRefused("there is no such list")

    def close(self):
        pass


PRETENDING = replace(POSTBOX, registrations=lambda _link: NowhereListed())
"""A platform that says it offers what only others have."""
