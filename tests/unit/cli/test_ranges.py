"""No number is too large for what is done with it."""

from __future__ import annotations

import click
import pytest

from carrierflow.cli import cli


NUMBERS = (click.types.IntParamType, click.types.FloatParamType)


def numbers(command, path=()):
    """Give every option and argument of every command that takes a number."""
    for parameter in command.params:
        if isinstance(parameter.type, NUMBERS):
            yield " ".join((*path, parameter.name)), parameter
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from numbers(command.get_command(context, name), (*path, name))


def test_numbers_are_found():
    """The rule is asked about options of groups and of commands that are loaded when asked for."""
    assert {"audit sample parcels count", "list limit"} <= {name for name, _ in numbers(cli)}


@pytest.mark.parametrize(("name", "parameter"), list(numbers(cli)), ids=lambda it: str(it)[:40])
def test_a_number_has_two_ends(name, parameter):
    """What no span or counter holds is a usage error, for every option that anybody adds."""
    ends = getattr(parameter.type, "min", None), getattr(parameter.type, "max", None)

    assert None not in ends, name
    for beyond in ("1e300", "nan") if parameter.type.name == "float range" else ("9" * 30,):
        with pytest.raises(click.BadParameter):
            parameter.type.convert(beyond, None, None)
