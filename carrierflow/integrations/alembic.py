"""What keeps a host's own migrations away from the ledger's tables."""

from __future__ import annotations

from collections.abc import Mapping

from carrierflow.storage.tables import PREFIX


__all__ = ["include_name"]


def include_name(
    name: str | None,
    type_: str,
    parent_names: Mapping[str, str | None],  # noqa: ARG001 - as Alembic calls it
) -> bool:
    """Tell `alembic revision --autogenerate` to look past the ledger's tables.

    They are not in a host's metadata, so it would have them dropped. Hand this to
    `context.configure` in `env.py`. All of them, and no other, have names that begin with
    `carrierflow_`.
    """
    return type_ != "table" or name is None or not name.startswith(PREFIX)
