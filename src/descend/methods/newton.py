"""Newton's method with a modified factorization of the Hessian and a line search."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.linalg import ldl, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotrs

from descend.errors import HyperparameterError
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods._status import Status
from descend.methods.lines import rounding
from descend.methods.searches import Armijo, Found, Search

_SMALL = math.sqrt(np.finfo(np.float64).eps)
_HALVINGS = 60
_DOUBLINGS = 20


MOST_BLIND = 2
"""How many steps in a row may be taken without a finite Hessian."""
STAYS_BLIND = "The Hessian is not finite there, nor was it at the two points before."


@dataclass(frozen=True, slots=True)
class Blind:
    """What `Newton` remembers."""

    steps: int
    """How many of the last ones in a row had no finite Hessian."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """``H = P^T L Q Λ Q^T L^T P``: LAPACK's ``L D L^T`` with the 1 × 1 and 2 × 2 blocks of D diagonalised.

    Λ has as many negative entries as H has negative eigenvalues (Sylvester's law of inertia).
    """

    lower: Vector
    order: Vector
    basis: Vector
    spectrum: Vector
    floor: float
    """Below it an entry of Λ counts as 0: √ε times the norm of H, δ of Cheng & Higham (1998)."""

    @classmethod
    def of(cls, hessian: Vector) -> Curvature:
        """Factorize a finite symmetric matrix of shape (n, n)."""
        permuted, blocks, order = ldl(hessian, lower=True, check_finite=False)
        spectrum, basis = _diagonalised(blocks)
        floor = _SMALL * float(np.abs(hessian).sum(axis=1).max())
        return cls(permuted[order], order, basis, spectrum, floor)

    @property
    def negative(self) -> bool:
        """Whether f bends down along some direction."""
        return bool(self.spectrum.min() < -self.floor)

    def newton_direction(self, g: Vector) -> Vector:
        """``-B^-1 g``, where B is H with each λ of Λ replaced by max(|λ|, floor)."""
        inner = solve_triangular(self.lower, -g[self.order], lower=True, unit_diagonal=True)
        size = np.maximum(np.abs(self.spectrum), self.floor or 1.0)  # H = 0: down the gradient
        return self._back((self.basis.T @ inner) / size)

    def downward_direction(self) -> Vector:
        """The direction of length 1 along which f bends down as ``L^-T`` times the least λ's vector says."""
        unit = np.zeros_like(self.spectrum)
        unit[self.spectrum.argmin()] = 1.0
        direction = self._back(unit)
        length = math.sqrt(inner(direction, direction))
        return np.divide(direction, length)

    def _back(self, inner: Vector) -> Vector:
        direction = np.empty_like(inner)
        direction[self.order] = solve_triangular(
            self.lower, self.basis @ inner, trans=1, lower=True, unit_diagonal=True
        )
        return direction


def _diagonalised(blocks: Vector) -> tuple[Vector, Vector]:
    """The eigenvalues of a matrix of 1 × 1 and 2 × 2 blocks, and its eigenvectors as columns."""
    spectrum, basis = blocks.diagonal().copy(), np.eye(len(blocks))
    first = np.flatnonzero(blocks.diagonal(-1))
    pairs = first[:, None] + np.arange(2)
    values, vectors = np.linalg.eigh(blocks[pairs[:, :, None], pairs[:, None, :]])
    spectrum[pairs] = values
    basis[pairs[:, :, None], pairs[:, None, :]] = vectors
    return spectrum, basis


@dataclass(frozen=True)
class Newton(Method):
    """Newton's method: ``x ← x − α B⁻¹ g``, with B = H where the Hessian H is positive definite.

    Elsewhere H is factorized as ``P^T L D L^T P``, and every eigenvalue λ of D becomes max(|λ|, √ε ‖H‖). That is the modified
    factorization of Cheng & Higham (1998) but for |λ|: theirs takes √ε ‖H‖ for a negative λ too, which makes steps along it some
    10⁷ times too long. Factorizing is LAPACK's work, and it shows directions of negative curvature, as modified Cholesky
    factorizations, which bend H on their way, do not. Near a saddle, where g says too little, the method leaves along one.
    Where the Hessian is not finite, or its direction leads nowhere, it takes a step down the gradient; without a finite Hessian
    twice in a row at most.

    Parameters
    ----------
    search : the line search; its first trial is the full step α = 1

    References
    ----------
    Cheng, Higham, "A modified Cholesky algorithm based on a symmetric indefinite factorization", SIAM J. Matrix Anal. Appl. 19,
    1998, section 3. Gill, Murray, Ponceleón, Saunders, "Preconditioners for indefinite systems arising in optimization", SIAM J.
    Matrix Anal. Appl. 13, 1992 (|λ|). Goldfarb, "Curvilinear path steplength algorithms for minimization which use
    directions of negative curvature", Math. Programming 18, 1980.

    Examples
    --------
    >>> from descend.methods.newton import Newton
    >>> Newton().search
    Armijo(c1=0.0001, shrink=0.5, max_steps=60)
    """

    name: ClassVar[str] = "newton"
    takes_hessian: ClassVar[bool] = True

    search: Search = field(default_factory=Armijo)

    def __post_init__(self) -> None:
        if not isinstance(self.search, Search):
            raise HyperparameterError(
                f"search of newton must be a line search such as Armijo(); got {self.search!r}."
            )

    def start(self, oracle: Oracle, point: Point) -> Blind:
        del oracle, point
        return Blind(0)

    def step(self, oracle: Oracle, point: Point, state: Blind) -> Step:
        if not (math.isfinite(point.f) and np.isfinite(point.g).all()):
            return Step(point, state, math.nan, Status.NON_FINITE)
        hessian = oracle.hessian(point.x)
        if not np.isfinite(hessian).all():
            return self._without_hessian(oracle, point, state)
        with np.errstate(
            all="ignore"
        ):  # numbers near the largest float64: judged by what comes out
            return self._with_hessian(oracle, point, hessian)

    def _without_hessian(self, oracle: Oracle, point: Point, state: Blind) -> Step:
        if state.steps == MOST_BLIND:
            return Step(point, state, math.nan, Status.NON_FINITE, STAYS_BLIND)
        found = self._along_gradient(oracle, point)
        if found is None:
            why = "The Hessian is not finite there, and no step down the gradient lowers f."
            return Step(point, state, math.nan, Status.NON_FINITE, why)
        return Step(found.point, Blind(state.steps + 1), found.lr)

    def _along_gradient(self, oracle: Oracle, point: Point) -> Found | None:
        """A step of length 1 at first, as nothing tells the scale."""
        longest = float(np.abs(point.g).max())
        return self.search(oracle, point, -point.g / (longest or 1.0), 1.0)

    def _with_hessian(self, oracle: Oracle, point: Point, hessian: Vector) -> Step:
        factor, indefinite = dpotrf(hessian, lower=True)
        if not indefinite:
            direction, _ = dpotrs(factor, -point.g, lower=True)
            return self._searched(oracle, point, direction)
        curvature = Curvature.of(hessian)
        direction = curvature.newton_direction(point.g)
        if curvature.negative and _is_short(direction, point.x):
            return _leave_saddle(oracle, point, curvature.downward_direction(), hessian)
        return self._searched(oracle, point, direction)

    def lower_beside(self, oracle: Oracle, point: Point) -> Point | None:
        hessian = oracle.hessian(point.x)
        if not np.isfinite(hessian).all() or not dpotrf(hessian, lower=True)[1]:
            return None
        curvature = Curvature.of(hessian)
        if not curvature.negative:
            return None
        step = _leave_saddle(oracle, point, curvature.downward_direction(), hessian)
        return step.point if step.point.f < point.f else None

    def _searched(self, oracle: Oracle, point: Point, direction: Vector) -> Step:
        if not point.g.any():
            why = "The gradient is 0 and the Hessian has no negative eigenvalue: a minimum to second order."
            return Step(point, Blind(0), math.nan, Status.GRADIENT, why)
        finite = bool(np.isfinite(direction).all())  # not where H is singular to working precision
        found = self.search(oracle, point, direction, 1.0) if finite else None
        ended = Status.LINE_SEARCH
        if found is None and finite:
            ended = why_no_better(point, direction, -0.5 * inner(point.g, direction))
        if found is None and ended is Status.LINE_SEARCH:
            found = self._along_gradient(oracle, point)
        if found is None:
            return Step(point, Blind(0), math.nan, ended)
        return Step(found.point, Blind(0), found.lr)


def _is_short(direction: Vector, x: Vector) -> bool:
    """Whether a step moves no coordinate by more than half of the digits of the largest."""
    return bool(np.abs(direction).max() <= _SMALL * max(1.0, float(np.abs(x).max())))


def why_no_better(point: Point, step: Vector, promised: float) -> Status:
    """Rounding, where the quadratic model promises no more than it or the step hardly changes x; else the search."""
    swallowed = np.abs(step).max() <= 1e-15 * np.abs(point.x).max()
    return Status.ROUNDOFF if promised <= rounding(point.f) or swallowed else Status.LINE_SEARCH


def _leave_saddle(oracle: Oracle, point: Point, direction: Vector, hessian: Vector) -> Step:
    """Go along a direction of negative curvature: the first of 1, 1/2, 1/4 … that lowers f enough, or doublings of 1.

    Enough is 1e-4 of ½ α² dᵀHd, the condition of Goldfarb (1980) with the slope of 0 that a saddle has.
    """
    bend = float(direction @ hessian @ direction)
    downhill = direction if inner(point.g, direction) <= 0 else -direction
    lr = max(1.0, float(np.abs(point.x).max()))
    for _ in range(_HALVINGS):
        lowest = _at(oracle, point, downhill, lr)
        if lowest is not None and lowest.f <= point.f + 0.5e-4 * lr * lr * bend:
            return _doubled(oracle, point, downhill, lr, lowest)
        lr *= 0.5
    why = "The gradient is 0 at a saddle, and f does not fall along its negative curvature."
    return Step(point, Blind(0), math.nan, Status.LINE_SEARCH, why)


def _doubled(oracle: Oracle, point: Point, direction: Vector, lr: float, lowest: Point) -> Step:
    for _ in range(_DOUBLINGS):
        farther = _at(oracle, point, direction, 2 * lr)
        if farther is None or not farther.f < lowest.f:
            break
        lr, lowest = 2 * lr, farther
    return Step(lowest, Blind(0), lr)


def _at(oracle: Oracle, point: Point, direction: Vector, lr: float) -> Point | None:
    """The point at ``lr`` along the direction, where it is finite and f has fallen."""
    x = point.x + lr * direction
    f = oracle.value(x)
    if not (math.isfinite(f) and f < point.f):
        return None
    g = oracle.gradient(x)
    return Point(x, f, g) if np.isfinite(g).all() else None
