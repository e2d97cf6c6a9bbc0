"""Newton's method with a line search, and with the eigenvalues of the Hessian where it is not positive definite."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.linalg.blas import dnrm2
from scipy.linalg.lapack import dpotrf, dpotrs

from descend.errors import HyperparameterError
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods._status import Status
from descend.methods.lines import rounding
from descend.methods.searches import Found, Search, StrongWolfe

_EPS = float(np.finfo(np.float64).eps)
_SMALL = math.sqrt(_EPS)
_HALVINGS = 60
_DOUBLINGS = 20
_SHIFTS = 30


MOST_BLIND = 2
"""How many steps in a row may be taken without a finite Hessian."""
STAYS_BLIND = "The Hessian is not finite there, nor was it at the two points before."


@dataclass(frozen=True, slots=True)
class Memory:
    """What `Newton` remembers."""

    blind: int
    """How many of the last steps in a row had no finite Hessian."""
    reach: float
    """The longest first trial where the Hessian is not positive definite, in the 2-norm: twice the last step."""


@dataclass(frozen=True, slots=True)
class Curvature:
    """``H = scale V Λ V^T``; with its largest entry taken out no finite H is too large or too small for LAPACK."""

    spectrum: Vector
    """The diagonal of Λ, shape (n,), ascending."""
    basis: Vector
    """V, shape (n, n): the eigenvectors are its columns."""
    scale: float

    @classmethod
    def of(cls, hessian: Vector) -> Curvature:
        """Take a finite symmetric matrix of shape (n, n) apart."""
        scale = float(np.abs(hessian).max()) or 1.0
        return cls(*np.linalg.eigh(hessian / scale), scale)

    @property
    def floor(self) -> float:
        """Below it an entry of Λ counts as 0: √ε times the largest."""
        return _SMALL * float(np.abs(self.spectrum).max())

    @property
    def negative(self) -> bool:
        """Whether f bends down along some direction."""
        return bool(self.spectrum[0] < -self.floor)

    def newton_direction(self, g: Vector, longest: float = math.inf) -> Vector:
        """``-(B + μI)^-1 g``, where B is H with |λ| for each eigenvalue λ, or next to 0 for one that counts as 0.

        μ is 0 if the direction is then no longer than ``longest``, else what makes it as long, give or take a tenth.
        """
        steepest = float(np.abs(g).max()) or 1.0
        sizes = np.abs(self.spectrum)
        nothing = _EPS * float(sizes.max()) or 1.0  # H = 0: down the gradient
        sizes = np.where(sizes > self.floor, sizes, nothing)
        # far below ε a bound leaves nothing of H; below 1e-100 squares would underflow
        bound = max(longest / steepest * self.scale, 1e-30)
        step = _shifted(self.basis.T @ (g / steepest), sizes, bound)
        unit = min(steepest / self.scale, 1.1 * longest / (dnrm2(step) or 1.0))
        return self.basis @ step * -unit

    def downward_direction(self) -> Vector:
        """The direction of length 1 along which f bends down most."""
        return self.basis[:, 0].copy()


def _shifted(g: Vector, sizes: Vector, longest: float) -> Vector:
    """``g / (sizes + μ)`` with the least μ ≥ 0 for which it is at most a tenth longer than ``longest``.

    Newton's method for 1/length = 1/longest, which is concave in μ: from 0 on it never passes the solution (Moré & Sorensen,
    1983). The function is nearly a straight line, so that a few of its steps do.
    """
    shift = 0.0
    for _ in range(_SHIFTS):
        step = g / (sizes + shift)
        length = dnrm2(step)
        if not length > 1.1 * longest:
            break
        shift += length * length / inner(step, step / (sizes + shift)) * (length / longest - 1)
    return step


@dataclass(frozen=True)
class Newton(Method):
    """Newton's method: ``x ← x − α B⁻¹ g``, with B = H where the Hessian H is positive definite.

    Elsewhere every eigenvalue λ of H becomes |λ| + μ, where μ ≥ 0 keeps the first trial from being longer than twice the last
    step: where H is all but singular the model asks for steps along which f has long changed, and they would drown all others.
    An eigenvalue below √ε max |λ| may be rounding or the error of differences alone: it counts as 0, so that only μ bounds the
    steps along it. The eigenvectors also show directions of negative curvature. Near a saddle, where g says too little, the
    method leaves along one.
    Where the Hessian is not finite, or its direction leads nowhere, it takes a step down the gradient; without a finite Hessian
    twice in a row at most.

    Parameters
    ----------
    search : the line search; its first trial is the full step α = 1

    References
    ----------
    Greenstadt, "On the relative efficiencies of gradient methods", Math. Comp. 21, 1967 (|λ|). Moré, Sorensen, "Computing a
    trust region step", SIAM J. Sci. Stat. Comput. 4, 1983, section 3 (μ). Goldfarb, "Curvilinear path steplength algorithms for
    minimization which use directions of negative curvature", Math. Programming 18, 1980.

    Examples
    --------
    >>> from descend.methods.newton import Newton
    >>> Newton().search
    StrongWolfe(c1=0.0001, c2=0.9, max_steps=20)
    """

    name: ClassVar[str] = "newton"
    takes_hessian: ClassVar[bool] = True

    search: Search = field(default_factory=StrongWolfe)

    def __post_init__(self) -> None:
        if not isinstance(self.search, Search):
            raise HyperparameterError(
                f"search of newton must be a line search such as Armijo(); got {self.search!r}."
            )

    def start(self, oracle: Oracle, point: Point) -> Memory:
        del oracle
        return Memory(0, _extent(point.x))

    def step(self, oracle: Oracle, point: Point, state: Memory) -> Step:
        if not (math.isfinite(point.f) and np.isfinite(point.g).all()):
            return Step(point, state, math.nan, Status.NON_FINITE)
        hessian = oracle.hessian(point.x)
        if not np.isfinite(hessian).all():
            return self._without_hessian(oracle, point, state)
        with np.errstate(
            all="ignore"
        ):  # numbers near the largest float64: judged by what comes out
            return self._with_hessian(oracle, point, state, hessian)

    def _without_hessian(self, oracle: Oracle, point: Point, state: Memory) -> Step:
        if state.blind == MOST_BLIND:
            return Step(point, state, math.nan, Status.NON_FINITE, STAYS_BLIND)
        found = self._along_gradient(oracle, point)
        if found is None:
            why = "The Hessian is not finite there, and no step down the gradient lowers f."
            return Step(point, state, math.nan, Status.NON_FINITE, why)
        return _taken(point, found, state.blind + 1)

    def _along_gradient(self, oracle: Oracle, point: Point) -> Found | None:
        """A step of length 1 at first, as nothing tells the scale."""
        longest = float(np.abs(point.g).max())
        return self.search(oracle, point, -point.g / (longest or 1.0), 1.0)

    def _with_hessian(self, oracle: Oracle, point: Point, state: Memory, hessian: Vector) -> Step:
        factor, indefinite = dpotrf(hessian, lower=True)
        if not indefinite:
            direction, _ = dpotrs(factor, -point.g, lower=True)
            return self._searched(oracle, point, state, direction)
        curvature = Curvature.of(hessian)
        if curvature.negative and _is_short(curvature.newton_direction(point.g), point.x):
            return _leave_saddle(oracle, point, state, curvature.downward_direction(), hessian)
        return self._searched(
            oracle, point, state, curvature.newton_direction(point.g, state.reach)
        )

    def lower_beside(self, oracle: Oracle, point: Point) -> Point | None:
        hessian = oracle.hessian(point.x)
        if not np.isfinite(hessian).all() or not dpotrf(hessian, lower=True)[1]:
            return None
        curvature = Curvature.of(hessian)
        if not curvature.negative:
            return None
        state = self.start(oracle, point)
        step = _leave_saddle(oracle, point, state, curvature.downward_direction(), hessian)
        return step.point if step.point.f < point.f else None

    def _searched(self, oracle: Oracle, point: Point, state: Memory, direction: Vector) -> Step:
        if not point.g.any():
            why = "The gradient is 0 and the Hessian has no negative eigenvalue: a minimum to second order."
            return Step(point, state, math.nan, Status.GRADIENT, why)
        finite = bool(np.isfinite(direction).all())  # not where H is singular to working precision
        found = self.search(oracle, point, direction, 1.0) if finite else None
        ended = Status.LINE_SEARCH
        if found is None and finite:
            ended = why_no_better(point, direction, -0.5 * inner(point.g, direction))
        if found is None and ended is Status.LINE_SEARCH:
            found = self._along_gradient(oracle, point)
        if found is None:
            return Step(point, state, math.nan, ended)
        return _taken(point, found)


def _taken(before: Point, found: Found, blind: int = 0) -> Step:
    """A step from ``before``; the next may be twice as long, and never so short that `_is_short` holds of it."""
    moved = dnrm2(found.point.x - before.x)
    reach = max(2 * moved, _SMALL * _extent(found.point.x))
    return Step(found.point, Memory(blind, reach), found.lr)


def _extent(x: Vector) -> float:
    """The length that steps from x are compared with: that of x, and 1 at 0."""
    return max(1.0, float(dnrm2(x)))


def _is_short(direction: Vector, x: Vector) -> bool:
    """Whether a step moves no coordinate by more than half of the digits of the largest."""
    return bool(np.abs(direction).max() <= _SMALL * max(1.0, float(np.abs(x).max())))


def why_no_better(point: Point, step: Vector, promised: float) -> Status:
    """Rounding, where the quadratic model promises no more than it or the step hardly changes x; else the search."""
    swallowed = np.abs(step).max() <= 1e-15 * np.abs(point.x).max()
    return Status.ROUNDOFF if promised <= rounding(point.f) or swallowed else Status.LINE_SEARCH


def _leave_saddle(
    oracle: Oracle, point: Point, state: Memory, direction: Vector, hessian: Vector
) -> Step:
    """Go along a direction of negative curvature: the first of 1, 1/2, 1/4 … that lowers f enough, or doublings of 1.

    Enough is 1e-4 of ½ α² dᵀHd, the condition of Goldfarb (1980) with the slope of 0 that a saddle has.
    """
    bend = float(direction @ hessian @ direction)
    downhill = direction if inner(point.g, direction) <= 0 else -direction
    lr = max(1.0, float(np.abs(point.x).max()))
    for _ in range(_HALVINGS):
        lowest = _at(oracle, point, downhill, lr)
        if lowest is not None and lowest.f <= point.f + 0.5e-4 * lr * lr * bend:
            return _taken(point, _doubled(oracle, point, downhill, lr, lowest))
        lr *= 0.5
    why = "The gradient is 0 at a saddle, and f does not fall along its negative curvature."
    return Step(point, state, math.nan, Status.LINE_SEARCH, why)


def _doubled(oracle: Oracle, point: Point, direction: Vector, lr: float, lowest: Point) -> Found:
    for _ in range(_DOUBLINGS):
        farther = _at(oracle, point, direction, 2 * lr)
        if farther is None or not farther.f < lowest.f:
            break
        lr, lowest = 2 * lr, farther
    return Found(lowest, lr)


def _at(oracle: Oracle, point: Point, direction: Vector, lr: float) -> Point | None:
    """The point at ``lr`` along the direction, where it is finite and f has fallen."""
    x = point.x + lr * direction
    f = oracle.value(x)
    if not (math.isfinite(f) and f < point.f):
        return None
    g = oracle.gradient(x)
    return Point(x, f, g) if np.isfinite(g).all() else None
