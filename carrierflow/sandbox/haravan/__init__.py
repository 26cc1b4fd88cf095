"""A Haravan that runs on a laptop: in process, or on a port of this machine.

`World` is the model, `Haravan` the front door in process, `SandboxServer` the same on a socket.
"""

from __future__ import annotations

from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.exchange import Dropped, HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, FaultKind, FaultMix, Faults, Rule
from carrierflow.sandbox.haravan.api import Haravan
from carrierflow.sandbox.haravan.call_log import CallEntry, CallKind, CallLog
from carrierflow.sandbox.haravan.carrier_callables import SIGNATURE_HEADER, CarrierCallables, sign
from carrierflow.sandbox.haravan.carrier_calls import CarrierCalls
from carrierflow.sandbox.haravan.carrier_client import (
    WEBHOOK_SIGNATURE_HEADER,
    CarrierClient,
    PlannedCall,
)
from carrierflow.sandbox.haravan.carrier_payloads import Offer
from carrierflow.sandbox.haravan.denials import CarrierDeclined, Denied
from carrierflow.sandbox.haravan.parcels import (
    Lags,
    Order,
    ParcelRef,
    Recipient,
    SandboxFulfillment,
)
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.recorder import (
    PutResult,
    ReceivedPut,
    Recorder,
    RecorderReport,
    Touch,
    TouchSource,
)
from carrierflow.sandbox.haravan.sandbox_server import SandboxServer, serve
from carrierflow.sandbox.haravan.shop_state import SandboxShop, ShopOptions
from carrierflow.sandbox.haravan.webhook_sender import WebhookSender
from carrierflow.sandbox.haravan.world import World
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.legal_steps import Legal
from carrierflow.sandbox.refusals import BadInput, NoAnswer, NotFound, SandboxError, Unprocessable


__all__ = [
    "SIGNATURE_HEADER",
    "WEBHOOK_SIGNATURE_HEADER",
    "Answer",
    "App",
    "BadInput",
    "CallEntry",
    "CallKind",
    "CallLog",
    "CarrierCallables",
    "CarrierCalls",
    "CarrierClient",
    "CarrierDeclined",
    "Denied",
    "Dropped",
    "Fault",
    "FaultKind",
    "FaultMix",
    "Faults",
    "Haravan",
    "HttpReply",
    "HttpRequest",
    "Lags",
    "LeakyBucket",
    "Legal",
    "ManualClock",
    "NoAnswer",
    "NotFound",
    "Offer",
    "Order",
    "Outcome",
    "Outgoing",
    "ParcelRef",
    "PlannedCall",
    "PutResult",
    "ReceivedPut",
    "Recipient",
    "Recorder",
    "RecorderReport",
    "Rule",
    "SandboxError",
    "SandboxFulfillment",
    "SandboxServer",
    "SandboxShop",
    "ShopOptions",
    "Touch",
    "TouchSource",
    "Unprocessable",
    "WebhookSender",
    "World",
    "serve",
    "sign",
]
