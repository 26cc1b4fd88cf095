"""Keeps what a delivery carrier knows and what a commerce platform shows in agreement.

Build a `Carrierflow` with `build`, record events with its `ledger`, and let `reconcile` bring
the platform to the ledger's state.
"""

from carrierflow.app.build import build
from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.settings import Settings, load_settings
from carrierflow.audit.erasure import Erased
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote, VerifierKey
from carrierflow.audit.log.proof import Consistency, Proof
from carrierflow.audit.log.sealer import Anchored, LogSealer, Sealing
from carrierflow.audit.reports.as_of import AsOf, Basis
from carrierflow.audit.reports.cash import Cash
from carrierflow.audit.reports.corrections import Correction
from carrierflow.audit.reports.coverage import CoverageReport
from carrierflow.audit.reports.drift import Drift
from carrierflow.audit.reports.report import AuditReport
from carrierflow.audit.reports.reports import Reports
from carrierflow.audit.reports.sample import Sample
from carrierflow.audit.reports.step_counts import StepCount
from carrierflow.audit.reports.time_in_status import TimeInState
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.audit.verify.replay import Verification
from carrierflow.carrier_service import (
    Accepted,
    AcceptRequest,
    Address,
    CallRecord,
    CancelRequest,
    Carrier,
    CarrierService,
    Declined,
    Item,
    QuoteRequest,
    Rate,
    Request,
    Response,
)
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.lifecycle import Definition, Lifecycle, define
from carrierflow.domain.model import (
    Event,
    FulfillmentRef,
    HistoryEntry,
    Machine,
    Observation,
    Opening,
    Reason,
    Recorded,
    Source,
    Status,
    Verdict,
)
from carrierflow.domain.shop import Coverage, Shop, ShopState
from carrierflow.errors import (
    AccessDenied,
    AnchorUnavailable,
    BadTime,
    CarrierflowError,
    CommitUnknown,
    ConcurrentUpdate,
    ConfigurationError,
    DatabaseUnavailable,
    DefinitionError,
    FileAlreadyRecorded,
    HistoryBroken,
    Interrupted,
    InvalidInput,
    KeyReused,
    MissingSealKey,
    MissingSecretKey,
    NotMigrated,
    NotSealed,
    NotSent,
    OutcomeUnknown,
    PlatformError,
    PlatformUnavailable,
    ReadRefused,
    Refused,
    SealHeld,
    ShopHeld,
    ShopRevoked,
    Throttled,
    TryLater,
    UnknownFulfillment,
    UnknownIncident,
    UnknownShop,
    UnknownStatus,
    WrongSecretKey,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile import EndReason, Plan, Progress, RunReport
from carrierflow.scheduling import Job
from carrierflow.storage.encryption import generate_key


__all__ = [
    "AcceptRequest",
    "Accepted",
    "AccessDenied",
    "Address",
    "AnchorUnavailable",
    "Anchored",
    "AsOf",
    "AuditReport",
    "BadTime",
    "Basis",
    "CallRecord",
    "CancelRequest",
    "Carrier",
    "CarrierService",
    "Carrierflow",
    "CarrierflowError",
    "Cash",
    "Checkpoint",
    "CommitUnknown",
    "ConcurrentUpdate",
    "ConfigurationError",
    "Consistency",
    "Correction",
    "Coverage",
    "CoverageReport",
    "DatabaseUnavailable",
    "Declined",
    "Definition",
    "DefinitionError",
    "Drift",
    "EndReason",
    "Erased",
    "Event",
    "FileAlreadyRecorded",
    "Fulfillment",
    "FulfillmentRef",
    "HistoryBroken",
    "HistoryEntry",
    "Incident",
    "Interrupted",
    "InvalidInput",
    "Item",
    "Job",
    "KeyReused",
    "Ledger",
    "Lifecycle",
    "LogSealer",
    "Machine",
    "MissingSealKey",
    "MissingSecretKey",
    "NotMigrated",
    "NotSealed",
    "NotSent",
    "Observation",
    "Opening",
    "OutcomeUnknown",
    "Plan",
    "PlatformError",
    "PlatformUnavailable",
    "Progress",
    "Proof",
    "QuoteRequest",
    "Rate",
    "ReadRefused",
    "Reason",
    "Recorded",
    "Refused",
    "Reports",
    "Request",
    "ResolveAction",
    "Response",
    "RunReport",
    "Sample",
    "SealHeld",
    "Sealing",
    "Settings",
    "Shop",
    "ShopHeld",
    "ShopRevoked",
    "ShopState",
    "SignedNote",
    "Source",
    "Status",
    "StepCount",
    "Throttled",
    "TimeInState",
    "Timeline",
    "TryLater",
    "UnknownFulfillment",
    "UnknownIncident",
    "UnknownShop",
    "UnknownStatus",
    "Verdict",
    "Verification",
    "VerifierKey",
    "WrongSecretKey",
    "build",
    "define",
    "generate_key",
    "load_settings",
]
