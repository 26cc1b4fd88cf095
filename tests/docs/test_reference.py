import re

from terminals import runner

import carrierflow
from carrierflow import errors
from carrierflow.app.settings import Settings
from carrierflow.audit.verify.proof_coverage import ProofStrength
from carrierflow.cli import cli
from carrierflow.domain.amounts import AMOUNTS_DIFFER
from carrierflow.domain.approval import CORRECTION
from carrierflow.domain.incident import ResolveAction
from carrierflow.ledger.files.fields import COLUMNS
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.sandbox.haravan import FaultKind
from carrierflow.storage.tables import APPEND_ONLY, metadata
from carrierflow.testing.contract import PROMISES
from carrierflow.web.figures import FIGURES

from .pages import ROOT, generated, reference, rows


KINDS = re.compile(r'(?:Freeze|OpenIncident|_report_shop)\(\s*"([a-z_]+)"|kind="([a-z_]+)",\s*sent')
EVENTS = re.compile(r'"(carrierflow(?:\.[a-z_]+)+)"')
LOGGING = re.compile(r"\b_?log\.(?:debug|info|warning|error|exception|log)\(|_event=")
MODULES = sorted((ROOT / "carrierflow").rglob("*.py"))


def test_every_command_and_option_is_in_the_reference():
    """Whoever looks a command up finds it, its example, and each of its options."""
    page = reference("commands")

    for name, command, _ in generated.commands():
        section = page.partition(f"## {name}\n")[2].partition("\n## ")[0]
        options = {opt for param in command.params for opt in param.opts if opt.startswith("--")}
        assert options - {"--help"} <= set(re.findall(r"`(--[a-z-]+)`", section)), name
        assert f"```sh\n{name}" in section or "=$(carrierflow" in section, name


def test_options_of_every_command_are_in_the_reference():
    """The options that stand before a command are found too."""
    section = reference("commands").partition("## Options of every command")[2]

    assert {"--config", "--database-url", "--verbose"} <= set(re.findall(r"`(--[a-z-]+)`", section))


def test_variables_of_options_are_those_that_click_reads():
    """A variable that the page names for an option is one that sets it."""
    outcome = runner().invoke(cli, ["states"], env={"CARRIERFLOW_STATES_FORMAT": "dot"})

    assert "`CARRIERFLOW_STATES_FORMAT`" in reference("commands")
    assert "digraph lifecycle" in outcome.output


def test_every_setting_is_in_the_reference():
    """Each setting has its row, with its variable and what it means."""
    found = {row[0]: row for row in rows(reference("settings"))}

    for name, field in Settings.model_fields.items():
        assert f"`CARRIERFLOW_{name.upper()}`" == found[f"`{name}`"][1]
        assert field.description == found[f"`{name}`"][3]


def test_every_error_is_in_the_reference():
    """The tree on the page holds each exception once."""
    named = re.findall(r"^ *- `(\w+)`", reference("errors"), flags=re.MULTILINE)

    assert sorted(errors.__all__) == sorted(named)


def test_every_public_name_is_in_the_reference():
    """Each name of `__all__` is handed to autodoc, once."""
    named = re.findall(r"\.\. auto\w+:: carrierflow\.(\w+)$", reference("api"), flags=re.MULTILINE)

    assert sorted(carrierflow.__all__) == sorted(named)


def test_every_public_name_says_what_it_is():
    """What the page shows of a name begins with a sentence."""
    for name in carrierflow.__all__:
        says = (getattr(carrierflow, name).__doc__ or "").strip()
        assert says[:1].isupper(), name
        assert "." in says or ";" in says, name


def test_the_decision_table_is_the_code_s():
    """The page shows every row, in the order in which runs look."""
    shown = [row for row in rows(reference("decision-table")) if row[0] not in {"---", "row"}]
    delivery = [[r.number, r.when, r.then] for r in TABLE]
    orders = [[r.number, r.when, r.then] for r in ORDER_TABLE]

    assert delivery == [[r[0], *r[2:]] for r in shown if len(r) == 4]
    assert orders == [r for r in shown if len(r) == 3]


def test_every_row_of_the_table_is_explained():
    """The explanation speaks of each row by its number, or of a span that holds it."""
    text = (ROOT / "docs/explanation/decision-table.md").read_text("utf-8")
    spans = re.findall(r"[Rr]ows? ([C\d]+[ab]?)(?: (?:to|and) ([C\d]+))?", text)
    numbers = [row.number for row in (*TABLE, *ORDER_TABLE)]
    told = {n for n in numbers for first, last in spans if _within(n, first, last or first)}

    assert set(numbers) == told


def _within(number, first, last):
    if number == first:
        return True
    if number[0] == "C" or not number.isdigit():
        return first[0] == "C" == number[0] and first <= number <= last
    return first.isdigit() and int(first) <= int(number) <= int(last)


def test_every_table_of_the_database_is_in_the_reference():
    """Each table has its section, which says whether its rows may change, and its columns."""
    page = reference("database")

    for table in metadata.sorted_tables:
        section = page.partition(f"### {table.name}\n")[2].partition("\n### ")[0]
        assert (table in APPEND_ONLY) == ("Append-only." in section), table.name
        assert [f"`{c.name}`" for c in table.columns] == [row[0] for row in rows(section)[2:]]


def test_of_every_column_it_is_said_what_proves_it():
    """No column can be added without a word about what stands behind it."""
    page = reference("proof-coverage")

    for table in metadata.sorted_tables:
        section = page.partition(f"## {table.name}\n")[2].partition("\n## ")[0]
        proofs = {row[0]: row[1:] for row in rows(section)[2:]}
        assert [f"`{c.name}`" for c in table.columns] == list(proofs)
        assert {strength for strength, _ in proofs.values()} <= set(ProofStrength)
        assert all(by for _, by in proofs.values())


def test_every_column_of_a_file_is_in_the_reference():
    """Each column is listed, and explained."""
    cells = [cell for row in rows(reference("file-rows")) for cell in row]

    for name in COLUMNS:
        assert 2 <= sum(f"`{name}`" in cell for cell in cells), name


def test_every_kind_of_incident_is_in_the_reference():
    """Whatever a run or a person can open, an operator finds with what to do."""
    found = {a or b for m in MODULES for a, b in KINDS.findall(m.read_text("utf-8")) if a or b}
    told = {row[0].strip("`") for row in rows(reference("incidents")) if len(row) == 5}

    assert found | {CORRECTION, AMOUNTS_DIFFER} == told - {"kind", "---"}
    assert len(found) >= 14


def test_every_way_to_resolve_is_in_the_reference():
    """The page says what each action does."""
    told = {row[0].strip("`") for row in rows(reference("incidents")) if len(row) == 2}

    assert set(ResolveAction) <= told


def test_every_log_event_is_in_the_reference():
    """The page names exactly the events that the code can log."""
    files = [*MODULES, *(ROOT / "jobs").glob("*.py")]
    logged = {
        EVENTS.search(part)[1]
        for file in files
        for part in LOGGING.split(file.read_text("utf-8"))[1:]
        if EVENTS.search(part[:200])
    }
    told = {row[0].strip("`") for row in rows(reference("log-events"))} - {"event", "---"}

    assert logged == told


def test_every_fault_is_in_the_reference():
    """The page of the sandbox lists each kind of fault."""
    page = reference("sandbox")

    assert [] == [kind for kind in FaultKind if f"`{kind}`" not in page]


def test_every_promise_is_in_the_reference():
    """Whoever breaks a promise finds it on the page, in a sentence."""
    found = {row[0].strip("`"): row[1] for row in rows(reference("platform-contract"))}

    assert {each.name for each in PROMISES} == found.keys() - {"promise", "---"}
    assert [] == [each.name for each in PROMISES if not found[each.name].endswith(".")]


def test_every_metric_is_in_the_reference():
    """Each figure that /metrics shows has its row, with its labels and what it says."""
    found = {row[0].strip("`"): row for row in rows(reference("metrics"))}

    for name, figure in FIGURES.items():
        row = found.get(f"carrierflow_{name}") or found[f"carrierflow_{name}_total"]
        assert figure.says == row[2]
        assert list(figure.labels) == re.findall(r"`(\w+)`", row[1])
