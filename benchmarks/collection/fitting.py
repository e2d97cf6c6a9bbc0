"""How many of the NIST fits a minimizer solves from both starts, as it comes: with its defaults, not tuned."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from benchmarks.collection.nist import FITS, Fit
from benchmarks.collection.problem import Vector
from benchmarks.timing import table
from descend import minimize

Setup = Callable[[Fit, Vector], Any]


def _ours(method: str, **settings: Any) -> Setup:
    def solve(fit: Fit, x0: Vector) -> Any:
        return minimize(*_arguments(fit, x0, settings), method=method, **settings)

    return solve


def _scipys(method: str, **settings: Any) -> Setup:
    def solve(fit: Fit, x0: Vector) -> Any:
        return optimize.minimize(*_arguments(fit, x0, settings), method=method, **settings)

    return solve


def _arguments(fit: Fit, x0: Vector, settings: dict[str, Any]) -> tuple[Any, Vector]:
    both = fit.fun_and_grad
    return (both if settings.get("jac") is True else lambda b: both(b)[0]), x0


SETUPS: dict[str, Setup] = {
    "lbfgs, differences": _ours("lbfgs"),
    "lbfgs, differences, scale=None": _ours("lbfgs", scale=None),
    "lbfgs, gradient": _ours("lbfgs", jac=True),
    "lbfgs, gradient, scale=None": _ours("lbfgs", jac=True, scale=None),
    "bfgs, differences": _ours("bfgs"),
    "bfgs, differences, scale=None": _ours("bfgs", scale=None),
    "bfgs, gradient": _ours("bfgs", jac=True),
    "bfgs, gradient, scale=None": _ours("bfgs", jac=True, scale=None),
    "SciPy L-BFGS-B, differences": _scipys("L-BFGS-B"),
    "SciPy L-BFGS-B, 3-point": _scipys("L-BFGS-B", jac="3-point"),
    "SciPy L-BFGS-B, gradient": _scipys("L-BFGS-B", jac=True),
    "SciPy BFGS, differences": _scipys("BFGS"),
    "SciPy BFGS, 3-point": _scipys("BFGS", jac="3-point"),
    "SciPy BFGS, gradient": _scipys("BFGS", jac=True),
}


def run() -> str:
    """The table: starts (of twice as many as there are fits) from which the certified answer is found."""
    rows = []
    for name, setup in SETUPS.items():
        ends = {(fit.name, k): _end(setup, fit, k) for fit in FITS.values() for k in (0, 1)}
        missed = [f"{fit} {k + 1}" for (fit, k), (_, close) in ends.items() if not close]
        sums = sum(low for low, _ in ends.values())
        rows.append(
            (name, f"{sums} of {len(ends)}", f"{len(ends) - len(missed)}", ", ".join(missed))
        )
    head = (
        "solver",
        "sum of squares to 6 digits",
        "parameters to 4",
        "fit and start missed (of these)",
    )
    return table(head, rows)


def _end(setup: Setup, fit: Fit, start: int) -> tuple[bool, bool]:
    """Whether the sum of squares is right to six digits, and every parameter to four."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = setup(fit, np.array(fit.starts[start], dtype=float))
        except Exception:  # noqa: BLE001  (a solver that fails has missed the answer)
            return False, False
    certified = np.array(fit.certified)
    away = abs(np.asarray(result.x) / certified - 1).max()
    return bool(result.fun <= fit.rss * (1 + 1e-6)), bool(away <= 1e-4)
