"""The results as tables on a terminal."""

from __future__ import annotations

from rich.table import Table

from .results import MET, MISSED, NOISE


__all__ = ["budget_table", "figure_tables", "number"]

STYLES = {MET: "green", NOISE: "yellow", MISSED: "bold red"}


def figure_tables(figures):
    """Return one table per benchmark: who down, where across."""
    benches = dict.fromkeys(figure.bench for figure in figures)
    return [_table(bench, [f for f in figures if f.bench == bench]) for bench in benches]


def _table(bench, figures):
    places = list(dict.fromkeys(figure.where for figure in figures))
    cells = {(f.who, f.where): _cell(f.spread.value, f.unit) for f in figures}
    table = Table(title=bench, title_justify="left")
    table.add_column("")
    for place in places:
        table.add_column(place, justify="right")
    for who in dict.fromkeys(figure.who for figure in figures):
        table.add_row(who, *(cells.get((who, place), "-") for place in places))
    return table


def budget_table(budgets):
    """Return the promises beside what was measured."""
    table = Table(title="budgets", title_justify="left")
    for name in ("promise", "where", "limit", "measured", "quartiles", ""):
        table.add_column(name, justify="right" if name in {"limit", "measured"} else "left")
    for budget in budgets:
        spread, unit = budget.spread, budget.unit
        table.add_row(
            budget.promise,
            budget.where,
            f"{'≥' if budget.at_least else '≤'} {_cell(budget.limit, unit)}",
            _cell(spread.value, unit),
            f"{number(spread.low)} … {number(spread.high)}",
            f"[{STYLES[budget.verdict]}]{budget.verdict}[/]",
        )
    return table


def _cell(value, unit):
    return f"{number(value)} {unit}"


def number(value):
    """Write a number with three figures that count, thousands apart."""
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"
