"""Performance and data profiles of a contest, as tables and as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.collection.contest import DENSE_LIMIT, RIVALS, Trace, evaluations_to
from benchmarks.collection.problem import Problem, Vector
from benchmarks.timing import table, time_text

TAUS = (1e-1, 1e-3, 1e-5, 1e-7)
BUDGETS = (50, 200, 1000, 5000)
Traces = dict[str, dict[str, Trace]]
Counts = dict[str, dict[str, float]]


def counts(traces: Traces, problems: Sequence[Problem], tau: float) -> Counts:
    """Evaluations to the test of Moré and Wild, by problem and solver."""
    known = {p.name: p for p in problems}
    return {
        name: {solver: evaluations_to(trace, known[name], tau) for solver, trace in runs.items()}
        for name, runs in traces.items()
    }


def solved_table(traces: Traces, problems: Sequence[Problem]) -> str:
    """How many problems each solver solved, per tau within its whole budget, and per budget at tau = 1e-5."""
    by_tau = {tau: counts(traces, problems, tau) for tau in TAUS}
    solvers = max(traces.values(), key=len)
    rows = []
    for solver in solvers:
        runs = [name for name in traces if solver in traces[name]]
        ends = [sum(math.isfinite(by_tau[tau][p][solver]) for p in runs) for tau in TAUS]
        within = [sum(by_tau[1e-5][p][solver] <= b for p in runs) for b in BUDGETS]
        rows.append((solver, str(len(runs)), *map(str, ends), *map(str, within)))
    head = (
        "solver",
        "problems",
        *(f"τ = {tau:.0e}" for tau in TAUS),
        *(f"1e-05 in {b}" for b in BUDGETS),
    )
    return table(head, rows)


def duels(traces: Traces, problems: Sequence[Problem]) -> dict[str, list[tuple[str, ...]]]:
    """Rows of two tables, by who is ahead: where the evaluations differ by more than half and ten, or only one solves.

    A row has ours, the problem, and for each tau but the first "ours : SciPy's", empty where they do not differ so much.
    """
    by_tau = [counts(traces, problems, tau) for tau in TAUS[1:]]
    rows: dict[str, list[tuple[str, ...]]] = {"SciPy": [], "descend": []}
    for mine, theirs in RIVALS.items():
        for p in problems:
            runs = [c[p.name] for c in by_tau if mine in c[p.name] and theirs in c[p.name]]
            pairs = [(c[mine], c[theirs]) for c in runs]
            for ahead, behind in (("SciPy", pairs), ("descend", [(b, a) for a, b in pairs])):
                if any(_far(a, b) for a, b in behind):
                    cells = (f"{_count(a)} : {_count(b)}" for a, b in pairs)
                    marks = (_far(a, b) for a, b in behind)
                    shown = (c if m else "" for c, m in zip(cells, marks, strict=True))
                    rows[ahead].append((mine, p.name, *shown))
    return rows


def _far(slow: float, quick: float) -> bool:
    return slow > 1.5 * quick and slow - quick >= 10


def _count(evaluations: float) -> str:
    return f"{evaluations:.0f}" if math.isfinite(evaluations) else "never"


def ratios_table(traces: Traces, problems: Sequence[Problem]) -> str:
    """Ours against SciPy's of the same kind, on the problems that both solve: the geometric mean of the ratio."""
    rows = []
    for mine, theirs in RIVALS.items():
        row = [mine, theirs]
        for tau in TAUS[1:]:
            pairs = [
                (c[mine], c[theirs])
                for c in counts(traces, problems, tau).values()
                if mine in c and theirs in c
            ]
            both = [(a, b) for a, b in pairs if math.isfinite(a + b)]
            only = (
                sum(a < b == math.inf for a, b in pairs),
                sum(b < a == math.inf for a, b in pairs),
            )
            mean = math.exp(np.mean([math.log(a / b) for a, b in both])) if both else math.nan
            row.append(f"{mean:.2f} ({only[0]} : {only[1]})")
        rows.append(tuple(row))
    return table(("descend", "SciPy", *(f"τ = {tau:.0e}" for tau in TAUS[1:])), rows)


def behind_table(traces: Traces, problems: Sequence[Problem]) -> str:
    """Every budget up to the largest: at which of them ours solves fewer problems than SciPy's, and by how many at most."""
    rows = []
    for mine, theirs in RIVALS.items():
        row = [mine, theirs]
        for tau in TAUS[1:]:
            runs = [c for c in counts(traces, problems, tau).values() if mine in c and theirs in c]
            budgets = np.arange(1, BUDGETS[-1] + 1)
            solved = [
                np.searchsorted(np.sort([c[solver] for c in runs]), budgets, side="right")
                for solver in (mine, theirs)
            ]
            fewer = solved[1] - solved[0]
            at = budgets[fewer > 0]
            row.append(f"{at.size}, to {at[-1]}; by {fewer.max()}" if at.size else "none")
        rows.append(tuple(row))
    return table(("descend", "SciPy", *(f"τ = {tau:.0e}" for tau in TAUS[1:])), rows)


def seconds_table(traces: Traces) -> str:
    """Seconds that each solver took in all, the function included."""
    solvers = max(traces.values(), key=len)
    rows = []
    for solver in solvers:
        runs = [trace[solver] for trace in traces.values() if solver in trace]
        evaluations = sum(run.best.size for run in runs)
        seconds = sum(run.seconds for run in runs)
        each = time_text(seconds / evaluations)
        errors = sum(bool(run.error) for run in runs)
        rows.append((solver, f"{evaluations}", f"{seconds:.1f} s", each, f"{errors}"))
    return table(("solver", "evaluations", "seconds", "an evaluation", "errors raised"), rows)


def picture(traces: Traces, problems: Sequence[Problem], path: Path) -> None:
    """Draw, on the problems that every solver took, performance profiles over data profiles for three τ."""
    from matplotlib.figure import Figure

    small = [p for p in problems if p.n <= DENSE_LIMIT]
    shown = {p.name: traces[p.name] for p in small}
    figure = Figure(figsize=(13, 8), layout="constrained")
    axes = figure.subplots(2, 3, sharey=True)
    for column, tau in enumerate((1e-3, 1e-5, 1e-7)):
        by_problem = counts(shown, small, tau)
        solvers = next(iter(by_problem.values()))
        matrix = np.array([[c[s] for s in solvers] for c in by_problem.values()])
        sizes = np.array([[p.n + 1] for p in small])
        least = matrix.min(axis=1, keepdims=True)
        ratios = np.where(np.isfinite(matrix), matrix / least, np.inf)
        _curves(axes[0, column], ratios, list(solvers))
        _curves(axes[1, column], matrix / sizes, list(solvers))
        axes[0, column].set(
            title=f"τ = {tau:.0e}", xlim=(1, 32), xlabel="evaluations ÷ the least of all solvers"
        )
        axes[1, column].set(xlim=(0.1, 300), xlabel="evaluations ÷ (n + 1)")
    for row in axes:
        row[0].set_ylabel("share of problems solved")
    axes[1, 2].legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110)


def _curves(axes: Any, costs: Vector, solvers: list[str]) -> None:
    colours: dict[str, str] = {}
    for k, solver in enumerate(solvers):
        theirs = solver.startswith("SciPy")
        partner = next((m for m, t in RIVALS.items() if t == solver), solver)
        colours.setdefault(partner, f"C{k}")
        reached = np.sort(costs[:, k][np.isfinite(costs[:, k])])
        x = np.concatenate(([1e-3], reached, [1e9]))
        y = np.concatenate(([0], np.arange(1, reached.size + 1), [reached.size])) / len(costs)
        style = "--" if theirs else "-"
        axes.step(x, y, style, where="post", color=colours[partner], label=solver, linewidth=1.5)
    axes.set(xscale="log", ylim=(0, 1.02))
    axes.grid(alpha=0.3)
