# The expected value stands first.

import json
import re
from collections import Counter

import pytest

from carrierflow.domain.lifecycle import (
    DEFAULT,
    GROUPS,
    LABELS,
    START_LABEL,
    Coupling,
    Definition,
    Edge,
    MachineDefinition,
    as_dot,
    as_json,
    as_mermaid,
    as_rows,
    define,
)
from carrierflow.domain.model import START, Machine, Status

from .agreement import every_definition


MERMAID_LINES = {
    "header": r"stateDiagram-v2",
    "comment": r"%% definition [0-9a-f]{64}",
    "open": r'state "[^"]+" as (?P<machine>delivery|cod) \{',
    "close": r"\}",
    "state": r'state "[^"]+" as (?P<status>[a-z]+)',
    "step": r"(?P<a>\[\*\]|[a-z]+) --> (?P<b>\[\*\]|[a-z]+)(?: : (?P<group>[a-z_]+))?",
    "note": r"note right of (?P<on>[a-z]+) : [\w ]+",
}
DOT_LINES = {
    "open": r"digraph lifecycle \{",
    "comment": r"// definition [0-9a-f]{64}",
    "setting": r'(?:rankdir=LR|label="[^"]+"|node \[shape=box, style=rounded\]);',
    "cluster": r'subgraph "cluster_(?P<machine>delivery|cod)" \{',
    "close": r"\}",
    "start": r'"start_(?:delivery|cod)" \[shape=point, label=""\];',
    "state": r'"(?P<status>[a-z]+)" \[label="[^"\n]+"(?P<final>, peripheries=2)?\];',
    "step": r'"(?P<a>\w+)" -> "(?P<b>[a-z]+)"(?: \[label="(?P<group>\w+)"\])?;',
    "coupling": r'"(?P<needs>\w+)" -> "(?P<of>\w+)" \[style=dashed, [^\]"]*label="[\w ]+"\];',
}


def parsed(text, grammar):
    """Read a diagram by its grammar, line by line; a line that fits none of it is an error."""
    found = []
    for line in text.splitlines():
        fits = [(kind, m) for kind, p in grammar.items() if (m := re.fullmatch(p, line.strip()))]
        assert fits, f"unreadable line: {line!r}"
        found.append((fits[0][0], fits[0][1].groupdict()))
    return found


def steps_of(definition):
    """Count every step of a definition: once each."""
    return Counter((e.from_status, str(e.to_status)) for m in definition.machines for e in m.edges)


def drawn_in_mermaid(text):
    """Count the steps that a Mermaid diagram shows, without the arrows to the end."""
    steps = [got for kind, got in parsed(text, MERMAID_LINES) if kind == "step"]
    return Counter(
        (START if got["a"] == "[*]" else got["a"], got["b"]) for got in steps if got["b"] != "[*]"
    )


def drawn_in_dot(text):
    """Count the steps that a Graphviz graph shows, without the dashed couplings."""
    steps = [got for kind, got in parsed(text, DOT_LINES) if kind == "step"]
    return Counter(
        (START if got["a"].startswith("start_") else got["a"], got["b"]) for got in steps
    )


def test_every_form_shows_every_step_once():
    """Mermaid, Graphviz, rows and JSON each show every step of every lifecycle exactly once."""
    for definition in every_definition():
        steps = steps_of(definition)
        plain = as_json(definition)["machines"]

        assert steps == drawn_in_mermaid(as_mermaid(definition))
        assert steps == drawn_in_dot(as_dot(definition))
        assert steps == Counter((r.from_status, str(r.to_status)) for r in as_rows(definition))
        assert steps == Counter((e["from"], e["to"]) for m in plain.values() for e in m["edges"])


@pytest.mark.parametrize(("draw", "grammar"), [(as_mermaid, MERMAID_LINES), (as_dot, DOT_LINES)])
def test_every_status_is_drawn_once_and_braces_match(draw, grammar):
    """Each status is declared once, each machine has one box, and every box is closed."""
    lines = parsed(draw(define(GROUPS)), grammar)
    kinds = Counter(kind for kind, _ in lines)

    assert [s for s in Status if s is not Status.CODNOTRECEIPT] == [
        got["status"] for kind, got in lines if kind == "state"
    ]
    assert ["delivery", "cod"] == [got["machine"] for _, got in lines if "machine" in got]
    assert draw(DEFAULT).count("{") == draw(DEFAULT).count("}") == kinds["close"]


@pytest.mark.parametrize(
    ("draw", "grammar", "others"),
    [
        (as_mermaid, MERMAID_LINES, {"[*]"}),
        (as_dot, DOT_LINES, {"start_delivery", "start_cod"}),
    ],
)
def test_steps_join_declared_statuses_only(draw, grammar, others):
    """No arrow begins or ends at a place that a viewer would have to invent."""
    lines = parsed(draw(define(GROUPS)), grammar)
    declared = {got["status"] for kind, got in lines if kind == "state"}

    assert declared | others == {
        place for kind, got in lines if kind == "step" for place in (got["a"], got["b"])
    }


def test_ends_are_marked():
    """Final statuses lead to the end in Mermaid and have a double rim in Graphviz."""
    definition = define(["return_after_delivery"])
    final = {"return", "cancel", "none", "codreceipt"}
    mermaid = parsed(as_mermaid(definition), MERMAID_LINES)
    dot = parsed(as_dot(definition), DOT_LINES)

    assert final == {got["a"] for kind, got in mermaid if kind == "step" and got["b"] == "[*]"}
    assert final == {got["status"] for kind, got in dot if kind == "state" and got["final"]}


@pytest.mark.parametrize(
    ("paid_on_delivery", "words"),
    [(True, "needs delivered and is recorded with it"), (False, "needs delivered")],
)
def test_couplings_are_drawn(paid_on_delivery, words):
    """Both drawings say what paid needs, and whether it is recorded by itself."""
    definition = define(paid_on_delivery=paid_on_delivery)

    assert f"note right of codpaid : {words}\n" in as_mermaid(definition)
    assert f'label="{words}"];\n' in as_dot(definition)
    assert [{"needs": "delivered", "of": "codpaid"}] == [
        got for kind, got in parsed(as_dot(definition), DOT_LINES) if kind == "coupling"
    ]


def test_rows_name_their_group():
    """A row says which optional group brought its step, and `default` where none did."""
    brought = {(r.from_status, r.to_status): r.group for r in as_rows(define(GROUPS))}

    assert brought == {
        **{(e.from_status, e.to_status): "default" for m in DEFAULT.machines for e in m.edges},
        ("delivering", "waitingforreturn"): "refused",
        ("waitingforreturn", "delivering"): "redeliver",
        ("delivered", "waitingforreturn"): "return_after_delivery",
        ("delivering", "cancel"): "late_cancel",
        ("notmeetcustomer", "cancel"): "late_cancel",
    }


def test_a_step_of_nobody_s_group_is_called_custom():
    """A step that a carrier invented is not passed off as the default's."""
    delivery = MachineDefinition(
        machine=Machine.DELIVERY,
        edges=frozenset({Edge(START, Status.PICKING), Edge("picking", Status.RETURN)}),
        final=frozenset({Status.RETURN}),
    )
    rows = as_rows(Definition(delivery=delivery, cod=DEFAULT.cod, couplings=()))

    assert ["custom", "custom"] == [row.group for row in rows if row.machine is Machine.DELIVERY]


def test_rows_carry_labels_in_the_lifecycle_s_order():
    """Rows begin at the start, end at the cash, and bear the names of both ends."""
    rows = as_rows(DEFAULT)

    assert (START, Status.PENDING) == (rows[0].from_status, rows[0].to_status)
    assert (Status.CODPAID, Status.CODRECEIPT) == (rows[-1].from_status, rows[-1].to_status)
    assert (START_LABEL, LABELS[Status.PENDING]) == (rows[0].from_label, rows[0].to_label)
    assert [Machine.DELIVERY] * 13 + [Machine.COD] * 4 == [row.machine for row in rows]


def test_json_tells_everything():
    """The plain form survives a JSON round trip and rebuilds a lifecycle with the same id."""
    for definition in every_definition():
        plain = json.loads(json.dumps(as_json(definition)))

        assert as_json(definition) == plain
        assert definition.id == plain["id"] == rebuilt(plain).id


def rebuilt(plain):
    """Build a definition from its plain form alone."""
    machines = {
        name: MachineDefinition(
            machine=Machine(name),
            edges=frozenset(Edge(e["from"], Status(e["to"])) for e in machine["edges"]),
            final=frozenset(map(Status, machine["final"])),
            never_written=frozenset(map(Status, machine["never_written"])),
        )
        for name, machine in plain["machines"].items()
    }
    couplings = tuple(
        Coupling(status=Status(c["status"]), needs=Status(c["needs"]), follows=c["follows"])
        for c in plain["couplings"]
    )
    return Definition(**machines, couplings=couplings)


def test_json_holds_plain_text_only():
    """No enum hides in the plain form, so that any serialiser can take it."""
    waiting, kinds = [as_json(DEFAULT)], set()
    while waiting:
        item = waiting.pop()
        kinds.add(type(item))
        if isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item

    assert {dict, list, str, bool} == kinds


def test_json_lists_every_status_with_its_names():
    """Every status stands in the plain form with both names, the never written one included."""
    machines = as_json(define(GROUPS))["machines"].values()
    named = {s["status"]: s["label"] for machine in machines for s in machine["statuses"]}

    assert named == {status: {"en": name.en, "vi": name.vi} for status, name in LABELS.items()}
    assert ["codnotreceipt"] == [word for machine in machines for word in machine["never_written"]]


@pytest.mark.parametrize("draw", [as_mermaid, as_dot])
def test_drawings_bear_the_id(draw):
    """A printed diagram can be traced to the definition on the history entries."""
    assert DEFAULT.id in draw(DEFAULT)
