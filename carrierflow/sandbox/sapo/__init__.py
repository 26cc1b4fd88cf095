"""A Sapo (omnichannel, "mysapogo") that runs on a laptop: in process, or on a port.

`SapoWorld` is the model, `Sapo` the front door in process, `SapoServer` the same on a socket.
"""

from __future__ import annotations

from carrierflow.sandbox.sapo.action_judge import (
    ReceivedAction,
    SapoExchange,
    SapoHand,
    SapoRecorder,
    SapoReport,
    SapoTouch,
)
from carrierflow.sandbox.sapo.data_errors import SapoRefusal
from carrierflow.sandbox.sapo.event_sender import SIGNATURE, event_signature
from carrierflow.sandbox.sapo.fulfillment_states import SapoAction, SapoState
from carrierflow.sandbox.sapo.sapo_api import TOKEN_HEADER, Sapo
from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoOrder, SapoRef
from carrierflow.sandbox.sapo.sapo_server import SapoServer, serve_sapo
from carrierflow.sandbox.sapo.sapo_shop import SapoOptions, SapoShop
from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = [
    "SIGNATURE",
    "TOKEN_HEADER",
    "ReceivedAction",
    "Sapo",
    "SapoAction",
    "SapoExchange",
    "SapoFulfillment",
    "SapoHand",
    "SapoOptions",
    "SapoOrder",
    "SapoRecorder",
    "SapoRef",
    "SapoRefusal",
    "SapoReport",
    "SapoServer",
    "SapoShop",
    "SapoState",
    "SapoTouch",
    "SapoWorld",
    "event_signature",
    "serve_sapo",
]
