"""Line searches: how far to go along a direction.

A search answers with a point that it accepts and the step to it, or with None: the direction does not lead down, or nothing
better was found. A trial where f or its gradient is not finite has gone too far. The number of trials is bounded.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from descend.domains import Interval
from descend.errors import HyperparameterError
from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Vector
from descend.methods.boxes import within_bounds
from descend.methods.lines import Found, Line, Trial, between, beyond, falls, hopeless, rounding

__all__ = [
    "Armijo",
    "Exact",
    "Fixed",
    "Found",
    "Line",
    "Search",
    "Straight",
    "StrongWolfe",
    "Trial",
    "between",
    "beyond",
    "check_count",
    "falls",
    "rounding",
]


class Search(ABC):
    """A line search with its settings; subclasses are frozen dataclasses."""

    @abstractmethod
    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        """Return a point along ``direction``, whose first trial is ``point.x + first * direction``; None where there is none."""


class Straight(Search):
    """A line search that never leaves the line; with bounds it goes along a part of one that ends at their edge."""

    @abstractmethod
    def along(self, line: Line, first: float) -> Found | None:
        """Search along any ``line``: one that ends or bends at bounds."""


def check_count(value: int, name: str, owner: str) -> None:
    """Raise a `HyperparameterError` unless ``value`` is an int of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise HyperparameterError(f"{name} of {owner} must be an int of at least 1; got {value!r}.")


@dataclass(frozen=True, slots=True)
class Fixed(Search):
    """The same step always, whatever the function does there; ``first`` is not used.

    Examples
    --------
    >>> from descend.methods.searches import Fixed
    >>> Fixed(lr=0.1)
    Fixed(lr=0.1)
    """

    lr: float

    def __post_init__(self) -> None:
        Interval(0.0, math.inf).check(self.lr, "lr", "fixed")

    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        del first
        x = within_bounds(oracle, point.x + self.lr * direction)
        return Found(Point(x, *oracle.value_and_gradient(x)), self.lr)


@dataclass(frozen=True, slots=True)
class Armijo(Search):
    """Shorten the step until f falls by ``c1`` of what the slope promises.

    With bounds the trials are x(α) = P(x + α d) and the promise is g·(x(α) − x): Bertsekas, "On the Goldstein-Levitin-Polyak
    gradient projection method" (1976). The gradient is taken only where f has fallen enough.

    Parameters
    ----------
    c1 : the share of the promised decrease that is demanded
    shrink : what a step that is too long is multiplied by
    max_steps : the most trials
    """

    c1: float = 1e-4
    shrink: float = 0.5
    max_steps: int = 60

    def __post_init__(self) -> None:
        Interval(0.0, 0.5).check(self.c1, "c1", "armijo")
        Interval(0.0, 1.0).check(self.shrink, "shrink", "armijo")
        check_count(self.max_steps, "max_steps", "armijo")

    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        return self.below(point.f, oracle, point, direction, first)

    def below(
        self, ceiling: float, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        """Search as for `Armijo`, but measure the decrease from ``ceiling`` instead of f(x)."""
        lr = first
        for _ in range(self.max_steps):
            x = within_bounds(oracle, point.x + lr * direction)
            moved = x - point.x
            promised = inner(point.g, moved)
            if not promised < 0:  # uphill, or a step that rounding swallows
                return None
            if hopeless(ceiling, promised, lr, first):
                return None
            f = oracle.value(x)
            change = f - ceiling
            if falls(change, ceiling, promised, promised, self.c1):
                g = oracle.gradient(x)
                if falls(change, ceiling, promised, inner(g, moved), self.c1):
                    return Found(Point(x, f, g), lr)
            lr *= self.shrink
        return None


@dataclass(frozen=True, slots=True)
class Exact(Search):
    """Go to the minimum along the line of the parabola through the slopes at 0 and at ``first``: exact on quadratics.

    A trial gradient shows the curvature. Where it is not positive, or f does not fall, `Armijo` takes over.
    """

    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        moved = within_bounds(oracle, point.x + first * direction) - point.x
        slope = inner(point.g, moved)
        if not -math.inf < slope < 0:
            return None
        bend = inner(oracle.gradient(point.x + moved), moved) - slope
        lr = -slope / bend * first if 0 < bend < math.inf else first
        armijo = Armijo()
        return armijo(oracle, point, direction, lr) or armijo(oracle, point, direction, first)


@dataclass(frozen=True, slots=True)
class StrongWolfe(Straight):
    """Bracket a step and narrow the bracket until f(α) ≤ f(0) + c1 α f'(0) and |f'(α)| ≤ c2 |f'(0)|.

    Nocedal & Wright, "Numerical Optimization" (2006), algorithms 3.5 and 3.6 in one loop, with the cubic of eq. 3.59 kept
    inside the bracket; `falls` says what the first condition is where f changes by no more than its rounding.

    Parameters
    ----------
    c1 : the share of the promised decrease that is demanded
    c2 : the share of the first slope that may remain
    max_steps : the most trials; the best of them that lies below the start is the answer when none satisfies both
    """

    c1: float = 1e-4
    c2: float = 0.9
    max_steps: int = 20

    def __post_init__(self) -> None:
        Interval(0.0, 0.5).check(self.c1, "c1", "strong_wolfe")
        Interval(self.c1, 1.0).check(self.c2, "c2", "strong_wolfe")
        check_count(self.max_steps, "max_steps", "strong_wolfe")

    def __call__(
        self, oracle: Oracle, point: Point, direction: Vector, first: float
    ) -> Found | None:
        slope = inner(point.g, direction)
        if not -math.inf < slope < 0:
            return None
        x = point.x + (direction if first == 1.0 else first * direction)
        f, g = oracle.value_and_gradient(x)
        end = inner(g, direction)
        if abs(end) <= -self.c2 * slope and falls(
            f - point.f, point.f, first * slope, first * end, self.c1
        ):
            return Found(Point(x, f, g), first)
        line = Line(oracle, point, direction)
        return self._narrow(line, line.keep(Trial(first, f, end, Point(x, f, g))))

    def along(self, line: Line, first: float) -> Found | None:
        if not -math.inf < line.start.slope < 0:
            return None
        trial = line.at(first)
        if self._falls(line.start, trial) and self._flat(line.start, trial):
            return Found(trial.point, first)
        return self._narrow(line, trial)

    def _falls(self, start: Trial, trial: Trial) -> bool:
        """The first condition; nan and inf fail it."""
        promised, slope = trial.lr * start.slope, trial.lr * trial.slope
        return falls(trial.f - start.f, start.f, promised, slope, self.c1)

    def _flat(self, start: Trial, trial: Trial) -> bool:
        return abs(trial.slope) <= -self.c2 * start.slope

    def _narrow(self, line: Line, trial: Trial) -> Found | None:
        """Go on from the first trial; ``low`` is the best step that falls enough, and a good one lies towards ``high``."""
        start, low, high = line.start, line.start, None
        for _ in range(self.max_steps - 1):
            if not self._falls(start, trial) or trial.f > low.f + rounding(low.f):
                high = trial
            elif self._flat(start, trial):
                return Found(trial.point, trial.lr)
            else:
                before = low
                if trial.slope * ((high.lr if high else math.inf) - low.lr) >= 0:
                    high = low
                low = trial
            trial = line.at(between(low, high) if high else beyond(before, low))
        good = self._falls(start, trial) and self._flat(start, trial)
        return Found(trial.point, trial.lr) if good else line.found()
