"""The invariants that must hold at rest: after the last fault, two runs and a settle window."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from carrierflow.domain.model import Recorded
from carrierflow.sandbox.faults import FaultKind

from .calls import poll
from .scheduler import Broken


FREEZING = {
    "cancel_conflict",
    "cancelled_in_transit",
    "diverged",
    "gone",
    "merchant_edit",
    "refused",
    "remote_ahead",
    "stuck",
    "unknown_code",
}

TRIES = 3
"""How often a step has to be refused before a person is asked."""


def audit(stage):
    """Check everything that can be checked once all is quiet."""
    for check in CHECKS:
        check(stage)


def verified_in_time(stage, within):
    """P8: every open fulfillment was looked at within the span."""
    rows = stage.watch.rows(
        "SELECT fulfillment_id, verified_at FROM carrierflow_fulfillments WHERE open"
    )
    now = stage.scheduler.now()
    for fulfillment_id, text in rows:
        moment = datetime.fromisoformat(str(text)).replace(tzinfo=UTC) if text else None
        if moment is None or now - moment > timedelta(seconds=within):
            raise Broken("P8", f"{fulfillment_id} is open and was verified {text}, now {now}")


def _chains(stage):
    verification = stage.app.verify()
    if not verification.ok:
        raise Broken("P5", f"the history does not verify: {verification.problems[:3]}")


def _nothing_lost(stage):
    for ref, answer in stage.answers:
        if not isinstance(answer, Recorded):
            raise Broken("P5", f"an event of {ref} was answered with {answer!r}")
        for entry in answer.entries:
            found = stage.watch.rows(
                "SELECT h.hash FROM carrierflow_history h JOIN carrierflow_fulfillments f "
                "ON f.id = h.fulfillment WHERE f.fulfillment_id = ? AND machine = ? AND seq = ?",
                ref.fulfillment_id,
                entry.machine.value,
                entry.seq,
            )
            if found != [(entry.hash,)]:
                raise Broken("P5", f"accepted and not in the history: {ref} {entry.to_status}")


def _ends(stage):
    """Every event is history or evidence, and the road's end is the ledger's."""
    for number, road in enumerate(stage.scenario.roads):
        ref = stage.refs[number]
        if not road.steps:
            continue
        entries = stage.watch.rows(
            "SELECT h.to_status FROM carrierflow_history h JOIN carrierflow_fulfillments f "
            "ON f.id = h.fulfillment WHERE f.fulfillment_id = ? AND (h.source = 'carrier' OR ?) "
            "UNION ALL SELECT e.status FROM carrierflow_evidence e JOIN carrierflow_fulfillments f "
            "ON f.id = e.fulfillment WHERE f.fulfillment_id = ? AND e.kind = 'event'",
            *(ref.fulfillment_id, stage.side.leads, ref.fulfillment_id),
        )
        missing = Counter(s for _, s in road.steps) - Counter(s for (s,) in entries)
        if missing:
            raise Broken("P5", f"{ref}: no trace of {sorted(missing)}")
        last = [s for _, s in road.steps if not s.startswith("cod")][-1]
        parcel = stage.app.parcel(ref.shop, ref.fulfillment_id)
        if stage.side.leads or stage.scenario.people:
            continue
        if parcel.delivery.status != last:
            raise Broken("P5", f"{ref} ended at {last}; the ledger says {parcel.delivery.status}")


def nothing_to_poll(stage):
    """P2: once all is quiet, an order's detail says what the platform shows already."""
    if not stage.scenario.calls:
        return
    moved = []
    stage.scheduler.spawn("poller", lambda _process: moved.append(poll(stage)), mortal=False)
    stage.scheduler.run()
    if moved != [0]:
        raise Broken("P2", f"a poll at rest moved {moved} parcels")


def _repeats(stage):
    """P3: a PUT is doubled at most where its sender could not know."""
    unknown = Counter()
    for put in stage.network.sent:
        if put.state not in {"recorded", "not_applied"}:
            unknown[put.fulfillment] += 1
    for (fulfillment_id, status), times in stage.side.doubled().items():
        if times > unknown[fulfillment_id]:
            raise Broken("P3", f"{status} of {fulfillment_id} was doubled {times} times")


def _exact(stage):
    """P3: without faults there are as many PUTs as missing transitions."""
    if stage.scenario.profile != "calm" or (wanted := stage.side.missing()) is None:
        return
    if stage.side.received != (wanted, 0):
        received, no_ops = stage.side.received
        raise Broken("P3", f"{received} writes, {no_ops} in vain, for {wanted} transitions")


def _few_reads(stage):
    """P4: without faults a run reads no more than it has to."""
    if stage.scenario.profile != "calm":
        return
    for report in stage.reports:
        most = stage.side.most_reads(report)
        if most is not None and report.requests.get > most:
            raise Broken("P4", f"{report.requests.get} GETs for {report.orders} orders")


def _bucket(stage):
    """The bucket is never overdrawn: the platform throttles only where a fault says so."""
    given, judged = stage.faults.given, stage.judged()
    wanted = sum(given[kind] for kind in stage.side.throttles)
    if judged.throttled > wanted:
        raise Broken("budget", f"{judged.throttled - wanted} requests overdrew the bucket")


def _incidents(stage):
    """No incident without a cause: others, nonsense, or a person.

    A person who adopts what was read before a PUT without an answer may adopt too little: the
    platform is ahead then, and somebody has to look once more.
    """
    touched = stage.side.touched()
    late = {
        ref.fulfillment_id
        for ref, road in zip(stage.refs, stage.scenario.roads, strict=True)
        if road.late_open
    }
    given = stage.faults.given
    nonsense = given[FaultKind.NONSENSE_WORD]
    odd = given[FaultKind.ODD_ROW] + given[FaultKind.ODD_DATE] + stage.scenario.neighbour
    proxied = given[FaultKind.PROXY_BEFORE] + given[FaultKind.PROXY_AFTER]
    proxied += stage.scheduler.met["storm"]
    refusals = Counter(put.fulfillment for put in stage.network.sent if put.refused)
    for incident in stage.app.incidents.all(state=None):
        if incident.fulfillment_id in touched or (nonsense and incident.kind == "unknown_code"):
            continue
        if incident.kind == "unreadable" and odd:
            continue
        if incident.kind == "brake" and proxied and incident.state != "open":
            continue
        if incident.kind == "refused" and refusals[incident.fulfillment_id] >= TRIES:
            continue
        if incident.kind == "unknown_here" and incident.evidence["fulfillment_id"] in late:
            continue
        if incident.kind == "order_cancelled" and stage.scenario.people:
            continue
        if incident.kind == "remote_ahead" and incident.fulfillment_id in stage.watch.adopted:
            continue
        if stage.side.explains(incident):
            continue
        raise Broken("no incident without a cause", f"{incident.kind}: {incident.sentence}")


def _neighbour(stage):
    """A row that can never be read is one incident, and holds up nothing beside it."""
    if not stage.scenario.neighbour:
        return
    order_id, number = stage.neighbour
    named = [
        incident.evidence["fulfillment_id"]
        for incident in stage.app.incidents.all()
        if incident.kind == "unreadable" and incident.evidence["order_id"] == order_id
    ]
    if not {number, None} & set(named) or len(named) != len(set(named)):
        raise Broken("one bad row costs one row", f"{named} is said to be unreadable")
    if stage.reports[-1].published:
        return  # The last run's own PUTs came after it read what had changed.
    ((swept_to,),) = stage.watch.rows("SELECT swept_to FROM carrierflow_shops")
    swept = datetime.fromisoformat(swept_to).replace(tzinfo=UTC).timestamp()
    behind = stage.side.newest_change() - swept
    if behind > 1:
        raise Broken("one bad row costs one row", f"the watermark is {behind:.0f} s behind")


def _frozen(stage):
    """P7: what an open incident froze stays frozen until a person decides."""
    for incident in stage.app.incidents.all():
        if incident.kind not in FREEZING or incident.fulfillment_id in stage.watch.resolved:
            continue
        if (
            incident.order_id
            and not stage.app.parcel(incident.shop, incident.fulfillment_id).frozen
        ):
            raise Broken("P7", f"{incident.fulfillment_id} has {incident.kind} and is not frozen")


def _agreement(stage):
    """P1: both sides say the same, or an open incident says why not.

    What was only reported and resolved stays as the person left it.
    """
    explained = {
        incident.fulfillment_id
        for incident in stage.app.incidents.all(state=None)
        if incident.state == "open" or incident.kind not in FREEZING
    }
    for ref in stage.refs:
        if not stage.opened(ref):
            continue
        parcel = stage.app.parcel(ref.shop, ref.fulfillment_id)
        if parcel.frozen and ref.fulfillment_id not in explained and parcel.frozen != "abandoned":
            raise Broken("P1", f"{ref} is frozen ({parcel.frozen}) without an open incident")
        if ref.fulfillment_id in explained | stage.abandoned or stage.side.agrees(ref, parcel):
            continue
        known = (str(parcel.delivery.status), str(parcel.cod.status))
        shown = stage.side.shown(ref)
        raise Broken("P1", f"{ref}: the ledger has {known}, the platform {shown}")


CHECKS = (
    *(_chains, _nothing_lost, _ends, _repeats, _exact, _few_reads, _bucket),
    *(_incidents, _neighbour, _frozen, _agreement),
)
