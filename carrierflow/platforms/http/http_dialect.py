"""What of HTTP is one platform's own: how a token is borne, and what a reply says beside itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from carrierflow.platforms.http.replies import PlatformReply, is_page


__all__ = ["HttpDialect", "no_page"]


def _always(_: PlatformReply) -> bool:
    return True


def no_page(reply: PlatformReply) -> bool:
    """Tell whether a reply may be the platform's: a page is the word of a gate before it.

    A reply without a body may be anybody's, and is taken for the platform's.
    """
    return not is_page(reply)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpDialect:
    """How one platform is talked to over HTTP.

    Attributes:
        budget_event: the log event for a count that the budget could not be told.
        headers: the headers that bear a token.
        used_calls: how many calls a reply says that the platform has counted, if it does.
        messages: why a reply says no, in the platform's words; nothing where it does not say.
        is_own: whether a reply is the platform's own word, as far as that shows; one that is not
            decides nothing, but a 429 does wherever it comes from.
    """

    budget_event: str
    headers: Callable[[str], Mapping[str, str]]
    used_calls: Callable[[PlatformReply], int | None]
    messages: Callable[[PlatformReply], Iterable[str]]
    is_own: Callable[[PlatformReply], bool] = _always
