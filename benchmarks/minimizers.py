"""Methods against SciPy's: evaluations on a collection of problems, certified fits, and what an iteration costs."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.collection import PROBLEMS, fitting, overhead
from benchmarks.collection.contest import DENSE, DENSE_LIMIT, SOLVERS, play
from benchmarks.collection.profiles import (
    BUDGETS,
    TAUS,
    behind_table,
    duels,
    picture,
    ratios_table,
    seconds_table,
    solved_table,
)
from benchmarks.timing import machine, table

PICTURE = "minimizers-profiles.png"


def run() -> str:
    """The text of the page, and the picture beside it."""
    problems = list(PROBLEMS.values())
    started = time.perf_counter()
    traces = play(problems, SOLVERS)
    took = time.perf_counter() - started
    picture(traces, problems, Path(__file__).parents[1] / "docs" / PICTURE)
    many = sum(p.n > DENSE_LIMIT for p in problems)
    sections = [
        f"{machine('numpy', 'scipy', 'torch', 'numba')}, on one core; the runs of the contest took {took:.0f} s.",
        (
            f"{len(problems)} unconstrained problems of {min(p.n for p in problems)} to {max(p.n for p in problems)} variables "
            "(`benchmarks/collection`: Moré, Garbow & Hillstrom, and CUTEst), from their standard starts, all solvers with exact gradients. "
            "Every evaluation of f with its gradient counts, those that make a Hessian or its product by differences too; the budget is "
            "1000 √n, at most 5000. Tolerances are so tight that the path is compared, not the stopping. A problem is solved at the first "
            "evaluation with f ≤ f_L + τ (f(x₀) − f_L) (Moré & Wild 2009), f_L being the least value known; a run that ends in another "
            f"minimum that is known is measured against that. {', '.join(DENSE)} sit out the {many} problems of more than {DENSE_LIMIT} "
            "variables."
        ),
        "### Problems solved",
        solved_table(traces, problems),
        "### Evaluations, descend ÷ SciPy",
        (
            "The geometric mean over the problems that both solve: below 1, descend needs fewer. In brackets: problems that only descend "
            "solves : that only SciPy solves."
        ),
        ratios_table(traces, problems),
        "### Budgets at which SciPy's solves more",
        (
            f"Of the budgets of 1, 2, … {BUDGETS[-1]} evaluations: at how many SciPy's solver of the same kind solves more problems, which is the "
            "largest of them, and how many problems it is ahead there at most."
        ),
        behind_table(traces, problems),
        f"![Performance profiles (above) and data profiles (below)]({PICTURE})",
        "### Where they differ",
        "Problems on which one needs more than 1.5 times the evaluations of the other, and at least ten more, or does not solve at all: descend : SciPy.",
        *(_differences(rows, better) for better, rows in duels(traces, problems).items()),
        "### Certified fits",
        (
            "Nonlinear fits of the NIST Statistical Reference Datasets, thirteen from two starts each: BFGS and L-BFGS as they come, all "
            "settings at their defaults, f being the sum of squares. `scale=None` turns descend's own units off."
        ),
        fitting.run(),
        "### An iteration beyond the function",
        (
            "L-BFGS with ten pairs on a quadratic of two NumPy calls, without bounds and in a box on which every other variable ends; the "
            "time of the evaluations, measured alone, is subtracted. An iteration is one between the tenth and the fortieth, when the "
            "variables on bounds hardly change any more; while they do it costs more, as a call of ten shows."
        ),
        overhead.lbfgs(),
        (
            "Adam, 2000 steps on the extended Rosenbrock function in float64, one thread; all loops end at the same x. The function alone "
            "is f with its gradient (by hand in torch: the gradient), called as often at one point. `descend.minimize` keeps the history, "
            "the best point and every stopping test; a torch loop keeps nothing."
        ),
        overhead.adam(),
        "### Wall time of the contest",
        seconds_table(traces),
    ]
    return "\n\n".join(sections)


def _differences(rows: list[tuple[str, ...]], better: str) -> str:
    worse = "descend" if better == "SciPy" else "SciPy"
    text = table(("method", "problem", *(f"τ = {tau:.0e}" for tau in TAUS[1:])), rows)
    return f"#### {better} is ahead of {worse}: {len(rows)}\n\n{text}"


if __name__ == "__main__":
    print(run())
