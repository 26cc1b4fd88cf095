"""Shows the tour on one screen; each part names the command that shows the same of a real shop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from carrierflow.demo.figures import Figures, Move
from carrierflow.demo.stage import SHOP


__all__ = ["draw"]

WIDTH = 96
MINUTE = 60
INDENT = "   "
KEPT_WITH = "Keep the ledger with `carrierflow demo --keep DIR`, and ask it yourself."


def draw(console: Console, figures: Figures) -> None:
    """Print everything, in the order in which it happened."""
    console.print(
        f"[bold]carrierflow[/bold]: {figures.parcels} parcels of one shop over {figures.days} "
        f"days, against a Haravan on this machine.\nEvery figure was measured in this run; "
        f"seed {figures.seed} gives the same again."
    )
    parts = (_happened, _drift, _plan, _reconcile, _after, _history, _frozen, _proof)
    for number, part in enumerate(parts, 1):
        part(console, number, figures)
    console.print(f"\n{_moral(figures)}\n{KEPT_WITH}")


def _heading(console: Console, number: int, title: str, command: str) -> None:
    line = Text(f"\n{number}  {title}", style="bold")
    line.append(f"carrierflow {command}".rjust(WIDTH - len(title) - 3), style="not bold cyan")
    console.print(line, soft_wrap=True)


def _lines(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(escape(INDENT + line), soft_wrap=True)


def _grid(
    console: Console, rows: Iterable[tuple[str, ...]], *, right: tuple[int, ...] = ()
) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    found = list(rows)
    for column in range(len(found[0]) + 1 if found else 0):
        table.add_column(justify="right" if column - 1 in right else "left", no_wrap=True)
    for row in found:
        table.add_row(" ", *(escape(cell) for cell in row))
    console.print(table)


def _happened(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "What happened", "record-file scans.jsonl")
    told, pushed = figures.recorded, figures.pushed
    _lines(
        console,
        f"{told.rows} scans: {told.accepted} accepted ({figures.filled_gaps} over a missed "
        f"scan), {told.late} late, {told.duplicate} duplicate, {told.refused} refused, "
        f"{told.rejected} rejected.",
        f"Each was pushed to the shop once, as integrations do: {pushed.sent} PUTs on a bad "
        f"network, {pushed.failed} without",
        f"a good answer, {pushed.refused} refused, all errors dropped; {figures.unpushed} "
        "wait for tomorrow's push.",
        f"On the platform, merchants cancelled {_some(figures.cancels, 'parcel')} and "
        f"edited {figures.edits} by hand.",
    )


def _drift(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "What the shop sees", "status")
    drift = figures.before
    other = drift.cash - drift.collected_unseen - drift.remitted_unseen
    _lines(
        console,
        f"{drift.wrong} of {figures.parcels} parcels are shown wrongly, after "
        f"{figures.unlawful} jumps and backward steps.",
        f"{_dong(drift.cash)} on {drift.wrong_cash} parcels that nobody could explain:",
    )
    kinds = (
        (drift.collected_unseen, "collected, and the shop waits for the customer"),
        (drift.remitted_unseen, "remitted, and the shop waits for the carrier"),
        (other, "still with customers, and the shop counts it as collected"),
    )
    _grid(console, (("", _dong(cash), what) for cash, what in kinds if cash), right=(1,))


def _plan(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "The plan", "reconcile --dry-run")
    plan = figures.plan
    classes = ", ".join(f"{count} to {kind}" for kind, count in plan.classes.items())
    _lines(
        console,
        f"{plan.lines} parcels: {classes}; {plan.puts} PUTs in all.",
        f"It took {plan.gets} GETs to say so, and nothing was PUT.",
    )
    _grid(
        console,
        ((name, kind, " → ".join(steps) or "no PUT") for name, kind, steps in plan.first),
    )
    if plan.lines > len(plan.first):
        _lines(console, f"… and {plan.lines - len(plan.first)} more.")


def _reconcile(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "The reconcile", "reconcile --wait")
    run = figures.run
    _grid(
        console,
        (
            ("", "GET", "PUT", "both", ""),
            ("carrierflow", *_requests(run.gets, run.puts), "up to 50 orders in one GET"),
            (
                "a naive script",
                *_requests(run.naive_gets, run.naive_puts),
                "a GET for each parcel; PUT, GET for each step",
            ),
        ),
        right=(1, 2, 3),
    )
    _lines(
        console,
        f"{run.published} PUTs confirmed, {_some(run.adopted, 'cancel')} adopted, "
        f"{_some(run.frozen, 'parcel')} frozen, {run.left} with steps left.",
        f"{_span(run.virtual_seconds)}, within the shop's budget of requests; "
        f"throttled {run.throttled} times.",
        f"The platform's own record: {run.judge_puts} PUTs, {run.judge_illegal} illegal, "
        f"{run.judge_repeated} repeated, {run.judge_after_cancel} to a cancelled parcel.",
    )


def _after(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "What the shop sees now", "status")
    after, before, run = figures.after, figures.before, figures.run
    _lines(
        console,
        f"Wrong parcels: {before.wrong} → {after.wrong}, of which {after.wrong_frozen} wait "
        f"for a person. Cash: {_dong(before.cash)} → {_dong(after.cash)}.",
        f"The same command again: {run.puts_of_second_run} PUTs.",
    )


def _history(console: Console, number: int, figures: Figures) -> None:
    star = figures.star
    _heading(console, number, "One parcel", f"history {SHOP} {star.fulfillment_id}")
    _lines(console, f"{_dong(star.cash)} to collect, and nobody at home the first time:")
    _grid(console, (_move(move) for move in star.moves))


def _move(move: Move) -> tuple[str, ...]:
    return (
        f"{move.occurred_at:%Y-%m-%d %H:%M}Z",
        move.machine,
        f"{move.from_status} → {move.to_status}",
        "PUT by the reconcile" if move.put else "",
    )


def _frozen(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "Frozen, for a person to decide", "incidents list")
    _grid(
        console,
        (
            (it.incident, it.fulfillment_id, _dong(it.cash) if it.cash else "no cash", it.sentence)
            for it in figures.frozen
        ),
        right=(0, 2),
    )
    _lines(console, *_remedies(figures))


def _remedies(figures: Figures) -> Iterator[str]:
    """Yield one command for each kind: the others of a kind are resolved likewise."""
    seen: set[str] = set()
    for it in figures.frozen:
        if it.kind not in seen:
            seen.add(it.kind)
            yield it.command


def _proof(console: Console, number: int, figures: Figures) -> None:
    _heading(console, number, "Proof", "audit verify")
    done = figures.verified
    as_written = (
        f"{done.rows} entries of {done.fulfillments} fulfillments are as they were written."
    )
    _lines(console, as_written if done.ok else f"Damaged: {done.first_bad}.")


def _moral(figures: Figures) -> str:
    if figures.problems():
        return "[bold]The story did not come true.[/bold]"
    return (
        "[bold]The shop shows what the road says: nothing was lost, nothing sent twice,\n"
        f"and {_some(figures.after.wrong, 'parcel')} left for a person to decide.[/bold]"
    )


def _requests(gets: int, puts: int) -> tuple[str, str, str]:
    return str(gets), str(puts), str(gets + puts)


def _dong(amount: int) -> str:
    return f"{amount:,} đ"


def _span(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.0f} virtual seconds"
    return f"{seconds / MINUTE:.1f} virtual minutes"


def _some(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
