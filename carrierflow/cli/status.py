"""`status`: what needs somebody, on one screen, however many shops there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

import click

from carrierflow.audit.log.sql import SealProgress
from carrierflow.cli.delivering import standing_document, standing_text
from carrierflow.cli.ranges import HOURS
from carrierflow.cli.runs import last_run_text, run_line
from carrierflow.cli.session import WORK_LEFT, Session, command, moment, short
from carrierflow.cli.terminal import Page
from carrierflow.domain.lifecycle.labels import PROPOSED
from carrierflow.domain.past_run import PastRun
from carrierflow.domain.shop import Coverage, ShopState


__all__ = ["register"]

COUNTED = ("open", "verified", "late", "never_verified", "unpublished", "frozen", "incidents")
"""What is summed up over all shops."""

AGELESS = datetime.max.replace(tzinfo=UTC)

SCREENFUL = 50
"""How many shops that need somebody are shown to a person who asks for no others."""


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "status", example="carrierflow status --only late --sort oldest")(status)


@click.option("--within", type=HOURS, help="Hours; by default the setting.")
@click.option("--shop", "shops", multiple=True, metavar="CODE", help="Only this shop; repeatable.")
@click.option(
    "--only", type=click.Choice([*COUNTED, *ShopState]), help="Only shops with such, or so."
)
@click.option(
    "--sort",
    "order",
    type=click.Choice(["shop", "oldest", *COUNTED]),
    default="shop",
    show_default=True,
    help="What comes first: the most, or the longest ago.",
)
@click.option("--all", "everything", is_flag=True, help="All shops, also those that need nobody.")
def status(
    session: Session,
    within: float | None,
    shops: Sequence[str],
    only: str | None,
    order: str,
    *,
    everything: bool,
) -> None:
    """Show whether the shops are in order, and which of them need somebody.

    A shop needs somebody for an open incident, or if it is active and has fulfillments that no
    run looked at for too long. The fifty worst of those are shown. The others, and shops that
    need nobody, are only counted, unless they are asked for by --all, --shop or --only; with
    --json all are there. Exits with 3 where a shop that was asked for needs somebody, or a
    destination of the push is gone or has failed for long.
    """
    span = timedelta(hours=within) if within is not None else None
    found = [c for c in session.app.coverage(span, shops=shops) if only is None or _is(c, only)]
    found.sort(key=lambda each: _place(each, order))
    needing = [each for each in found if each.needs_somebody]
    asked_for = everything or shops or only or session.as_json
    shown = found if asked_for else _worst(needing)
    unguarded = session.app.way_around_triggers()
    sums, last = totals(found), _last_runs(session, shown)
    codes = {each.shop for each in found}
    waiting = Counter(each.shop for each in session.app.incidents.proposed() if each.shop in codes)
    sealed = session.app.sealer.progress()
    destinations, now = session.app.destinations(), session.app.now()
    long = timedelta(hours=session.settings.outage_hours)
    astray = [each for each in destinations if each.needs_somebody(now, longest=long)]
    document = {
        "totals": sums | {"proposed": waiting.total()},
        "log": {
            "size": sealed.size,
            "unsealed": sealed.tail,
            "last_checkpoint": moment(sealed.sealed_at),
        },
        "unguarded": asdict(unguarded) if unguarded else None,
        "destinations": [standing_document(each) for each in destinations],
        "shops": [
            _document(each, last.get(each.shop)) | {"proposed": waiting[each.shop]}
            for each in shown
        ],
    }

    def draw(page: Page) -> None:
        _draw(page, sums, shown, last)
        if left := len(needing) - sum(each.needs_somebody for each in shown):
            page.say(f"{left} more need somebody; --all shows them, --shop CODE one.")
        for shop, count in sorted(waiting.items())[:SCREENFUL]:
            page.say(f"Decisions {PROPOSED.en} ({PROPOSED.vi}) in {shop}: {count}.")
        if len(waiting) > SCREENFUL:
            page.say(f"And in {len(waiting) - SCREENFUL} more shops: carrierflow incidents list.")
        page.say(_sealed_text(sealed))
        page.say(*map(standing_text, destinations))
        if unguarded:
            page.say(
                f"History is not protected from {unguarded.user}, as whom carrierflow connects: "
                f"{unguarded.why}. See `carrierflow db check`."
            )

    session.emit(document, draw)
    if needing or astray:
        raise click.exceptions.Exit(WORK_LEFT)


def _worst(needing: Sequence[Coverage]) -> list[Coverage]:
    """Return those that need somebody most, in their order: by incidents, then by late parcels."""
    worst = nsmallest(SCREENFUL, needing, key=lambda each: (-each.incidents, -each.late))
    chosen = {each.shop for each in worst}
    return [each for each in needing if each.shop in chosen]


def _last_runs(session: Session, shops: Sequence[Coverage]) -> Mapping[str, PastRun]:
    """Return the last run of some shops; of very many they are asked for as those of all."""
    if not shops:
        return {}
    named = [each.shop for each in shops] if len(shops) <= SCREENFUL else []
    return session.app.last_runs(shops=named)


def _sealed_text(sealed: SealProgress) -> str:
    if sealed.sealed_at is None:
        return f"The log: {sealed.size} entries, and no checkpoint."
    return (
        f"The log: {sealed.size} entries, {sealed.tail} of them behind the last checkpoint of "
        f"{short(sealed.sealed_at)}."
    )


def _is(each: Coverage, wanted: str) -> bool:
    """Tell whether a shop is in a state, or has some of what is counted."""
    return each.state == wanted if wanted in set(ShopState) else getattr(each, wanted) > 0


def _place(each: Coverage, order: str) -> Any:
    """Return by what shops are sorted; equals stay in the order of their codes."""
    if order == "oldest":
        return each.oldest_verified_at or AGELESS
    return each.shop if order == "shop" else -getattr(each, order)


def totals(found: Sequence[Coverage]) -> dict[str, int]:
    """Return the sums of what is known of some shops, and how many of them need somebody."""
    sums = {name: sum(getattr(each, name) for each in found) for name in COUNTED}
    needing = sum(each.needs_somebody for each in found)
    return {"shops": len(found), "needs_somebody": needing, **sums}


def _document(each: Coverage, last: PastRun | None) -> dict[str, Any]:
    return {
        "shop": each.shop,
        "state": each.state,
        "needs_somebody": each.needs_somebody,
        **{name: getattr(each, name) for name in COUNTED},
        "oldest_verified_at": moment(each.oldest_verified_at),
        "unanswered": each.unanswered,
        "retry_at": moment(each.retry_at),
        "last_run": run_line(last) if last else None,
    }


def _draw(
    page: Page,
    sums: Mapping[str, int],
    shown: Sequence[Coverage],
    last: Mapping[str, PastRun],
) -> None:
    page.say(
        f"Shops: {sums['shops']}; {sums['needs_somebody']} need somebody. "
        f"Open fulfillments: {sums['open']}; {sums['verified']} looked at in time, "
        f"{sums['late']} late, {sums['unpublished']} unpublished, {sums['frozen']} frozen. "
        f"Incidents: {sums['incidents']}."
    )
    if not shown:
        return
    page.say("")
    columns = (
        "shop",
        "state",
        "open",
        "late",
        "oldest",
        "unpublished",
        "frozen",
        "incidents",
        "silent",
        "asked again",
        "last run",
        "what to do",
    )
    rows = [
        (
            each.shop,
            each.state,
            each.open,
            each.late,
            short(each.oldest_verified_at),
            each.unpublished,
            each.frozen,
            each.incidents,
            each.unanswered,
            short(each.retry_at),
            last_run_text(last.get(each.shop)),
            _remedy(each),
        )
        for each in shown
    ]
    page.table(columns, rows)


def _remedy(each: Coverage) -> str:
    """Say what shows more of what a shop needs a person for."""
    if each.incidents:
        return f"carrierflow incidents list --shop {each.shop}"
    return f"carrierflow reconcile --full --shop {each.shop}" if each.needs_somebody else ""
