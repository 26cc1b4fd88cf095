"""Why the sandbox says no.

SandboxError
  NotFound    the platform knows no such thing             (404)
  Refused     the platform knows it and will not do this   (422)
  BadInput    a control call or a script makes no sense    (400)
  Denied      the accounts give no token for this          (400)
  Declined    the carrier says no to what a seller wants   (422)
  NoAnswer    the carrier says nothing that can be used    (502)
"""

from __future__ import annotations

from carrierflow.errors import CarrierflowError


__all__ = [
    "BadInput",
    "CarrierDeclined",
    "Denied",
    "NoAnswer",
    "NotFound",
    "SandboxError",
    "Unprocessable",
]


class SandboxError(CarrierflowError):
    """The sandbox did not do what it was asked; its text is one sentence."""


class NotFound(SandboxError):  # noqa: N818 - named after the answer it becomes
    """The platform knows no such thing."""


class Unprocessable(SandboxError):  # noqa: N818 - named after the answer it becomes
    """The platform knows the thing and will not do this to it."""


class BadInput(SandboxError, ValueError):  # noqa: N818 - named like its siblings
    """A control call or a fault script makes no sense."""


class Denied(SandboxError):  # noqa: N818 - named like its siblings
    """The accounts give no token; the text is OAuth's own word for the reason."""


class CarrierDeclined(SandboxError):  # noqa: N818 - named like its siblings
    """The carrier says no; the text is its own reason."""


class NoAnswer(SandboxError):  # noqa: N818 - named like its siblings
    """The carrier says nothing that can be used."""
