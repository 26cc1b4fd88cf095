"""`shop` and `import`: connections, and what they already hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any

import click

from carrierflow.cli.runs import last_run_text, run_line
from carrierflow.cli.session import FAILED, TIME, WORK_LEFT, Session, command, moment
from carrierflow.cli.terminal import Page
from carrierflow.domain.shop import Shop
from carrierflow.errors import InvalidInput
from carrierflow.platforms.registry import DEFAULT, PLATFORMS
from carrierflow.reconcile.backfill import Imported
from carrierflow.shops import TokenState


__all__ = ["register"]

COLUMNS = ("code", "platform", "state", "base_url", "carrier_code", "added_at")


@click.group()
def shop() -> None:
    """Connect shops."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(shop)
    command(cli, "import", example="carrierflow import myshop --since 2026-01-01T00:00:00+07:00")(
        import_parcels
    )


def _document(found: Shop) -> dict[str, Any]:
    return {
        "code": found.code,
        "platform": found.platform,
        "state": found.state,
        "base_url": found.base_url,
        "org_id": found.org_id,
        "carrier_code": found.carrier_code,
        "added_at": moment(found.added_at),
        "token_expires_at": moment(found.token_expires_at),
        "scopes": list(found.scopes),
        "carrier_service_id": found.carrier_service_id,
        "subscribed_at": moment(found.subscribed_at),
        "revoked_at": moment(found.revoked_at),
    }


def _emit(session: Session, found: Shop, sentence: str) -> None:
    session.emit(_document(found), lambda c: c.say(sentence))


@command(
    shop,
    "add",
    example="carrierflow shop add myshop --token-file token.txt --actor lan",
    by_person=True,
)
@click.argument("code")
@click.option(
    "--platform",
    type=click.Choice(list(PLATFORMS)),
    default=DEFAULT.name,
    show_default=True,
    help="The shop's platform.",
)
@click.option("--base-url", help="The root of its API, where it is not the platform's own.")
@click.option(
    "--token-file", type=click.File(), required=True, help="Holds the bearer token; - is stdin."
)
@click.option("--org-id", help="The platform's own id of the shop.")
@click.option(
    "--carrier-code",
    default="external",
    show_default=True,
    help="What the platform prints as tracking_company_code on our parcels.",
)
@click.option(
    "--policy",
    "policies",
    metavar="KEY=VALUE",
    multiple=True,
    help="A choice for this shop alone, as `shop set` has it; may be repeated.",
)
@click.option("--no-check", "untried", is_flag=True, help="Do not ask the platform first.")
def add(
    session: Session,
    code: str,
    token_file: IO[str],
    policies: Sequence[str],
    *,
    untried: bool,
    **values: Any,
) -> None:
    """Connect a shop whose platform accepts the token, which is encrypted before it is stored.

    Where the token is refused, or nobody answers at the address, nothing is added.
    """
    options, app = dict(map(_change, policies)), session.app
    trial = None if untried else app.try_shop
    found = app.shops.add(code, token=token_file.read(), options=options, trial=trial, **values)
    _emit(session, found, f"Shop {found.code} is connected.")


@command(
    shop,
    "set",
    example="carrierflow shop set myshop remote_ahead=adopt rate_leak=2 --actor lan",
    by_person=True,
)
@click.argument("code")
@click.argument("changes", metavar="KEY=VALUE", nargs=-1, required=True)
def set_values(session: Session, code: str, changes: Sequence[str]) -> None:
    """Choose something for one shop, or change how it is reached, from the next run on.

    `base_url` is the root of its API. All else is a choice that `shop show` lists; `KEY=` takes
    one back, so that the settings hold again. Its token and its history stay.
    """
    wanted = dict(map(_change, changes))
    root = wanted.pop("base_url", None)
    choices = {key: value or None for key, value in wanted.items()}
    found = session.app.shops.change(code, base_url=root, choices=choices)
    _emit(session, found, f"Shop {code} is changed.")


def _change(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"Write what to choose as KEY=VALUE; {text!r} has no equals sign.")
    return key.strip(), value.strip()


@command(shop, "show", example="carrierflow shop show myshop")
@click.argument("code")
def show_shop(session: Session, code: str) -> None:
    """Show a shop, and every choice that holds for it, with who made it."""
    found = session.app.shops.get(code)
    choices = session.app.choices.of(found)
    last = session.app.last_runs(shops=[code]).get(code)
    document = _document(found) | {
        "last_run": run_line(last) if last else None,
        "choices": [
            {"name": name, "value": it.value, "origin": it.origin} for name, it in choices.items()
        ],
    }
    rows = [[name, it.value, it.origin] for name, it in choices.items()]

    def draw(page: Page) -> None:
        _tell_shop(page, document, rows)
        page.say(f"{'last run':<14}{last_run_text(last)}")
        if last and last.sentence:
            page.say(last.sentence)

    session.emit(document, draw)


def _tell_shop(page: Page, document: Mapping[str, Any], rows: Sequence[Sequence[str]]) -> None:
    for name in COLUMNS:
        page.say(f"{name.replace('_', ' '):<14}{document[name]}")
    page.table(("choice", "value", "made by"), rows)


@command(shop, "check", example="carrierflow shop check myshop")
@click.argument("codes", metavar="CODE", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Every shop that is connected.")
def check(session: Session, codes: Sequence[str], *, everyone: bool) -> None:
    """Ask the platform if it accepts a shop's token; nothing is changed there or here.

    Exits with 1 where a token is refused or a shop has none, and with 3 where a platform only
    could not be reached.
    """
    if bool(codes) == everyone:
        raise click.UsageError("Name shops, or give --all.")
    chosen = [each.code for each in session.app.shops.all()] if everyone else codes
    found = [session.app.check_shop(code) for code in chosen]
    rows = [[each.shop, each.token, each.sentence] for each in found]
    session.emit(
        {"shops": [asdict(each) for each in found]},
        lambda c: c.table(("shop", "token", "what was found"), rows),
    )
    answers = {each.token for each in found}
    if answers & {TokenState.REFUSED, TokenState.NONE}:
        raise click.exceptions.Exit(FAILED)
    if TokenState.UNREACHABLE in answers:
        raise click.exceptions.Exit(WORK_LEFT)


@command(shop, "list", example="carrierflow shop list --json")
def list_shops(session: Session) -> None:
    """List the connected shops."""
    shops = [_document(found) for found in session.app.shops.all()]
    rows = [[each[name] for name in COLUMNS] for each in shops]
    session.emit({"shops": shops}, lambda c: c.table(COLUMNS, rows))


@command(shop, "pause", example="carrierflow shop pause myshop --actor lan", by_person=True)
@click.argument("code")
def pause(session: Session, code: str) -> None:
    """Let runs leave a shop alone; events are recorded all the same."""
    _emit(session, session.app.shops.pause(code), f"Shop {code} is paused.")


@command(shop, "resume", example="carrierflow shop resume myshop --actor lan", by_person=True)
@click.argument("code")
def resume(session: Session, code: str) -> None:
    """Let runs look after a shop again."""
    _emit(session, session.app.shops.resume(code), f"Shop {code} is active.")


@command(
    shop,
    "rotate-token",
    example="carrierflow shop rotate-token myshop --actor lan --token-file - < token.txt",
    by_person=True,
)
@click.argument("code")
@click.option(
    "--token-file", type=click.File(), required=True, help="Holds the new token; - is stdin."
)
def rotate_token(session: Session, code: str, token_file: IO[str]) -> None:
    """Replace a shop's token."""
    found = session.app.shops.rotate_token(code, token_file.read())
    _emit(session, found, f"Shop {code} has a new token.")


@command(shop, "install-url", example="carrierflow shop install-url myshop")
@click.argument("code")
@click.option(
    "--base-url",
    default=DEFAULT.base_url,
    show_default=True,
    help="The root of its API, if the shop is new here.",
)
@click.option(
    "--carrier-code",
    default="external",
    show_default=True,
    help="As for `shop add`, if the shop is new here.",
)
def install_url(session: Session, code: str, **options: str) -> None:
    """Make a link by which a shop's owner connects the shop, once and within a day.

    It works while the carrier service is reachable under `public_url`. A revoked shop comes back
    by it, and its history goes on.
    """
    link = session.app.installer.invite(code, **options)
    document = {"shop": code, "url": link.url, "expires_at": moment(link.expires_at)}
    session.emit(document, lambda c: c.say(link.url))


@command(shop, "revoke", example="carrierflow shop revoke myshop --actor lan", by_person=True)
@click.argument("code")
def revoke(session: Session, code: str) -> None:
    """Forget a shop's token: the app was uninstalled there, or the carrier leaves it.

    Runs leave it alone, its history is kept, and another install continues it.
    """
    found = session.app.shops.revoke(code)
    _emit(session, found, f"Shop {code} is revoked; its token is gone, its history is kept.")


@click.argument("shop_code", metavar="SHOP")
@click.option("--since", type=TIME, help="Only orders changed at or after this time.")
def import_parcels(session: Session, shop_code: str, since: datetime | None) -> None:
    """Bring the carrier's parcels that exist on the platform into the ledger.

    Their history is inferred from the platform's dates. Doing it again changes nothing. Exits
    with 1 where some could not be opened, which are named, and with 3 where there may be more.
    """
    done = Imported()
    with session.progress("parcels") as update:
        for done in session.app.import_shop(shop_code, since=since):
            update(done.imported + done.skipped + len(done.unopened), None)
    document = {
        "imported": done.imported,
        "skipped": done.skipped,
        "unclear": list(done.unclear),
        "unopened": [asdict(each) for each in done.unopened],
        "settled": done.settled,
    }
    session.emit(document, lambda c: c.say("\n".join(_told(done))))
    if done.unopened or not done.settled:
        raise click.exceptions.Exit(FAILED if done.unopened else WORK_LEFT)


def _told(done: Imported) -> Iterator[str]:
    yield f"{done.imported} imported, {done.skipped} known already."
    if done.unclear:
        yield f"Look at these by hand: {', '.join(done.unclear)}."
    if done.unopened:
        yield f"{len(done.unopened)} could not be opened:"
    for each in done.unopened:
        name = f"fulfillment {each.fulfillment_id or '?'} of order {each.order_id or '?'}"
        yield f"  {name}: {each.why}"
    if not done.settled:
        yield "The shop's orders change faster than they can be read; do it again for the rest."
