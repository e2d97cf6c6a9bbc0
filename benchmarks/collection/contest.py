"""Run solvers on problems with equal budgets of (f, gradient) evaluations, and write down the best value after each."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from benchmarks.collection.problem import Evaluate, Problem, Vector
from descend import minimize

Solver = Callable[[Evaluate, Vector, int], object]

NEVER = 10**9
REMEMBERED = 4
DENSE_LIMIT = 100
"""The most variables given to solvers that keep an n × n matrix: SciPy's BFGS multiplies such matrices at every step."""


class SpentError(Exception):
    """The evaluations of a run are used up."""


class Counted:
    """The function as a solver sees it: every call counts, and the best value after each is kept."""

    def __init__(self, fun_and_grad: Evaluate, budget: int) -> None:
        self.fun_and_grad = fun_and_grad
        self.budget = budget
        self.best: list[float] = []

    def __call__(self, x: Vector) -> tuple[float, Vector]:
        if len(self.best) >= self.budget:
            raise SpentError
        f, g = self.fun_and_grad(x)
        before = self.best[-1] if self.best else math.inf
        self.best.append(float(f) if f < before else before)
        return float(f), g


@dataclass(frozen=True)
class Trace:
    """One run: the best value after each evaluation, and how it went."""

    best: Vector
    seconds: float
    error: str = ""


def ours(method: str) -> Solver:
    """descend's method; no tolerance stops it before rounding does."""

    def solve(fun: Evaluate, x0: Vector, budget: int) -> object:
        return minimize(
            fun, x0, method=method, jac=True, maxiter=NEVER, maxfev=budget, gtol=1e-15, ftol=0.0
        )

    return solve


def scipys(method: str, **options: float) -> Solver:
    """SciPy's method of that name, with the options that keep its tolerances from stopping it."""

    def solve(fun: Evaluate, x0: Vector, budget: int) -> object:
        settings = {"maxiter": NEVER, **options}
        if method == "L-BFGS-B":
            settings["maxfun"] = budget
        return optimize.minimize(fun, x0, jac=True, method=method, options=settings)

    return solve


def remembering(fun: Evaluate) -> Evaluate:
    """``fun``, which is not called again at one of the last points: our own solvers remember as many."""
    known: dict[bytes, tuple[float, Vector]] = {}

    def seen(x: Vector) -> tuple[float, Vector]:
        key = x.tobytes()
        if key not in known:
            f, g = fun(x)
            known[key] = f, np.array(g)
            if len(known) > REMEMBERED:
                del known[next(iter(known))]
        f, g = known[key]
        return f, g.copy()

    return seen


def _trust_exact(fun: Evaluate, x0: Vector, _budget: int) -> object:
    """SciPy's trust region; its Hessian is made of n gradients, as that of our newton is."""

    seen = remembering(fun)

    def hessian(x: Vector) -> Vector:
        steps = math.sqrt(np.finfo(float).eps) * np.maximum(1, abs(x))
        base = seen(x)[1]
        rows = [(fun(x + h * e)[1] - base) / h for h, e in zip(steps, np.eye(x.size), strict=True)]
        dense: Vector = (np.array(rows) + np.array(rows).T) / 2
        return dense

    options = {"gtol": 1e-15, "maxiter": NEVER}
    return optimize.minimize(
        seen, x0, jac=True, hess=hessian, method="trust-exact", options=options
    )


SOLVERS: dict[str, Solver] = {
    "lbfgs": ours("lbfgs"),
    "bfgs": ours("bfgs"),
    "cg": ours("cg"),
    "cg_hz": ours("cg_hz"),
    "newton": ours("newton"),
    "newton_cg": ours("newton_cg"),
    "SciPy L-BFGS-B": scipys("L-BFGS-B", ftol=0.0, gtol=0.0),
    "SciPy BFGS": scipys("BFGS", gtol=1e-15),
    "SciPy CG": scipys("CG", gtol=1e-15),
    "SciPy Newton-CG": scipys("Newton-CG", xtol=1e-15),
    "SciPy trust-exact": _trust_exact,
}
DENSE = ("bfgs", "newton", "SciPy BFGS", "SciPy trust-exact")
RIVALS = {
    "lbfgs": "SciPy L-BFGS-B",
    "bfgs": "SciPy BFGS",
    "cg": "SciPy CG",
    "cg_hz": "SciPy CG",
    "newton": "SciPy trust-exact",
    "newton_cg": "SciPy Newton-CG",
}
"""Ours and SciPy's of the same kind."""


def budget_of(n: int) -> int:
    """Evaluations that a run may take."""
    return min(5000, math.ceil(1000 * math.sqrt(n)))


def attempt(solver: Solver, fun_and_grad: Evaluate, x0: Vector, budget: int) -> Trace:
    """Run ``solver``; a spent budget is an ordinary end, and any other error is noted."""
    counted, error = Counted(fun_and_grad, budget), ""
    started = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            solver(counted, np.array(x0), budget)
        except SpentError:
            pass
        except Exception as caught:  # noqa: BLE001  (a solver that fails has lost, no more)
            error = f"{type(caught).__name__}: {caught}"
    return Trace(np.array(counted.best), time.perf_counter() - started, error)


def play(problems: Iterable[Problem], solvers: Mapping[str, Solver]) -> dict[str, dict[str, Trace]]:
    """Let every solver run on every problem that it can take: traces by problem, then by solver."""
    return {
        p.name: {
            name: attempt(solver, p.fun_and_grad, p.x0, budget_of(p.n))
            for name, solver in solvers.items()
            if p.n <= DENSE_LIMIT or name not in DENSE
        }
        for p in problems
    }


def evaluations_to(trace: Trace, problem: Problem, tau: float) -> float:
    """Evaluations until f <= f_L + tau (f0 - f_L), Moré & Wild, SIAM J. Optim. 20 (2009); inf where it never was.

    f_L is the greatest of the known minima below which the run never went: one that ends in a local minimum that is known is measured against that.
    """
    if not trace.best.size or not math.isfinite(trace.best[0]):
        return math.inf
    end, f0 = trace.best[-1], trace.best[0]
    reached = [m for m in problem.minima if end >= m - 1e-9 * abs(m)]
    level = max(reached, default=problem.f_star)
    hits = np.flatnonzero(trace.best <= level + tau * (f0 - level))
    return float(hits[0] + 1) if hits.size else math.inf
