"""A carrier whose parcels come from Onflow's warehouse."""

from __future__ import annotations

import itertools

from carrier import Carrier, Judgement

from carrierflow import FulfillmentRef, Opening
from carrierflow.sandbox.onflow import OnflowStage


__all__ = ["BEFORE", "STAGES", "OnflowCarrier"]

STAGES = (OnflowStage.NEW, OnflowStage.PICKED, OnflowStage.PACKED, OnflowStage.HANDOVER)
BEFORE = STAGES[:3]
ROOMY = {"rate_bucket": "1000000", "rate_leak": "1000000"}


class OnflowCarrier(Carrier):
    """A carrier whose accounts are on Onflow."""

    def __init__(self, *arguments, **parts):
        super().__init__(*arguments, **parts)
        self._stages = itertools.cycle(BEFORE)

    def connect(self, *codes, **options):
        """Connect accounts."""
        for code in codes:
            self.world.add_account(code=code, token=f"token-{code}", **options)
            self.app.shops.add(
                code,
                platform="onflow",
                token=f"token-{code}",
                base_url=self.server.url,
                options=ROOMY,
            )

    def platform_parcel(self, shop, *, stage=None, cod=None):  # noqa: ARG002 (no cash is shown)
        """Put a shipment into the warehouse alone, by default at each stage before the handover."""
        stage = stage or next(self._stages)
        code = self.world.add_shipment(account=shop, stage=stage).tracking_code
        return FulfillmentRef(shop=shop, order_id=code, fulfillment_id=code)

    def shipment(self, shop, stage, *, cod=None, walk=()):
        """Put a shipment into the warehouse, open it here, and record a walk."""
        ref = self.platform_parcel(shop, stage=stage)
        self.app.ledger.open(Opening(ref=ref, cod_amount=cod, tracking_number=ref.fulfillment_id))
        self.record(ref, *walk)
        return ref

    def stage_of(self, ref):
        """Return where the warehouse has a shipment."""
        return self.world.shipment(ref.fulfillment_id).stage

    def agrees(self, ref):
        """Tell whether the warehouse keeps what is cancelled here, and nothing else, back."""
        is_cancelled = str(self.stage_of(ref)).startswith("cancelled")
        return is_cancelled == ("cancel" == self.known(ref)[0])

    def due(self, walk):
        """Return how many writes it takes to tell a walk: a cancel is all that is told."""
        return walk.count("cancel")

    @property
    def writes(self):
        """How many writes the platform has received so far."""
        return len(self.world.recorder.writes)

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report()

    def judgement(self):
        """Return of it what every platform's judge says."""
        judged = self.judged()
        return Judgement(
            applied=judged.writes_applied, illegal=judged.illegal, repeated=judged.duplicates
        )

    def runs(self, **options):
        """Reconcile everything, once."""
        return self.app.reconcile(full=True, **options)
