"""A Postbox in process, written from what its documents would say, and put before the contract."""

from __future__ import annotations

import json

from carrierflow import FulfillmentRef, Status
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome, json_reply
from carrierflow.testing.contract import PlatformUnderTest

from .postbox import POSTBOX


SHOWN = {
    Status.READYTOPICK: "waiting",
    Status.DELIVERING: "moving",
    Status.DELIVERED: "arrived",
    Status.RETURN: "back",
    Status.CANCEL: "stopped",
}

MAY_FOLLOW = {"waiting": {"moving", "stopped"}, "moving": {"arrived", "back"}}


class PostboxUnderTest(PlatformUnderTest):
    """The box of one shop: for each parcel its word, and when it got it."""

    profile = POSTBOX
    absent = ("999", "999")

    def __init__(self, clock):
        super().__init__(clock)
        self.words: dict[str, str] = {}
        self.changed: dict[str, int] = {}
        self.wrong: list[str] = []

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request."""
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.denied("This token opens no box.")
        match [request.method, *request.path.strip("/").split("/")]:
            case ["GET", "parcels"]:
                return self._page(**{name: int(value) for name, value in request.query.items()})
            case ["GET", "parcels", own_id] if own_id in self.words:
                return self._parcel(own_id)
            case ["PUT", "parcels", own_id, word] if own_id in self.words:
                return self._moved(own_id, word)
        return json_reply(404, {"problem": "There is nothing here."})

    def add_parcel(self, state: Status, *, cod_amount: int = 0) -> tuple[str, str]:  # noqa: ARG002
        """Put a parcel into the box."""
        own_id = str(1000 + len(self.words))
        self._put(own_id, SHOWN[state])
        return own_id, own_id

    def shown(self, ref: FulfillmentRef) -> Status:
        """Return what the box shows."""
        return next(s for s, word in SHOWN.items() if word == self.words[ref.fulfillment_id])

    def move(self, ref: FulfillmentRef, state: Status) -> None:
        """Move a parcel by hand."""
        self._put(ref.fulfillment_id, SHOWN[state])

    def reworded(self, body: bytes, ref: FulfillmentRef) -> bytes:
        """Let a parcel be teleported."""
        return self._rewritten(body, ref, {"word": "teleported"})

    def spoiled(self, body: bytes, ref: FulfillmentRef, text: str) -> bytes:
        """Let a parcel have changed at a time that is none."""
        return self._rewritten(body, ref, {"changed": text})

    def refused(self, saying: str) -> HttpReply:
        """Say no to a move."""
        return json_reply(409, {"problem": saying})

    def denied(self, saying: str) -> HttpReply:
        """Say no to a token."""
        return json_reply(401, {"problem": saying})

    def judged(self) -> list[str]:
        """Return the moves that were asked for and are none."""
        return self.wrong

    def _put(self, own_id: str, word: str) -> None:
        self.words[own_id], self.changed[own_id] = word, int(self.clock().timestamp())

    def _row(self, own_id: str) -> dict[str, object]:
        return {"id": own_id, "word": self.words[own_id], "changed": self.changed[own_id]}

    def _parcel(self, own_id: str) -> HttpReply:
        return json_reply(200, {"parcel": self._row(own_id)})

    def _page(self, since: int = 0, page: int = 1) -> HttpReply:
        found = sorted((at, own_id) for own_id, at in self.changed.items() if at >= since)
        rows = [self._row(own_id) for _, own_id in found[(page - 1) * 50 : page * 50]]
        return json_reply(200, {"parcels": rows})

    def _moved(self, own_id: str, word: str) -> HttpReply:
        if word not in MAY_FOLLOW.get(self.words[own_id], ()):
            self.wrong.append(f"{self.words[own_id]} to {word}")
            return self.refused(f"A parcel that is {self.words[own_id]} cannot be {word}.")
        self._put(own_id, word)
        return self._parcel(own_id)

    @staticmethod
    def _rewritten(body: bytes, ref: FulfillmentRef, changes: dict[str, str]) -> bytes:
        document = json.loads(body)
        for row in [document.get("parcel", {}), *document.get("parcels", ())]:
            if row.get("id") == ref.fulfillment_id:
                row.update(changes)
        return json.dumps(document).encode()
