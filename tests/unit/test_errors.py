"""Errors go where work goes: to other processes, queues and logs."""

import copy
import importlib
import inspect
import json
import pickle
import pkgutil
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import get_args, get_type_hints

from celery import Celery
from celery.backends.base import Backend
from django_host import set_up

import carrierflow
from carrierflow.errors import CarrierflowError


MODELS = "carrierflow.integrations.django.models"
"""Whose exceptions Django makes, more in each of its versions."""

INTERNAL = {"Braked", "LeftAlone", "Lost", "StopRun", "_Again", "_Unanswered"}
"""What is caught where it is raised, and reaches no caller."""

SAMPLES = {
    str: "a text, \x1b[31m, and “more”",
    float: 2.5,
    int: 404,
    bool: True,
    NoneType: None,
    tuple: ("a", "b"),
    datetime: datetime(2026, 3, 2, tzinfo=UTC),
    dict: {"errors": {"": "a text"}},
}


def below(kind):
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def ours():
    set_up()  # Django's own modules want a project
    for module in pkgutil.walk_packages(carrierflow.__path__, "carrierflow."):
        if ".migrations." not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds = {kind for kind in below(Exception) if kind.__module__.startswith("carrierflow.")}
    kinds -= {kind for kind in kinds if kind.__module__ == MODELS}  # Django makes them
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


KINDS = [kind for kind in ours() if issubclass(kind, CarrierflowError)]


def sample(hint):
    """Return a value of a type, as an error might be given."""
    hint = next(iter(get_args(hint))) if isinstance(hint, UnionType) else hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return SAMPLES[getattr(hint, "__origin__", hint)]


def made(kind):
    """Return an error, made as its signature wants, with a note and an attribute put on later."""
    given, named = ["a sentence"], {}
    if inspect.isfunction(kind.__init__):
        hints = get_type_hints(kind.__init__)
        parameters = inspect.signature(kind).parameters.values()
        by_name = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        given = [sample(hints[p.name]) for p in parameters if p.name not in by_name]
        named = {name: sample(hints[name]) for name in by_name}
    error = kind(*given, **named)
    error.add_note("a note")
    error.seen_by = "a host"
    return error


def told(error):
    return type(error), error.args, vars(error), str(error)


def test_every_error_is_pickled_as_it_is():
    """A worker's error arrives with its type, its sentence and its attributes."""
    for kind in KINDS:
        error = made(kind)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            arrived = pickle.loads(pickle.dumps(error, protocol=protocol))  # noqa: S301
            assert told(error) == told(arrived)


def test_every_error_comes_through_celery_s_json():
    """A task's error says its sentence on the other side, once, and is of its type."""
    backend = Backend(app=Celery(), serializer="json")
    for kind in KINDS:
        error = made(kind)
        carried = json.loads(json.dumps(backend.prepare_exception(error)))
        arrived = backend.exception_to_python(carried)
        assert (kind, str(error)) == (type(arrived), str(arrived))


def test_every_error_is_copied_as_it_is():
    """A copy says what the error said."""
    for kind in KINDS:
        error = made(kind)
        assert told(error) == told(copy.copy(error)) == told(copy.deepcopy(error))


def test_every_error_that_reaches_a_caller_is_in_the_tree():
    """Whoever catches `CarrierflowError` catches whatever we raise."""
    outside = {kind.__name__ for kind in ours() if not issubclass(kind, CarrierflowError)}

    assert outside == INTERNAL
