"""Minimization from many starts: a Sobol' sequence of them, in as many processes as asked, and the basins they find."""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import qmc

from descend._minimize.attempts import Failure, Outcome, attempt_all
from descend._minimize.basins import Basins, End, find_basins
from descend._minimize.beside import FromBeside, as_vector
from descend._minimize.result import Result
from descend.errors import HyperparameterError, ProblemError
from descend.methods._method import Vector

MOST_STARTS = 4096  # the distances between all pairs of ends take 64 MiB then
_MOST_JOBS = 256
_COUNTS = ("nfev", "njev", "nhev")


def minimize_from_many(
    run: Callable[[Vector], Result],
    x0: Vector,
    lower: Vector | None = None,
    upper: Vector | None = None,
    starts: int = 16,
    seed: int | None = None,
    jobs: int = 1,
) -> Result:
    """Minimize from ``x0`` and from other points of a box, and tell the minima apart.

    The box is that of the bounds; a coordinate without one on either side has ``x0 ± max(1, |x0|)`` instead, cut off at the
    bound that it has. The first start is ``x0``, the others are a scrambled Sobol' sequence. Every start computes on one
    thread of BLAS, so the result is the same for any ``jobs``. Budgets (maxiter, maxfev, maxtime) are those of each run.

    The end of the run from ``x0``, and any start at which gtol holds already, may be a maximum or a saddle: such a run is
    repeated from both sides of its end, and where that leads lower, the repetition counts. Basins are the minima: points at
    which a run converged. Starts whose runs used up their budget or were given up elsewhere are ``unfinished``, and so are
    those that did not move and of which nothing tells that they are minima. The shares of basins and unfinished and those of
    the failures, 1 / starts each, add up to 1.

    Parameters
    ----------
    run : callable
        Minimizes from a start of shape (n,) and returns a Result with its history. For ``jobs > 1`` it is sent to worker processes; where it
        cannot be pickled, threads take their place and a RuntimeWarning says so.
    x0 : array of shape (n,)
    lower, upper : array of shape (n,), optional
        Least and greatest values, -inf and inf where there is none.
    starts : int
        From 1 to 4096.
    seed : int, optional
        Of the Sobol' sequence; a fresh one each time unless given.
    jobs : int
        Processes.

    Returns
    -------
    Result
        That of the best start, with ``nfev``, ``njev`` and ``nhev`` of all starts together, and

        starts : array of shape (starts, n)
        basins : list of Basin, the lowest first; as text a table
        unfinished : list of Basin, the places where runs ended of which none converged there, the lowest first
        failures : dict, the reason for each start that raised or ended at no finite value

    Raises
    ------
    HyperparameterError
        ``starts``, ``seed`` or ``jobs`` is out of range.
    ProblemError
        Every start failed.

    References
    ----------
    Joe & Kuo, SIAM Journal on Scientific Computing 30, 2008, for the sequence.
    """
    check_counts(starts, seed, jobs)
    low, high = start_box(x0, lower, upper)
    points = start_points(x0, low, high, starts, seed)
    tally = _Tally(points)
    try:
        attempt_all(FromBeside(run, points[0], low, high), points, jobs, tally.note)
    except KeyboardInterrupt as interruption:
        if tally.best is not None:
            so_far = tally.result(high - low)
            so_far.message += f" Interrupted: {tally.noted} of {starts} starts were run."
            interruption.result = so_far  # type: ignore[attr-defined]
        raise
    return tally.result(high - low)


def start_box(x0: Vector, lower: Vector | None, upper: Vector | None) -> tuple[Vector, Vector]:
    """Return the least and the greatest corner of the box of starts.

    >>> start_box(np.array([5.0, 0.5, 0.0]), np.array([0.0, 0.0, -2.0]), np.array([np.inf, np.inf, 2.0]))
    (array([ 0.,  0., -2.]), array([10. ,  1.5,  2. ]))
    """
    least = np.full(x0.shape, -math.inf) if lower is None else lower
    greatest = np.full(x0.shape, math.inf) if upper is None else upper
    bounded = np.isfinite(least) & np.isfinite(greatest)
    centre = np.clip(x0, least, greatest)
    reach = np.maximum(1.0, np.abs(centre))
    low = np.where(bounded, least, np.maximum(least, centre - reach))
    high = np.where(bounded, greatest, np.minimum(greatest, centre + reach))
    return low, high


def start_points(x0: Vector, low: Vector, high: Vector, starts: int, seed: int | None) -> Vector:
    """Return ``x0`` and then points of a scrambled Sobol' sequence in the box, shape (starts, n)."""
    rng = np.random.default_rng(seed)
    more = starts - 1
    if x0.size > qmc.Sobol.MAXDIM:  # beyond, there are no direction numbers
        shares = rng.random((more, x0.size))
    else:
        # a whole power of 2 is drawn, of which a beginning is nearly as even
        power = max(more - 1, 0).bit_length()
        shares = qmc.Sobol(x0.size, rng=rng).random_base2(power)[:more]
    # in this form a box as wide as the floats does not overflow
    drawn = low * (1 - shares) + high * shares
    return np.vstack([x0, np.clip(drawn, low, high)])


class _Tally:
    """What came of the starts: of each its end, of the best all of its result."""

    def __init__(self, points: Vector) -> None:
        self.best: Result | None = None
        self._rank = (math.inf, 0)
        self._points = points
        self._ends: dict[int, End] = {}
        self._failures: dict[int, str] = {}
        self._counts: dict[int, dict[str, int]] = {}
        self._unmoved: set[int] = set()

    @property
    def noted(self) -> int:
        """How many starts were run."""
        return len(self._ends) + len(self._failures)

    def note(self, start: int, outcome: Outcome) -> None:
        """Take up what came of one start."""
        if isinstance(outcome, Failure):
            self._failures[start] = outcome.reason
            return
        self._counts[start] = {name: int(outcome[name]) for name in _COUNTS if name in outcome}
        x, fun = as_vector(outcome), float(outcome.fun)
        if not (math.isfinite(fun) and np.isfinite(x).all()):
            self._failures[start] = f"it ended where f is {fun:g}"
            return
        if outcome.pop("unmoved", False):
            self._unmoved.add(start)
        x0, success = self._points[start], bool(outcome.success) and start not in self._unmoved
        self._ends[start] = End(start, x0, x, fun, success, int(outcome.nfev))
        if self.best is None or (fun, start) < self._rank:
            self.best, self._rank = outcome, (fun, start)

    def result(self, width: Vector) -> Result:
        """The best result, with what is known of all of them."""
        failures = dict(sorted(self._failures.items()))
        if self.best is None:
            raise ProblemError(
                f"a start of minimize must come to a finite value; none of {self.noted} did."
                f" The first: {next(iter(failures.values()))}"
            )
        starts = len(self._points)
        ends = [self._ends[i] for i in sorted(self._ends)]
        basins, unfinished = find_basins(ends, width, starts)
        best = copy.copy(self.best)
        for name in self._counts[self._rank[1]]:
            best[name] = sum(counts[name] for counts in self._counts.values())
        best.message += _said(basins, unfinished, starts, len(failures), len(self._unmoved))
        best.update(basins=basins, unfinished=unfinished, starts=self._points, failures=failures)
        return best


def _said(basins: Basins, unfinished: Basins, starts: int, failed: int, unmoved: int) -> str:
    left = sum(place.count for place in unfinished)
    counted = [f"{len(basins)} {'basin' if len(basins) == 1 else 'basins'}"]
    counted += [f"{n} {what}" for n, what in ((left, "unfinished"), (failed, "failed")) if n]
    said = f" The best of {starts} starts, which found {'; '.join(counted)}."
    if unmoved and left:
        said += f" {unmoved} did not move: gtol holds there, minimum or not."
    return said


def check_counts(starts: Any, seed: Any, jobs: Any) -> None:
    """Raise HyperparameterError where one of them is out of range."""
    _check("starts", starts, 1, MOST_STARTS)
    _check("jobs", jobs, 1, _MOST_JOBS)
    if seed is not None:
        _check("seed", seed, 0, 2**63 - 1)


def _check(name: str, value: Any, least: int, most: int) -> None:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not (whole and least <= value <= most):
        raise HyperparameterError(
            f"{name} of minimize must be an int from {least} to {most}; got {value!r}."
        )
