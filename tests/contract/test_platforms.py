"""Every platform that there is, and one that there is not, through one and the same contract."""

import pytest

from carrierflow.platforms.registry import PLATFORMS
from carrierflow.testing.contract import PROMISES

from .postbox_sandbox import PostboxUnderTest
from .sandboxes import HaravanUnderTest, OnflowUnderTest, SapoUnderTest


UNDER_TEST = {
    each.profile.name: each
    for each in (HaravanUnderTest, SapoUnderTest, OnflowUnderTest, PostboxUnderTest)
}


def promises():
    """Return the promises, those marked that take their time."""
    return [
        pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.slow else [])
        for each in PROMISES
    ]


@pytest.mark.parametrize("name", UNDER_TEST)
@pytest.mark.parametrize("promise", promises())
def test_a_platform_keeps_each_promise(name, promise, tmp_path):
    """The promise holds, for the reason that it says."""
    promise.keep(UNDER_TEST[name], tmp_path)


def test_no_platform_is_forgotten():
    """Whatever is registered is judged."""
    assert PLATFORMS.keys() == UNDER_TEST.keys() - {"postbox"}
