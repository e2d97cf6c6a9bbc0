"""OWL-QN: limited-memory BFGS for a smooth function and an L1 penalty, with coordinates that are exactly 0.

Andrew & Gao (2007), "Scalable training of L1-regularized log-linear models". Within an orthant |x|₁ is linear, so the
curvature is that of the smooth part alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from descend.domains import Interval
from descend.errors import HyperparameterError
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods.lines import Found, failure, falls, hopeless, rounding
from descend.methods.memory import InverseMemory, ended_by_rounding, learn
from descend.methods.searches import check_count

ARMIJO = 1e-4
TRIALS = 40


class Penalized(Oracle):
    """f + l1·|x|₁, whose gradient is that of f alone: the penalty has none at 0."""

    def __init__(self, smooth: Oracle, l1: float) -> None:
        self.smooth = smooth
        self.l1 = l1
        self.n = smooth.n
        self.has_hessian = smooth.has_hessian

    def value(self, x: Vector) -> float:
        return self.smooth.value(x) + self.l1 * float(np.abs(x).sum())

    def gradient(self, x: Vector) -> Vector:
        return self.smooth.gradient(x)

    def hessian(self, x: Vector) -> Vector:
        return self.smooth.hessian(x)

    def hessian_product(self, x: Vector, v: Vector) -> Vector:
        return self.smooth.hessian_product(x, v)


@dataclass(frozen=True)
class OWLQN(Method):
    """Minimize f(x) + l1·|x|₁, where f is the function that is given: the penalty is added here.

    The ``fun`` of the result and of the history is the sum, not f alone; the gradient there is that of f.

    Each step is a quasi-Newton step on the pseudo-gradient, kept in the orthant where it begins; coordinates that would
    cross 0 stop there.

    Parameters
    ----------
    l1 : the weight of the penalty, which has no default; 0 for none
    memory : how many pairs are kept

    Examples
    --------
    >>> import numpy as np
    >>> from descend.methods import get_method
    >>> get_method("owlqn:l1=0.1").l1
    0.1
    """

    name: ClassVar[str] = "owlqn"
    scales: ClassVar[bool] = False
    tolerances: ClassVar[dict[str, float]] = {"gtol": 1e-5, "ftol": 2.2e-9}
    l1: float = math.nan
    memory: int = 10

    def __post_init__(self) -> None:
        if math.isnan(self.l1):
            raise HyperparameterError("owlqn needs l1: 'owlqn:l1=0.1'.")
        Interval(0.0, math.inf, closed_low=True).check(self.l1, "l1", "owlqn")
        check_count(self.memory, "memory", "owlqn")

    def objective(self, oracle: Oracle) -> Oracle:
        return Penalized(oracle, self.l1)

    def criterion(self, oracle: Oracle, point: Point) -> Vector:  # noqa: ARG002 - the penalty is the method's own
        return pseudo_gradient(point, self.l1)

    def start(self, oracle: Oracle, point: Point) -> InverseMemory:  # noqa: ARG002 - nothing is known yet
        return InverseMemory.empty(self.memory, point.x.size)

    def step(self, oracle: Oracle, point: Point, state: InverseMemory) -> Step:
        """Run one iteration; ``oracle`` is what `objective` returned. A failed search has one more try along −v."""
        v = pseudo_gradient(point, self.l1)
        found = self._search(oracle, point, v, _aligned(state.descent(v), v), state.count)
        if found is None:
            promised = 0.5 * inner(v, state.descent(v))
            if state.count:
                state.forget()
                found = self._search(oracle, point, v, -v, 0)
            if found is None:
                return Step(point, state, 0.0, failure(point.f, promised))
        learn(state, point, found.point)
        return Step(found.point, state, found.lr, ended_by_rounding(state, point, found.point))

    def _search(
        self, oracle: Oracle, point: Point, v: Vector, direction: Vector, known: int
    ) -> Found | None:
        """Shorten the step, by parabolas, until the total falls as Armijo's condition asks within the orthant."""
        orthant = np.where(point.x != 0, np.sign(point.x), -np.sign(v))
        lr = first = 1.0 if known else 1.0 / max(1.0, float(np.linalg.norm(v)))
        for _ in range(TRIALS):
            x = point.x + lr * direction
            x[x * orthant <= 0] = 0.0
            moved = x - point.x
            promised = inner(v, moved)
            if not promised < 0:  # nothing moves, or it is not finite
                return None
            if hopeless(point.f, promised, lr, first):
                return None
            f = oracle.value(x)
            change = f - point.f
            if change <= max(ARMIJO * promised, rounding(point.f)):
                g = oracle.gradient(x)
                slope = inner(g + self.l1 * orthant, moved)
                if falls(change, point.f, promised, slope, ARMIJO):
                    return Found(Point(x, f, g), lr)
            lr *= _shorter(change, promised)
        return None


def pseudo_gradient(point: Point, l1: float) -> Vector:
    """Return the one-sided gradient of f + l1·|x|₁ that leads down most, shape (n,); 0 where neither side does (eq. 4)."""
    away = point.g + l1 * np.sign(point.x)
    at_zero = point.g - point.g.clip(-l1, l1)
    return np.where(point.x != 0, away, at_zero)


def _aligned(direction: Vector, v: Vector) -> Vector:
    """The direction without the coordinates that do not lead down by themselves."""
    return np.where(direction * v < 0, direction, 0.0)


def _shorter(change: float, promised: float) -> float:
    """What to multiply a step by: to the minimum of the parabola through f, its slope and the trial, within bounds."""
    if not math.isfinite(change):
        return 0.1
    return min(max(-promised / (2.0 * (change - promised)), 0.1), 0.5) if change > promised else 0.5
