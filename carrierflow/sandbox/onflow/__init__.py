"""An Onflow that runs on a laptop: its Open API for B2C shipments, and its warehouse.

`OnflowWorld` is the model, `Onflow` the front door in process, `OnflowServer` the same on a socket.
Written from the documents alone; what they leave open is a field of `OnflowOptions` or
`OnflowPaths`, and each module says what it assumes.
"""

from __future__ import annotations

from carrierflow.sandbox.onflow.api_user import OnflowAccount, OnflowOptions
from carrierflow.sandbox.onflow.b2c_endpoints import OnflowPaths
from carrierflow.sandbox.onflow.cancel_judge import (
    OnflowExchange,
    OnflowMove,
    OnflowRecorder,
    OnflowReport,
    OnflowResult,
    OnflowVerb,
    OnflowWrite,
)
from carrierflow.sandbox.onflow.envelope import OnflowProblem
from carrierflow.sandbox.onflow.gate import Onflow
from carrierflow.sandbox.onflow.onflow_server import OnflowServer, serve_onflow
from carrierflow.sandbox.onflow.outbound import OnflowReturn, OnflowShipment
from carrierflow.sandbox.onflow.status_hooks import STATUS_EVENT, OnflowHookSender
from carrierflow.sandbox.onflow.status_numbers import OnflowNumbers, OnflowStage
from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = [
    "STATUS_EVENT",
    "Onflow",
    "OnflowAccount",
    "OnflowExchange",
    "OnflowHookSender",
    "OnflowMove",
    "OnflowNumbers",
    "OnflowOptions",
    "OnflowPaths",
    "OnflowProblem",
    "OnflowRecorder",
    "OnflowReport",
    "OnflowResult",
    "OnflowReturn",
    "OnflowServer",
    "OnflowShipment",
    "OnflowStage",
    "OnflowVerb",
    "OnflowWorld",
    "OnflowWrite",
    "serve_onflow",
]
