"""A carrier whose shops are on Sapo, and what Sapo shows and is told, by its documents."""

from __future__ import annotations

from carrier import Carrier, Judgement

from carrierflow import Opening


__all__ = ["SapoCarrier", "chain", "state"]

ROOMY = {"rate_bucket": "1000000", "rate_leak": "1000000"}
PROVIDER = "10355"

STATES = {
    **dict.fromkeys(("pending", "readytopick", "picking"), "packed"),
    **dict.fromkeys(("delivering", "notmeetcustomer"), "fulfilled"),
    "delivered": "received",
    "waitingforreturn": "fulfilled_cancelling",
    "return": "fulfilled_cancelled",
    "cancel": "packed_cancelled",
}
"""What Sapo shows of a parcel, by its documents."""

CHAINS = {
    ("packed", "fulfilled"): ["ship"],
    ("packed", "received"): ["ship", "receive"],
    ("packed", "fulfilled_cancelled"): ["ship", "cancel", "receive_after_cancellation"],
    ("packed", "packed_cancelled"): ["cancel"],
    ("fulfilled", "received"): ["receive"],
    ("fulfilled", "fulfilled_cancelled"): ["cancel", "receive_after_cancellation"],
}
"""Sapo's shortest chains of actions, where there are any to be told by default."""


class SapoCarrier(Carrier):
    """A carrier whose shops are on Sapo."""

    def connect(self, *codes, choices=ROOMY, **options):
        """Connect shops; they take many requests, unless somebody chooses otherwise."""
        options = {"bucket_size": 1_000_000, "leak_per_minute": 60_000_000} | options
        for code in codes:
            self.world.add_shop(code=code, token=f"token-{code}", **options)
            self.app.shops.add(
                code,
                platform="sapo",
                token=f"token-{code}",
                base_url=self.server.url,
                carrier_code=PROVIDER,
                options=choices,
            )

    def platform_parcel(self, shop, *, cod=0, **options):
        """Pack a parcel on the platform alone."""
        options.setdefault("delivery_service_provider_id", int(PROVIDER))
        return super().platform_parcel(shop, cod=cod, **options)

    def parcel(self, shop, *, cod=0, walk=(), **options):
        """Pack a parcel on both sides, and record a walk that the platform knows nothing of."""
        ref = self.platform_parcel(shop, cod=cod, **options)
        self.app.ledger.open(Opening(ref=ref, cod_amount=cod))
        self.record(ref, *walk)
        return ref

    def shown(self, ref):
        """Return what the platform shows of a parcel."""
        order = self.world.shop(ref.shop).order(int(ref.order_id))
        parcel = next(it for it in order.fulfillments if it.id == int(ref.fulfillment_id))
        return str(parcel.state)

    def agrees(self, ref):
        """Tell whether the platform shows what the ledger says, as far as it can."""
        return state([self.known(ref)[0]]) == self.shown(ref)

    def due(self, walk):
        """Return how many actions it takes to tell a walk that begins at readytopick."""
        return len(chain([], walk))

    @property
    def writes(self):
        """How many actions the platform has received so far."""
        return len(self.world.recorder.actions)

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report()

    def judgement(self):
        """Return of it what every platform's judge says."""
        judged = self.judged()
        return Judgement(applied=judged.applied, illegal=judged.illegal, repeated=judged.duplicates)

    def runs(self, **options):
        """Reconcile everything, once."""
        return self.app.reconcile(full=True, **options)

    def actions(self):
        """Return the actions received so far, by name, in order."""
        return [str(each.action) for each in self.world.recorder.actions]


def state(walk):
    """Return what Sapo shows at last of a walk, while it may not cancel what is on its way."""
    shown = [STATES[step] for step in ["readytopick", *walk] if step in STATES]
    return "fulfilled" if shown[-1] == "fulfilled_cancelling" else shown[-1]


def chain(told, walk):
    """Return the actions that lead from what was told to what is known."""
    have, want = state(told), state(walk)
    return [] if have == want else CHAINS[have, want]
