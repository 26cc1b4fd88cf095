"""`db` and `keys`: the tables, their protections, the secret key."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from carrierflow.audit.log.keys import SealKey
from carrierflow.cli.session import WORK_LEFT, Session, command, print_exactly
from carrierflow.domain.cleaning import cleaned
from carrierflow.errors import InvalidInput
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.hardening import check, harden
from carrierflow.storage.migrate import require_own_file


__all__ = ["register"]


@click.group()
def db() -> None:
    """Create, migrate and protect the tables."""


@click.group()
def keys() -> None:
    """Make secret keys."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(db)
    cli.add_command(keys)


@command(db, "upgrade", example="carrierflow db upgrade")
@click.option(
    "--into-existing",
    is_flag=True,
    help="Also into a SQLite file that another program keeps its tables in.",
)
def upgrade(session: Session, *, into_existing: bool) -> None:
    """Create the tables, or migrate them to this version, as their owner."""
    session.makes_database = True
    if not into_existing:
        require_own_file(session.app.store.engine)
    revision = session.app.upgrade()
    session.emit(
        {"revision": revision}, lambda c: c.say(f"The database is at revision {revision}.")
    )


@command(db, "check", example="carrierflow db check --json")
def check_protections(session: Session) -> None:
    """Try each way to change history, and report what is really protected.

    Exits with 3 where a way is open that could be closed.
    """
    protections = check(session.app.store.engine)
    rows = [(p.hole, p.table, "yes" if p.protected else "NO", p.sentence) for p in protections]
    document = {
        "protected": all(p.protected for p in protections),
        "holes": [
            {"hole": p.hole, "table": p.table, "protected": p.protected, "sentence": p.sentence}
            for p in protections
        ],
    }
    session.emit(document, lambda c: c.table(("hole", "table", "protected", "why"), rows))
    if any(not p.protected and not p.inherent for p in protections):
        raise click.exceptions.Exit(WORK_LEFT)


@command(
    db, "harden", example="carrierflow db harden --role carrierflow_app --actor lan", by_person=True
)
@click.option("--role", default="carrierflow_app", show_default=True, help="The role to prepare.")
@click.option(
    "--password-file",
    type=click.File(),
    help="Holds the role's password; - reads it from stdin. Without it the role has none.",
)
def harden_database(session: Session, role: str, password_file: IO[str] | None) -> None:
    """Prepare a role that may add history and read it, and nothing else.

    Run it as the owner of the tables; let carrierflow connect as the role afterwards.
    """
    password = _password(password_file) if password_file else None
    done = harden(session.app.store.engine, role=role, password=password)
    session.emit({"role": role, "done": done}, lambda c: c.say(*done))


def _password(file: IO[str]) -> str:
    password = cleaned(file.read())
    if not password:
        raise InvalidInput("The password file is empty; nothing was changed.")
    return password


@command(keys, "reseal", example="carrierflow keys reseal --actor lan", by_person=True)
def reseal(session: Session) -> None:
    """Seal all tokens and notes with the present key; then the previous one can go."""
    count = session.app.reseal()
    session.emit({"resealed": count}, lambda c: c.say(f"{count} secrets are encrypted anew."))


@command(keys, "generate", example="export CARRIERFLOW_SECRET_KEY=$(carrierflow keys generate)")
def generate(session: Session) -> None:
    """Make a key for CARRIERFLOW_SECRET_KEY; keep it outside the database."""
    key = generate_key()
    session.emit({"secret_key": key}, lambda _: print_exactly(f"{key}\n"))


@command(
    keys,
    "generate-seal",
    example="carrierflow keys generate-seal history.mycarrier.example seal.key",
)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def generate_seal(session: Session, name: str, file: Path) -> None:
    """Make the key that signs checkpoints of the log NAME, and print its public half.

    Keep FILE outside of the database, and name it in CARRIERFLOW_SEAL_KEY_FILE. Give the
    verifier key, which is printed, to auditors: by another way than your exports take.
    """
    key = SealKey.generate(name)
    key.save(file)
    document = {"verifier_key": str(key.verifier), "file": str(file)}
    session.emit(document, lambda _: print_exactly(f"{key.verifier}\n"))
