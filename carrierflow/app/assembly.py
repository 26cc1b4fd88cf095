"""The composition root: settings in, a working Carrierflow out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.connect import PlatformFactory
from carrierflow.app.database_timeouts import database_timeouts
from carrierflow.app.messengers import messengers_from
from carrierflow.app.settings import Settings
from carrierflow.app.shop_choices import ShopChoices
from carrierflow.audit.feed.feed import Feed
from carrierflow.audit.feed.passage import Destination
from carrierflow.audit.feed.push import FeedPush
from carrierflow.audit.log.anchors import FileAnchor, HttpAnchor, MailAnchor
from carrierflow.audit.log.ports import Anchor
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.timestamps import TimestampAnchor, TimestampAuthority
from carrierflow.audit.log.witness import HttpWitness
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.carrier_service import Dialect
from carrierflow.domain import clock
from carrierflow.domain.approval import ApprovalPolicy
from carrierflow.domain.counters import Counters
from carrierflow.domain.lifecycle import Definition, Lifecycle, define
from carrierflow.domain.quiet_hours import QuietHours
from carrierflow.domain.typecheck import guarded
from carrierflow.errors import ConfigurationError
from carrierflow.ledger.ledger import Ledger
from carrierflow.platforms.http.posting import Poster
from carrierflow.platforms.http.transport import HttpLimits
from carrierflow.platforms.profile import AppSecrets, Feature, PlatformProfile
from carrierflow.platforms.registry import DEFAULT, PlatformRegistry
from carrierflow.reconcile import Pace, Parts, Reconciler
from carrierflow.reconcile.notification import IncidentNotifier
from carrierflow.shops import (
    AfterInstall,
    CarrierRegistration,
    Installer,
    Shops,
    WebhookSubscription,
)
from carrierflow.storage import DatabaseClock, Engine, SqlStore, build_engine
from carrierflow.storage.administration import let_act
from carrierflow.storage.destinations import SqlDestinations
from carrierflow.storage.encryption import KeyRing
from carrierflow.storage.engine import require_plain
from carrierflow.storage.notifications import SqlNotificationStore
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.shop_queue import SqlShopQueue


__all__ = ["anchors_from", "assemble"]


@guarded
def assemble(
    settings: Settings | None = None,
    *,
    engine: Engine | None,
    definition: Definition | None,
    platforms: Sequence[PlatformProfile],
    now: clock.Clock,
    sleep: clock.Sleep,
    database_clock: DatabaseClock | None,
) -> Carrierflow:
    """Do as `build`."""
    settings = settings or Settings()
    definition = definition or define(
        settings.lifecycle_groups, paid_on_delivery=settings.paid_on_delivery
    )
    keys = KeyRing(
        settings.secret_key.get_secret_value(), settings.secret_key_previous.get_secret_value()
    )
    if engine is not None:
        require_plain(engine)
    lent, engine = engine, engine or _engine(settings)
    store = SqlStore(
        engine,
        definition,
        clock=now,
        sleep=sleep,
        database_clock=database_clock,
    )
    let_act(store.engine, settings.actor)
    policy = ApprovalPolicy(people=settings.approvals)
    lifecycle = Lifecycle(definition)
    counters = Counters()
    ledger = Ledger(
        store,
        lifecycle,
        clock=now,
        encryptor=keys,
        counters=counters,
        earliest=settings.earliest_event,
        amends_alone=policy.amends_alone,
    )
    registry = PlatformRegistry(platforms)
    choices = ShopChoices(settings, registry)
    factory = PlatformFactory(settings, store, keys, choices, registry, now=now, sleep=sleep)
    carriers = _carriers(settings, store, factory, now=now)
    webhooks = WebhookSubscription(store, connect=factory.subscriptions, clock=now)
    finish = AfterInstall(
        {
            "Registering the carrier": carriers.register,
            "Switching webhooks on": webhooks.subscribe,
        }
    )
    parts = Parts(
        store=SqlReconcileStore(store),
        ledger=ledger,
        lifecycle=lifecycle,
        policy_of=choices.policy,
        clock=now,
        pace=Pace(
            every=timedelta(seconds=settings.look_every_seconds),
            idle=timedelta(seconds=settings.look_idle_seconds),
        ),
    )
    sealer = _sealer(settings, store, now=now)
    feed = Feed(store, sealer.sequencer)
    return Carrierflow(
        settings=settings,
        store=store,
        ledger=ledger,
        reconciler=Reconciler(parts, connect=factory),
        sealer=sealer,
        feed=feed,
        push=_push(settings, store, feed, now=now),
        notifier=_notifier(settings, store, now=now),
        lifecycle=lifecycle,
        dialect=dialect_from(settings),
        carriers=carriers,
        webhooks=webhooks,
        installer=Installer(
            store,
            keys,
            platform=DEFAULT,
            scopes=settings.scopes,
            public_url=settings.public_url,
            open_install=settings.open_install,
            accounts=factory.accounts,
            clock=now,
            finish=finish,
        ),
        shops=Shops(store, keys, clock=now, platforms=registry),
        choices=choices,
        platforms=registry,
        connect_client=factory.client,
        connect_untried=factory.untried,
        policy=policy,
        keys=keys,
        counters=counters,
        queue=SqlShopQueue(store),
        clock=now,
        sleep=sleep,
        close=_leave_open if lent else engine.dispose,
    )


def _leave_open() -> None:
    """Leave a host's engine to the host."""


def _engine(settings: Settings) -> Engine:
    return build_engine(
        settings.database_url, database_timeouts(settings), pool_size=settings.database_pool_size
    )


def _carriers(
    settings: Settings, store: SqlStore, factory: PlatformFactory, *, now: clock.Clock
) -> CarrierRegistration:
    return CarrierRegistration(
        store,
        name=settings.carrier_name,
        public_url=settings.public_url,
        tracking_url=settings.tracking_url,
        connect=factory.registrations,
        clock=now,
    )


def _sealer(settings: Settings, store: SqlStore, *, now: clock.Clock) -> LogSealer:
    return LogSealer(
        store,
        key_file=settings.seal_key_file,
        anchors=anchors_from(settings),
        verifier_keys=settings.verifier_keys,
        witnesses=[HttpWitness.parse(text) for text in settings.witnesses],
        lease=timedelta(seconds=settings.lease_seconds),
        clock=now,
    )


def _push(settings: Settings, store: SqlStore, feed: Feed, *, now: clock.Clock) -> FeedPush:
    limits = HttpLimits(
        connect_timeout=settings.connect_timeout, request_timeout=settings.request_timeout
    )
    a_while = settings.lease_seconds + settings.connect_timeout + settings.request_timeout
    return FeedPush(
        feed,
        SqlDestinations(store, hold=timedelta(seconds=a_while)),
        Poster(limits),
        [Destination.parse(each.get_secret_value()) for each in settings.destinations],
        clock=now,
    )


def _notifier(settings: Settings, store: SqlStore, *, now: clock.Clock) -> IncidentNotifier:
    return IncidentNotifier(
        SqlNotificationStore(store),
        messengers_from(settings),
        quiet_hours=QuietHours.read(settings.quiet_hours, VIETNAM),
        clock=now,
    )


def dialect_from(settings: Settings) -> Dialect:
    """Return how the platform calls this carrier, with the secrets that the settings name."""
    return DEFAULT.offered(Feature.CALLBACKS, DEFAULT.dialect)(
        AppSecrets(
            signing=[
                settings.client_secret.get_secret_value(),
                settings.client_secret_previous.get_secret_value(),
            ],
            webhooks=[settings.webhook_secret.get_secret_value()],
            verify_token=settings.webhook_verify_token.get_secret_value(),
            tracking_url=settings.tracking_url,
        )
    )


def _authority(settings: Settings) -> TimestampAuthority:
    if settings.timestamp_roots is None:
        raise ConfigurationError("timestamp_url needs timestamp_roots, the authority's root.")
    return TimestampAuthority(settings.timestamp_roots)


def anchors_from(settings: Settings) -> list[Anchor]:
    """Return the places that the settings name for keeping checkpoints.

    Raises:
        ConfigurationError: if one cannot be used as it is written.
    """
    found: list[Anchor] = []
    if settings.anchor_file is not None:
        found.append(FileAnchor(settings.anchor_file))
    if settings.anchor_url is not None:
        found.append(
            HttpAnchor(settings.anchor_url, token=settings.anchor_token.get_secret_value())
        )
    if settings.anchor_mail_to:
        server, sender = settings.anchor_smtp.get_secret_value(), settings.anchor_mail_from
        found.append(MailAnchor(server, sender=sender, to=settings.anchor_mail_to))
    if settings.timestamp_url is not None:
        found.append(TimestampAnchor(settings.timestamp_url, _authority(settings)))
    return found
