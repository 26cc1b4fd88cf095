"""What of HTTP is Onflow's own: a bare token, and an envelope around each answer."""

from __future__ import annotations

from carrierflow.domain.limits import cut
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.http_dialect import HttpDialect, no_page
from carrierflow.platforms.http.replies import PlatformReply
from carrierflow.platforms.onflow.error_flag import reference, words


__all__ = ["DIALECT", "OnflowClient"]

_LONGEST_REFUSAL = 200


def _bare(token: str) -> dict[str, str]:
    """Return the header that bears a token; no scheme stands before it in any example."""
    return {"Authorization": token}


def _uncounted(_: PlatformReply) -> None:
    """Say that a reply tells no count of calls: no limit is documented."""


DIALECT = HttpDialect(
    budget_event="carrierflow.onflow.budget_not_told",
    headers=_bare,
    used_calls=_uncounted,
    messages=words,
    is_own=no_page,
)


class OnflowClient(PlatformClient):
    """One account's requests; each refusal ends with what Onflow's support finds it by."""

    def refusal(self, reply: PlatformReply) -> str:
        """Return why a reply says no, short, and without anything personal or secret."""
        said, named = super().refusal(reply), reference(reply)
        if not named or self._transport.secret in named:
            return said
        return f"{cut(said, _LONGEST_REFUSAL - len(named) - 3)} ({named})"
