"""Keeps what a delivery carrier knows and what a commerce platform shows in agreement.

Build a `Carrierflow` with `build`, record events with its `ledger`, and let `reconcile` bring
the platform to the ledger's state.
"""

from importlib import import_module
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from carrierflow.app.build import build
    from carrierflow.app.carrierflow import Carrierflow
    from carrierflow.app.joined import JoinedLedger
    from carrierflow.app.settings import (
        LogFormat,
        OnMerchantEdit,
        OnRemoteAhead,
        Settings,
        load_settings,
    )
    from carrierflow.audit.erasure import Erased, Retention
    from carrierflow.audit.export.named import NamedExport
    from carrierflow.audit.feed.feed import FeedPage
    from carrierflow.audit.feed.passage import DeliveryEnd
    from carrierflow.audit.feed.push import Delivery
    from carrierflow.audit.log.anchoring import Anchored
    from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote, VerifierKey
    from carrierflow.audit.log.kept import KeptCheckpoint
    from carrierflow.audit.log.proof import Consistency, Proof
    from carrierflow.audit.log.sealer import LogSealer, Sealing
    from carrierflow.audit.log.sql import SealProgress
    from carrierflow.audit.pages.report_page import Audience
    from carrierflow.audit.reports.acts import AdministrativeAct
    from carrierflow.audit.reports.as_of import (
        AsOf,
        Basis,
        Place,
        Standing,
        StandingCount,
        StandingTotal,
    )
    from carrierflow.audit.reports.basis import ReportBasis
    from carrierflow.audit.reports.cash import (
        AgedCash,
        Band,
        Cash,
        CashClass,
        CashTotal,
        HeldCash,
        OwedCash,
    )
    from carrierflow.audit.reports.cash_movements import (
        CashMove,
        CashMovements,
        CashRow,
        GroupBy,
        MoveKind,
    )
    from carrierflow.audit.reports.corrections import Correction, CorrectionKind
    from carrierflow.audit.reports.coverage import AgedLooks, CoverageReport, LookAge, Unseen
    from carrierflow.audit.reports.drift import Drift, DriftDay, DriftKind, Episode
    from carrierflow.audit.reports.language import Language, Tongue
    from carrierflow.audit.reports.lifecycles_in_force import DefinitionInForce
    from carrierflow.audit.reports.report import AuditReport
    from carrierflow.audit.reports.reports import Reports
    from carrierflow.audit.reports.runs_made import RunEnded, RunsMade, RunsOfShop
    from carrierflow.audit.reports.sample import Sample, Sampled
    from carrierflow.audit.reports.step_counts import StepCount
    from carrierflow.audit.reports.time_in_status import Stay, TimeInState
    from carrierflow.audit.reports.timeline import Timeline
    from carrierflow.audit.reports.timeline_items import (
        AttemptItem,
        EvidenceItem,
        ObservationItem,
        PublicationItem,
        TimelineItem,
    )
    from carrierflow.audit.sampling.population import SampleUnit, Stratum
    from carrierflow.audit.sampling.sample_plan import (
        AuditSample,
        DrawnParcel,
        SampleMethod,
        SamplePlan,
        StratumSize,
    )
    from carrierflow.audit.verify.replay import Problem, Verification
    from carrierflow.carrier_service import (
        Accepted,
        AcceptRequest,
        Address,
        CallRecord,
        CancelRequest,
        Carrier,
        CarrierService,
        Declined,
        HintService,
        Item,
        QuoteRequest,
        Rate,
        Request,
        Response,
    )
    from carrierflow.carrier_service.dialect import Dialect, HintDialect, ShownParcel, Webhook
    from carrierflow.carrier_service.registration import (
        Installed,
        Listed,
        OAuthAccounts,
        Redirect,
        Registration,
        Registrations,
        Subscription,
        Subscriptions,
        Tokens,
    )
    from carrierflow.carrier_service.results import Result
    from carrierflow.carrier_service.routes import Call, Route, RoutedPath
    from carrierflow.domain.administration_kinds import AdministrationKind
    from carrierflow.domain.approval import Proposal
    from carrierflow.domain.decision import DecisionKind
    from carrierflow.domain.destination import DestinationStanding
    from carrierflow.domain.feed_entry import FeedEntry, FeedKind
    from carrierflow.domain.fulfillment import (
        Change,
        EvidenceEntry,
        Fulfillment,
        MachineHead,
        PastEvents,
        RemoteSnapshot,
        SeenKey,
    )
    from carrierflow.domain.hearing import Hearing
    from carrierflow.domain.incident import Incident, OpenIncidents, ResolveAction
    from carrierflow.domain.lifecycle import Definition, Lifecycle, define
    from carrierflow.domain.lifecycle.definition import Coupling, Edge, MachineDefinition
    from carrierflow.domain.listing import ListedFulfillments, ListedIncidents
    from carrierflow.domain.model import (
        Event,
        FulfillmentRef,
        HistoryEntry,
        Machine,
        Observation,
        Opening,
        Reason,
        Recorded,
        RemoteOrder,
        RemoteWord,
        RequestSketch,
        ResolvedEvent,
        Source,
        Status,
        Unreadable,
        Verdict,
    )
    from carrierflow.domain.outage import Outage
    from carrierflow.domain.past_run import PastRun
    from carrierflow.domain.publication import PlatformWrite
    from carrierflow.domain.revision import AgreedTerms, Revised, Revision, Terms
    from carrierflow.domain.shop import Backlog, Coverage, EndedRun, Shop, ShopState
    from carrierflow.errors import (
        AccessDenied,
        AmbiguousTrackingNumber,
        AnchorUnavailable,
        BadTime,
        CarrierflowError,
        CashCollected,
        CommitUnknown,
        ConcurrentUpdate,
        ConfigurationError,
        DatabaseUnavailable,
        DefinitionError,
        DeliveryFailed,
        FileAlreadyRecorded,
        HistoryBroken,
        Interrupted,
        InvalidInput,
        KeyReused,
        MissingSealKey,
        MissingSecretKey,
        NotificationFailed,
        NotMigrated,
        NotSealed,
        NotSent,
        NotThere,
        OutcomeUnknown,
        PlatformError,
        PlatformUnavailable,
        ReadRefused,
        Refused,
        SealHeld,
        ShopHeld,
        ShopRevoked,
        TermsDiffer,
        Throttled,
        TrackingNumberTaken,
        TryLater,
        UnknownFulfillment,
        UnknownIncident,
        UnknownShop,
        UnknownStatus,
        UnknownTrackingNumber,
        UnsupportedByPlatform,
        WrongSecretKey,
    )
    from carrierflow.ledger.files.event_rows import EventRow
    from carrierflow.ledger.ledger import Ledger
    from carrierflow.ledger.ports import Borne, EncryptedNote, LedgerTransaction
    from carrierflow.platforms.http.transport import HttpLimits
    from carrierflow.platforms.profile import (
        AppDefaults,
        AppLink,
        AppSecrets,
        Feature,
        PlatformProfile,
        ShopLink,
        ShopOption,
    )
    from carrierflow.platforms.registry import (
        Client,
        FulfillmentFilter,
        FulfillmentPage,
        NewFulfillment,
    )
    from carrierflow.reconcile import EndReason, Plan, Progress, RunReport
    from carrierflow.reconcile.backfill import Imported, Unopened
    from carrierflow.reconcile.notification import IncidentNotifier, Notified, Telling
    from carrierflow.reconcile.plan import PlanClass, PlanLine
    from carrierflow.reconcile.policy import RunLimits
    from carrierflow.reconcile.ports import Budget, Platform, RequestCounts
    from carrierflow.reconcile.projection import Leader, Projection
    from carrierflow.reconcile.rehearsal import LedgerStep, ResolutionPreview
    from carrierflow.reconcile.resolution import IncidentResolver
    from carrierflow.reconcile.run_report import Requests
    from carrierflow.scheduling import Job
    from carrierflow.shops import (
        CarrierRegistration,
        Installer,
        ShopCheck,
        Shops,
        TokenState,
        WebhookSubscription,
    )
    from carrierflow.shops.carrier_registration import Done, Registered
    from carrierflow.storage.database_clock import DatabaseClock
    from carrierflow.storage.encryption import generate_key
    from carrierflow.storage.lending import Lender
    from carrierflow.storage.ownership import WayAround

    __version__: str


__all__ = [
    "AcceptRequest",
    "Accepted",
    "AccessDenied",
    "Address",
    "AdministrationKind",
    "AdministrativeAct",
    "AgedCash",
    "AgedLooks",
    "AgreedTerms",
    "AmbiguousTrackingNumber",
    "AnchorUnavailable",
    "Anchored",
    "AppDefaults",
    "AppLink",
    "AppSecrets",
    "AsOf",
    "AttemptItem",
    "Audience",
    "AuditReport",
    "AuditSample",
    "Backlog",
    "BadTime",
    "Band",
    "Basis",
    "Borne",
    "Budget",
    "Call",
    "CallRecord",
    "CancelRequest",
    "Carrier",
    "CarrierRegistration",
    "CarrierService",
    "Carrierflow",
    "CarrierflowError",
    "Cash",
    "CashClass",
    "CashCollected",
    "CashMove",
    "CashMovements",
    "CashRow",
    "CashTotal",
    "Change",
    "Checkpoint",
    "Client",
    "CommitUnknown",
    "ConcurrentUpdate",
    "ConfigurationError",
    "Consistency",
    "Correction",
    "CorrectionKind",
    "Coupling",
    "Coverage",
    "CoverageReport",
    "DatabaseClock",
    "DatabaseUnavailable",
    "DecisionKind",
    "Declined",
    "Definition",
    "DefinitionError",
    "DefinitionInForce",
    "Delivery",
    "DeliveryEnd",
    "DeliveryFailed",
    "DestinationStanding",
    "Dialect",
    "Done",
    "DrawnParcel",
    "Drift",
    "DriftDay",
    "DriftKind",
    "Edge",
    "EncryptedNote",
    "EndReason",
    "EndedRun",
    "Episode",
    "Erased",
    "Event",
    "EventRow",
    "EvidenceEntry",
    "EvidenceItem",
    "Feature",
    "FeedEntry",
    "FeedKind",
    "FeedPage",
    "FileAlreadyRecorded",
    "Fulfillment",
    "FulfillmentFilter",
    "FulfillmentPage",
    "FulfillmentRef",
    "GroupBy",
    "Hearing",
    "HeldCash",
    "HintDialect",
    "HintService",
    "HistoryBroken",
    "HistoryEntry",
    "HttpLimits",
    "Imported",
    "Incident",
    "IncidentNotifier",
    "IncidentResolver",
    "Installed",
    "Installer",
    "Interrupted",
    "InvalidInput",
    "Item",
    "Job",
    "JoinedLedger",
    "KeptCheckpoint",
    "KeyReused",
    "Language",
    "Leader",
    "Ledger",
    "LedgerStep",
    "LedgerTransaction",
    "Lender",
    "Lifecycle",
    "Listed",
    "ListedFulfillments",
    "ListedIncidents",
    "LogFormat",
    "LogSealer",
    "LookAge",
    "Machine",
    "MachineDefinition",
    "MachineHead",
    "MissingSealKey",
    "MissingSecretKey",
    "MoveKind",
    "NamedExport",
    "NewFulfillment",
    "NotMigrated",
    "NotSealed",
    "NotSent",
    "NotThere",
    "NotificationFailed",
    "Notified",
    "OAuthAccounts",
    "Observation",
    "ObservationItem",
    "OnMerchantEdit",
    "OnRemoteAhead",
    "OpenIncidents",
    "Opening",
    "Outage",
    "OutcomeUnknown",
    "OwedCash",
    "PastEvents",
    "PastRun",
    "Place",
    "Plan",
    "PlanClass",
    "PlanLine",
    "Platform",
    "PlatformError",
    "PlatformProfile",
    "PlatformUnavailable",
    "PlatformWrite",
    "Problem",
    "Progress",
    "Projection",
    "Proof",
    "Proposal",
    "PublicationItem",
    "QuoteRequest",
    "Rate",
    "ReadRefused",
    "Reason",
    "Recorded",
    "Redirect",
    "Refused",
    "Registered",
    "Registration",
    "Registrations",
    "RemoteOrder",
    "RemoteSnapshot",
    "RemoteWord",
    "ReportBasis",
    "Reports",
    "Request",
    "RequestCounts",
    "RequestSketch",
    "Requests",
    "ResolutionPreview",
    "ResolveAction",
    "ResolvedEvent",
    "Response",
    "Result",
    "Retention",
    "Revised",
    "Revision",
    "Route",
    "RoutedPath",
    "RunEnded",
    "RunLimits",
    "RunReport",
    "RunsMade",
    "RunsOfShop",
    "Sample",
    "SampleMethod",
    "SamplePlan",
    "SampleUnit",
    "Sampled",
    "SealHeld",
    "SealProgress",
    "Sealing",
    "SeenKey",
    "Settings",
    "Shop",
    "ShopCheck",
    "ShopHeld",
    "ShopLink",
    "ShopOption",
    "ShopRevoked",
    "ShopState",
    "Shops",
    "ShownParcel",
    "SignedNote",
    "Source",
    "Standing",
    "StandingCount",
    "StandingTotal",
    "Status",
    "Stay",
    "StepCount",
    "Stratum",
    "StratumSize",
    "Subscription",
    "Subscriptions",
    "Telling",
    "Terms",
    "TermsDiffer",
    "Throttled",
    "TimeInState",
    "Timeline",
    "TimelineItem",
    "TokenState",
    "Tokens",
    "Tongue",
    "TrackingNumberTaken",
    "TryLater",
    "UnknownFulfillment",
    "UnknownIncident",
    "UnknownShop",
    "UnknownStatus",
    "UnknownTrackingNumber",
    "Unopened",
    "Unreadable",
    "Unseen",
    "UnsupportedByPlatform",
    "Verdict",
    "Verification",
    "VerifierKey",
    "WayAround",
    "Webhook",
    "WebhookSubscription",
    "WrongSecretKey",
    "build",
    "define",
    "generate_key",
    "load_settings",
]


_HOMES = {
    "app.build": "build",
    "app.carrierflow": "Carrierflow",
    "app.joined": "JoinedLedger",
    "app.settings": "LogFormat OnMerchantEdit OnRemoteAhead Settings load_settings",
    "audit.erasure": "Erased Retention",
    "audit.export.named": "NamedExport",
    "audit.feed.feed": "FeedPage",
    "audit.feed.passage": "DeliveryEnd",
    "audit.feed.push": "Delivery",
    "audit.log.anchoring": "Anchored",
    "audit.log.checkpoint": "Checkpoint SignedNote VerifierKey",
    "audit.log.kept": "KeptCheckpoint",
    "audit.log.proof": "Consistency Proof",
    "audit.log.sealer": "LogSealer Sealing",
    "audit.log.sql": "SealProgress",
    "audit.pages.report_page": "Audience",
    "audit.reports.acts": "AdministrativeAct",
    "audit.reports.as_of": "AsOf Basis Place Standing StandingCount StandingTotal",
    "audit.reports.basis": "ReportBasis",
    "audit.reports.cash": "AgedCash Band Cash CashClass CashTotal HeldCash OwedCash",
    "audit.reports.cash_movements": "CashMove CashMovements CashRow GroupBy MoveKind",
    "audit.reports.corrections": "Correction CorrectionKind",
    "audit.reports.coverage": "AgedLooks CoverageReport LookAge Unseen",
    "audit.reports.drift": "Drift DriftDay DriftKind Episode",
    "audit.reports.language": "Language Tongue",
    "audit.reports.lifecycles_in_force": "DefinitionInForce",
    "audit.reports.report": "AuditReport",
    "audit.reports.reports": "Reports",
    "audit.reports.runs_made": "RunEnded RunsMade RunsOfShop",
    "audit.reports.sample": "Sample Sampled",
    "audit.reports.step_counts": "StepCount",
    "audit.reports.time_in_status": "Stay TimeInState",
    "audit.reports.timeline": "Timeline",
    "audit.reports.timeline_items": (
        "AttemptItem EvidenceItem ObservationItem PublicationItem TimelineItem"
    ),
    "audit.sampling.population": "SampleUnit Stratum",
    "audit.sampling.sample_plan": "AuditSample DrawnParcel SampleMethod SamplePlan StratumSize",
    "audit.verify.replay": "Problem Verification",
    "carrier_service": (
        "Accepted AcceptRequest Address CallRecord CancelRequest Carrier CarrierService "
        "Declined HintService Item QuoteRequest Rate Request Response"
    ),
    "carrier_service.dialect": "Dialect HintDialect ShownParcel Webhook",
    "carrier_service.registration": (
        "Installed Listed OAuthAccounts Redirect Registration Registrations Subscription "
        "Subscriptions Tokens"
    ),
    "carrier_service.results": "Result",
    "carrier_service.routes": "Call Route RoutedPath",
    "domain.administration_kinds": "AdministrationKind",
    "domain.approval": "Proposal",
    "domain.decision": "DecisionKind",
    "domain.destination": "DestinationStanding",
    "domain.feed_entry": "FeedEntry FeedKind",
    "domain.fulfillment": (
        "Change EvidenceEntry Fulfillment MachineHead PastEvents RemoteSnapshot SeenKey"
    ),
    "domain.hearing": "Hearing",
    "domain.incident": "Incident OpenIncidents ResolveAction",
    "domain.lifecycle": "Definition Lifecycle define",
    "domain.lifecycle.definition": "Coupling Edge MachineDefinition",
    "domain.listing": "ListedFulfillments ListedIncidents",
    "domain.model": (
        "Event FulfillmentRef HistoryEntry Machine Observation Opening Reason Recorded "
        "RemoteOrder RemoteWord RequestSketch ResolvedEvent Source Status Unreadable Verdict"
    ),
    "domain.outage": "Outage",
    "domain.past_run": "PastRun",
    "domain.publication": "PlatformWrite",
    "domain.revision": "AgreedTerms Revised Revision Terms",
    "domain.shop": "Backlog Coverage EndedRun Shop ShopState",
    "errors": (
        "AccessDenied AmbiguousTrackingNumber AnchorUnavailable BadTime CarrierflowError "
        "CashCollected CommitUnknown ConcurrentUpdate ConfigurationError DatabaseUnavailable "
        "DefinitionError DeliveryFailed FileAlreadyRecorded HistoryBroken Interrupted "
        "InvalidInput KeyReused MissingSealKey MissingSecretKey NotificationFailed "
        "NotMigrated NotSealed NotSent NotThere OutcomeUnknown PlatformError "
        "PlatformUnavailable ReadRefused Refused SealHeld ShopHeld ShopRevoked TermsDiffer "
        "Throttled TrackingNumberTaken TryLater UnknownFulfillment UnknownIncident "
        "UnknownShop UnknownStatus UnknownTrackingNumber UnsupportedByPlatform WrongSecretKey"
    ),
    "ledger.files.event_rows": "EventRow",
    "ledger.ledger": "Ledger",
    "ledger.ports": "Borne EncryptedNote LedgerTransaction",
    "platforms.http.transport": "HttpLimits",
    "platforms.profile": (
        "AppDefaults AppLink AppSecrets Feature PlatformProfile ShopLink ShopOption"
    ),
    "platforms.registry": "Client FulfillmentFilter FulfillmentPage NewFulfillment",
    "reconcile": "EndReason Plan Progress RunReport",
    "reconcile.backfill": "Imported Unopened",
    "reconcile.notification": "IncidentNotifier Notified Telling",
    "reconcile.plan": "PlanClass PlanLine",
    "reconcile.policy": "RunLimits",
    "reconcile.ports": "Budget Platform RequestCounts",
    "reconcile.projection": "Leader Projection",
    "reconcile.rehearsal": "LedgerStep ResolutionPreview",
    "reconcile.resolution": "IncidentResolver",
    "reconcile.run_report": "Requests",
    "scheduling": "Job",
    "shops": "CarrierRegistration Installer ShopCheck Shops TokenState WebhookSubscription",
    "shops.carrier_registration": "Done Registered",
    "storage.database_clock": "DatabaseClock",
    "storage.encryption": "generate_key",
    "storage.lending": "Lender",
    "storage.ownership": "WayAround",
}
"""Where each public name is at home; a module is imported once one of its names is asked for."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


if not TYPE_CHECKING:  # otherwise every misspelt name would have a type

    def __getattr__(name: str) -> object:
        """Return a public name, whose module is imported only when somebody asks for it."""
        if name == "__version__":
            return import_module("importlib.metadata").version("carrierflow")
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"carrierflow.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Return the public names, those too that nobody has asked for."""
        return sorted({*globals(), *__all__})
