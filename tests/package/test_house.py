"""The house: which rooms there are, that names are said once, and that its map is true."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import sys
import typing
from collections import defaultdict
from pathlib import Path

import pytest

import carrierflow


ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "carrierflow"

ROOMS = {
    *("app", "audit", "carrier_service", "cli", "demo", "domain", "integrations", "ledger"),
    *("platforms", "reconcile", "sandbox", "shops", "storage", "testing", "web"),
}
FILES = {"__init__.py", "__main__.py", "errors.py", "py.typed", "scheduling.py"}

MOST_HOPS = 18


def modules():
    """Return every module of the package, the migrations apart: their names are their numbers."""
    found = (path for path in sorted(PACKAGE.rglob("*.py")) if "versions" not in path.parts)
    return [path for path in found if path.name not in {"__init__.py", "__main__.py"}]


def allowed():
    """Return the file names that CONTRIBUTING says may stand more than once."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(\w+\.py)` \|", text, flags=re.MULTILINE))


def test_the_root_holds_rooms_and_two_modules():
    """Whoever opens the package sees its rooms, and nothing that belongs into one."""
    files = (path for path in PACKAGE.rglob("*") if path.is_file())
    places = (path.relative_to(PACKAGE).parts for path in files)
    names = {parts[0] for parts in places if "__pycache__" not in parts}

    assert ROOMS | FILES == names


def test_no_file_name_stands_twice_without_a_reason():
    """A file is found by its name; where two share one, CONTRIBUTING says which and why."""
    paths = defaultdict(list)
    for path in modules():
        paths[path.name].append(path)

    twice = {name for name, found in paths.items() if len(found) > 1}
    assert twice - {"ports.py", "sql.py"} == allowed()


def test_no_class_name_stands_twice():
    """A class is one thing: nobody has to ask which."""
    homes = defaultdict(list)
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path.name)

    assert {} == {name: found for name, found in homes.items() if len(found) > 1}


@pytest.mark.parametrize("walk", ["scan", "reply"])
def test_each_hop_of_a_walk_is_there(walk):
    """The two walks name functions that exist, and are no longer than they may be."""
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    table = text.split(f"<!-- walk: {walk} -->")[1].split("\n## ")[0]
    hops = re.findall(r"^\| (\d+) \| `([\w.]+)` \|", table, flags=re.MULTILINE)

    assert [str(number) for number in range(1, len(hops) + 1)] == [number for number, _ in hops]
    assert 0 < len(hops) <= MOST_HOPS
    for _, name in hops:
        assert callable(found(name))


def found(name):
    """Return what a dotted name stands for."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            it = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            it = getattr(it, part)
        return it
    raise AssertionError(f"{name} is nowhere")


def test_every_type_in_a_public_signature_is_public():
    """Whoever uses a public name can write down the type of all that it takes and gives."""
    public = {getattr(carrierflow, name) for name in carrierflow.__all__}
    missing = {
        f"{kind.__module__}.{kind.__name__} in {where}"
        for it in public
        for where, hints in signatures(it)
        for kind in kinds(hints)
        if kind.__module__.startswith("carrierflow.") and kind not in public
    }

    assert set() == missing


def signatures(it):
    """Yield the annotations of a function, or of a class's fields and public methods."""
    if not inspect.isclass(it):
        yield it.__name__, hints_of(inspect.unwrap(it))
        return
    if dataclasses.is_dataclass(it):
        yield it.__name__, typing.get_type_hints(it)
    for name, member in vars(it).items():
        function = member.fget if isinstance(member, property) else member
        function = inspect.unwrap(getattr(function, "__func__", function))
        if inspect.isfunction(function) and not name.startswith("_"):
            yield f"{it.__name__}.{name}", typing.get_type_hints(function)


def hints_of(function):
    """Return the annotations of a function; what only type checkers import is imported for it."""
    module = sys.modules[function.__module__]
    tree = ast.parse(inspect.getsource(module))
    checked = [node for node in tree.body if isinstance(node, ast.If)]
    names = {}
    for node in checked:
        if getattr(node.test, "id", None) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module.__name__, "exec"), names)  # noqa: S102
    return typing.get_type_hints(function, localns=names)


def kinds(hint):
    """Yield every class in an annotation, or in several."""
    if isinstance(hint, dict):
        for each in hint.values():
            yield from kinds(each)
    elif typing.get_args(hint):
        for each in typing.get_args(hint):
            yield from kinds(each)
    elif inspect.isclass(hint):
        yield hint
