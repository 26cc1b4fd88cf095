"""Webhooks that are no more than hints: who sends one is checked, and its order is looked at soon.

Nothing of what one says is kept or believed. It may come late, twice, out of order or not at all:
only the time changes that passes until the next look.
"""

from __future__ import annotations

import logging

from carrierflow.carrier_service.dialect import HintDialect
from carrierflow.carrier_service.door import Door, Ending
from carrierflow.carrier_service.messages import TOO_LONG, Request, Response, plain_text
from carrierflow.carrier_service.ports import HintStore
from carrierflow.carrier_service.results import OnAnswer, Result
from carrierflow.carrier_service.routes import RoutedPath
from carrierflow.domain.clock import Clock
from carrierflow.domain.counters import Counters


__all__ = ["HintService"]

log = logging.getLogger(__name__)

UNPROVEN = "This webhook does not prove where it comes from."
FAILED = "This webhook could not be kept; please send it again."


class HintService:
    """Answers the webhooks of one platform; thread-safe, and free of any web framework.

    Build one with `Carrierflow.hint_service`.
    """

    def __init__(
        self,
        dialect: HintDialect,
        store: HintStore,
        *,
        counters: Counters,
        clock: Clock,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self.dialect = dialect
        self._store = store
        self._clock = clock
        self._door = Door(
            [dialect.route],
            refusal=_refusal,
            counters=counters,
            clock=clock,
            on_answer=on_answer,
        )

    def answer(self, request: Request) -> Response:
        """Answer one request; never raises for anything that a request may hold.

        A webhook that is admitted is answered with success, whatever it says and whomever it is
        about: 503 where it could not be kept, so that it comes again.

        Raises:
            InvalidInput: if the host made the request of other things than texts and bytes.
        """
        return self._door.answer(request, self._take)

    def too_long(self) -> Response:
        """Answer a body that a server stopped reading at `MAX_BODY` bytes."""
        return _refusal(TOO_LONG, status=413)

    def _take(self, request: Request, found: RoutedPath) -> Ending:
        if not self.dialect.is_admitted(request, found):
            return self._door.unsigned(UNPROVEN)
        webhook = self.dialect.webhook(request)
        try:
            if webhook.order_id is not None:
                self._store.hint(found.shop, webhook.order_id, now=self._clock())
        except Exception:
            # Not kept, so not to be answered with success: the platform will send it again.
            log.exception("carrierflow.webhook_failed")
            return Ending(result=Result.FAILED, reply=_refusal(FAILED, status=503))
        return Ending(result=Result.DONE, reply=plain_text("kept"), topic=webhook.topic)


def _refusal(sentence: str, *, status: int = 200) -> Response:
    return plain_text(f"{sentence}\n", status=status)
