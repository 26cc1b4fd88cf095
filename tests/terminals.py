"""Runs commands in this process, with stdout and stderr apart."""

from __future__ import annotations

import inspect

from click.testing import CliRunner


__all__ = ["runner"]

APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
"""What click 8.1 must be told; later ones keep the two apart by themselves."""


def runner():
    """Return what invokes a command as a terminal would."""
    return CliRunner(**APART)
