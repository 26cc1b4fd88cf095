"""Planted bugs in what is made of odd rows, odd answers and odd headers."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from carrierflow.errors import NotSent
from carrierflow.platforms.haravan import codec, haravan_client, spelling
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.reconcile.case import MachineCase
from carrierflow.storage.budget import ShopBudget

from .planted import bug, wrapped


DAY = 86_400.0

GIVEN_UP = {301, 302, 303, 307, 308, 408, 425, 499}


@bug
def one_row_spoils_the_page():
    """A row that cannot be read makes its whole page unreadable."""

    def make(read):
        def strictly(document, **parts):
            orders = read(document, **parts)
            if any(order.unreadable for order in orders):
                raise UnreadableReply("a row cannot be read")
            return orders

        return strictly

    return [wrapped(haravan_client, "read_orders", make)]


@bug
def unreadable_is_gone():
    """A row that cannot be read is left out, and nothing is said of it."""
    return [mock.patch.object(codec, "Unreadable", side_effect=UnreadableReply("odd"))]


@bug
def refusals_believed():
    """The first refusal is believed, whoever said it."""

    def make(refusals_of):
        return lambda self, step: refusals_of(self, step) * 3

    return [wrapped(MachineCase, "refusals_of", make)]


@bug
def given_up_is_not_sent():
    """What a proxy says of a request that it gave up counts as never sent."""

    def make(accept):
        def believe(self, reply):
            if reply.status in GIVEN_UP:
                raise NotSent("a proxy gave up", http_status=reply.status)
            accept(self, reply)

        return believe

    return [wrapped(PlatformClient, "_accept_write", make)]


@bug
def year_one_overflows():
    """A date in the year one is more than the reader can take."""

    def make(parse):
        def parse_time(text):
            if text.startswith("0001"):
                raise OverflowError("date value out of range")
            return parse(text)

        return parse_time

    return [wrapped(spelling, "parse_time", make)]


@bug
def hour_slept_through():
    """A platform that asks for an hour of silence gets it, and a run sleeps through it."""

    def make(build):
        def heed(self, *args, rate, **named):
            rate = replace(rate, longest_pause=DAY, longest_wait=DAY)
            build(self, *args, rate=rate, **named)

        return heed

    def make_client(build):
        def heed(self, *, limits, **named):
            build(self, limits=replace(limits, longest_pause=DAY), **named)

        return heed

    return [
        wrapped(ShopBudget, "__init__", make),
        wrapped(PlatformClient, "__init__", make_client),
    ]


@bug
def header_believed():
    """A header that counts more than the bucket holds moves the budget as far as it says."""

    def make(build):
        def believe(self, *args, rate, **named):
            build(self, *args, rate=rate, **named)
            self._bucket, self._longest_pause, self._longest_wait = 10**9, 10 * DAY, 10 * DAY

        return believe

    return [wrapped(ShopBudget, "__init__", make)]
