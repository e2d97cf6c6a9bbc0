"""The function along a line: trial steps, what counts as a decrease, and where to try next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Vector
from descend.methods._status import Status


@dataclass(slots=True)  # frozen ones take twice as long to make
class Found:
    """The point that a search accepted, and its step along the direction."""

    point: Point
    lr: float


SHORTEST = 1e-6
"""The share of a first step below which a decrease has to be seen, not believed."""


def rounding(f: float) -> float:
    """Return how much of a change of ``f`` may be rounding alone: 32 of its units in the last place.

    The ε_k of Hager & Zhang (2005), who allow 1e-6 |f|: f could rise by as much at every step. 32 units cover what sums of a
    few thousand terms lose, and a thousand steps that all rise so stay below 1e-11 |f|.
    """
    return 7.2e-15 * abs(f)


def falls(change: float, f: float, promised: float, slope: float, c1: float) -> bool:
    """Whether f fell enough, by a ``change`` from ``f``; ``promised`` and ``slope`` are the slopes times the step.

    Armijo's condition; where the change may be rounding alone, (2 c1 − 1) f'(0) ≥ f'(α), which is the same on parabolas
    and does not use f: the approximate Wolfe condition of Hager & Zhang (2005), section 4. Nothing that is not finite passes.
    """
    if change <= c1 * promised:
        return math.isfinite(change) and math.isfinite(slope)
    return abs(change) <= rounding(f) and -math.inf < slope <= (2 * c1 - 1) * promised


class Trial(NamedTuple):
    """A step along a line, f and its slope there."""

    lr: float
    f: float
    slope: float
    point: Point

    @property
    def finite(self) -> bool:
        return math.isfinite(self.f) and math.isfinite(self.slope)


class Line:
    """The function along ``direction`` from ``point``; it remembers the best trial."""

    __slots__ = ("best", "direction", "oracle", "start")

    def __init__(self, oracle: Oracle, point: Point, direction: Vector) -> None:
        self.oracle = oracle
        self.direction = direction
        self.start = Trial(0.0, point.f, inner(point.g, direction), point)
        self.best = self.start

    def at(self, lr: float) -> Trial:
        x = self.start.point.x + lr * self.direction
        f, g = self.oracle.value_and_gradient(x)
        return self.keep(Trial(lr, f, inner(g, self.direction), Point(x, f, g)))

    def keep(self, trial: Trial) -> Trial:
        if trial.f < self.best.f and trial.finite:
            self.best = trial
        return trial

    def found(self) -> Found | None:
        """The best trial, where it is below the start."""
        return Found(self.best.point, self.best.lr) if self.best.lr else None


def beyond(before: Trial, last: Trial) -> float:
    """A longer step than ``last``: where the cubic is lowest, but 2.1 to 1000 times as far as it lies from ``before``.

    5 times as far where the cubic has no minimum ahead. The 1.1 and the 4 are those of MINPACK-2; it never goes farther than
    that, which takes many trials where a step is too short by magnitudes, as after a pair from a steep direction.
    """
    reach = last.lr - before.lr
    lowest = _cubic(before, last)
    if not lowest > last.lr:
        return last.lr + 4.0 * reach
    return min(max(lowest, last.lr + 1.1 * reach), last.lr + 999.0 * reach)


def between(low: Trial, high: Trial) -> float:
    """A step inside the bracket and a tenth of it away from both ends, so that each trial narrows it."""
    width = high.lr - low.lr
    if not high.finite or high.f - low.f > 10 * abs(low.slope * width):  # no cubic reaches so far
        return low.lr + (0.5 if low.lr else 0.1) * width
    lowest = _cubic(low, high)
    if math.isnan(lowest):
        return low.lr + 0.5 * width
    return low.lr + min(max((lowest - low.lr) / width, 0.1), 0.9) * width


def _cubic(a: Trial, b: Trial) -> float:
    """Where the cubic through both values and slopes is lowest (N & W eq. 3.59), nan where it has no minimum.

    Values that differ by rounding alone say nothing: then it is where the line through the slopes is 0.
    """
    width = b.lr - a.lr
    if not width:
        return math.nan
    if abs(b.f - a.f) <= 100 * rounding(a.f):
        return b.lr - b.slope * width / (b.slope - a.slope) if b.slope != a.slope else math.nan
    d1 = a.slope + b.slope - 3 * (b.f - a.f) / width
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return math.nan
    d2 = math.copysign(math.sqrt(square), width)
    below = b.slope - a.slope + 2 * d2
    return b.lr - width * (b.slope + d2 - d1) / below if below else math.nan


def hopeless(f: float, promised: float, lr: float, first: float) -> bool:
    """Whether a step is far shorter than the ``first`` and f cannot show what it brings.

    All longer steps led up or nowhere, so the gradient is not that of f, or next to a jump of it: taken for a decrease
    lost in rounding, such a step would be repeated for ever.
    """
    return lr < SHORTEST * first and -promised <= rounding(f)


def failure(f: float, promised: float) -> Status:
    """Why no step was found: one that is to change ``f`` by ``promised`` does not show where its rounding is larger.

    A ``promised`` that is not finite is a slope that overflows, though every entry of the gradient may be finite.
    """
    if not math.isfinite(promised):
        return Status.NON_FINITE
    return Status.ROUNDOFF if abs(promised) <= rounding(f) else Status.LINE_SEARCH
