"""A Haravan that runs on a laptop: in process, or on a port of this machine.

`World` is the model, `Haravan` the front door in process, `SandboxServer` the same on a socket.
"""

from __future__ import annotations

from carrierflow.sandbox.app import App
from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.callbacks import SIGNATURE_HEADER, Callbacks, sign
from carrierflow.sandbox.errors import BadInput, Denied, NotFound, Refused, SandboxError
from carrierflow.sandbox.exchange import Dropped, Outcome, Reply, Request
from carrierflow.sandbox.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.front import Haravan
from carrierflow.sandbox.judge import Judge, Legal, Put, PutResult, Report, Source, Touch
from carrierflow.sandbox.parcels import Fulfillment, Lags, Order, ParcelRef, Recipient
from carrierflow.sandbox.server import SandboxServer, serve
from carrierflow.sandbox.shop import Shop, ShopOptions
from carrierflow.sandbox.ticks import ManualClock
from carrierflow.sandbox.world import World


__all__ = [
    "SIGNATURE_HEADER",
    "App",
    "BadInput",
    "Callbacks",
    "Denied",
    "Dropped",
    "Fault",
    "FaultKind",
    "FaultMix",
    "Faults",
    "Fulfillment",
    "Haravan",
    "Judge",
    "Lags",
    "LeakyBucket",
    "Legal",
    "ManualClock",
    "NotFound",
    "Order",
    "Outcome",
    "ParcelRef",
    "Put",
    "PutResult",
    "Recipient",
    "Refused",
    "Reply",
    "Report",
    "Request",
    "Rule",
    "SandboxError",
    "SandboxServer",
    "Shop",
    "ShopOptions",
    "Source",
    "Touch",
    "World",
    "serve",
    "sign",
]
