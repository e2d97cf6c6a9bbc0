"""When a minimization ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg.blas import dnrm2

from descend._minimize.history import COLUMNS
from descend.methods._method import Point, Vector
from descend.methods._status import Status

FLAT_STEPS = 20
"""Steps in a row that change f by less than its rounding, while the gradient does not fall either."""
_NAN_STEPS = 5
"""Iterates in a row at which f alone is not finite: a rule may come back from one."""
_RUNAWAY = 1e10
"""Change of f or growth of x, relative to the start, that no run on the way to a minimum shows."""
_FALLS = "f falls without bound: is it unbounded below, or is a maximum sought?"


@dataclass(frozen=True)
class Limits:
    """The thresholds; None where there is none.

    A tolerance must hold at ``hits`` iterations in a row.
    """

    maxiter: int
    gtol: float | None = None
    ftol: float | None = None
    xtol: float | None = None
    target: float | None = None
    patience: int | None = None
    maxfev: int | None = None
    maxtime: float | None = None
    hits: int = 1


@dataclass
class Tally:
    """What stopping remembers of the iterations so far."""

    f0: float
    reach: float
    """The largest entry of x0."""
    least_norm: float
    best: float
    stale: int = 0
    """Iterations since f was last better than ever before."""
    flat: int = 0
    nans: int = 0
    hits: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Iterations in a row at which gtol, ftol and xtol hold."""
    first_norm: float = field(init=False)

    def __post_init__(self) -> None:
        self.first_norm = self.least_norm


@dataclass(frozen=True)
class Progress:
    """The measures of one iteration."""

    norm: float
    """The largest entry of the criterion."""
    decrease: float = math.nan
    step: float = math.nan


class Stopping:
    """Judge every iteration by its measures; ``precision`` is the relative one of f, below which no ftol is heard."""

    why = ""
    """What there is to say beyond the status."""

    def __init__(self, limits: Limits, tally: Tally, precision: float) -> None:
        if limits.ftol is not None and limits.ftol < precision:
            limits = replace(limits, ftol=precision)
        self.limits = limits
        self._precision = precision
        self.tally = tally
        self._gtol = limits.gtol or 0.0
        self._measures = limits.ftol is not None or limits.xtol is not None
        self._far = _RUNAWAY * max(1.0, abs(tally.f0))
        self.target = -math.inf if limits.target is None else limits.target
        self.thresholds = (
            *(self._gtol, self.target, tally.f0, self._far),
            *(-1.0 if limits.ftol is None else limits.ftol, precision),
        )
        """gtol, target, the start and how far f may be from it, ftol, and the precision of f: none of them reached, a step may go on."""
        self._patience = math.inf if limits.patience is None else limits.patience

    def at_start(self, point: Point, norm: float) -> Status | None:
        """Why the run ends before its first iteration."""
        if not (math.isfinite(norm) and math.isfinite(point.f)):
            return Status.NON_FINITE
        if point.f <= self.target:
            return Status.TARGET
        if norm <= self._gtol and self.limits.hits == 1:
            return Status.GRADIENT
        return Status.MAXITER if self.limits.maxiter == 0 else None

    def after(
        self, before: Point, point: Point, norm: float, ss: float, done: int
    ) -> Status | None:
        """Why the run ends after a step of squared length ``ss``, the ``done``-th of this call."""
        f, tally = point.f, self.tally
        if not (norm < math.inf and -math.inf < f < math.inf and ss < math.inf):
            return self._beyond(point, norm, ss) or self._counted(done)
        tally.nans = 0
        change, scale = abs(before.f - f), max(abs(f), abs(before.f))
        if self._measures or norm <= self._gtol or f <= self.target or tally.hits[0]:
            status = self._converged(point, norm, change / max(scale, 1.0), ss)
            if status is not None:
                return status
        return self._lost(f, norm, change <= self._precision * scale) or self._counted(done, f)

    def waiting(self, done: int) -> Status | None:
        """Why the run ends after an iteration that was not meant to move."""
        return Status.MAXITER if done >= self.limits.maxiter else None

    def after_many(
        self, before: float, rows: Vector, flat: int, done: int, x: Vector
    ) -> Status | None:
        """Judge a block of steps of which only the last may be the run's last, ``done`` steps of this call before it.

        Parameters
        ----------
        before : f before the block
        rows : array of shape (k, n_columns), as the history has them
        flat : how many steps in a row, at its end, changed f by less than its rounding
        x : where it ended
        """
        values, norms, squares = (rows[:, COLUMNS.index(c)] for c in ("fun", "grad_norm", "ss"))
        if len(rows) > 1:
            self._pass_over(values[:-1], norms[:-1], max(flat - 1, 0))
            before = float(values[-2])
        here, last = Point(x, before, x), Point(x, float(values[-1]), x)
        return self.after(here, last, float(norms[-1]), float(squares[-1]), done + len(rows))

    def _pass_over(self, f: Vector, norms: Vector, flat: int) -> None:
        """What `after` leaves in the tally when nothing happens."""
        tally, lowest = self.tally, int(f.argmin())
        tally.nans, tally.flat = 0, flat
        tally.hits = [0, 0, 0]
        tally.least_norm = min(tally.least_norm, float(norms.min()))
        if f[lowest] < tally.best:
            tally.best, tally.stale = float(f[lowest]), len(f) - 1 - lowest
        else:
            tally.stale += len(f)

    def _converged(self, point: Point, norm: float, decrease: float, ss: float) -> Status | None:
        limits, hits = self.limits, self.tally.hits
        if point.f <= self.target:
            return Status.TARGET
        hits[0] = hits[0] + 1 if norm <= self._gtol else 0
        if hits[0] >= limits.hits:
            return Status.GRADIENT
        if limits.ftol is not None:
            hits[1] = hits[1] + 1 if decrease <= limits.ftol else 0
            if hits[1] >= limits.hits:
                return Status.FUNCTION
        if limits.xtol is not None:
            hits[2] = hits[2] + 1 if relative_step(point, ss) <= limits.xtol else 0
            if hits[2] >= limits.hits:
                return Status.STEP
        return None

    def _lost(self, f: float, norm: float, within_rounding: bool) -> Status | None:
        tally = self.tally
        if abs(f - tally.f0) > self._far and (f > tally.f0 or norm >= tally.first_norm):
            self.why = _FALLS if f < tally.f0 else ""
            return (
                Status.DIVERGED
            )  # f rose, or fell while the slope did not, farther than on the way to a minimum
        if norm < tally.least_norm:
            tally.least_norm = norm
            tally.flat = 0
        elif within_rounding:
            tally.flat += 1
        else:
            tally.flat = 0
        return Status.ROUNDOFF if tally.flat >= FLAT_STEPS else None

    def _counted(self, done: int, f: float = math.inf) -> Status | None:
        tally = self.tally
        if f < tally.best:
            tally.best = f
            tally.stale = 0
        else:
            tally.stale += 1
            if tally.stale >= self._patience:
                return Status.STALLED
        return Status.MAXITER if done >= self.limits.maxiter else None

    def _beyond(self, point: Point, norm: float, ss: float) -> Status | None:
        """What a point that is not finite means: the iterates ran there, or the function has a hole."""
        far = _RUNAWAY * max(1.0, self.tally.reach)
        self.why = _FALLS if point.f == -math.inf else ""
        if not math.isfinite(ss) or not np.abs(point.x).max() <= far or point.f == -math.inf:
            return Status.DIVERGED
        self.tally.nans += 1
        if not math.isfinite(norm) or self.tally.nans >= _NAN_STEPS:
            return Status.NON_FINITE
        return None


def relative_step(point: Point, ss: float) -> float:
    """The length of a step relative to that of x (of 1 where x is 0)."""
    length: float = dnrm2(point.x)
    return math.sqrt(ss) / length if length > 0 else math.sqrt(ss)


def progress(before: Point, point: Point, norm: float, ss: float) -> Progress:
    """The measures after the step from ``before``."""
    if before is point:
        return Progress(norm)
    scale = max(abs(point.f), abs(before.f), 1.0)
    return Progress(norm, abs(before.f - point.f) / scale, relative_step(point, ss))
