"""Python files of a deployment, loaded by path under a private name.

They need no package, and no name that the host's own code may own is taken.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from carrierflow.errors import ConfigurationError


__all__ = ["load_name"]


def load_name(file: Path, name: str) -> object:
    """Run a file and return what it defines under a name.

    Raises:
        ConfigurationError: if the file cannot be run, or defines no such name.
    """
    private = f"_carrierflow_{name.lower()}_{file.stem}"
    spec = importlib.util.spec_from_file_location(private, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{file} is no Python file; {name} cannot be loaded from it.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"{file} cannot be loaded: {error}.") from error
    if not hasattr(module, name):
        raise ConfigurationError(f"{file} defines no {name}.")
    found: object = getattr(module, name)
    return found
