"""Who says no in Haravan's stead: its accounts (400), or the carrier that it asked (422)."""

from __future__ import annotations

from carrierflow.sandbox.refusals import SandboxError


__all__ = ["CarrierDeclined", "Denied"]


class Denied(SandboxError):  # noqa: N818 - named like its siblings
    """The accounts give no token; the text is OAuth's own word for the reason."""


class CarrierDeclined(SandboxError):  # noqa: N818 - named like its siblings
    """The carrier says no; the text is its own reason."""
