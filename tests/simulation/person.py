"""A person at the carrier, who resolves incidents."""

from __future__ import annotations

from carrierflow.domain.incident import ResolveAction
from carrierflow.errors import ConcurrentUpdate, InvalidInput


DECISIONS = tuple(action for action in ResolveAction if action is not ResolveAction.RESUME)
"""What may be decided of an open incident: only what was given up is resumed, and it is closed."""


def start_person(stage):
    """Let a person resolve open incidents now and then."""
    chance = stage.chance

    def work(process):
        with stage.living() as app:
            for incident in app.incidents.all():
                if chance.random() < 0.5:
                    continue
                action = chance.choice(list(ResolveAction))
                stage.watch.resolved.add(incident.fulfillment_id)
                try:
                    done = app.incidents.resolve(incident.id, action, actor="person", reason="seen")
                    if done.proposal is not None:
                        app.incidents.approve(incident.id, actor="other")
                except (InvalidInput, ConcurrentUpdate) as error:
                    stage.scheduler.tell(f"resolve {incident.kind} {action}: {error}")
                    continue
                if action is ResolveAction.ADOPT:
                    stage.watch.adopted.add(incident.fulfillment_id)
                if action is ResolveAction.ABANDON:
                    stage.abandoned.add(incident.fulfillment_id)
                stage.scheduler.met[f"person {action}"] += 1
                stage.scheduler.tell(f"resolve {incident.kind} {action}")

    def tick():
        if stage.scheduler.time_us / 1e6 <= stage.scenario.horizon:
            stage.scheduler.spawn("person", work, mortal=False)
            stage.scheduler.at(chance.uniform(60, 300), tick)

    stage.scheduler.at(chance.uniform(60, 300), tick)
