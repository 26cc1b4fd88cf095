"""The script that everybody writes first: ask for each parcel, tell what differs, ask again."""

from __future__ import annotations

from dataclasses import dataclass

import requests


__all__ = ["Naive"]

FULL = 78
SECONDS = 0.25


@dataclass
class Naive:
    """A loop over all open parcels, as careful about the bucket as its header allows."""

    url: str
    token: str
    sleep: object
    get: int = 0
    put: int = 0

    def reconcile(self, wanted):
        """Bring parcels to the statuses wanted, given by the ids of order and fulfillment."""
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.token}"
            for (order, fulfillment), status in wanted.items():
                if self._shown(session, order, fulfillment) != status:
                    self._tell(session, order, fulfillment, status)

    def _tell(self, session, order, fulfillment, status):
        path = f"/orders/{order}/fulfillments/{fulfillment}/carrier_status/{status}.json"
        self.put += 1
        self._ask(session, "PUT", path)
        if self._shown(session, order, fulfillment) != status:
            raise RuntimeError("the platform shows something else")

    def _shown(self, session, order, fulfillment):
        self.get += 1
        found = self._ask(session, "GET", f"/orders/{order}.json")
        (mine,) = [one for one in found["order"]["fulfillments"] if one["id"] == fulfillment]
        return mine["carrier_status_code"]

    def _ask(self, session, method, path):
        reply = session.request(method, f"{self.url}/com{path}")
        reply.raise_for_status()
        used, _, _ = reply.headers["X-Haravan-Api-Call-Limit"].partition("/")
        if int(used) >= FULL:
            self.sleep(SECONDS)
        return reply.json()
