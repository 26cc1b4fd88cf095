"""What Django's registry knows of us."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.signals import setting_changed

from carrierflow.integrations.django.project import NAME, forget


__all__ = ["CarrierflowConfig"]


class CarrierflowConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """The ledger as one of a project's applications."""

    name = "carrierflow.integrations.django"
    label = "carrierflow"
    verbose_name = "carrierflow"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Begin to listen for settings that a host's tests change."""
        setting_changed.connect(_changed)


def _changed(*, setting: str, **_: Any) -> None:
    if setting == NAME:
        forget()
