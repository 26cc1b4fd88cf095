"""That a platform is what its profile says."""

from __future__ import annotations

from carrierflow.platforms.profile import COMMON_OPTIONS, Feature
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial


__all__: list[str] = []


@promise
def the_profile_says_what_the_adapter_does(trial: Trial) -> None:
    """The projection is the adapter's own, and for each choice there is a default that it takes."""
    profile = trial.under_test.profile
    equal(profile.projection, trial.platform.projection, "the projection of profile and adapter")
    equal(set(profile.options), set(profile.defaults), "the choices that have a default")
    equal({**profile.defaults}, profile.checked(profile.defaults), "the defaults, checked")
    expect({it.name for it in COMMON_OPTIONS} <= set(profile.options), "A choice is missing.")


@promise
def what_is_not_offered_is_said_in_a_sentence(trial: Trial) -> None:
    """A feature that a platform lacks is refused unasked, by its name; one that it has is there."""
    it, app = trial.under_test, trial.carrier()
    uses = {
        Feature.REGISTRATION: lambda: app.carriers.register(it.shop),
        Feature.SUBSCRIPTION: lambda: app.webhooks.subscribe(it.shop),
    }
    for feature in uses.keys() - it.profile.features:
        said = str(outcome_of(uses[feature]))
        expect(it.profile.title in said and feature in said, f"No {feature} is told as: {said}")
    equal([], trial.wire.passed, "requests for what is not offered")
    if Feature.REGISTRATION in it.profile.features:
        found = outcome_of(lambda: app.carriers.listed(it.shop))
        is_kind(found, list, "the carriers registered, where that is offered")
