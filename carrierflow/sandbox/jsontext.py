"""JSON as a platform writes it: decimals keep trailing zeros, and Vietnamese stays readable."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any


__all__ = ["encode"]

# The standard encoder has no way to write a decimal as it stands, so each is written as a string
# behind a mark from Unicode's private use area, and unwrapped afterwards.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}(-?[0-9]+(?:\\.[0-9]+)?)"')


def _marked(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}"
    raise TypeError(f"{type(value).__name__} does not go into JSON.")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_marked)


def encode(payload: Any) -> bytes:
    """Return the bytes of a reply's body."""
    return _MARKED.sub(r"\1", _ENCODER.encode(payload)).encode()
