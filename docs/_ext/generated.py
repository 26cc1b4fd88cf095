"""Fills the generated parts of the reference from the code, whenever the pages are built.

A page says `<!-- generated: NAME -->` where the text of one of the `PARTS` belongs. Pages that
say so are read anew by every build, so that they cannot grow stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import click
from prometheus_client.core import CounterMetricFamily
from pydantic import SecretStr

import carrierflow
from carrierflow import errors
from carrierflow.app.settings import Settings
from carrierflow.audit.verify.proof_coverage import column_proofs
from carrierflow.carrier_service import ROUTES, Result
from carrierflow.cli import cli
from carrierflow.domain import limits
from carrierflow.domain.incident_kinds import ACTIONS, KINDS
from carrierflow.domain.lifecycle import DEFAULT, GROUPS, LABELS, as_mermaid, as_rows, define
from carrierflow.domain.model import Reason, Status
from carrierflow.errors import CarrierflowError
from carrierflow.ledger.files.fields import COLUMNS, REQUIRED
from carrierflow.platforms.haravan.spelling import CALLBACK_WORDS, DATE_FIELDS, PUT_SEGMENTS
from carrierflow.platforms.profile import Feature, ShopOption
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE
from carrierflow.reconcile.projection import Projection
from carrierflow.reconcile.run_report import EndReason
from carrierflow.sandbox.haravan import FaultKind
from carrierflow.storage.tables import APPEND_ONLY, metadata
from carrierflow.testing.contract import PROMISES
from carrierflow.web.figures import FIGURES


if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


__all__ = ["MARK", "PARTS", "commands", "fill", "setup"]

REFUSED = "refused, with a sentence"
CUT = "cut, with an … at its end"

LIMITS = (
    ("shop codes, ids and carrier codes of a platform", limits.ID, REFUSED),
    ("idempotency keys, external codes", limits.KEY, REFUSED),
    ("actors, owners of incidents", limits.ACTOR, REFUSED),
    ("reasons that a person or a program gives", limits.REASON, REFUSED),
    ("reasons that a platform or the carrier's own code answers", limits.REASON, CUT),
    ("notes", limits.NOTE, REFUSED),
    ("tracking numbers", limits.TRACKING_NUMBER, REFUSED),
    ("base URLs, tracking URLs", limits.URL, REFUSED),
    ("tokens, refresh tokens; printable ASCII", limits.TOKEN, REFUSED),
    ("status words of a platform", limits.WORD, CUT),
    ("times of a platform, as printed", limits.WORD, "an unreadable row"),
    ("scopes that a shop granted, all together", limits.SCOPES, "the last are left out"),
    ("sentences of incidents", limits.SENTENCE, CUT),
    ("names of files", limits.FILE_NAME, CUT),
    ("topics of webhooks", limits.TOPIC, "kept as `unknown`"),
    ("words of ours, names of anchors", limits.CODE, "none is longer"),
    ("amounts of money, in đồng", limits.MOST_CASH, REFUSED),
)
"""What has a limit, how much of it there is room for, and what becomes of more."""

MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", flags=re.MULTILINE)


def fill(page: str) -> str:
    """Put the generated parts into the text of a page; an unknown name is a `KeyError`."""
    return MARK.sub(lambda mark: PARTS[mark[1]](), page)


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command that does something, by its full name."""
    yield from _commands_below(cli, click.Context(cli, info_name="carrierflow", **_settings(cli)))


def _commands_below(
    command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    if not isinstance(command, click.Group):
        yield context.command_path, command, context
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None:
            below = click.Context(found, info_name=name, parent=context, **_settings(found))
            yield from _commands_below(found, below)


def _settings(command: click.Command) -> dict[str, Any]:
    return dict(command.context_settings)


def _commands_page() -> str:
    parts = [_common_options()]
    for name, command, context in commands():
        text, _, example = (command.help or "").partition("\n\n\b\nExample:\n")
        arguments = " ".join(command.collect_usage_pieces(context))
        parts += [
            f"## {name}",
            f"```text\n{name} {arguments}\n```",
            text,
            f"```sh\n{example.strip()}\n```" if example else "",
            _options(command, context),
        ]
    return "\n\n".join(part for part in parts if part)


def _common_options() -> str:
    context = click.Context(cli, info_name="carrierflow", **_settings(cli))
    return "## Options of every command\n\nThey stand before the command.\n\n" + _options(
        cli, context
    )


def _options(command: click.Command, context: click.Context) -> str:
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    rows = [_option(option) for option in options if "--help" not in option.opts]
    return _table(("option", "variable", "meaning"), rows)


def _option(option: click.Option) -> tuple[str, str, str]:
    variables = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    variable = ", ".join(f"`{name}`" for name in variables)
    names = ", ".join(f"`{name}`" for name in option.opts)
    if isinstance(option.type, click.Choice):
        names += f" `{'|'.join(option.type.choices)}`"
    meaning = option.help or ""
    if option.required:
        meaning += " Required."
    if option.show_default and option.default not in {None, False}:
        meaning += f" Default: `{option.default}`."
    return names, variable, meaning


def _settings_page() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, tuple) and default:
            default = ", ".join(default)
        if isinstance(default, SecretStr) or default is None or default == ():
            shown = "none"
        else:
            shown = f"`{str(default).lower() if isinstance(default, bool) else default}`"
        rows.append((f"`{name}`", f"`CARRIERFLOW_{name.upper()}`", shown, field.description or ""))
    return _table(("key", "variable", "default", "meaning"), rows)


def _errors_page() -> str:
    return "\n\n".join(_error(kind, 0) for kind in [CarrierflowError])


def _error(kind: type[Exception], depth: int) -> str:
    says = (kind.__doc__ or "").strip().splitlines()[0]
    line = f"{'  ' * depth}- `{kind.__name__}`: {says}"
    below = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    return "\n".join([line, *(_error(each, depth + 1) for each in below)])


def _decision_table() -> str:
    rows = [
        (row.number, " and ".join(sorted(row.machines, reverse=True)), row.when, row.then)
        for row in TABLE
    ]
    return _table(("row", "machine", "when", "then"), rows)


def _order_table() -> str:
    return _table(
        ("row", "when", "then"), [(row.number, row.when, row.then) for row in ORDER_TABLE]
    )


def _statuses() -> str:
    rows = [
        (
            f"`{status}`",
            str(status.machine),
            LABELS[status].en,
            LABELS[status].vi,
            "yes" if status in DEFAULT.machine(status.machine).final else "",
        )
        for status in Status
    ]
    return _table(("status", "machine", "English", "Vietnamese", "final"), rows)


def _steps() -> str:
    rows = [
        (str(row.machine), f"`{row.from_status}`", f"`{row.to_status}`", row.group)
        for row in as_rows(define(GROUPS))
    ]
    return _table(("machine", "from", "to", "group"), rows)


def _couplings() -> str:
    return "\n".join(
        f"- `{c.status}` needs `{c.needs}`"
        + (", and is recorded together with it" if c.follows else "")
        + "."
        for c in DEFAULT.couplings
    )


def _diagram() -> str:
    return f"```text\n{as_mermaid(DEFAULT)}```"


def _definition_id() -> str:
    return f"The id of the default definition is\n`{DEFAULT.id}`."


def _tables() -> str:
    return "\n\n".join(_database_table(table) for table in metadata.sorted_tables)


def _database_table(table: Any) -> str:
    kind = "Append-only." if table in APPEND_ONLY else "Rows are changed in place."
    rows = [
        (
            f"`{column.name}`",
            str(column.type.compile() if hasattr(column.type, "compile") else column.type),
            "key" if column.primary_key else "" if column.nullable else "not null",
            ", ".join(f"`{key.target_fullname}`" for key in column.foreign_keys),
        )
        for column in table.columns
    ]
    return f"### {table.name}\n\n{kind}\n\n" + _table(("column", "type", "", "refers to"), rows)


def _calls() -> str:
    rows = [
        (f"`{route.call}`", ", ".join(route.methods), f"`{route.template}`") for route in ROUTES
    ]
    return _table(("call", "method", "path"), rows)


def _hint_paths() -> str:
    made = [(it, it.hints([])) for it in PLATFORMS.values() if it.hints is not None]
    rows = [
        (it.title, ", ".join(d.route.methods), f"`{d.mounted_at}{d.route.template}`")
        for it, d in made
    ]
    return _table(("platform", "method", "path"), rows)


def _proof_coverage() -> str:
    parts = []
    for table, columns in groupby(column_proofs(), key=attrgetter("table")):
        rows = [(f"`{each.column}`", str(each.strength), each.by) for each in columns]
        parts.append(f"## carrierflow_{table}\n\n" + _table(("column", "proof", "by"), rows))
    return "\n\n".join(parts)


def _limits() -> str:
    rows = [(what, f"{longest:,}", beyond) for what, longest, beyond in LIMITS]
    return _table(("what", "at most", "beyond that"), rows)


def _append_only() -> str:
    return "\n".join(f"- `{table.name}`" for table in APPEND_ONLY)


def _metrics() -> str:
    rows = [
        (
            f"`carrierflow_{name}{'_total' if figure.kind is CounterMetricFamily else ''}`",
            ", ".join(f"`{label}`" for label in figure.labels),
            figure.says,
        )
        for name, figure in FIGURES.items()
    ]
    return _table(("figure", "labels", "says"), rows)


def _incidents() -> str:
    rows = [
        (f"`{name}`", kind.rows, kind.freezes, kind.means, kind.to_do)
        for name, kind in KINDS.items()
    ]
    return _table(("kind", "row", "freezes", "means", "what to do"), rows)


def _incident_ends() -> str:
    rows = [
        (f"`{name}`", kind.ends, kind.meanwhile, ", ".join(f"`{each}`" for each in kind.actions))
        for name, kind in KINDS.items()
    ]
    return _table(("kind", "closes by itself when", "until then", "decisions that fit"), rows)


def _incident_actions() -> str:
    return _table(("action", "does"), [(f"`{name}`", does) for name, does in ACTIONS.items()])


def _columns() -> str:
    rows = [(f"`{name}`", "yes" if name in REQUIRED else "") for name in COLUMNS]
    return _table(("column", "required"), rows)


def _spellings() -> str:
    rows = [
        (
            f"`{status}`",
            *(
                f"`{table[status]}`" if status in table else "none"
                for table in (PUT_SEGMENTS, CALLBACK_WORDS, DATE_FIELDS)
            ),
        )
        for status in Status
    ]
    return _table(("code", "segment of the PUT", "callback word", "date field"), rows)


def _platforms() -> str:
    profiles = list(PLATFORMS.values())
    rows = [
        ("leads", *(str(each.projection.leader) for each in profiles)),
        ("is told", *(_told(each.projection) for each in profiles)),
        ("never taken back", *(_told(each.projection, one_way=True) for each in profiles)),
        *(
            (
                f"`{status}` is shown as",
                *(f"`{each.projection.shows(status)}`" for each in profiles),
            )
            for status in Status
        ),
        *((str(feature), *(_yes(feature in p.features) for p in profiles)) for feature in Feature),
        *((f"`{name}`", *(each.defaults.get(name, "") for each in profiles)) for name in _chosen()),
    ]
    return _table(("", *(each.title for each in profiles)), rows)


def _told(projection: Projection, *, one_way: bool = False) -> str:
    names = [it.name for it in projection.writes if it.one_way or not one_way]
    return ", ".join(f"`{name}`" for name in names)


def _chosen() -> list[str]:
    return list(dict.fromkeys(name for each in PLATFORMS.values() for name in each.options))


def _yes(value: object) -> str:
    return "yes" if value else ""


def _choices() -> str:
    every = {name: it for each in PLATFORMS.values() for name, it in each.options.items()}
    return _table(
        ("choice", "may be", "means"),
        [(f"`{name}`", _range(option), option.says) for name, option in every.items()],
    )


def _range(option: ShopOption) -> str:
    words = ", ".join(f"`{word}`" for word in option.words)
    return words or f"{option.least:g} to {option.most:g}"


def _promises() -> str:
    rows = [
        (f"`{each.name}`", " ".join(each.says.split()), "yes" if each.slow else "")
        for each in PROMISES
    ]
    return _table(("promise", "says", "slow"), rows)


def _bullets(words: Iterable[str]) -> str:
    return "\n".join(f"- `{word}`" for word in words)


def _names(kind: str) -> str:
    """Hand the public names of one kind to autodoc."""
    found = [name for name in carrierflow.__all__ if _kind(name) == kind]
    return "```{eval-rst}\n" + "\n".join(_directive(name, kind) for name in found) + "```"


def _kind(name: str) -> str:
    it = getattr(carrierflow, name)
    if not isinstance(it, type):
        return "function"
    return "exception" if issubclass(it, Exception) else "class"


def _directive(name: str, kind: str) -> str:
    lines = [f".. auto{kind}:: carrierflow.{name}"]
    if kind == "class":
        lines += ["   :members:", "   :undoc-members:"]
        lines += ["   :exclude-members: model_config"] if name == "Settings" else []
    return "\n".join([*lines, "", ""])


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


PARTS = {
    "append-only": _append_only,
    "calls": _calls,
    "classes": lambda: _names("class"),
    "columns": _columns,
    "commands": _commands_page,
    "couplings": _couplings,
    "decision-table": _decision_table,
    "definition-id": _definition_id,
    "diagram": _diagram,
    "end-reasons": lambda: _bullets(EndReason),
    "errors": _errors_page,
    "exceptions": lambda: _names("exception"),
    "faults": lambda: _bullets(FaultKind),
    "hints": _hint_paths,
    "incident-actions": _incident_actions,
    "incident-ends": _incident_ends,
    "incidents": _incidents,
    "functions": lambda: _names("function"),
    "limits": _limits,
    "proof-coverage": _proof_coverage,
    "metrics": _metrics,
    "order-table": _order_table,
    "platforms": _platforms,
    "choices": _choices,
    "promises": _promises,
    "reasons": lambda: _bullets(Reason),
    "results": lambda: _bullets(Result),
    "settings": _settings_page,
    "spellings": _spellings,
    "statuses": _statuses,
    "steps": _steps,
    "tables": _tables,
}
"""What each name on a page stands for."""


def _on_source(_app: Sphinx, _name: str, source: list[str]) -> None:
    source[0] = fill(source[0])


def _on_outdated(
    _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    return [name for name in env.found_docs if MARK.search(env.doc2path(name).read_text("utf-8"))]


def _on_docstring(
    _app: Sphinx, _what: str, _name: str, _it: object, _options: object, lines: list[str]
) -> None:
    """Let single backticks be code, as in Markdown: that is how our docstrings are written."""
    lines[:] = [re.sub(r"(?<![`:])`([^`]+)`(?!`)", r"``\1``", line) for line in lines]


ASIDE: dict[str, list[str]] = {}
"""What is said of fields and properties, while Napoleon looks at the other docstrings."""


def _set_aside(_app: Sphinx, what: str, name: str, _of: object, _how: object, lines: Any) -> None:
    """Keep what is said of a field whole: Napoleon would take a colon in it for a type's end."""
    if what in {"attribute", "data", "property"} and not any(line.endswith(":") for line in lines):
        ASIDE[name] = list(lines)


def _put_back(_app: Sphinx, _what: str, name: str, _of: object, _how: object, lines: Any) -> None:
    if name in ASIDE:
        lines[:] = ASIDE.pop(name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _on_source)
    app.connect("env-get-outdated", _on_outdated)
    app.connect("autodoc-process-docstring", _on_docstring, priority=400)
    app.connect("autodoc-process-docstring", _set_aside, priority=410)
    app.connect("autodoc-process-docstring", _put_back, priority=590)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
