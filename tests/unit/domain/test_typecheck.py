"""What is handed in is of the types that were asked for; what asks for nothing takes anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from carrierflow.domain.typecheck import check_fields
from carrierflow.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Data with a field of any type before one that is a number, and something of its class."""

    unit: ClassVar[str] = "VND"
    raw: Any
    amount: int


@pytest.mark.parametrize("raw", ["text", None, 1.5])
def test_a_field_of_any_type_hides_no_other(raw):
    """What stands beside it is compared with its own type, and what is no field with none."""
    check_fields(Labelled(raw=raw, amount=5), Labelled)

    with pytest.raises(InvalidInput, match="The amount must be of type int, not str"):
        check_fields(Labelled(raw=raw, amount="5"), Labelled)
