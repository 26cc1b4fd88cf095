"""A Haravan that runs on a laptop: in process, or on a port of this machine.

`World` is the model, `Haravan` the front door in process, `SandboxServer` the same on a socket.
"""

from __future__ import annotations

from carrierflow.sandbox.app import App
from carrierflow.sandbox.asking import Offer
from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.callbacks import SIGNATURE_HEADER, Callbacks, sign
from carrierflow.sandbox.caller import WEBHOOK_SIGNATURE_HEADER, Caller, Plan
from carrierflow.sandbox.calls import CallKind, CallLog, Made
from carrierflow.sandbox.errors import (
    BadInput,
    Declined,
    Denied,
    NoAnswer,
    NotFound,
    Refused,
    SandboxError,
)
from carrierflow.sandbox.exchange import Dropped, Outcome, Reply, Request
from carrierflow.sandbox.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.front import Haravan
from carrierflow.sandbox.judge import Judge, Legal, Put, PutResult, Report, Source, Touch
from carrierflow.sandbox.liaison import Liaison
from carrierflow.sandbox.parcels import Fulfillment, Lags, Order, ParcelRef, Recipient
from carrierflow.sandbox.postman import Postman
from carrierflow.sandbox.server import SandboxServer, serve
from carrierflow.sandbox.shop import Shop, ShopOptions
from carrierflow.sandbox.ticks import ManualClock
from carrierflow.sandbox.wire import Answer, Outgoing
from carrierflow.sandbox.world import World


__all__ = [
    "SIGNATURE_HEADER",
    "WEBHOOK_SIGNATURE_HEADER",
    "Answer",
    "App",
    "BadInput",
    "CallKind",
    "CallLog",
    "Callbacks",
    "Caller",
    "Declined",
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
    "Liaison",
    "Made",
    "ManualClock",
    "NoAnswer",
    "NotFound",
    "Offer",
    "Order",
    "Outcome",
    "Outgoing",
    "ParcelRef",
    "Plan",
    "Postman",
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
