"""What is done to the installation itself, by people and by programs, in a word each."""

from __future__ import annotations

from enum import StrEnum


__all__ = ["AdministrationKind"]


class AdministrationKind(StrEnum):
    """One kind of act that an auditor asks for."""

    SHOP_ADDED = "shop_added"
    SHOP_SET = "shop_set"
    """Its address or what is chosen for it."""
    SHOP_PAUSED = "shop_paused"
    SHOP_RESUMED = "shop_resumed"
    SHOP_REVOKED = "shop_revoked"
    TOKEN_ROTATED = "token_rotated"  # noqa: S105 - a word, not a token
    """By a person, or by installing again; what renews itself is no act."""
    DEFINITION_IN_FORCE = "definition_in_force"
    """The first use of a lifecycle in this database."""
    UPGRADED = "upgraded"
    BROUGHT_IN = "brought_in"
    """What an upgrade found in the tables, and gave rows that are never changed."""
    HARDENED = "hardened"
    CHECKED = "checked"
    """The protections were tried."""
    EXPORTED = "exported"
    NOTE_READ = "note_read"
    ERASED = "erased"
    RESEALED = "resealed"
    """What is secret was encrypted with another key."""
    SEAL_KEY = "seal_key"
    """A key signed for the first time, or in another one's place."""
    ANCHOR = "anchor"
    """An anchor or a witness took its first checkpoint."""
