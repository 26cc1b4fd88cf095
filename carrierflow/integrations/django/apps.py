"""What Django's registry knows of us."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.core.management.base import CommandError
from django.core.signals import setting_changed
from django.db.models.signals import post_migrate

from carrierflow.errors import CarrierflowError
from carrierflow.integrations.django.checks import check_settings, check_tables
from carrierflow.integrations.django.project import NAME, app, database, forget


__all__ = ["CarrierflowConfig"]


class CarrierflowConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """The ledger as one of a project's applications."""

    name = "carrierflow.integrations.django"
    label = "carrierflow"
    verbose_name = "carrierflow"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the tables made by `migrate`, the settings checked, and changed ones noticed."""
        post_migrate.connect(_migrate, sender=self)
        setting_changed.connect(_notice)
        register(check_settings)
        register(check_tables, Tags.database)


def _migrate(*, using: str, verbosity: int, **_: Any) -> None:
    """Bring our tables to this version when Django has brought the project's own to theirs."""
    if using != database():
        return
    try:
        revision = app().upgrade()
    except CarrierflowError as error:
        raise CommandError(str(error)) from error
    if verbosity:
        sys.stdout.write(f"  The tables of carrierflow are at revision {revision}.\n")


def _notice(*, setting: str, **_: Any) -> None:
    if setting == NAME:
        forget()
