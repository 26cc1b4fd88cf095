"""Room for what comes from outside: words, times, addresses, scopes and notes as long as they are.

SQLite holds any text under any name of a type, and is left as it is: to change what its schema
says, every row would have to be copied.
"""

from typing import Any

from alembic import op
from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT


revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

LONG_BINARY = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")
LONG_TEXT = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
WORD, SCOPES, URL = String(64), String(4000), String(512)

WIDER: tuple[tuple[str, str, Any, bool], ...] = (
    ("observations", "carrier_code", WORD, False),
    ("observations", "cod_code", WORD, False),
    ("observations", "updated_at", WORD, False),
    ("outcomes", "reply_updated_at", WORD, True),
    ("fulfillments", "remote_carrier", WORD, True),
    ("fulfillments", "remote_cod", WORD, True),
    ("shops", "base_url", URL, False),
    ("shops", "scopes", SCOPES, True),
    ("installs", "base_url", URL, False),
    ("notes", "sealed", LONG_BINARY, False),
    ("checkpoints", "note", LONG_TEXT, False),
)
"""Table, column, its type from now on, and whether it may be empty."""


def upgrade() -> None:
    """Make room; doing it again changes nothing."""
    if op.get_bind().dialect.name != "sqlite":
        _widen()


def _widen() -> None:
    for table, column, wider, may_be_empty in WIDER:
        op.alter_column(
            f"carrierflow_{table}",
            column,
            type_=wider,
            existing_nullable=may_be_empty,
            nullable=may_be_empty,
        )
