"""That the benchmarks run, and that a missed budget fails; what they measure is not tested."""

from __future__ import annotations

import json

import pytest

from .commands import BENCHMARKS, main, measured
from .measure import Spread, race, ratios
from .results import Budget, Figure
from .sizes import SMALL


def budget(low, value, high, *, limit, at_least=False):
    """Make a budget around a spread."""
    spread = Spread(low, value, high)
    return Budget(promise="p", where="here", limit=limit, spread=spread, at_least=at_least)


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_runs_on_tiny_work(name):
    """Every contestant does the whole work of every benchmark, and every figure is taken."""
    found = list(measured(name, ["sqlite"], SMALL))

    assert {Figure, Budget} == {type(each) for each in found}
    assert all(each.spread.value >= 0 for each in found)


def test_a_budget_is_met_missed_or_in_the_noise():
    """A median within the limit meets it, quartiles beyond it miss it, else nobody can tell."""
    assert "met" == budget(1.0, 1.2, 1.4, limit=1.25).verdict
    assert "noise" == budget(1.2, 1.3, 1.4, limit=1.25).verdict
    assert "missed" == budget(1.3, 1.4, 1.5, limit=1.25).verdict
    assert "met" == budget(15, 25, 30, limit=20, at_least=True).verdict
    assert "noise" == budget(15, 19, 21, limit=20, at_least=True).verdict
    assert "missed" == budget(15, 18, 19, limit=20, at_least=True).verdict


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (9.0, 1)])
def test_the_command_fails_where_a_budget_is_missed(value, code, monkeypatch, tmp_path, capsys):
    """The exit code is 1 for a missed budget; table, JSON and plot are made all the same.

    What other benchmarks measured before stays in the JSON.
    """
    spread = Spread.of([value] * 3)

    def bench(kinds, size, folder):
        yield Figure(bench="one scan", where="here", who="us", spread=spread, unit="µs")
        yield Budget(promise="cheap enough", where="here", limit=2, spread=spread)

    monkeypatch.setitem(BENCHMARKS, "recording", bench)
    files = {"--json": tmp_path / "all.json", "--plot": tmp_path / "all.svg"}
    files["--json"].write_text('{"recording": "before", "looking": "kept"}')

    with pytest.raises(SystemExit) as ended:
        main(["recording", *(str(each) for pair in files.items() for each in pair)])

    assert code == ended.value.code
    assert "cheap enough" in capsys.readouterr().out
    document = json.loads(files["--json"].read_text())
    (told,) = document["recording"]["budgets"]
    assert "kept" == document["looking"]
    assert ("missed" if code else "met") == told["verdict"]
    assert b"<svg" in files["--plot"].read_bytes()


def test_rounds_begin_with_another_contestant_each():
    """Nobody is always the first, and each ratio is taken within one round."""
    ran = []

    class Contestant:
        def __init__(self, name):
            self.name = name

        def prepare(self, number):
            return lambda: ran.append((number, self.name))

    timings = race({"a": Contestant("a"), "b": Contestant("b")}, rounds=3)

    assert [(0, "a"), (0, "b"), (1, "b"), (1, "a"), (2, "a"), (2, "b")] == ran
    assert 3 == len(timings["a"]) == len(timings["b"])
    assert ratios(timings["a"], timings["b"]).value > 0
