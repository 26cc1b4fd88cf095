"""What a platform calls: rates, create, detail, cancel and webhooks, free of any web framework."""

from carrierflow.carrier_service.callbacks import Callbacks
from carrierflow.carrier_service.carrier import (
    Accepted,
    AcceptRequest,
    Address,
    CancelRequest,
    Carrier,
    Declined,
    Item,
    QuoteRequest,
    Rate,
)
from carrierflow.carrier_service.dialect import Dialect, HintDialect, ShownParcel, Webhook
from carrierflow.carrier_service.hints import HintService
from carrierflow.carrier_service.install_pages import InstallPages
from carrierflow.carrier_service.messages import MAX_BODY, Request, Response
from carrierflow.carrier_service.results import CallRecord, OnAnswer, Result
from carrierflow.carrier_service.routes import ROUTES, Call, Route, route_of
from carrierflow.carrier_service.service import CarrierService
from carrierflow.carrier_service.webhooks import WebhookReceiver


__all__ = [
    "MAX_BODY",
    "ROUTES",
    "AcceptRequest",
    "Accepted",
    "Address",
    "Call",
    "CallRecord",
    "Callbacks",
    "CancelRequest",
    "Carrier",
    "CarrierService",
    "Declined",
    "Dialect",
    "HintDialect",
    "HintService",
    "InstallPages",
    "Item",
    "OnAnswer",
    "QuoteRequest",
    "Rate",
    "Request",
    "Response",
    "Result",
    "Route",
    "ShownParcel",
    "Webhook",
    "WebhookReceiver",
    "route_of",
]
