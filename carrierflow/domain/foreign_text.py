"""Text that others wrote, as a person may see it: nothing of it steers what shows it.

It stands where text leaves for eyes: a terminal, a page, a spreadsheet, a mail. What does not
print is shown by its code, so nothing is lost, nothing hidden, and nothing turned around.
"""

from __future__ import annotations


__all__ = ["shown"]


def shown(text: object) -> str:
    r"""Return a text of anybody's as one line, with what does not print as `\x1b` or `\u202e`."""
    line = str(text)
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(sign: str) -> str:
    return sign if sign.isprintable() else ascii(sign)[1:-1]
