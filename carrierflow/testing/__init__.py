"""What ships for tests that are not ours: a world for a host's, and a platform's contract.

Nothing else of carrierflow imports this, and none of it imports pytest but `plugin`, which pytest
asks for.
"""

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.testing.host_world import HostWorld
from carrierflow.testing.parcel_builder import bring, open_at


__all__ = ["HostWorld", "ManualClock", "bring", "open_at"]
