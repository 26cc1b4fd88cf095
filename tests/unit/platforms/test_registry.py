from __future__ import annotations

from dataclasses import replace

import pytest

from carrierflow.errors import ConfigurationError, InvalidInput, UnsupportedByPlatform
from carrierflow.platforms.profile import Feature
from carrierflow.platforms.registry import PLATFORMS, PlatformRegistry


OURS = PLATFORMS["onflow"]
THEIRS = replace(OURS, name="acme", title="Acme")


def test_a_platform_brought_along_stands_beside_ours():
    """A host's platform is found by its name, and ours are there as before."""
    registry = PlatformRegistry([THEIRS])

    assert (THEIRS, OURS) == (registry.profile_of("acme"), registry.profile_of("onflow"))
    with pytest.raises(UnsupportedByPlatform, match="Acme has no registering a carrier"):
        THEIRS.offered(Feature.REGISTRATION, registry.profile_of("acme").registrations)


def test_what_was_not_brought_is_no_platform():
    """Nothing is known of it elsewhere: one carrier's platform is not another's."""
    PlatformRegistry([THEIRS])

    with pytest.raises(InvalidInput, match="'acme' is no platform; there are haravan, sapo"):
        PlatformRegistry().profile_of("acme")


@pytest.mark.parametrize("further", [[OURS], [THEIRS, THEIRS]])
def test_no_name_is_given_twice(further):
    """A platform cannot take the place of another one."""
    with pytest.raises(ConfigurationError, match="already"):
        PlatformRegistry(further)
