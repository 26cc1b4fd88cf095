"""What every request of a platform passes: its path is found, and what became of it is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from carrierflow.carrier_service.messages import Request, Response
from carrierflow.carrier_service.results import CallRecord, OnAnswer, Result
from carrierflow.carrier_service.routes import Route, RoutedPath, Router
from carrierflow.domain.clock import Clock
from carrierflow.domain.counters import Counters
from carrierflow.domain.typecheck import check_fields


__all__ = ["UNSIGNED", "Door", "Ending", "Refusal"]

log = logging.getLogger(__name__)

UNSIGNED = "The signature does not hold."


class Refusal(Protocol):
    """Words an answer that says no, as the platform understands it."""

    def __call__(self, sentence: str, *, status: int = 200) -> Response:
        """Return the answer."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """A reply, and what is counted about it."""

    result: Result
    reply: Response
    topic: str = ""


class Door:
    """Lets through what asks for one of some routes; times, counts and tells every answer."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        refusal: Refusal,
        counters: Counters,
        clock: Clock,
        on_answer: OnAnswer | None,
    ) -> None:
        self._router = Router(routes)
        self._refusal = refusal
        self._counters = counters
        self._clock = clock
        self._on_answer = on_answer

    def answer(self, request: Request, act: Callable[[Request, RoutedPath], Ending]) -> Response:
        """Answer one request by `act`, or say that there is no such path.

        Raises:
            InvalidInput: if the host made the request of other things than texts and bytes.
        """
        check_fields(request, Request)
        began = self._clock()
        found = self._router.find(request.path)
        ending = self._ending(request, found, act)
        self._tell(
            CallRecord(
                call=found.route.call if found else None,
                result=ending.result,
                seconds=(self._clock() - began).total_seconds(),
                shop=found.shop if found else "",
                topic=ending.topic,
            )
        )
        return ending.reply

    def unsigned(self, sentence: str = UNSIGNED) -> Ending:
        """Turn away what does not prove where it comes from."""
        reply = self._refusal(sentence, status=HTTPStatus.UNAUTHORIZED)
        return Ending(result=Result.UNSIGNED, reply=reply)

    def _ending(
        self,
        request: Request,
        found: RoutedPath | None,
        act: Callable[[Request, RoutedPath], Ending],
    ) -> Ending:
        if found is None:
            return self._strayed("There is no such path.", HTTPStatus.NOT_FOUND)
        if request.method not in found.route.methods:
            sentence = "This path does not answer this method."
            return self._strayed(sentence, HTTPStatus.METHOD_NOT_ALLOWED)
        return act(request, found)

    def _strayed(self, sentence: str, status: int) -> Ending:
        return Ending(result=Result.NO_SUCH_PATH, reply=self._refusal(sentence, status=status))

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
