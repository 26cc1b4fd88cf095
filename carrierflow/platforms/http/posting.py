"""One POST to an address of the carrier's own choosing, bounded in time from end to end."""

from __future__ import annotations

from collections.abc import Mapping

from carrierflow.domain.waiting import Idle
from carrierflow.platforms.http.transport import HttpLimits, Lost


__all__ = ["Poster"]


class Poster:
    """Sends bodies, each once: follows no redirect, obeys no proxy, and trusts no unproven host."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, idle: Idle) -> int:
        """POST a body, and return the status of the answer, the rest of which nobody reads.

        `idle` is called while it is waited for; what it raises goes through.

        Raises:
            Lost: no answer came in time.
        """
        from requests import Request  # noqa: PLC0415 - with the first request

        from carrierflow.platforms.http.connection import (  # noqa: PLC0415 - as above
            TROUBLE,
            Departure,
            new_session,
        )

        departure = Departure()
        departure.prepare(reply_within=self._limits.request_timeout, check=None, idle=idle)
        with new_session(departure) as session:
            request = session.prepare_request(Request("POST", url, headers, data=body))
            try:
                with session.send(
                    request,
                    stream=True,
                    timeout=(self._limits.connect_timeout, self._limits.request_timeout),
                    allow_redirects=False,
                ) as answer:
                    return answer.status_code
            except TROUBLE as error:
                raise Lost(type(error).__name__, departed=departure.departed) from None
