"""The one door through which a platform reaches the carrier: a request in, a reply out.

The order never changes: find the path, check the signature over the raw bytes, read, act, word
the answer. Whatever a signed body holds, the answer is one that the platform understands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from carrierflow.carrier_service.callbacks import Callbacks
from carrierflow.carrier_service.dialect import Dialect
from carrierflow.carrier_service.door import Door, Ending
from carrierflow.carrier_service.install_pages import InstallPages
from carrierflow.carrier_service.messages import (
    MAX_BODY,
    TOO_LONG,
    Request,
    Response,
    plain_text,
)
from carrierflow.carrier_service.results import OnAnswer, Result
from carrierflow.carrier_service.routes import ROUTES, Call, RoutedPath
from carrierflow.carrier_service.webhooks import WebhookReceiver
from carrierflow.domain.clock import Clock
from carrierflow.domain.counters import Counters
from carrierflow.errors import InvalidInput, ShopRevoked, UnknownShop


__all__ = ["CarrierService"]

log = logging.getLogger(__name__)

PAGES = frozenset({Call.INSTALL, Call.INSTALLED})
FAILED = "The carrier cannot do this at the moment; please try again."


class CarrierService:
    """Answers what a platform asks of a carrier; thread-safe, and free of any web framework.

    Build one with `Carrierflow.carrier_service`.
    """

    def __init__(
        self,
        callbacks: Callbacks,
        receiver: WebhookReceiver,
        pages: InstallPages,
        *,
        dialect: Dialect,
        counters: Counters,
        clock: Clock,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self._receiver = receiver
        self._pages = pages
        self.dialect = dialect
        self._door = Door(
            ROUTES, refusal=dialect.refusal, counters=counters, clock=clock, on_answer=on_answer
        )
        self._acts: Mapping[Call, Callable[[str, Request], Response]] = {
            Call.RATES: callbacks.rates,
            Call.CREATE: callbacks.create,
            Call.DETAIL: callbacks.detail,
            Call.CANCEL: callbacks.cancel,
            Call.BY_EXTERNAL_CODE: callbacks.by_external_code,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request; never raises for anything that a request may hold.

        Raises:
            InvalidInput: if the host made the request of other things than texts and bytes.
        """
        return self._door.answer(request, self._end)

    def too_long(self) -> Response:
        """Answer a body that a server stopped reading at `MAX_BODY` bytes."""
        return self.dialect.refusal(TOO_LONG, status=413)

    def _end(self, request: Request, found: RoutedPath) -> Ending:
        if found.route.call in PAGES:
            return self._show(request, found.route.call)
        if found.route.call is Call.WEBHOOK:
            return self._challenged(request) if request.method == "GET" else self._told(request)
        if not self.dialect.is_signed(request):
            return self._door.unsigned()
        return self._act(request, found)

    def _challenged(self, request: Request) -> Ending:
        challenge = self.dialect.challenge(request)
        if challenge is None:
            return self._door.unsigned("This challenge does not know our token.")
        return Ending(result=Result.DONE, reply=plain_text(challenge), topic="challenge")

    def _told(self, request: Request) -> Ending:
        if not self.dialect.is_signed_webhook(request):
            return self._door.unsigned()
        try:
            topic = self._receiver.take(request)
        except Exception:
            # Not kept, so not to be answered with success: the platform will send it again.
            log.exception("carrierflow.webhook_failed")
            return Ending(result=Result.FAILED, reply=self.dialect.refusal(FAILED, status=503))
        return Ending(result=Result.DONE, reply=plain_text("kept"), topic=topic)

    def _act(self, request: Request, found: RoutedPath) -> Ending:
        if len(request.body) > MAX_BODY:
            return self._refused(TOO_LONG)
        try:
            reply = self._acts[found.route.call](found.shop, request)
        except (UnknownShop, ShopRevoked):
            return self._refused("This carrier is not connected to this shop.")
        except InvalidInput as error:
            return self._refused(str(error))
        except Exception:
            # Whatever the carrier's own code or the database raises: the platform is told in
            # its own envelope, and whoever runs this finds the cause in the log.
            log.exception("carrierflow.callback_failed", extra={"call": found.route.call})
            return Ending(result=Result.FAILED, reply=self.dialect.refusal(FAILED))
        return Ending(result=Result.DONE, reply=reply)

    def _show(self, request: Request, call: Call) -> Ending:
        """Answer a browser, whose requests nobody signs."""
        try:
            reply = self._pages.answer(call, request)
        except Exception:
            log.exception("carrierflow.callback_failed", extra={"call": call})
            return Ending(result=Result.FAILED, reply=self._pages.broken())
        is_done = reply.status < HTTPStatus.BAD_REQUEST
        return Ending(result=Result.DONE if is_done else Result.REFUSED, reply=reply)

    def _refused(self, sentence: str) -> Ending:
        return Ending(result=Result.REFUSED, reply=self.dialect.refusal(sentence))
