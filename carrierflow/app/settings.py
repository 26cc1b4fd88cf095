"""Every setting, with its default and unit; built at the edge and passed down.

Each is a variable `CARRIERFLOW_` + its name in capitals, and a key of `[carrierflow]` in a
TOML file. The environment stands above the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from carrierflow.domain.approval import AMEND
from carrierflow.domain.cleaning import cleaned
from carrierflow.domain.clock import EARLIEST
from carrierflow.domain.incident import ResolveAction
from carrierflow.domain.limits import ACTOR
from carrierflow.domain.typecheck import guarded
from carrierflow.errors import ConfigurationError
from carrierflow.platforms.registry import DEFAULT, PLATFORMS


__all__ = ["LogFormat", "Settings", "load_settings"]

DEFAULT_FILE = Path("carrierflow.toml")

DAY = 86_400
"""In seconds; whatever takes seconds and is set to more was meant to be something else."""
YEAR = 366 * 24
"""In hours."""
CENTURY = 36_525
"""In days."""
MILLION = 1_000_000
GIBIBYTE = 1024**3

Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(allow_inf_nan=False, le=DAY)]
Hours = Annotated[float, Field(allow_inf_nan=False, le=YEAR)]

CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class LogFormat(StrEnum):
    """How log lines look on stderr."""

    TEXT = "text"
    JSON = "json"


class OnRemoteAhead(StrEnum):
    """What to do where the platform is legally ahead of the ledger."""

    HOLD = "hold"
    ADOPT = "adopt"


class OnMerchantEdit(StrEnum):
    """What to do where somebody moved the platform back."""

    HOLD = "hold"
    REASSERT = "reassert"


class OnCancelShipped(StrEnum):
    """When a parcel that comes back is cancelled on a platform that never takes that back."""

    HOLD = "hold"
    NOW = "now"


ACTS = frozenset({AMEND, *map(str, ResolveAction)} - {ResolveAction.RESUME})
"""What others than its author may have to approve."""

PEOPLE = tuple("12345")
"""How many people a decision may take."""

FOR_ALL = ("remote_ahead", "merchant_edit", "verify_within_hours")
"""What is set for the shops of every platform, or for those of one."""

OF_ONE = (*FOR_ALL, "rate_bucket", "rate_leak", "cancel_shipped")
"""What is set for the shops of one platform: in the file in its own table, else with its name."""

SECTIONS = {name: "" if name == DEFAULT.name else f"{name}_" for name in PLATFORMS}
"""The platforms' tables in the file, and what their settings are called elsewhere begin with."""


_FILE: ContextVar[Mapping[str, Any]] = ContextVar("carrierflow_file", default={})  # noqa: B039 - read
"""What stands in the file, while settings are read that have one."""


class Settings(BaseSettings):
    """The settings of one process; frozen."""

    model_config = SettingsConfigDict(
        env_prefix="CARRIERFLOW_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="sqlite:///carrierflow.db",
        repr=False,  # it may hold a password
        description="Where the ledger lives.",
    )
    database_connect_timeout: Seconds = Field(
        default=3, ge=2, description="Seconds to connect to the database."
    )
    database_statement_timeout: Seconds = Field(
        default=60, ge=1, description="Seconds for each answer of a database server."
    )
    database_lock_timeout: Seconds = Field(
        default=30, ge=1, description="Seconds for a lock that somebody else holds there."
    )
    database_pool_timeout: Seconds = Field(
        default=10, gt=0, description="Seconds for one of this process's own connections."
    )
    database_pool_size: int = Field(
        default=10, ge=1, le=100, description="Connections to a server that a process keeps."
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Seals tokens and notes; `keys generate` makes one."
    )
    secret_key_previous: SecretStr = Field(
        default=SecretStr(""), description="The key before it: opens what it encrypted."
    )
    client_id: str = Field(default="", description="The app's id at the platform.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="The app's secret: callbacks and webhooks bear it."
    )
    client_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The secret before it: what bears it still counts."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Signs webhooks that were made by hand in a shop."
    )
    webhook_verify_token: SecretStr = Field(
        default=SecretStr(""), description="What a webhook subscription must know of us."
    )
    settle_seconds: Seconds = Field(
        default=45, gt=0, description="How long an unanswered write may still take effect."
    )
    request_timeout: Seconds = Field(
        default=10, gt=0, description="Seconds that one request may take."
    )
    connect_timeout: Seconds = Field(default=3, gt=0, description="Seconds to connect.")
    silence_seconds: Seconds = Field(
        default=1,
        gt=0,
        description="Seconds that a silent host is waited for when all other shops are done.",
    )
    freshness_seconds: Seconds = Field(
        default=15, gt=0, description="How young an observation must be to act on it."
    )
    send_deadline_seconds: Seconds = Field(
        default=2, gt=0, description="How long after its intent a write may still leave."
    )
    lease_seconds: Seconds = Field(
        default=60, gt=0, description="How long a run holds a shop without renewing."
    )
    look_every_seconds: Seconds = Field(
        default=300, gt=0, description="Until a shop with open parcels is due again."
    )
    look_idle_seconds: Seconds = Field(
        default=3600,
        gt=0,
        description="The same of one with none, whose webhooks tell of changes.",
    )
    get_retries: int = Field(
        default=3, ge=0, le=100, description="Further tries of a GET; writes have none."
    )
    get_backoff_seconds: Seconds = Field(
        default=0.5, gt=0, description="The first pause between tries of a GET; it doubles."
    )
    max_reply_bytes: int = Field(
        default=8 * 1024 * 1024,
        gt=0,
        le=GIBIBYTE,
        description="Longer replies are cut off and not used.",
    )
    gone_after_seconds: Seconds = Field(
        default=3600, ge=0, description="How long an order must be missing to count as gone."
    )
    rate_bucket: int = Field(
        default=80, gt=12, le=MILLION, description="The platform's bucket of requests."
    )
    rate_leak: Number = Field(
        default=4, ge=0.001, le=MILLION, description="Requests a second that leak from it."
    )
    sapo_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="The app's secret at Sapo: it signs webhooks."
    )
    sapo_webhook_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The secret before it: what bears it still counts."
    )
    onflow_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Ends the address of Onflow's webhooks, which nobody signs.",
    )
    onflow_webhook_secret_previous: SecretStr = Field(
        default=SecretStr(""), description="The secret before it: what bears it still counts."
    )
    sapo_rate_bucket: int | None = Field(
        default=None, gt=12, le=MILLION, description="The same of Sapo's."
    )
    sapo_rate_leak: Number | None = Field(
        default=None, ge=0.001, le=MILLION, description="The same of Sapo's."
    )
    sapo_remote_ahead: OnRemoteAhead | None = Field(
        default=None, description="As `remote_ahead`, for shops on Sapo."
    )
    sapo_merchant_edit: OnMerchantEdit | None = Field(
        default=None, description="As `merchant_edit`, for shops on Sapo."
    )
    sapo_cancel_shipped: OnCancelShipped | None = Field(
        default=None,
        description="A shipped parcel that waits to come back: hold its cancel until it is back, "
        "or cancel now.",
    )
    onflow_rate_bucket: int | None = Field(
        default=None, gt=12, le=MILLION, description="The same of Onflow's."
    )
    onflow_rate_leak: Number | None = Field(
        default=None, ge=0.001, le=MILLION, description="The same of Onflow's."
    )
    onflow_remote_ahead: OnRemoteAhead | None = Field(
        default=None, description="As `remote_ahead`, for accounts on Onflow, which leads."
    )
    sapo_verify_within_hours: Hours | None = Field(
        default=None, gt=0, description="As `verify_within_hours`, for shops on Sapo."
    )
    onflow_verify_within_hours: Hours | None = Field(
        default=None, gt=0, description="As `verify_within_hours`, for accounts on Onflow."
    )
    longest_pause_seconds: Seconds = Field(
        default=300, gt=0, le=3600, description="How long a platform's Retry-After is obeyed."
    )
    longest_wait_seconds: Seconds = Field(
        default=60, gt=0, le=3600, description="Beyond this a run ends instead of waiting."
    )
    rate_reserve: int = Field(
        default=10, ge=0, le=MILLION, description="Requests that batch work leaves for people."
    )
    verify_within_hours: Hours = Field(
        default=24, gt=0, description="Each open fulfillment is looked at within this."
    )
    grace_hours: Hours = Field(
        default=48, ge=0, description="How long a fulfillment stays open after its end."
    )
    max_writes: int | None = Field(
        default=None,
        ge=0,
        le=1000 * MILLION,
        description="Writes that one run may make; none is no limit.",
    )
    outage_hours: Hours = Field(
        default=1, ge=0, description="A platform that is silent for so long is told of, once."
    )
    parallel_shops: int = Field(
        default=4, ge=1, le=64, description="Shops that one run looks after at once."
    )
    freeze_share: Number = Field(
        default=0.2, gt=0, le=1, description="A run that would freeze more than this stops."
    )
    retention_days: Number | None = Field(
        default=None,
        gt=0,
        le=CENTURY,
        description="How long closed parcels' notes and the like are kept.",
    )
    lifecycle_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Optional steps, by group, with commas between."
    )
    paid_on_delivery: bool = Field(
        default=True, description="Recording delivered also records codpaid."
    )
    remote_ahead: OnRemoteAhead = Field(
        default=OnRemoteAhead.HOLD, description="Where the platform is ahead: hold or adopt."
    )
    merchant_edit: OnMerchantEdit = Field(
        default=OnMerchantEdit.HOLD, description="Where it was moved back: hold or reassert."
    )
    public_url: str = Field(
        default="", description="Where platforms and sellers reach the carrier service; https."
    )
    accounts_url: str = Field(
        default=DEFAULT.app.accounts_url, description="Where shops agree to an install."
    )
    webhook_url: str = Field(
        default=DEFAULT.app.webhook_url, description="Where a shop's webhooks are switched."
    )
    scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        default=DEFAULT.app.scopes,
        description="What an install asks for, with commas or blanks between.",
    )
    open_install: bool = Field(
        default=False, description="Whether shops that the carrier does not know may install."
    )
    carrier_name: str = Field(
        default="", max_length=255, description="The name under which sellers see this carrier."
    )
    tracking_url: str = Field(
        default="", description="What the platform puts before a tracking number; https."
    )
    delivery_days: int = Field(
        default=7,
        ge=0,
        le=365,
        description="Within how many days parcels arrive, where a rate has no dates.",
    )
    seal_key_file: Path | None = Field(
        default=None, description="Holds the key that signs checkpoints; without it none are made."
    )
    verifier_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="The only keys whose signatures count, with commas between."
    )
    earlier_lifecycles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Ids of lifecycles that were in force before the present one; commas between.",
    )
    clock_tolerance_seconds: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How far time may run backwards along the log before it counts as dated back.",
    )
    witnesses: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Who cosigns checkpoints, each a URL, a blank and a key; commas between.",
    )
    timestamp_url: str | None = Field(
        default=None, description="An authority of RFC 3161 that stamps each checkpoint."
    )
    timestamp_roots: Path | None = Field(
        default=None, description="A PEM file of the certificates above that authority's."
    )
    retired_anchors: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Anchors that were used once and are no longer, by name; commas between.",
    )
    anchor_file: Path | None = Field(
        default=None, description="Each checkpoint is appended to this file too."
    )
    anchor_url: str | None = Field(
        default=None, description="Each checkpoint is PUT below this address too."
    )
    anchor_token: SecretStr = Field(
        default=SecretStr(""), description="The bearer token for that address."
    )
    anchor_mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Each checkpoint is mailed to these too, with commas between."
    )
    anchor_mail_from: str = Field(default="", description="The sender of these mails.")
    anchor_smtp: SecretStr = Field(
        default=SecretStr("smtp://localhost"),
        description="The mail server, as smtp://, smtps:// or smtp+starttls://user:password@host.",
    )
    notify_mail_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="New incidents are mailed to these, with commas between."
    )
    notify_mail_from: str = Field(default="", description="The sender of these mails.")
    notify_smtp: SecretStr = Field(
        default=SecretStr("smtp://localhost"),
        description="The mail server, as smtp://, smtps:// or smtp+starttls://user:password@host.",
    )
    notify_webhook: SecretStr = Field(
        default=SecretStr(""),
        description="New incidents are POSTed to this address too: a chat's webhook; https.",
    )
    notify_webhook_field: str = Field(
        default="text", min_length=1, description="What the chat calls a message's text."
    )
    destinations: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Where what happened is pushed to, each an address, a blank and a secret "
        "(`whsec_…`); commas between.",
    )
    quiet_hours: str = Field(
        default="",
        description="When nobody is told of incidents, in Vietnam's time, like 22:00-06:00.",
    )
    earliest_event: AwareDatetime = Field(
        default=EARLIEST,
        ge=datetime(1970, 1, 1, tzinfo=UTC),
        description="Nothing is believed to have happened to a parcel before this time.",
    )
    actor: str = Field(
        default="",
        max_length=ACTOR,
        description="Who acts here, a code of your own: it stands in each act on the "
        "installation, beside the accounts of the system and the database. What people do "
        "needs it, or `--actor`: the commands of shops, `db harden`, `audit export`, `notes`, "
        "`erase parcel`, `keys reseal`.",
    )
    approvals: Annotated[dict[str, int], NoDecode] = Field(
        default_factory=dict,
        description="How many people a decision takes, who proposes it among them, like "
        "adopt=2, amend=2, abandon=1; one, unless it adopts cash, which takes two.",
    )
    log_format: LogFormat = Field(default=LogFormat.TEXT, description="text or json.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given, then the environment; each is cleaned, and blank is not set."""
        file = InitSettingsSource(settings_cls, init_kwargs=dict(_FILE.get()))
        sources = (init_settings, env_settings, file)
        return tuple(_Cleaned(settings_cls, source) for source in sources)

    @field_validator("*", mode="after")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if any(CONTROL.search(text) for text in _texts(value)):
            raise ValueError("it holds a line break or another character that no setting has")
        return value

    @field_validator(
        "lifecycle_groups",
        "earlier_lifecycles",
        "verifier_keys",
        "witnesses",
        "retired_anchors",
        "anchor_mail_to",
        "notify_mail_to",
        "destinations",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

    @field_validator("approvals", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if isinstance(value, str):
            pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
            value = {name.strip(): count.strip() for name, _, count in pairs}
        if not isinstance(value, dict) or not value.keys() <= ACTS:
            raise ValueError(f"write it like adopt=2; what can be named: {', '.join(sorted(ACTS))}")
        if any(str(count) not in PEOPLE for count in value.values()):
            raise ValueError(f"a decision takes from {PEOPLE[0]} to {PEOPLE[-1]} people")
        return {name: int(count) for name, count in value.items()}

    @field_validator("scopes", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(value.replace(",", " ").split())
        return value

    def of_platform(self, name: str) -> dict[str, str]:
        """Return what is set for the shops of one platform, by the name of what is chosen.

        What is set for all of them counts where somebody set it. The bare `rate_…` are those of the
        platform that was the only one once. A platform that a host brings has no table here.
        """
        places = [(key, key) for key in FOR_ALL]
        places += [(key, SECTIONS[name] + key) for key in OF_ONE if name in SECTIONS]
        found = {key: getattr(self, it) for key, it in places if it in self.model_fields_set}
        return {key: str(value) for key, value in found.items() if value is not None}

    def hint_secrets(self, name: str) -> list[str]:
        """Return what proves webhooks of one platform that only hint; blank ones prove nothing.

        There are none for a platform that a host brings: it proves its webhooks by itself.
        """
        if name not in SECTIONS:
            return []
        newest = f"{SECTIONS[name]}webhook_secret"
        found: list[SecretStr] = [getattr(self, key) for key in (newest, f"{newest}_previous")]
        return [secret.get_secret_value() for secret in found]

    @property
    def verify_within(self) -> timedelta:
        """Each open fulfillment is looked at within this."""
        return timedelta(hours=self.verify_within_hours)


@guarded
def load_settings(file: Path | None = None, **given: Any) -> Settings:
    """Read the settings: what is given, then the environment, then a TOML file, then defaults.

    Without a file, `carrierflow.toml` in the working directory is read if it is there.

    Raises:
        ConfigurationError: if the file cannot be read or a value cannot be used.
    """
    chosen = file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    token = _FILE.set(_table(chosen) if chosen else {})
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from None
    finally:
        _FILE.reset(token)


class _Cleaned(PydanticBaseSettingsSource):
    """A source whose texts have no outer blanks, and which leaves out what is blank."""

    def __init__(
        self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Ask the source itself; what is cleaned is the whole."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return what is set; a key that is no setting stays, so that it is refused."""
        known = self.settings_cls.model_fields
        found = {name: _clean(value) for name, value in self._source().items()}
        return {name: v for name, v in found.items() if name not in known or not _is_blank(v)}


def _clean(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(cleaned(value.get_secret_value()))
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return cleaned(value)
    if isinstance(value, list | tuple):
        return [item for item in map(_clean, value) if not _is_blank(item)]
    return value


def _is_blank(value: Any) -> bool:
    return value == "" or (isinstance(value, SecretStr) and not value.get_secret_value())


def _texts(value: Any) -> Iterable[str]:
    """Return every text in a value."""
    if isinstance(value, SecretStr):
        return (value.get_secret_value(),)
    if isinstance(value, str | Path):
        return (str(value),)
    return (text for each in value for text in _texts(each)) if isinstance(value, tuple) else ()


def _table(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"The settings file {file} is not UTF-8; save it as UTF-8."
        ) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The settings file {file} cannot be read: {error}.") from error
    table = content.get("carrierflow")
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"{file} has no [carrierflow] table: settings that stand elsewhere in it do not count."
        )
    return _flat(table)


def _flat(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table whose platforms' own tables stand in it, each setting under its whole name."""
    found = {key: value for key, value in table.items() if key not in SECTIONS}
    for name, prefix in SECTIONS.items():
        section = table.get(name, {})
        if not isinstance(section, dict):
            raise ConfigurationError(f"{name} is a table of settings: [carrierflow.{name}].")
        found |= {f"{prefix}{key}": value for key, value in section.items()}
    return found


def _sentence(error: ValidationError) -> str:
    """Name the settings that are wrong, and never their values: one may be a key."""
    problems = [
        _problem(".".join(map(str, each["loc"])) or "the settings", each["type"], each["msg"])
        for each in error.errors(include_input=False, include_url=False)
    ]
    return f"These settings cannot be used: {', '.join(problems)}."


def _problem(name: str, kind: str, message: str) -> str:
    """Say what is wrong with one setting; of one that there is not, which one may be meant."""
    if kind != "extra_forbidden":
        return f"{name} ({message.lower()})"
    near = get_close_matches(name, Settings.model_fields, n=1)
    return f"{name} ({', perhaps '.join(['there is no such setting', *near])})"
