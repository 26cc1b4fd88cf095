"""The one door through which a platform reaches the carrier: a request in, a reply out.

The order never changes: find the path, check the signature over the raw bytes, read, act, word
the answer. Whatever a signed body holds, the answer is one that the platform understands.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from carrierflow.carrier_service.callbacks import Callbacks
from carrierflow.carrier_service.dialect import Dialect
from carrierflow.carrier_service.install_pages import InstallPages
from carrierflow.carrier_service.messages import MAX_BODY, Request, Response
from carrierflow.carrier_service.results import CallRecord, OnAnswer, Result
from carrierflow.carrier_service.routes import Call, Found, find
from carrierflow.carrier_service.webhooks import WebhookReceiver
from carrierflow.domain.clock import Clock
from carrierflow.domain.counters import Counters
from carrierflow.domain.typecheck import check_fields
from carrierflow.errors import InvalidInput, ShopRevoked, UnknownShop


__all__ = ["CarrierService"]

log = logging.getLogger(__name__)

PAGES = frozenset({Call.INSTALL, Call.INSTALLED})
FAILED = "The carrier cannot do this at the moment; please try again."
TOO_LONG = f"The body is longer than {MAX_BODY} bytes."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ending:
    """A reply, and what is counted about it."""

    result: Result
    reply: Response
    topic: str = ""


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
        self._dialect = dialect
        self._counters = counters
        self._clock = clock
        self._on_answer = on_answer
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
        check_fields(request, Request)
        began = self._clock()
        found = find(request.path)
        ending = self._end(request, found)
        answered = CallRecord(
            call=found.route.call if found else None,
            result=ending.result,
            seconds=(self._clock() - began).total_seconds(),
            shop=found.shop if found else "",
            topic=ending.topic,
        )
        self._tell(answered)
        return ending.reply

    def too_long(self) -> Response:
        """Answer a body that a server stopped reading at `MAX_BODY` bytes."""
        return self._dialect.refusal(TOO_LONG, status=413)

    def _end(self, request: Request, found: Found | None) -> _Ending:
        if found is None:
            reply = self._dialect.refusal("There is no such path.", status=404)
            return _Ending(result=Result.NO_SUCH_PATH, reply=reply)
        if request.method not in found.route.methods:
            reply = self._dialect.refusal("This path does not answer this method.", status=405)
            return _Ending(result=Result.NO_SUCH_PATH, reply=reply)
        if found.route.call in PAGES:
            return self._show(request, found.route.call)
        if found.route.call is Call.WEBHOOK:
            return self._challenged(request) if request.method == "GET" else self._told(request)
        if not self._dialect.is_signed(request):
            return self._unsigned("The signature does not hold.")
        return self._act(request, found)

    def _challenged(self, request: Request) -> _Ending:
        challenge = self._dialect.challenge(request)
        if challenge is None:
            return self._unsigned("This challenge does not know our token.")
        return _Ending(result=Result.DONE, reply=_plain(challenge), topic="challenge")

    def _told(self, request: Request) -> _Ending:
        if not self._dialect.is_signed_webhook(request):
            return self._unsigned("The signature does not hold.")
        try:
            topic = self._receiver.take(request)
        except Exception:
            # Not kept, so not to be answered with success: the platform will send it again.
            log.exception("carrierflow.webhook_failed")
            return _Ending(result=Result.FAILED, reply=self._dialect.refusal(FAILED, status=503))
        return _Ending(result=Result.DONE, reply=_plain("kept"), topic=topic)

    def _act(self, request: Request, found: Found) -> _Ending:
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
            return _Ending(result=Result.FAILED, reply=self._dialect.refusal(FAILED))
        return _Ending(result=Result.DONE, reply=reply)

    def _show(self, request: Request, call: Call) -> _Ending:
        """Answer a browser, whose requests nobody signs."""
        try:
            reply = self._pages.answer(call, request)
        except Exception:
            log.exception("carrierflow.callback_failed", extra={"call": call})
            return _Ending(result=Result.FAILED, reply=self._pages.broken())
        is_done = reply.status < HTTPStatus.BAD_REQUEST
        return _Ending(result=Result.DONE if is_done else Result.REFUSED, reply=reply)

    def _unsigned(self, sentence: str) -> _Ending:
        reply = self._dialect.refusal(sentence, status=401)
        return _Ending(result=Result.UNSIGNED, reply=reply)

    def _refused(self, sentence: str) -> _Ending:
        return _Ending(result=Result.REFUSED, reply=self._dialect.refusal(sentence))

    def _tell(self, answered: CallRecord) -> None:
        self._counters.count("callbacks", call=answered.call or "none", result=answered.result)
        if answered.topic:
            self._counters.count("webhooks", topic=answered.topic, result=answered.result)
        log.info(
            "carrierflow.answered",
            extra={
                "call": answered.call,
                "result": answered.result,
                "shop": answered.shop,
                "topic": answered.topic,
                "seconds": answered.seconds,
            },
        )
        if self._on_answer is not None:
            self._on_answer(answered)


def _plain(text: str) -> Response:
    return Response(headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode())
