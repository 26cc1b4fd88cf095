"""Shows the tour on one screen; each part names the command that shows the same of a real shop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from carrierflow.cli.terminal import Page, cells
from carrierflow.demo.tour_figures import Move, Run, TourFigures
from carrierflow.sandbox.sandboxes import SANDBOXES
from carrierflow.sandbox.tour_side import SHOP, TourWords


__all__ = ["WIDTH", "draw"]

WIDTH = 96
"""How wide the tour is where there is no terminal, and how wide it is at most."""
MINUTE = 60
MOST_HELD = 2
HELD = "held, nothing takes it back"
INDENT = "   "
KEPT_WITH = "Keep the ledger with `carrierflow demo --keep DIR`, and ask it yourself."


def draw(page: Page, figures: TourFigures) -> None:
    """Print everything, in the order in which it happened."""
    words = SANDBOXES[figures.platform].tour.words
    page.say(
        f"carrierflow: {figures.parcels} parcels of one shop over {figures.days} "
        f"days, against {words.against} on this machine.",
        f"Every figure was measured in this run; seed {figures.seed} gives the same again.",
    )
    parts = (_happened, _drift, _plan, _reconcile, _after, _history, _frozen, _proof)
    for number, part in enumerate(parts, 1):
        part(page, number, figures, words)
    page.heading(_moral(figures, words))
    page.say(KEPT_WITH)


def _heading(page: Page, number: int, title: str, command: str) -> None:
    """Write what a part shows, and at the right the command for it; below, where it has no room."""
    line, command = f"{number}  {title}", f"carrierflow {command}"
    width = min(page.width or WIDTH, WIDTH)
    blanks = width - cells(line) - cells(command)
    if blanks > 0:
        page.heading(f"{line}{' ' * blanks}{command}")
        return
    page.heading(line)
    page.command(command, indent=INDENT)


def _lines(page: Page, *lines: str) -> None:
    page.say(*(INDENT + line for line in lines))


def _grid(page: Page, rows: Iterable[tuple[str, ...]], *, right: tuple[int, ...] = ()) -> None:
    page.grid(list(rows), indent=INDENT, right=right)


def _happened(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, "What happened", "record-file scans.jsonl")
    told, pushed = figures.recorded, figures.pushed
    _lines(
        page,
        f"{told.rows} scans: {told.accepted} accepted ({figures.filled_gaps} over a missed "
        f"scan), {told.late} late, {told.duplicate} duplicate, {told.refused} refused, "
        f"{told.rejected} rejected.",
        f"{words.pushed}: {pushed.sent} {words.method}s on a bad network, "
        f"{pushed.failed} without a good answer, {pushed.refused} "
        f"refused, all errors dropped; {figures.unpushed} wait for tomorrow's push.",
        words.by_hand.format(cancels=_some(figures.cancels, "parcel"), edits=figures.edits),
    )


def _drift(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, f"What the {words.viewer} sees", "status")
    drift = figures.before
    other = drift.cash - drift.collected_unseen - drift.remitted_unseen
    _lines(
        page,
        words.wrong.format(wrong=drift.wrong, parcels=figures.parcels, unlawful=figures.unlawful),
    )
    if drift.wrong_cash:
        _lines(
            page, f"{_dong(drift.cash)} on {drift.wrong_cash} parcels that nobody could explain:"
        )
    kinds = (
        (drift.collected_unseen, "collected, and the shop waits for the customer"),
        (drift.remitted_unseen, "remitted, and the shop waits for the carrier"),
        (other, "still with customers, and the shop counts it as collected"),
    )
    _grid(page, (("", _dong(cash), what) for cash, what in kinds if cash), right=(1,))
    if drift.alike:
        _lines(page, words.alike.format(alike=drift.alike))


def _plan(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, "The plan", "reconcile --dry-run")
    plan = figures.plan
    classes = ", ".join(f"{count} to {kind}" for kind, count in plan.classes.items())
    _lines(
        page,
        f"{plan.lines} parcels: {classes}; {plan.puts} {words.method}s in all.",
        f"It took {plan.gets} GETs to say so, and nothing was {words.told}.",
    )
    _grid(
        page,
        (
            (name, kind, " → ".join(steps) or f"no {words.method}")
            for name, kind, steps in plan.first
        ),
    )
    if plan.lines > len(plan.first):
        _lines(page, f"… and {plan.lines - len(plan.first)} more.")
    if plan.held:
        _lines(page, f"{_some(len(plan.held), 'step')} of them held by the shop's policy:")
        _grid(page, ((name, f"{step}: {HELD}") for name, step in plan.held[:MOST_HELD]))


def _reconcile(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, "The reconcile", "reconcile --wait")
    run = figures.run
    _grid(
        page,
        (
            ("", "GET", words.method, "both", ""),
            ("carrierflow", *_requests(run.gets, run.puts), words.reading),
            *_naive(run, words),
        ),
        right=(1, 2, 3),
    )
    _lines(
        page,
        f"{run.published} {words.method}s confirmed, {_some(run.adopted, words.adopted)} adopted, "
        f"{_some(run.frozen, 'parcel')} frozen, {run.left} with steps left.",
        f"{_span(run.virtual_seconds)}, within the shop's budget of requests; "
        f"throttled {run.throttled} times.",
        f"The platform's own record: {run.judge_puts} {words.method}s, "
        f"{run.judge_illegal} illegal, {run.judge_repeated} repeated, "
        f"{run.judge_after_cancel} to a cancelled parcel.",
    )
    if run.looks:
        _lines(page, "Two steps are never sent blindly; one parcel, as the platform saw it:")
        _grid(page, ((method, _end_of(path)) for method, path in run.looks))


def _end_of(path: str) -> str:
    """Return the last two parts of a path, which say what is asked and of what."""
    return "/".join(["…", *path.split("/")[-2:]])


def _naive(run: Run, words: TourWords) -> Iterator[tuple[str, ...]]:
    """Yield what a script would need that knows no better way to read, if there is one."""
    if words.naive_reading:
        yield (
            "a naive script",
            *_requests(run.naive_gets, run.naive_puts),
            words.naive_reading,
        )


def _after(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, f"What the {words.viewer} sees now", "status")
    after, before, run = figures.after, figures.before, figures.run
    _lines(
        page,
        f"Wrong parcels: {before.wrong} → {after.wrong}, of which {after.wrong_frozen} wait "
        f"for a person. Cash: {_dong(before.cash)} → {_dong(after.cash)}.",
        f"The same command again: {run.puts_of_second_run} {words.method}s.",
    )


def _history(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    star = figures.star
    _heading(page, number, "One parcel", f"history {SHOP} {star.fulfillment_id}")
    _lines(page, f"{_dong(star.cash)} to collect, and {words.star}:")
    _grid(page, (_move(move, words) for move in star.moves))


def _move(move: Move, words: TourWords) -> tuple[str, ...]:
    return (
        f"{move.occurred_at:%Y-%m-%d %H:%M}Z",
        move.machine,
        f"{move.from_status} → {move.to_status}",
        _source(move, words),
    )


def _source(move: Move, words: TourWords) -> str:
    if move.adopted:
        return f"what the {words.viewer} did"
    return f"{words.told} by the reconcile" if move.put else ""


def _frozen(page: Page, number: int, figures: TourFigures, words: TourWords) -> None:
    _heading(page, number, words.open, "incidents list")
    _grid(
        page,
        (
            (it.incident, it.fulfillment_id, _dong(it.cash) if it.cash else "no cash", it.sentence)
            for it in figures.frozen
        ),
        right=(0, 2),
    )
    for command in _remedies(figures):
        page.command(command, indent=INDENT)


def _remedies(figures: TourFigures) -> Iterator[str]:
    """Yield one command for each kind: the others of a kind are resolved likewise."""
    seen: set[str] = set()
    for it in figures.frozen:
        if it.kind not in seen:
            seen.add(it.kind)
            yield it.command


def _proof(page: Page, number: int, figures: TourFigures, _words: TourWords) -> None:
    _heading(page, number, "Proof", "audit verify")
    done = figures.verified
    as_written = (
        f"{done.rows} entries of {done.fulfillments} fulfillments are as they were written."
    )
    _lines(page, as_written if done.ok else f"Damaged: {done.first_bad}.")


def _moral(figures: TourFigures, words: TourWords) -> str:
    if figures.problems():
        return "The story did not come true."
    return (
        f"{words.moral}: nothing was lost, nothing sent twice, "
        f"and {_some(figures.after.wrong_frozen, 'parcel')} left for a person to decide."
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
