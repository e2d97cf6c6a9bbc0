"""Nonlinear conjugate gradients: each direction is −g and a part of the last one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from scipy.linalg.blas import dnrm2

from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods.hager_zhang import HagerZhang, continued, initial
from descend.methods.idle import ended, rests
from descend.methods.lines import failure
from descend.methods.searches import Search, StrongWolfe


@dataclass(slots=True)
class Course:
    """Where the next step leads, and how long the last one was."""

    direction: Vector
    steepest: bool = True
    """Whether the direction is −g."""
    lr: float = math.nan
    """The last step; nan before the first."""
    slope: float = math.nan
    """The slope along the last direction, where that step began."""
    idle: int = 0
    """Steps in a row at which x rested; f may, while the gradient falls on."""


First = Callable[[Oracle, Point, Course, float], float]
"""The first trial step, from the oracle, the point, the course and the slope along its direction."""
Beta = Callable[[Vector, Vector, Vector], float]
"""How much of the last direction the next one keeps, from the old gradient, the new one and the last direction."""


def advance(
    search: Search, first: First, beta: Beta, oracle: Oracle, point: Point, course: Course
) -> Step:
    """Search along the course; where nothing is found, once more along −g. The answer holds the next course."""
    slope = inner(point.g, course.direction)
    lr = first(oracle, point, course, slope)
    found = search(oracle, point, course.direction, lr)
    if found is None and not course.steepest:
        course = Course(-point.g, lr=course.lr, slope=course.slope, idle=course.idle)
        slope = inner(point.g, course.direction)
        lr = first(oracle, point, course, slope)
        found = search(oracle, point, course.direction, lr)
    if found is None:
        return Step(point, course, 0.0, failure(point.f, 0.5 * lr * slope))
    state = _turned(course, beta(point.g, found.point.g, course.direction), found.point.g)
    state.lr, state.slope = found.lr, slope
    state.idle = course.idle + 1 if rests(point, found.point) else 0
    return Step(found.point, state, found.lr, ended(state.idle))


def _turned(course: Course, beta: float, g: Vector) -> Course:
    """The course −g + beta d; −g alone where f would fall too slowly along it (Gilbert & Nocedal 1992), or it is not finite."""
    if beta and math.isfinite(beta):
        direction = beta * course.direction - g
        if inner(g, direction) <= -0.01 * inner(g, g):
            return Course(direction, steepest=False)
    return Course(-g)


def polak_ribiere(old: Vector, new: Vector, direction: Vector) -> float:
    """Return PR+, max(0, g·(g − g_old) / g_old·g_old): Nocedal & Wright (2006), eq. 5.44 and 5.45."""
    del direction
    square: float = inner(old, old)
    return max(0.0, (inner(new, new) - inner(new, old)) / square) if square else 0.0


def hager_zhang(old: Vector, new: Vector, direction: Vector) -> float:
    """Return the factor of Hager & Zhang (2005), which stays above η_k = −1 / (|d| min(0.01, |g_old|))."""
    y = new - old
    dy: float = inner(direction, y)
    floor: float = dnrm2(direction) * min(0.01, dnrm2(old))
    if not dy > 0 or not floor:  # rounding alone: the search demands a smaller slope
        return 0.0
    beta: float = (inner(y, new) - 2 * inner(y, y) * inner(direction, new) / dy) / dy
    return max(beta, -1 / floor)


def same_change(oracle: Oracle, point: Point, course: Course, slope: float) -> float:
    """Return the step that changes f to first order as the last one did, at first one of length 1 (N & W, section 3.5)."""
    del oracle
    lr = course.lr * course.slope / slope if slope else math.nan
    return lr if 0 < lr < math.inf else 1.0 / max(dnrm2(point.g), 1e-300)


def interpolated(oracle: Oracle, point: Point, course: Course, slope: float) -> float:
    """Return the first step of CG_DESCENT: `initial`, then `continued`."""
    if math.isnan(course.lr) or not slope < 0:
        return initial(point)
    return continued(oracle, point, course.direction, course.lr)


@dataclass(frozen=True)
class CG(Method):
    """Conjugate gradients of Polak and Ribière, started afresh where their factor is negative (PR+).

    Nocedal & Wright, "Numerical Optimization" (2006), algorithm 5.4 with eq. 5.45.

    Parameters
    ----------
    search : the line search; with `Exact`, a quadratic of n variables takes at most n iterations but for rounding

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("cg").search
    StrongWolfe(c1=0.0001, c2=0.25, max_steps=20)
    """

    name: ClassVar[str] = "cg"
    search: Search = field(default_factory=lambda: StrongWolfe(c2=0.25))

    def start(self, oracle: Oracle, point: Point) -> Course:  # noqa: ARG002 - it begins with the gradient
        return Course(-point.g)

    def step(self, oracle: Oracle, point: Point, state: Course) -> Step:
        return advance(self.search, same_change, polak_ribiere, oracle, point, state)


@dataclass(frozen=True)
class CGHZ(Method):
    """Conjugate gradients of Hager and Zhang, CG_DESCENT: every direction leads down, whatever the search.

    "A new conjugate gradient method with guaranteed descent and an efficient line search", SIAM J. Optim. 16 (2005), where
    g·d ≤ −7/8 |g|² is proved for every direction d.

    Parameters
    ----------
    search : the line search

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("cg_hz").search
    HagerZhang(c1=0.1, c2=0.9, max_steps=50)
    """

    name: ClassVar[str] = "cg_hz"
    search: Search = field(default_factory=HagerZhang)

    def start(self, oracle: Oracle, point: Point) -> Course:  # noqa: ARG002 - it begins with the gradient
        return Course(-point.g)

    def step(self, oracle: Oracle, point: Point, state: Course) -> Step:
        return advance(self.search, interpolated, hager_zhang, oracle, point, state)
