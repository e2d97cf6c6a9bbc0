"""Whether a run came to a minimum: one that may rest on a maximum or a saddle is run again from beside its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from descend._minimize.attempts import Failure, Run, attempt
from descend._minimize.basins import SAME
from descend._minimize.result import Result
from descend.methods._method import Vector

_REACH = 10.0
"""How far a lower point may lie to be beside the end, in displacements: runs may also hop into another valley."""
_ROUNDING = 8 * float(np.finfo(np.float64).eps)
_COUNTS = ("nfev", "njev", "nhev")


@dataclass(frozen=True, eq=False)
class FromBeside:
    """A run that looks beside its end where that may be no minimum.

    From points drawn at random, descent comes to a saddle or a maximum with probability 0 (Lee et al., COLT 2016). The exceptions
    are a start that somebody chose, often on an axis of symmetry, and one where gtol holds already. Their runs are repeated from
    the end displaced by a thousandth of the box, in both senses of a fixed direction. Where a repetition finds a lower
    point nearby, it takes the place of the run. The counts are those of all of them together.

    A result has ``unmoved=True`` where the run did not move and f does not rise on both sides: nothing tells that it is a minimum.
    """

    run: Run
    x0: Vector
    """The start that was chosen, shape (n,)."""
    low: Vector
    high: Vector

    def __call__(self, x: Vector) -> Result:
        """Run from ``x``, shape (n,)."""
        chosen = np.array_equal(x, self.x0)
        first = self.run(x)
        if not first.success or (first.nit > 0 and not chosen):
            return first
        try:
            return self._looked_at(first)
        except KeyboardInterrupt as interruption:
            first.unmoved = first.nit == 0
            interruption.result = first  # type: ignore[attr-defined]
            raise

    def _looked_at(self, first: Result) -> Result:
        end = as_vector(first)
        others = self._beside(end)
        again: list[Result] = []
        left = None
        for y in others:
            outcome = attempt(self.run, y)
            if isinstance(outcome, Failure):
                continue
            again.append(outcome)
            if self._left(first, outcome, float(np.linalg.norm(y - end))):
                left = outcome
                break
        kept = first if left is None else left
        _count_all(kept, [first, *again])
        if first is kept and first.nit == 0:
            risen = [float(r.history.fun[0]) - first.fun > _error(first) for r in again]
            first.unmoved = not (len(again) == len(others) and all(risen))
        return kept

    def _beside(self, end: Vector) -> list[Vector]:
        """The end displaced, within the box if it lies there; less than two points where it is in the way."""
        with np.errstate(over="ignore"):
            width = self.high - self.low
        if not np.isfinite(end).all() or not np.isfinite(width).all():
            return []
        # of no size in common, lest the direction be one of symmetry
        shares = np.random.default_rng(0).uniform(0.5, 1.0, end.size)
        shares[1::2] *= -1
        low, high = np.minimum(self.low, end), np.maximum(self.high, end)
        moved = [np.clip(end + sign * SAME * width * shares, low, high) for sign in (1, -1)]
        return [y for y in moved if not np.array_equal(y, end)]

    def _left(self, first: Result, again: Result, displaced: float) -> bool:
        """Whether the second run went elsewhere through a lower point beside the end of the first."""
        if not (math.isfinite(again.fun) and again.fun < first.fun - _error(first)):
            return False
        apart = np.abs(as_vector(again) - as_vector(first))
        if (apart <= SAME * (self.high - self.low)).all():
            return False
        steps = np.nan_to_num(again.history.step_norm)  # row 0 has none
        near = displaced + np.cumsum(steps) <= _REACH * displaced
        return bool((again.history.fun[near] < first.fun - _error(first)).any())


def as_vector(result: Result) -> Vector:
    """Return x of a result as an array of shape (n,), whatever its kind."""
    x: Vector = np.array(result.x, dtype=np.float64).ravel()
    return x


def _error(result: Result) -> float:
    return _ROUNDING * abs(float(result.fun))


def _count_all(kept: Result, results: Sequence[Result]) -> None:
    for name in _COUNTS:
        if name in kept:
            kept[name] = sum(int(r[name]) for r in results)
