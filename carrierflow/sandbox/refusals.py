"""Why a sandbox says no.

SandboxError
  NotFound       the platform knows no such thing             (404)
  Unprocessable  the platform knows it and will not do this   (422)
  BadInput       a control call or a script makes no sense    (400)
  NoAnswer       whoever was called says nothing usable       (502)
"""

from __future__ import annotations

from carrierflow.errors import CarrierflowError


__all__ = ["BadInput", "NoAnswer", "NotFound", "SandboxError", "Unprocessable"]


class SandboxError(CarrierflowError):
    """The sandbox did not do what it was asked; its text is one sentence."""


class NotFound(SandboxError):  # noqa: N818 - named after the answer it becomes
    """The platform knows no such thing."""


class Unprocessable(SandboxError):  # noqa: N818 - named after the answer it becomes
    """The platform knows the thing and will not do this to it."""


class BadInput(SandboxError, ValueError):  # noqa: N818 - named like its siblings
    """A control call or a fault script makes no sense."""


class NoAnswer(SandboxError):  # noqa: N818 - named like its siblings
    """Whoever was called says nothing that can be used."""
