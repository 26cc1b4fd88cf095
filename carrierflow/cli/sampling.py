"""`audit sample`: which entries and parcels to look at, and what follows from what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from carrierflow.audit.reports.sample import Sample, Sampled
from carrierflow.audit.reports.wording import dong, number
from carrierflow.audit.sampling.evaluation import SampleEvaluation, evaluated
from carrierflow.audit.sampling.population import Stratum
from carrierflow.audit.sampling.sample_plan import AuditSample, SampleMethod, SamplePlan
from carrierflow.audit.sampling.sheet import FilledSheet, differing_lines, read_sheet, sheet_of
from carrierflow.cli.auditing import audit
from carrierflow.cli.documents import document_of
from carrierflow.cli.ranges import CASH, PERCENT, SOME, SOME_CASH
from carrierflow.cli.recording import entry_document
from carrierflow.cli.session import FAILED, Session, command, short
from carrierflow.cli.terminal import Page
from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput


__all__ = ["register"]

Declare = Callable[[Callable[..., None]], Callable[..., None]]

SEED_OPTION = click.option("--seed", required=True, help="Whatever nobody could choose beforehand.")
SHEET_OPTION = click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A CSV file to fill in, for `audit sample evaluate`.",
)
CONFIDENCE = click.option(
    "--confidence", type=PERCENT, default=95.0, show_default=True, help="In percent."
)
SHOP = click.option("--shop", help="Only parcels of this shop.")
STATUS = click.option(
    "--status",
    type=click.Choice([str(status) for status in Status]),
    help="Only parcels that stood there when it was sealed, with their delivery or their cash.",
)
RATES = (
    click.option("--count", type=SOME, help="So many, whatever the rates ask for."),
    click.option(
        "--tolerable",
        type=PERCENT,
        default=5.0,
        show_default=True,
        help="How many in a hundred may be wrong.",
    ),
    click.option(
        "--expected",
        type=PERCENT,
        default=0.0,
        show_default=True,
        help="How many in a hundred are expected to be wrong.",
    ),
)
COMMON = (SEED_OPTION, CONFIDENCE, SHOP, STATUS, SHEET_OPTION)


@audit.group()
def sample() -> None:
    """Draw samples that nobody chose, and evaluate them."""


def register(_cli: click.Group) -> None:
    """Add these commands to the group `audit sample`."""
    command(
        sample, "entries", example="carrierflow audit sample entries --seed lottery-0412 --count 25"
    )(entries)
    command(
        sample,
        "parcels",
        example="carrierflow audit sample parcels --seed lottery-0412 --sheet sample.csv",
    )(parcels)
    command(
        sample,
        "strata",
        example="carrierflow audit sample strata --by shop --seed lottery-0412 --sheet sample.csv",
    )(strata)
    command(
        sample,
        "amount",
        example="carrierflow audit sample amount --materiality 5000000 --seed lottery-0412 "
        "--sheet sample.csv",
    )(amount)
    command(sample, "evaluate", example="carrierflow audit sample evaluate sample.csv --again")(
        evaluate
    )


def _options(*options: Declare) -> Declare:
    def declare(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return declare


@SEED_OPTION
@click.option("--count", type=SOME, default=25, show_default=True, help="Entries.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for one proof file each, and the checkpoint.",
)
def entries(session: Session, seed: str, count: int, out: Path | None) -> None:
    """Draw entries of the sealed history at random, each with its proof.

    The seed and the newest checkpoint decide which, so anybody who has both can draw again.
    """
    found = session.app.reports.sample(seed, count)
    if out is not None:
        _write_proofs(out, found)
    seen = found.checkpoint.checkpoint
    document = {
        "seed": seed,
        "size": seen.size,
        "root": seen.root.hex(),
        "checkpoint": str(found.checkpoint),
        "entries": [_sampled(each) for each in found.entries],
    }
    columns = ("place", "shop", "fulfillment", "entry", "to", "occurred", "hash")
    rows = [
        (
            each.position,
            each.ref.shop,
            each.ref.fulfillment_id,
            f"{each.entry.machine}:{each.entry.seq}",
            each.entry.to_status,
            short(each.entry.occurred_at),
            each.entry.hash[:12],
        )
        for each in found.entries
    ]
    session.emit(document, lambda c: c.table(columns, rows))


def _sampled(each: Sampled) -> dict[str, Any]:
    return {
        "position": each.position,
        "shop": each.ref.shop,
        "order_id": each.ref.order_id,
        "fulfillment_id": each.ref.fulfillment_id,
        **entry_document(each.entry),
        "proof": str(each.proof),
    }


def _write_proofs(out: Path, found: Sample) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "checkpoint.txt").write_text(str(found.checkpoint), encoding="utf-8")
        for each in found.entries:
            file = out / f"{each.position}.tlog-proof"
            file.write_text(str(each.proof), encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written: {error.strerror}.") from error


@_options(*COMMON, *RATES)
def parcels(session: Session, *, sheet: Path | None, **chosen: Any) -> None:
    """Draw parcels at random, each as likely as any other.

    How many follows from the rates: so many that, with as many errors as are expected, no more
    than tolerable are left to fear.
    """
    _draw(session, sheet, SamplePlan(method=SampleMethod.PARCELS, **_typed(chosen)))


@_options(
    click.option(
        "--by",
        type=click.Choice([str(part) for part in Stratum]),
        required=True,
        help="What divides them: shop, status of the delivery or the cash, or amount.",
    ),
    *COMMON,
    *RATES,
)
def strata(session: Session, *, sheet: Path | None, **chosen: Any) -> None:
    """Draw parcels at random from each part of them, in proportion to how many it has."""
    _draw(session, sheet, SamplePlan(method=SampleMethod.STRATA, **_typed(chosen)))


@_options(
    click.option(
        "--materiality", type=SOME_CASH, required=True, help="How many đồng may be wrong in all."
    ),
    click.option(
        "--expected",
        "expected_amount",
        type=CASH,
        default=0,
        show_default=True,
        help="How many đồng are expected to be.",
    ),
    *COMMON,
)
def amount(session: Session, *, sheet: Path | None, **chosen: Any) -> None:
    """Draw parcels by their cash, each đồng as likely as any other (monetary unit sampling).

    One đồng is drawn in each interval; a parcel of an interval or more is always drawn.
    """
    _draw(session, sheet, SamplePlan(method=SampleMethod.AMOUNT, **_typed(chosen)))


def _typed(chosen: dict[str, Any]) -> dict[str, Any]:
    kinds = {"status": Status, "by": Stratum}
    return {
        name: kinds[name](value) if name in kinds and value is not None else value
        for name, value in chosen.items()
    }


def _draw(session: Session, sheet: Path | None, plan: SamplePlan) -> None:
    found = session.app.reports.draw(plan)
    if sheet is not None:
        try:
            sheet.write_bytes(sheet_of(found))
        except OSError as error:
            raise InvalidInput(f"{sheet} cannot be written: {error.strerror}.") from error
    session.emit(_sample_document(found, sheet), lambda c: _show_sample(c, found, sheet))


def _sample_document(found: AuditSample, sheet: Path | None) -> dict[str, Any]:
    plan = document_of(found.plan)
    if found.plan.method is SampleMethod.AMOUNT:
        plan["interval"] = found.plan.interval
    return {
        "plan": plan,
        "size": found.size,
        "root": found.root,
        "parcels": found.parcels,
        "amount": found.amount,
        "strata": document_of(found.strata),
        "drawn": [
            {
                "number": each.number,
                "position": each.unit.position,
                "shop": each.unit.ref.shop,
                "order_id": each.unit.ref.order_id,
                "fulfillment_id": each.unit.ref.fulfillment_id,
                "tracking_number": each.unit.tracking_number,
                "amount": each.unit.amount,
                "stratum": each.stratum or None,
                "hits": each.hits,
            }
            for each in found.drawn
        ],
        "sheet": None if sheet is None else str(sheet),
    }


def _show_sample(page: Page, found: AuditSample, sheet: Path | None) -> None:
    page.say(
        f"{number(len(found.drawn))} of {number(found.parcels)} parcels with {dong(found.amount)}, "
        f"from the {number(found.size)} entries under the root {found.root}."
    )
    if found.plan.method is SampleMethod.AMOUNT:
        page.say(f"The interval is {dong(found.plan.interval)}.")
    columns = ("number", "shop", "fulfillment", "waybill", "stratum", "hits", "amount")
    rows = [
        (
            each.number,
            each.unit.ref.shop,
            each.unit.ref.fulfillment_id,
            each.unit.tracking_number,
            each.stratum,
            each.hits,
            dong(each.unit.amount),
        )
        for each in found.drawn
    ]
    page.table(columns, rows)
    if sheet is not None:
        page.say(f"The sheet to fill in is {sheet}.")


@click.argument("sheet", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--again", is_flag=True, help="Draw again from the database, and compare line by line."
)
def evaluate(session: Session, sheet: Path, *, again: bool) -> None:
    """Say what a filled-in sheet proves: the likely error, and the most that there may be.

    Without --again it needs the sheet and nothing else. Exits with 1 if there may be more errors
    than are tolerable, or if the sheet is not what was drawn.
    """
    filled = read_sheet(sheet.read_bytes())
    changed = list(_changed(session, filled)) if again else []
    found = evaluated(filled)
    document = document_of(found) | {
        "size": filled.size,
        "root": filled.root,
        "drawn_again": again,
        "changed": changed,
    }
    session.emit(document, lambda c: _show_evaluation(c, found, filled, changed))
    if changed or not found.accepted:
        raise click.exceptions.Exit(FAILED)


def _changed(session: Session, filled: FilledSheet) -> Iterator[str]:
    drawn = session.app.reports.draw(filled.plan, size=filled.size)
    if drawn.root != filled.root:
        yield "The root on the sheet is not the one that was sealed."
    yield from differing_lines(filled, drawn)


def _show_evaluation(
    page: Page, found: SampleEvaluation, filled: FilledSheet, changed: list[str]
) -> None:
    page.say(*changed)
    if found.rates:
        columns = ("stratum", "parcels", "looked at", "wrong", "likely", "at most")
        rows = [
            (
                "all" if each.stratum is None else each.stratum,
                number(each.parcels),
                number(each.looked_at),
                number(each.deviations),
                f"{each.projected:g} %",
                f"{each.upper_limit:g} % ({number(each.upper_parcels)})",
            )
            for each in found.rates
        ]
        page.table(columns, rows)
        limit = f"{filled.plan.tolerable:g} % are tolerable"
    else:
        heads = ("direction", "errors", "known", "likely", "for chance", "at most")
        sums = [
            (
                each.direction,
                number(each.errors),
                *map(dong, (each.known, each.projected, each.precision, each.upper_limit)),
            )
            for each in found.amounts
        ]
        page.table(heads, sums)
        limit = f"{dong(filled.plan.materiality or 0)} are material"
    verdict = "No more is wrong than that" if found.accepted else "More than that may be wrong"
    page.say(f"{limit}. {verdict}, at {found.confidence:g} % confidence.")
