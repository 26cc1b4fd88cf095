"""A refusal as Haravan words it."""

from __future__ import annotations

from carrierflow.sandbox.exchange import HttpReply, json_reply


__all__ = ["failed"]


def failed(status: int, sentence: str) -> HttpReply:
    """Return a refusal; of the shapes that Haravan's errors come in, the plain string."""
    return json_reply(status, {"errors": sentence})
