"""Quasi-Newton methods: the curvature is learned from how the gradient changes along the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.linalg.blas import dnrm2, dsymv, dsyr2

from descend.methods import bounded
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods.boxes import projected_gradient
from descend.methods.lines import failure
from descend.methods.memory import (
    DirectMemory,
    InverseMemory,
    Products,
    ended_by_rounding,
    learn,
)
from descend.methods.searches import Search, StrongWolfe, check_count


@dataclass(slots=True)
class InverseHessian:
    """The dense inverse Hessian of BFGS; only its lower triangle is kept."""

    h: Vector
    """Shape (n, n), in Fortran's order so that BLAS changes it in place."""
    count: int = 0
    idle: int = 0
    """Steps in a row that changed f by rounding alone."""
    products: Products | None = None
    """sᵀs, sᵀy and yᵀy of the last step."""

    @classmethod
    def identity(cls, n: int) -> InverseHessian:
        return cls(np.asfortranarray(np.eye(n)))

    def forget(self) -> None:
        """Start again from H = I."""
        self.h.fill(0.0)
        np.fill_diagonal(self.h, 1.0)
        self.count, self.products = 0, None

    def descent(self, g: Vector) -> Vector:
        """Return −Hg, shape (n,)."""
        return dsymv(-1.0, self.h, g, lower=1)  # type: ignore[no-any-return]

    def inverse(self) -> Vector:
        """Return H, shape (n, n), a fresh array."""
        lower: Vector = np.tril(self.h)
        return lower + np.tril(lower, -1).T

    def add(self, s: Vector, y: Vector, sy: float) -> None:
        """Change H so that Hy = s: with r = Hy, one symmetric product s vᵀ + v sᵀ, v = ((1 + yᵀr / sᵀy) s / 2 − r) / sᵀy.

        Nocedal & Wright (2006), eq. 6.17, multiplied out. Before the first update H = I is multiplied by sᵀs / sᵀy, the longer
        step of Barzilai & Borwein (1988): the shorter one, sᵀy / yᵀy, comes from the largest curvatures. Even so it is too
        small for directions in which nothing is known yet, and before each of the first n updates H is multiplied by
        sᵀy / yᵀHy where that enlarges it: the factor of Oren & Luenberger, "Self-scaling variable metric (SSVM) algorithms"
        (1974), on one side only as with Al-Baali, "Global and superlinear convergence of a restricted class of self-scaling
        methods" (1998). After n pairs nothing is unknown, and scaling would only undo what was learned (Nocedal & Yuan 1993).
        """
        r = dsymv(1.0, self.h, y, lower=1)
        if self.count < s.size:
            scale = sy / inner(y, r) if self.count else inner(s, s) / sy
            if scale > 1.0 or not self.count:
                self.h *= scale
                r *= scale
        v = s * (0.5 * (1.0 + inner(y, r) / sy))
        v -= r
        dsyr2(1.0 / sy, s, v, lower=1, a=self.h, overwrite_a=1)
        self.count += 1


Curvature = InverseHessian | InverseMemory


def advance(search: Search, oracle: Oracle, point: Point, state: Curvature) -> Step:
    """Run one iteration: search along −Hg, and learn from the pair (s, y) that this gives.

    When the search fails, what was learned is forgotten and the steepest descent has one try, beginning with the
    length that H gave to g.
    """
    first = 1.0 if state.count else _short(point.g)
    direction = state.descent(point.g)
    found = search(oracle, point, direction, first)
    if found is None:
        promised = inner(point.g, direction)
        if state.count:
            state.forget()
            square = inner(point.g, point.g)
            first = -promised / square if 0 < -promised < square * np.inf else _short(point.g)
            found = search(oracle, point, -point.g, first)
        if found is None:
            return Step(point, state, 0.0, failure(point.f, 0.5 * promised))
    learn(state, point, found.point)
    return Step(found.point, state, found.lr, ended_by_rounding(state, point, found.point))


def _short(g: Vector) -> float:
    """The first step along −g, as SciPy's methods take it: no longer than 1 in x."""
    return 1.0 / max(1.0, float(dnrm2(g)))


@dataclass(frozen=True)
class BFGS(Method):
    """The method of Broyden, Fletcher, Goldfarb and Shanno: x ← x − α H g with a dense inverse Hessian H.

    Nocedal & Wright, "Numerical Optimization" (2006), algorithm 6.1, with the restricted self-scaling of
    `InverseHessian.add`.

    Parameters
    ----------
    search : the line search

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("bfgs:search=strong_wolfe(c2=0.5)").search.c2
    0.5
    """

    name: ClassVar[str] = "bfgs"
    search: Search = field(default_factory=StrongWolfe)

    def start(self, oracle: Oracle, point: Point) -> InverseHessian:  # noqa: ARG002 - x may be empty of news
        return InverseHessian.identity(point.x.size)

    def step(self, oracle: Oracle, point: Point, state: InverseHessian) -> Step:
        return advance(self.search, oracle, point, state)


@dataclass(frozen=True)
class LBFGS(Method):
    """BFGS with limited memory: H is made of the last pairs of steps and changes of the gradient, never formed.

    Nocedal & Wright, "Numerical Optimization" (2006), algorithm 7.5, in the compact form of `InverseMemory`. With bounds it
    is L-BFGS-B, `descend.methods.bounded`.

    Parameters
    ----------
    memory : how many pairs are kept
    search : the line search; with bounds it is always `StrongWolfe` on the part of the line that is inside

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("lbfgs:memory=20").memory
    20
    """

    name: ClassVar[str] = "lbfgs"
    takes_bounds: ClassVar[bool] = True
    tolerances: ClassVar[dict[str, float]] = {"gtol": 1e-5, "ftol": 2.2e-9}
    memory: int = 10
    search: Search = field(default_factory=StrongWolfe)

    def __post_init__(self) -> None:
        check_count(self.memory, "memory", "lbfgs")

    def start(self, oracle: Oracle, point: Point) -> InverseMemory | DirectMemory:
        kind = DirectMemory if oracle.has_bounds else InverseMemory
        return kind.empty(self.memory, point.x.size)

    def step(self, oracle: Oracle, point: Point, state: InverseMemory | DirectMemory) -> Step:
        if isinstance(state, DirectMemory):
            return bounded.advance(oracle, point, state)
        return advance(self.search, oracle, point, state)

    def criterion(self, oracle: Oracle, point: Point) -> Vector:
        return projected_gradient(oracle, point)
