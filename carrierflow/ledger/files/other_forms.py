"""What a file is that is no text of ours, by how it begins; nothing of it is read."""

from __future__ import annotations


__all__ = ["other_form"]

_TEXT = "save it as CSV UTF-8"
_BEGINS = {
    b"PK\x03\x04": f"an Excel workbook (XLSX), or another ZIP archive; open it, and {_TEXT}",
    b"\xd0\xcf\x11\xe0": f"an old Excel workbook (XLS), or another Office file; {_TEXT}",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
    b"\x1f\x8b": "compressed by gzip; unpack it first, with zcat",
    b"%PDF-": "a PDF; ask for the table as CSV",
    **dict.fromkeys(
        (b"<html", b"<table", b"<!doctype", b"<?xml"),
        f"HTML or XML, which some programs call XLS; open it, and {_TEXT}",
    ),
}
_EVERY_OTHER = slice(1, 16, 2), slice(0, 16, 2)
"""Where the zeros of Latin letters stand in UTF-16, by whichever end comes first."""


def other_form(begins: bytes) -> str | None:
    """Return what a file is and what to do about it; None if it may be text of ours."""
    for sign, said in _BEGINS.items():
        if begins.startswith(sign) or begins.lower().startswith(sign):
            return said
    if any(begins[places] and not any(begins[places]) for places in _EVERY_OTHER):
        return "UTF-16; save it as UTF-8"
    if b"\r" in begins.rstrip(b"\r\n") and b"\n" not in begins and b'"' not in begins:
        return "a text whose lines end in CR alone; save it with LF or CRLF"
    return None
