"""What a test problem is, and the two ways in which one is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]
Evaluate = Callable[[Vector], tuple[Any, Vector]]
Residuals = Callable[[Vector], tuple[Vector, Vector]]


@dataclass(frozen=True)
class Problem:
    """A smooth function of n variables, where to start, and what is known of its minima."""

    name: str
    x0: Vector
    fun_and_grad: Evaluate
    """x of shape (n,) -> f(x), gradient of shape (n,); complex x too, so that the gradient can be checked."""
    minima: tuple[float, ...]
    """The least value known, then the values of other minima at which descent from x0 may end."""
    source: str
    established: bool = False
    """Whether the least value was computed here, for want of a published one of that many digits."""

    @property
    def n(self) -> int:
        return self.x0.size

    @property
    def f_star(self) -> float:
        return self.minima[0]


PROBLEMS: dict[str, Problem] = {}


def problem(
    name: str,
    x0: ArrayLike,
    minima: float | tuple[float, ...],
    source: str,
    *,
    established: bool = False,
) -> Callable[[Evaluate], Evaluate]:
    """Enter the decorated x -> (f, gradient) as a problem; stack it for several sizes."""

    def enter(fun_and_grad: Evaluate) -> Evaluate:
        if name in PROBLEMS:
            raise ValueError(f"there are two problems called {name!r}")
        start = np.array(x0, dtype=np.float64)
        start.setflags(write=False)
        values = minima if isinstance(minima, tuple) else (minima,)
        PROBLEMS[name] = Problem(name, start, fun_and_grad, values, source, established)
        return fun_and_grad

    return enter


def sum_of_squares(residuals: Residuals) -> Evaluate:
    """Turn x -> (r, J) into x -> (Σ r², 2 Jᵀ r)."""

    def fun_and_grad(x: Vector) -> tuple[Any, Vector]:
        r, jacobian = residuals(x)
        return r @ r, 2 * (r @ jacobian)

    return fun_and_grad


def columns(*parts: ArrayLike) -> Vector:
    """A Jacobian from the derivatives of all residuals by each variable in turn; scalars are spread."""
    return np.stack(np.broadcast_arrays(*parts), axis=1)


def numbers(text: str) -> Vector:
    """A table written out, rows or not, as an array of shape (m,)."""
    return np.array(text.split(), dtype=np.float64)


def mgh(number: int) -> str:
    return f"Moré, Garbow & Hillstrom, ACM TOMS 7 (1981), problem {number}"


def cutest(name: str) -> str:
    return f"CUTEst, {name}.SIF"
