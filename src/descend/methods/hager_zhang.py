"""The line search of CG_DESCENT, which brackets by slopes and so works to the last digits of x.

Hager & Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search", SIAM J. Optim. 16 (2005),
section 4, and "Algorithm 851: CG_DESCENT", ACM TOMS 32 (2006). The letters are the paper's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from descend.domains import Interval
from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Vector
from descend.methods.lines import Found, Line, Trial, rounding
from descend.methods.searches import Straight, check_count

THETA = 0.5
"""Where U3 cuts a bracket."""
GAMMA = 0.66
"""What a double secant step must leave of a bracket at most, or it is halved."""
RHO = 5.0
"""How fast steps grow until they are too long."""

Bracket = tuple[Trial, Trial]
"""Steps (a, b): f(a) ≤ f(0) + ε and f'(a) < 0, and f'(b) ≥ 0, so that a minimum lies between."""


@dataclass(frozen=True, slots=True)
class HagerZhang(Straight):
    """Find a step with the Wolfe conditions, or with the approximate ones where f(α) ≤ f(0) + ε.

    T1: f(α) ≤ f(0) + c1 α f'(0) and f'(α) ≥ c2 f'(0); T2, the approximate conditions: (2 c1 − 1) f'(0) ≥ f'(α) ≥ c2 f'(0). The error ε of f is
    `rounding`, where the paper has 1e-6 |f(0)|.

    Parameters
    ----------
    c1 : the share of the promised decrease that is demanded, the paper's δ
    c2 : the share of the first slope that may remain, the paper's σ
    max_steps : the most trials; the best of them that lies below the start is the answer when none is accepted
    """

    c1: float = 0.1
    c2: float = 0.9
    max_steps: int = 50

    def __post_init__(self) -> None:
        Interval(0.0, 0.5).check(self.c1, "c1", "hager_zhang")
        Interval(self.c1, 1.0, closed_low=True).check(self.c2, "c2", "hager_zhang")
        check_count(self.max_steps, "max_steps", "hager_zhang")

    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        return self.along(Line(oracle, point, direction), first)

    def along(self, line: Line, first: float) -> Found | None:
        trials = _Trials(self, line)
        if not -math.inf < trials.slope < 0:
            return None
        a, b = trials.bracket(first)
        for _ in range(
            self.max_steps
        ):  # where rounding leaves no step between a and b, none is tried
            if trials.done:
                break
            a, b = trials.narrow(a, b)
        good = trials.accepted
        return Found(good.point, good.lr) if good else trials.line.found()


class _Trials:
    """The trials of one search. Once one is accepted, or all are spent, ``at`` gives the last again and every loop ends."""

    def __init__(self, search: HagerZhang, line: Line) -> None:
        self.search, self.line = search, line
        self.slope = line.start.slope
        self.ceiling = line.start.f + rounding(line.start.f)
        self.last = line.start
        self.accepted: Trial | None = None
        self.left = search.max_steps

    @property
    def done(self) -> bool:
        return self.accepted is not None or not self.left

    def at(self, lr: float) -> Trial:
        if not self.done:
            self.left -= 1
            self.last = self.line.at(lr)
            if self._accepts(self.last):
                self.accepted = self.last
        return self.last

    def _accepts(self, c: Trial) -> bool:
        c1, change = self.search.c1, c.f - self.line.start.f
        if not c.finite or c.slope < self.search.c2 * self.slope:
            return False
        return change <= c1 * c.lr * self.slope or (
            c.f <= self.ceiling and c.slope <= (2 * c1 - 1) * self.slope
        )

    def _too_far(self, c: Trial) -> bool:
        return not c.finite or (c.slope < 0 and c.f > self.ceiling)

    def bracket(self, lr: float) -> Bracket:
        """B0-B3, except that B2 keeps the last good step in place of 0."""
        a, c = self.line.start, self.at(lr)
        while not self.done and not self._too_far(c) and c.slope < 0:
            a, c = c, self.at(RHO * c.lr)
        return self._cut(a, c) if self._too_far(c) else (a, c)

    def narrow(self, a: Trial, b: Trial) -> Bracket:
        """L1 and L2."""
        width = b.lr - a.lr
        a, b = self._secant2(a, b)
        if b.lr - a.lr > GAMMA * width:
            a, b = self._update(a, b, 0.5 * (a.lr + b.lr))
        return a, b

    def _cut(self, a: Trial, b: Trial) -> Bracket:
        """U3: from a step ``b`` that is too far, although f falls there or is not finite."""
        while not self.done:
            d = self.at((1 - THETA) * a.lr + THETA * b.lr)
            if self._too_far(d):
                b = d
            elif d.slope < 0:
                a = d
            else:
                return a, d
        return a, b

    def _update(self, a: Trial, b: Trial, lr: float) -> Bracket:
        """U0-U3."""
        if not a.lr < lr < b.lr:  # nan is outside too
            return a, b
        c = self.at(lr)
        if self._too_far(c):
            return self._cut(a, c)
        return (c, b) if c.slope < 0 else (a, c)

    def _secant2(self, a: Trial, b: Trial) -> Bracket:
        """S1-S4."""
        c = _secant(a, b)
        low, high = self._update(a, b, c)
        if c == high.lr:
            return self._update(low, high, _secant(b, high))
        if c == low.lr:
            return self._update(low, high, _secant(a, low))
        return low, high


def _secant(a: Trial, b: Trial) -> float:
    bend = b.slope - a.slope
    return (a.lr * b.slope - b.lr * a.slope) / bend if bend else math.nan


def initial(point: Point) -> float:
    """Return the first trial step of a run along −g, I0 with ψ0 = 0.01."""
    steepest = float(np.abs(point.g).max())
    farthest = float(np.abs(point.x).max())
    if farthest and steepest:
        return 0.01 * farthest / steepest
    square: float = inner(point.g, point.g)
    return 0.01 * abs(point.f) / square if point.f and square else 1.0


def continued(oracle: Oracle, point: Point, direction: Vector, last: float) -> float:
    """Return the first trial step after one of ``last``, I1 and I2 with ψ1 = 0.1 and ψ2 = 2.

    The minimum of the parabola through f(0), f'(0) and f(ψ1 ``last``), where f falls that far and rounding leaves a
    curvature to see; else ψ2 ``last``.
    """
    lr = 0.1 * last
    slope: float = inner(point.g, direction)
    f = oracle.value(point.x + lr * direction)
    bend = f - point.f - lr * slope
    if f <= point.f and 100 * rounding(point.f) < bend < math.inf:
        return -0.5 * slope * lr * lr / bend
    return 2.0 * last
