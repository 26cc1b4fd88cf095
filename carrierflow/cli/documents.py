"""Answers as JSON carries them: times as text, words as codes, names of parcels side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from carrierflow.cli.session import moment
from carrierflow.domain.model import FulfillmentRef


__all__ = ["document_of"]


def document_of(answer: Any) -> Any:
    """Return frozen data as plain dictionaries, lists, text and numbers."""
    if isinstance(answer, datetime):
        return moment(answer)
    if isinstance(answer, Enum):
        return answer.value
    if isinstance(answer, Mapping):
        return {str(name): document_of(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [document_of(each) for each in answer]
    if is_dataclass(answer):
        return _fields(answer)
    return answer


def _fields(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(answer):
        value = getattr(answer, field.name)
        if field.name == "ref":
            found |= _names(value)
        else:
            found[field.name] = document_of(value)
    return found


def _names(ref: FulfillmentRef | None) -> dict[str, Any]:
    """Return what a parcel is called; where none is concerned, the shop stands beside it."""
    return _fields(ref) if ref else {"order_id": None, "fulfillment_id": None}
