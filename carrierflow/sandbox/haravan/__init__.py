"""A Haravan that runs on a laptop: in process, or on a port of this machine.

`World` is the model, `Haravan` the front door in process, `SandboxServer` the same on a socket.
"""

from __future__ import annotations

from carrierflow.sandbox.haravan.api import Haravan
from carrierflow.sandbox.haravan.bucket import LeakyBucket
from carrierflow.sandbox.haravan.call_log import CallKind, CallLog, Made
from carrierflow.sandbox.haravan.carrier_callables import SIGNATURE_HEADER, Callbacks, sign
from carrierflow.sandbox.haravan.carrier_calls import Liaison
from carrierflow.sandbox.haravan.carrier_client import WEBHOOK_SIGNATURE_HEADER, Caller, Plan
from carrierflow.sandbox.haravan.carrier_payloads import Offer
from carrierflow.sandbox.haravan.dotnet_time import ManualClock
from carrierflow.sandbox.haravan.exchange import Dropped, Outcome, Reply, Request
from carrierflow.sandbox.haravan.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.haravan.http_client import Answer, Outgoing
from carrierflow.sandbox.haravan.http_server import SandboxServer, serve
from carrierflow.sandbox.haravan.parcels import Fulfillment, Lags, Order, ParcelRef, Recipient
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.recorder import Judge, Legal, Put, PutResult, Report, Source, Touch
from carrierflow.sandbox.haravan.refusals import (
    BadInput,
    Declined,
    Denied,
    NoAnswer,
    NotFound,
    Refused,
    SandboxError,
)
from carrierflow.sandbox.haravan.shop_state import Shop, ShopOptions
from carrierflow.sandbox.haravan.webhook_sender import Postman
from carrierflow.sandbox.haravan.world import World


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
