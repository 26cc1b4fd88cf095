"""What a run would do, as a file that a person can read, keep, and have carried out.

A plan holds one line for each fulfillment that is not in sync, with the evidence it rests on
and the exact writes. The same inputs give the same bytes. Before a line is carried out, its
target is read again; where the evidence changed, the line is stale and is left alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from carrierflow.domain.canonical import digest
from carrierflow.domain.clock import seconds
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import (
    FulfillmentRef,
    Machine,
    Observation,
    RemoteWord,
    RequestSketch,
    Status,
)
from carrierflow.domain.publication import PlatformWrite
from carrierflow.errors import InvalidInput
from carrierflow.reconcile.actions import Await
from carrierflow.reconcile.batches import ShopBatch, ShopReader
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.evaluate import Evaluation, evaluate, evidence_of


__all__ = ["Plan", "PlanClass", "PlanLine", "plan_batches", "plan_line", "survey_lines"]

FORM = "carrierflow plan 1"
MOST_STEPS = 100
AT_ONCE = 50
"""Orders that are read again together."""

NAMED = ("shop", "order_id", "fulfillment_id", "digest")
NO_PLAN = "This is not a plan of `carrierflow reconcile`."

Sketch = Callable[[FulfillmentRef, PlatformWrite], RequestSketch]


class PlanClass(StrEnum):
    """What would become of a fulfillment."""

    PUBLISH = "publish"
    ADOPT = "adopt"
    FREEZE = "freeze"
    REPORT = "report"
    WAIT = "wait"
    NOTE = "note"
    MISSING = "missing"
    UNKNOWN_HERE = "unknown_here"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanLine:
    """One fulfillment of a plan."""

    ref: FulfillmentRef
    kind: PlanClass
    rows: tuple[str, ...] = ()
    """The rows of the decision table that decide, in order."""
    puts: tuple[tuple[Machine, Status, str, RequestSketch], ...] = ()
    """The writes: what for, what the platform calls each, and the request."""
    held: tuple[tuple[Machine, Status], ...] = ()
    """The steps that the policy does not let be told yet: nothing takes them back."""
    adopts: Status | None = None
    evidence: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the line as plain data, its digest included."""
        content = {
            "shop": self.ref.shop,
            "order_id": self.ref.order_id,
            "fulfillment_id": self.ref.fulfillment_id,
            "class": self.kind,
            "rows": list(self.rows),
            "puts": [
                {
                    "machine": machine,
                    "status": status,
                    "write": name,
                    "method": request.method,
                    "url": request.url,
                }
                for machine, status, name, request in self.puts
            ],
            "held": [{"machine": machine, "status": status} for machine, status in self.held],
            "adopts": self.adopts,
            "evidence": self.evidence,
        }
        return {**content, "digest": digest(_canonical(content))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that would be done at some shops."""

    lines: tuple[dict[str, Any], ...]
    """The lines as plain data, in the order of shop, order and fulfillment."""

    def __post_init__(self) -> None:
        if not all(_is_line(line) for line in self.lines):
            raise InvalidInput(NO_PLAN)

    @classmethod
    def of(cls, lines: Iterable[PlanLine]) -> Plan:
        """Make a plan of lines in any order."""
        return cls(lines=tuple(line.to_json() for line in sorted(lines, key=lambda x: x.ref)))

    def to_text(self) -> str:
        """Return the plan as a file: a heading, one line each, and the digest of all that."""
        body = [_canonical({"form": FORM, "lines": len(self.lines)})]
        body += [_canonical(line) for line in self.lines]
        text = "\n".join(body) + "\n"
        return text + _canonical({"digest": digest(text)}) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """Read a plan back.

        Raises:
            InvalidInput: if it is no plan, or not as it was written.
        """
        lines = text.removesuffix("\n").split("\n")
        try:
            heading, *body, stamp = [json.loads(line) for line in lines]
            whole = heading["form"] == FORM and heading["lines"] == len(body)
            stamped = stamp["digest"] == digest("\n".join(lines[:-1]) + "\n")
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(NO_PLAN) from None
        if not whole or not stamped:
            raise InvalidInput("This plan was changed after it was written; make a new one.")
        return cls(lines=tuple(body))

    def shops(self) -> list[str]:
        """Return the shops that the plan is about."""
        return list(dict.fromkeys(line["shop"] for line in self.lines))


def _is_line(line: object) -> bool:
    return isinstance(line, dict) and all(isinstance(line.get(name), str) for name in NAMED)


def plan_line(case: Case, sketch: Sketch) -> PlanLine | None:
    """Say what would be done about one fulfillment, as if every write went well.

    None where nothing would be done.
    """
    first = case
    case = replace(case, now=case.seen.seen_at)
    puts: list[tuple[Machine, Status, str, RequestSketch]] = []
    rows: list[str] = []
    for _ in range(MOST_STEPS):
        evaluation = evaluate(case)
        rows.extend(evaluation.rows)
        if evaluation.write is None or evaluation.adopt is not None:
            break
        step, write = evaluation.write.step, evaluation.write.by
        request = sketch(case.parcel.ref, write)
        puts.append((step.machine, step.to_status, write.name, request))
        case = replace(evaluation.case, seen=_as_answered(evaluation.case.seen, write))
    kind = _class_of(evaluation, puts)
    if kind is None:
        return None
    return PlanLine(
        ref=first.parcel.ref,
        kind=kind,
        rows=tuple(rows),
        puts=tuple(puts),
        held=tuple(_held(evaluation)),
        adopts=evaluation.adopt,
        evidence=evidence_of(first),
    )


def _held(evaluation: Evaluation) -> Iterator[tuple[Machine, Status]]:
    """Give the steps at which a machine stands because the policy holds them."""
    for machine, decision in dict(evaluation.decisions).items():
        if isinstance(decision.action, Await):
            path, held = evaluation.case.on(machine).path, evaluation.case.policy.held
            yield from ((machine, s.to_status) for s in path if s.to_status in held)


def survey_lines(reader: ShopReader, sketch: Sketch) -> Iterator[PlanLine]:
    """Look at a whole shop and yield the lines of its plan."""
    for batch in reader.batches():
        for case in batch.to_decide:
            line = plan_line(case, sketch)
            if line is not None:
                yield line
        yield from map(_missing, batch.missing)
        yield from map(_unknown, batch.unknown)


def plan_batches(
    lines: Iterable[Mapping[str, Any]], sketch: Sketch, *, stale: Callable[[int], None]
) -> Callable[[ShopReader], Iterator[ShopBatch]]:
    """Return a reader that yields only what a plan names and what did not change since.

    `stale` is called with the number of lines that no longer hold, batch by batch.
    """
    wanted = {line["fulfillment_id"]: line["digest"] for line in lines}
    named = Counter(line["order_id"] for line in lines)
    orders = list(named)

    def read(reader: ShopReader) -> Iterator[ShopBatch]:
        for start in range(0, len(orders), AT_ONCE):
            asked = orders[start : start + AT_ONCE]
            batch = _holding(reader.read(asked), wanted, sketch)
            held = len(batch.to_decide) + len(batch.missing) + len(batch.unknown)
            stale(sum(named[order] for order in asked) - held)
            yield batch

    return read


def _holding(batch: ShopBatch, wanted: Mapping[str, str], sketch: Sketch) -> ShopBatch:
    """Return what of a batch still is as the lines of a plan say."""

    def holds(line: PlanLine | None) -> bool:
        return line is not None and line.to_json()["digest"] == wanted.get(line.ref.fulfillment_id)

    return replace(
        batch,
        in_sync=(),
        to_decide=tuple(it for it in batch.to_decide if holds(plan_line(it, sketch))),
        missing=tuple(it for it in batch.missing if holds(_missing(it))),
        unknown=tuple(it for it in batch.unknown if holds(_unknown(it))),
    )


def _missing(parcel: Fulfillment) -> PlanLine:
    return PlanLine(ref=parcel.ref, kind=PlanClass.MISSING, rows=("17",), evidence={"absent": True})


def _unknown(seen: Observation) -> PlanLine:
    return PlanLine(
        ref=seen.ref, kind=PlanClass.UNKNOWN_HERE, rows=("19",), evidence={"known": False}
    )


def _class_of(evaluation: Evaluation, puts: list[Any]) -> PlanClass | None:
    if evaluation.froze:
        return PlanClass.FREEZE
    if evaluation.adopt is not None:
        return PlanClass.ADOPT
    if puts:
        return PlanClass.PUBLISH
    if evaluation.findings:
        return PlanClass.REPORT
    if evaluation.wait_until is not None:
        return PlanClass.WAIT
    return None if evaluation.in_sync or evaluation.discarded else PlanClass.NOTE


def _as_answered(seen: Observation, write: PlatformWrite) -> Observation:
    """Imagine the reply to a write."""
    status, later = write.to, max(seen.seen_at, seen.updated_at) + seconds(2)
    word = RemoteWord(raw=status, status=status)
    changes: dict[str, Any] = {"carrier" if status.machine is Machine.DELIVERY else "cod": word}
    dates = {**seen.dates, status: later}
    if write.pays_cash and seen.cod.status is Status.CODPENDING:
        changes["cod"] = RemoteWord(raw=Status.CODPAID, status=Status.CODPAID)
        dates[Status.CODPAID] = later
    return replace(seen, updated_at=later, asked_at=later, seen_at=later, dates=dates, **changes)


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
