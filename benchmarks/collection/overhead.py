"""What an iteration costs beyond the function: ours against SciPy's L-BFGS-B and against a loop over torch.optim.Adam."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import optimize

from benchmarks.collection.problem import PROBLEMS, Evaluate, Vector
from benchmarks.timing import seconds_of, table, time_text
from descend import Stepper, minimize
from descend import adam as adam_rule
from descend._minimize.whole_loop import COMPILE_AFTER

STEPS = 2000
COMPILED_STEPS = 100_000
"""Of the loop compiled as a whole, so short that none is at the minimum before."""
LR = 1e-3


def quadratic(n: int) -> tuple[Evaluate, Vector]:
    """A quadratic whose curvatures spread over eight decades: two NumPy calls, and hundreds of iterations to its minimum."""
    curvature = np.geomspace(1, 1e8, n)

    def fun_and_grad(x: Vector) -> tuple[Any, Vector]:
        g = curvature * x
        return x @ g / 2, g

    return fun_and_grad, np.ones(n)


def box(n: int) -> optimize.Bounds:
    """A box in which every other variable of the quadratic ends on its bound."""
    return optimize.Bounds(np.where(np.arange(n) % 2, -1.0, 0.1), np.full(n, 2.0))


def lbfgs() -> str:
    """A table: time per iteration between the tenth and the fortieth, less that of the evaluations in between."""
    rows = []
    for n, bounds in [(n, b) for b in (None, box) for n in (10, 1000, 100_000)]:
        fun, x0 = quadratic(n)
        inside = None if bounds is None else bounds(n)
        repeats = 3 if n > 10_000 else 30
        calls: dict[str, Callable[[], object]] = {"function": lambda fun=fun, x0=x0: fun(x0)}
        spent = {}
        for solver in ("descend", "SciPy"):
            for last in (10, 40):
                solve = _to_iteration(solver, fun, x0, inside, last)
                spent[solver, last] = solve()
                calls[f"{solver} {last}"] = solve
        took = _fastest(calls, rounds=7, repeats=repeats)
        cost = {s: _per_iteration(took, spent, s) for s in ("descend", "SciPy")}
        rows.append(
            (
                str(n),
                "no" if bounds is None else "yes",
                time_text(took["function"]),
                *(time_text(cost[s]) for s in cost),
                f"{cost['SciPy'] / cost['descend']:.2f}",
                *(time_text(took[f"{s} 10"]) for s in cost),
            )
        )
    head = (
        "n",
        "bounds",
        "one evaluation",
        "descend, an iteration",
        "SciPy, an iteration",
        "SciPy ÷ descend",
        "descend, a call of 10",
        "SciPy, a call of 10",
    )
    return table(head, rows)


def _fastest(
    calls: Mapping[str, Callable[[], object]], rounds: int, repeats: int
) -> dict[str, float]:
    """The least time of each call, all in turn: differences of medians drown in what else a machine does."""
    least = dict.fromkeys(calls, math.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            least[name] = min(least[name], *seconds_of(call, repeats))
    return least


def _to_iteration(
    solver: str, fun: Evaluate, x0: Vector, bounds: optimize.Bounds | None, last: int
) -> Callable[[], Any]:
    settings: dict[str, Any] = {
        "jac": True,
        "bounds": bounds,
        "options": {"maxiter": last, "gtol": 0.0, "ftol": 0.0},
    }

    def ours() -> Any:
        return minimize(fun, x0, method="lbfgs", **settings)

    def scipys() -> Any:
        return optimize.minimize(fun, x0, method="L-BFGS-B", **settings)

    return ours if solver == "descend" else scipys


def _per_iteration(took: dict[str, float], spent: dict[tuple[str, int], Any], solver: str) -> float:
    first, last = spent[solver, 10], spent[solver, 40]
    seconds = took[f"{solver} 40"] - took[f"{solver} 10"]
    return (seconds - took["function"] * (last.nfev - first.nfev)) / (last.nit - first.nit)


def adam() -> str:
    """A table: what a step of Adam on the extended Rosenbrock function costs, with the function and beyond it."""
    import torch

    torch.set_num_threads(1)
    rows = []
    for n in (2, 10, 1000):
        x0 = np.tile([-1.2, 1.0], n // 2)
        loops = _loops(x0)
        ends = {name: np.asarray(loop()) for name, (loop, _) in loops.items()}
        for name, end in ends.items():
            # two thousand steps, formulas in another order
            if not np.allclose(end, ends["torch loop, autograd"], rtol=1e-6, atol=1e-8):
                raise AssertionError(f"{name} went elsewhere")
        calls = {(name, i): call for name, both in loops.items() for i, call in enumerate(both)}
        took = {key: s / STEPS for key, s in _fastest(calls, rounds=5, repeats=2).items()}
        beyond = {name: took[name, 0] - took[name, 1] for name in loops}
        least = beyond["descend.minimize"]
        rows += [
            (
                str(n),
                name,
                *map(time_text, (took[name, 0], took[name, 1], beyond[name])),
                f"{beyond[name] / least:.1f}",
            )
            for name in loops
        ]
        step = _compiled_step(x0)
        rows.append((str(n), "descend.minimize, compiled function", time_text(step), "", "", ""))
    head = ("n", "loop", "a step", "its function alone", "beyond it", "÷ descend.minimize's")
    return table(head, rows)


Loop = Callable[[], Any]


def _loops(x0: Vector) -> dict[str, tuple[Loop, Loop]]:
    """So many steps of each loop, and so many calls of its function alone."""
    import torch

    def again(call: Callable[[], object]) -> Loop:
        def many() -> None:
            for _ in range(STEPS):
                call()

        return many

    x = torch.tensor(x0, requires_grad=True)

    def by_hand() -> None:
        with torch.no_grad():
            _fill_gradient(x)

    def autograd() -> None:
        x.grad = None
        _rosenbrock(x).backward()

    numpy_alone = again(lambda: _numpy_rosenbrock(x0))
    return {
        "descend.minimize": (lambda: _ours(_numpy_rosenbrock, x0), numpy_alone),
        "descend.Stepper in a loop": (lambda: _stepped(x0), numpy_alone),
        "torch loop, gradient by hand": (lambda: _torch(x0, by_hand=True), again(by_hand)),
        "torch loop, autograd": (lambda: _torch(x0, by_hand=False), again(autograd)),
    }


def _compiled_step(x0: Vector) -> float:
    """Seconds a step where the loop is one compiled function: compiled before, and checked against the ordinary one."""
    _ours(_compiled(), x0, COMPILE_AFTER + 1)
    ends = [_ours(fun, x0, STEPS) for fun in (_compiled(), _numpy_rosenbrock)]
    # two thousand steps, formulas in another order
    if not np.allclose(*ends, rtol=1e-6, atol=1e-8):
        raise AssertionError("the compiled loop went elsewhere")
    calls = {"loop": lambda: _ours(_compiled(), x0, COMPILED_STEPS, lr=LR / 100)}
    return _fastest(calls, rounds=5, repeats=2)["loop"] / COMPILED_STEPS


def _stepped(x0: Vector) -> Vector:
    x = x0.copy()
    stepper = Stepper(adam_rule(lr=LR), x)
    for _ in range(STEPS):
        _, g = _numpy_rosenbrock(x)
        stepper.step(g)
    return x


def _numpy_rosenbrock(x: Vector) -> tuple[Any, Vector]:
    return PROBLEMS["extended_rosenbrock_100"].fun_and_grad(x)


def _compiled() -> Callable[[Vector], tuple[float, Vector]]:
    if not _COMPILED:
        import numba

        @numba.njit
        def rosenbrock(x: Vector) -> tuple[float, Vector]:
            f, g = 0.0, np.empty_like(x)
            for i in range(0, x.size, 2):
                p, q = x[i + 1] - x[i] ** 2, 1 - x[i]
                f += 100 * p**2 + q**2
                g[i], g[i + 1] = -400 * x[i] * p - 2 * q, 200 * p
            return f, g

        _COMPILED.append(rosenbrock)
    return _COMPILED[0]


_COMPILED: list[Callable[[Vector], tuple[float, Vector]]] = []


def _ours(fun: Evaluate, x0: Vector, steps: int = STEPS, lr: float = LR) -> Vector:
    """Run so many steps and no fewer: a run that stopped early, or did not move, would look fast."""
    result = minimize(fun, x0, method=adam_rule(lr=lr), jac=True, maxiter=steps, gtol=0.0)
    if result.nit != steps or np.array_equal(result.x, x0):
        raise AssertionError(f"{result.nit} steps instead of {steps}: {result.message}")
    end: Vector = result.x
    return end


def _torch(x0: Vector, *, by_hand: bool) -> Vector:
    import torch

    x = torch.tensor(x0, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=LR)
    for _ in range(STEPS):
        if by_hand:
            with torch.no_grad():
                _fill_gradient(x)
        else:
            optimizer.zero_grad()
            _rosenbrock(x).backward()
        optimizer.step()
    return x.detach().numpy()


def _rosenbrock(x: Any) -> Any:
    a, b = x[::2], x[1::2]
    return 100 * ((b - a**2) ** 2).sum() + ((1 - a) ** 2).sum()


def _fill_gradient(x: Any) -> None:
    import torch

    a, b = x[::2], x[1::2]
    p, q = b - a * a, 1 - a
    if x.grad is None:
        x.grad = torch.empty_like(x)
    x.grad[::2] = -400 * a * p - 2 * q
    x.grad[1::2] = 200 * p
