"""Who acts: cron and its runs, the scanner, merchants, a person who resolves incidents."""

from __future__ import annotations

from datetime import timedelta

from carrierflow.errors import (
    AccessDenied,
    ConcurrentUpdate,
    InvalidInput,
    PlatformUnavailable,
    ShopHeld,
)
from carrierflow.incident import ResolveAction
from carrierflow.model import Event, Status
from carrierflow.sandbox import SandboxError

from .scheduler import START
from .stage import SHOP


EDITS = ("picking", "delivering", "delivered", "notmeetcustomer", "return", "waitingforreturn")


def start_all(stage):
    """Set everybody to work until the scenario's horizon."""
    scenario = stage.scenario
    for number, interval in enumerate(scenario.crons):
        _cron(stage, f"cron{number}", interval)
    if scenario.plan_every:
        _planner(stage, scenario.plan_every)
    Scanner(stage).start()
    for _ in range(scenario.edits):
        moment = stage.chance.uniform(0, scenario.horizon)
        stage.scheduler.at(moment, lambda: _edit(stage))
    if scenario.operator:
        _operator(stage)


def run_once(stage, name, *, full=False, wait=False, mortal=True):
    """Start one process that reconciles the shop, as cron does."""

    def work(process):
        with stage.living() as app:
            try:
                (report,) = app.reconcile([SHOP], full=full, wait=wait)
            except ShopHeld:
                stage.scheduler.tell("shop held")
                return
        stage.reports.append(report)
        for row, times in report.rows.items():
            stage.rows[row] = stage.rows.get(row, 0) + times
        stage.scheduler.tell(
            f"run {report.end_reason} checked={report.checked} published={report.published} "
            f"waiting={report.waiting} left={report.left} rows={report.rows}"
        )

    return stage.scheduler.spawn(name, work, mortal=mortal)


def _cron(stage, name, interval):
    chance, scenario, turn = stage.chance, stage.scenario, [0]

    def tick():
        if stage.scheduler.time_us / 1e6 > scenario.horizon:
            return
        turn[0] += 1
        full, wait = chance.random() < scenario.full_share, chance.random() < scenario.wait_share
        run_once(stage, f"{name}.{turn[0]}", full=full, wait=wait)
        stage.scheduler.at(interval, tick)

    stage.scheduler.at(chance.uniform(1, interval), tick)


def _planner(stage, interval):
    def work(process):
        with stage.living() as app:
            try:
                app.plan([SHOP], full=True)
            except (PlatformUnavailable, AccessDenied) as error:
                stage.scheduler.tell(f"plan: {error}")

    def tick():
        if stage.scheduler.time_us / 1e6 <= stage.scenario.horizon:
            stage.scheduler.spawn("plan", work)
            stage.scheduler.at(interval, tick)

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


def _edit(stage):
    """A merchant changes a parcel by hand, or cancels an order."""
    ref, chance = stage.chance.choice(stage.refs), stage.chance
    parcel = stage.world.shop(SHOP).parcel(int(ref.order_id), int(ref.fulfillment_id))
    deed = chance.choice(["edit", "edit", "edit", "cod", "cancel", "order", "ignore"])
    stage.scheduler.tell(f"merchant: {deed} {ref.fulfillment_id}")
    try:
        if deed == "edit":
            stage.world.edit(parcel.ref, carrier_status=chance.choice(EDITS))
        elif deed == "cod":
            cod = chance.choice(["none", "codreceipt", "codnotreceipt", "codpaid"])
            stage.world.edit(parcel.ref, cod_status=cod)
        elif deed == "cancel":
            stage.world.edit(parcel.ref, carrier_status="cancel")
        else:
            stage.world.cancel_order(SHOP, int(ref.order_id), ignore_fulfillments=deed == "ignore")
    except SandboxError as error:
        stage.scheduler.tell(f"merchant gave up: {error}")


def _operator(stage):
    """A person resolves open incidents now and then."""
    chance = stage.chance

    def work(process):
        with stage.living() as app:
            for incident in app.incidents.all():
                if chance.random() < 0.5:
                    continue
                action = chance.choice(list(ResolveAction))
                stage.watch.resolved.add(incident.fulfillment_id)
                try:
                    app.incidents.resolve(incident.id, action, actor="person", reason="seen")
                except (InvalidInput, ConcurrentUpdate) as error:
                    stage.scheduler.tell(f"resolve {incident.kind} {action}: {error}")
                    continue
                if action is ResolveAction.ABANDON:
                    stage.abandoned.add(incident.fulfillment_id)
                stage.scheduler.tell(f"resolve {incident.kind} {action}")

    def tick():
        if stage.scheduler.time_us / 1e6 <= stage.scenario.horizon:
            stage.scheduler.spawn("person", work, mortal=False)
            stage.scheduler.at(chance.uniform(60, 300), tick)

    stage.scheduler.at(chance.uniform(60, 300), tick)
