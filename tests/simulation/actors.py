"""Who acts for the carrier: cron and its runs, plans that somebody asks for, the scanner."""

from __future__ import annotations

from datetime import timedelta

from carrierflow.domain.model import Event, Status
from carrierflow.errors import (
    AccessDenied,
    ConcurrentUpdate,
    PlatformUnavailable,
    ShopHeld,
)
from carrierflow.reconcile import EndReason

from .scheduler import START, Broken
from .side import SHOP


LONGEST_RUN = 1800.0
"""Seconds; with all stalls and slow answers no run comes near, and one that sleeps an hour does."""


def start_all(stage):
    """Set everybody to work until the scenario's horizon."""
    scenario = stage.scenario
    for number, interval in enumerate(scenario.crons):
        _cron(stage, f"cron{number}", interval)
    if scenario.plan_every:
        _planner(stage, scenario.plan_every)
    Scanner(stage).start()
    stage.side.start()
    if scenario.calls and scenario.hinted_every:
        _cron(stage, "hinted", scenario.hinted_every, hinted=True)


def run_once(stage, name, *, full=False, wait=False, hinted=False, mortal=True):
    """Start one process that reconciles the shop, as cron does."""

    def work(process):
        began_us = stage.scheduler.time_us
        with stage.living() as app:
            try:
                reports = app.reconcile([SHOP], full=full, wait=wait, hinted=hinted)
            except ShopHeld:
                stage.scheduler.met["run shop_held"] += 1
                stage.scheduler.tell("shop held")
                return
        if (lasted := (stage.scheduler.time_us - began_us) / 1e6) > LONGEST_RUN:
            raise Broken("waiting ends", f"{process.name} lasted {lasted:.0f} s")
        for report in reports:
            _take_down(stage, report)

    return stage.scheduler.spawn(name, work, mortal=mortal)


def _take_down(stage, report):
    if report.end_reason is EndReason.FAILED:
        raise Broken("no process crashes", report.sentence)
    stage.reports.append(report)
    stage.run_ended()
    stage.scheduler.met[f"run {report.end_reason}"] += 1
    for row, times in report.rows.items():
        stage.rows[row] = stage.rows.get(row, 0) + times
    stage.scheduler.tell(
        f"run {report.end_reason} checked={report.checked} published={report.published} "
        f"waiting={report.waiting} left={report.left} rows={report.rows}"
    )


def _cron(stage, name, interval, *, hinted=False):
    chance, scenario, evaluation = stage.chance, stage.scenario, [0]

    def tick():
        if stage.scheduler.time_us / 1e6 > scenario.horizon:
            return
        stage.scheduler.at(interval, tick)
        if scenario.is_away(stage.scheduler.time_us / 1e6):
            return
        evaluation[0] += 1
        full, wait = chance.random() < scenario.full_share, chance.random() < scenario.wait_share
        run_once(
            stage, f"{name}.{evaluation[0]}", full=full and not hinted, wait=wait, hinted=hinted
        )

    stage.scheduler.at(chance.uniform(1, interval), tick)


def _planner(stage, interval):
    def work(process):
        with stage.living() as app:
            try:
                app.plan([SHOP], full=True)
            except (PlatformUnavailable, AccessDenied) as error:
                stage.scheduler.tell(f"plan: {error}")

    def tick():
        now = stage.scheduler.time_us / 1e6
        if now <= stage.scenario.horizon:
            stage.scheduler.at(interval, tick)
            if not stage.scenario.is_away(now):
                stage.scheduler.spawn("plan", work)

    stage.scheduler.at(interval, tick)


class Scanner:
    """Tells the ledger what happened; one that was killed tells again what was not answered."""

    def __init__(self, stage):
        self.stage = stage
        self.next = 0
        self.lives = 0

    def start(self):
        """Begin, or begin again where the last life ended."""
        self.lives += 1
        self.stage.scheduler.spawn(f"scanner{self.lives}", self.work, delay=0.5, after=self._ended)

    def _ended(self, process):
        if process.killed:
            self.stage.scheduler.at(self.stage.chance.uniform(1, 30), self.start)

    def work(self, _process):
        """Tell one event after another, some of them in bulk."""
        stage, tellings = self.stage, self.stage.scenario.tellings
        with stage.living() as app:
            while self.next < len(tellings):
                now = stage.scheduler.time_us / 1e6
                if (wait := tellings[self.next].at - now) > 0:
                    stage.scheduler.sleep(wait)
                many = stage.chance.choice([1, 1, 1, 4])
                batch = tellings[self.next : self.next + many]
                self._tell(app, batch)
                self.next += len(batch)

    def _tell(self, app, batch):
        stage = self.stage
        events = [self._event(telling) for telling in batch]
        if len(events) == 1:
            answers = [_insistently(stage, lambda: app.ledger.record(events[0]))]
        else:
            answers = _insistently(stage, lambda: list(app.ledger.record_many(events)))
        for telling, answer in zip(batch, answers, strict=True):
            verdict = getattr(answer, "verdict", answer)
            stage.answers.append((stage.refs[telling.parcel], answer))
            stage.scheduler.tell(f"event {telling.parcel} {telling.status}: {verdict}")

    def _event(self, telling):
        ref = self.stage.refs[telling.parcel]
        return Event(
            shop=SHOP,
            fulfillment_id=ref.fulfillment_id,
            status=Status(telling.status),
            occurred_at=START + timedelta(seconds=round(telling.happened, 3)),
            key=telling.key,
            opening=self.stage.opening(telling.parcel),
        )


def _insistently(stage, work):
    """Record again where other writers were met; a caller of the library would."""
    for _ in range(3):
        try:
            return work()
        except ConcurrentUpdate:
            stage.scheduler.sleep(0.1)
    return work()
