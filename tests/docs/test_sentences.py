"""What people read is written for people: no name of our code stands in it."""

import ast
import re

import carrierflow
from carrierflow.cli import cli
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE

from .pages import ROOT, generated


PACKAGE = ROOT / "carrierflow"
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def _defined(tree):
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Assign(targets=targets):
                yield from (it.id for it in targets if isinstance(it, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


OURS = {f"{path.stem}.{name}" for path, tree in TREES.items() for name in _defined(tree)}
OURS |= {f"carrierflow.{name}" for name in (*carrierflow.__all__, *(path.stem for path in TREES))}
DOTTED = re.compile(r"(?<![\w.])[a-z_]\w*\.[A-Za-z_]\w*")


def names_in(text):
    """Return the dotted names of ours that stand in a text."""
    return [name for name in DOTTED.findall(text) if name in OURS]


def sentences(tree):
    """Yield the texts of a module that have more than a word; docstrings are for programmers."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if " " in text.strip() and id(node) not in docs:
                yield text


def test_no_sentence_of_the_code_holds_a_name_of_the_code():
    """Errors, incidents, verdicts, rows of the decision table: none says `module.name`."""
    found = [
        (path.name, name)
        for path, tree in TREES.items()
        for t in sentences(tree)
        for name in names_in(t)
    ]

    assert [] == found


def test_no_row_of_the_decision_table_holds_a_name_of_the_code():
    """A row is looked up by people who never saw the code."""
    rows = (*TABLE, *ORDER_TABLE)

    assert [] == [name for row in rows for name in names_in(f"{row.when} {row.then}")]


def test_no_help_holds_a_name_of_the_code():
    """What a command and its options say of themselves is for operators."""
    texts = [cli.help or ""]
    for _, command, _ in generated.commands():
        texts += [command.help or "", *(getattr(p, "help", None) or "" for p in command.params)]

    assert [] == [name for text in texts for name in names_in(text)]
