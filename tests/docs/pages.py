"""The pages as text, and what can be taken out of them."""

import importlib.util
import re
from pathlib import Path


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"

FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", flags=re.MULTILINE | re.DOTALL)


def every_page():
    """List the README and every page of the documentation."""
    return [README, *sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)]


def called(page):
    """Return what to call a page in a test's id."""
    return str(page.relative_to(ROOT))


def blocks(page, language):
    """List the code of one language on a page, in order."""
    return [m[3] for m in FENCE.finditer(page.read_text("utf-8")) if m[2] == language]


def prose(page):
    """Return a page without its code."""
    return FENCE.sub("", page.read_text("utf-8"))


def load(path):
    """Load a Python file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"_docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generated = load(DOCS / "_ext" / "generated.py")


def reference(name):
    """Return a page of the reference with its generated parts filled in."""
    return generated.fill((DOCS / "reference" / f"{name}.md").read_text("utf-8"))


def rows(text):
    """List the rows of all tables in a text, as lists of cells."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines]
