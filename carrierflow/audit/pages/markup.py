"""Elements as text that is escaped unless it was made here: nobody can forget to.

What does not print is shown by its code.
"""

from __future__ import annotations

from html import escape

from carrierflow.domain.foreign_text import shown


__all__ = ["Markup", "join", "tag"]

VOID = frozenset({"meta", "br", "hr"})
"""Elements of HTML that have no end."""


class Markup(str):
    """Text that is markup already; all other text is escaped where it is put in."""

    __slots__ = ()


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Make an element; an attribute that is None is left out.

    `class_` stands for `class`, and `stroke_width` for `stroke-width`.
    """
    given = "".join(
        f' {_name(key)}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Put elements and texts one after the other; None is nothing."""
    return Markup("".join(_child(child) for child in children if child is not None))


def _child(child: object) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, list | tuple):
        return join(*child)
    return escape(_text(child))


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".rstrip("0").rstrip(".")
    return shown(value)
