"""One run of a method: iterate, measure, record, judge; and go on in other units where that helps."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from descend._minimize.faster import Faster
from descend._minimize.history import Recorder
from descend._minimize.objective import Ended, Objective
from descend._minimize.restarts import UNFINISHED, has_fallen, restart_after
from descend._minimize.result import Saved
from descend._minimize.scaling import Scaled, units_at
from descend._minimize.sizes import largest
from descend._minimize.stopping import Limits, Progress, Stopping, Tally, progress
from descend.methods._inner import products
from descend.methods._method import Method, Oracle, Point, Vector
from descend.methods._status import Status


class Run:
    """A method on an objective, from x0 or from where another run ended.

    Parameters
    ----------
    method, objective, limits : what runs on what, and until when
    watch : called with the point of x and the iteration after each one; StopIteration ends the run
    units : the units to start in, None for x's own
    scales : whether other units may be taken on the way
    keep_x : whether the history keeps every x
    """

    point: Point
    shown: Point
    """``point``, which is in the method's units, as a point of x."""
    best: Point
    state: Any = None
    faster: tuple[Faster, ...] = ()
    """What may run iterations in its own way; the first that is ready does."""
    recorder: Recorder
    stopping: Stopping
    norm = math.nan

    def __init__(
        self,
        method: Method,
        objective: Objective,
        limits: Limits,
        watch: Callable[[Point, int], None] | None,
        units: Vector | None,
        *,
        scales: bool,
        keep_x: bool,
    ) -> None:
        self.method = method
        self.objective = objective
        self.limits = limits
        self._calls = objective.calls
        self.units = units
        self.scales = scales
        self.sizes: Vector | None = None
        """The sizes of x for which differences were last made central."""
        self.nit = self.done = 0
        self.before: Point | None = None
        self.anchor = math.inf
        self._watch = watch
        self._keep_x = keep_x
        self._composite = method.objective(objective)
        self._step, self._change = np.empty(objective.n), np.empty(objective.n)
        self._ss = math.nan
        self._calls_before, self._seconds_before = objective.nfev, objective.seconds

    # ---- where a run begins

    def begin(self, x: Vector) -> None:
        """Evaluate x0 and record it."""
        self.recorder = Recorder(x.size, keep_x=self._keep_x)
        try:
            f, g = self._composite.value_and_gradient(x)
        except Ended:  # a budget of one call: the value may be known, the gradient is not
            best = self.objective.best
            self._enter(Point(x, best.f if best else math.nan, np.full(x.size, math.nan)))
            raise
        self._enter(Point(x, f, g))

    def _enter(self, point: Point) -> None:
        self.point = self.shown = self.best = point
        self.norm = self._norm(point)
        reach = largest(point.x, self._change)
        tally = Tally(point.f, reach, self.norm, point.f)
        self._judge_by(tally)
        self._record(math.nan, (math.nan, math.nan, math.nan))

    def _judge_by(self, tally: Tally) -> None:
        self.stopping = Stopping(self.limits, tally, self._calls.precision)
        self.limits = self.stopping.limits

    def go_on(self, saved: Saved) -> None:
        """Take up another run where it ended."""
        self.recorder = Recorder(saved.point.x.size, keep_x=self._keep_x, before=saved.history)
        self.nit, self.units, self.anchor = saved.nit, saved.units, saved.anchor
        self.point, self.shown, self.best = saved.point, saved.shown, saved.best
        self.state = copy.deepcopy(saved.state)
        self._judge_by(copy.deepcopy(saved.tally))
        self.norm = self._norm(self.shown)
        self.sizes = saved.sizes
        if saved.sizes is not None:
            self.objective.sharpen(saved.sizes)
        self._change_units()
        if self.state is None and not math.isfinite(self.norm):  # it was cut off at x0
            self.shown = self.best = Point(
                self.shown.x, *self._composite.value_and_gradient(self.shown.x)
            )
            self.norm = self._norm(self.shown)

    # ---- iterations

    def descend(self) -> tuple[Status, str]:
        """Iterate until something ends the run; restarts included."""
        status, why = self.stopping.at_start(self.shown, self.norm), ""
        if self.state is None and status in {None, Status.GRADIENT}:
            self._set_out()
        if status is Status.GRADIENT:
            status = self._beside()
        if status is not None:
            return status, why
        status, why = self._iterate()
        while self._restarts(status):
            before = status, why
            self._set_out()
            flat = self.limits.hits == 1 and not self._steep()  # as better differences show
            ended = self._beside() if flat else None
            if ended is not None:
                return ended, self.stopping.why
            status, why = self._iterate()
            if status in UNFINISHED and not self.shown.f < self.anchor and before[0].success:
                return before  # the restart found nothing, so what was said before it stands
        return status, why

    def _iterate(self) -> tuple[Status, str]:
        method, oracle, scaled = self.method, self._oracle, self._scaled
        while True:
            if self.faster:
                way = next((way for way in self.faster if way.ready(self)), None)
                if way is not None:
                    status = way.descend(self)
                    if status is not None:
                        return status, self.stopping.why
                    continue
            step = method.step(oracle, self.point, self.state)
            self.state = step.state
            if step.point is not self.point:
                before, self.point = self.shown, step.point
                self.shown = step.point if scaled is None else scaled.point_back(step.point)
                status = self._arrive(before, step.lr)
                if status is Status.GRADIENT:
                    status = self._beside()
                if status is not None:
                    return status, self.stopping.why
            if step.ended is Status.GRADIENT and self._steep():
                return (
                    Status.LINE_SEARCH,
                    "",
                )  # a method may see 0 where the user's units show a slope
            if step.ended is not None:
                return step.ended, step.why

    def _beside(self) -> Status | None:
        """Go from a stationary point to a lower one beside it, if the method finds one: the first was a saddle."""
        lower = self.method.lower_beside(self._oracle, self.point)
        if lower is None:
            return Status.GRADIENT
        before, self.point = self.shown, lower
        self.shown = lower if self._scaled is None else self._scaled.point_back(lower)
        return self._arrive(before, math.nan)

    def _arrive(self, before: Point, lr: float) -> Status | None:
        """Record a new iterate, show it to the callback, and judge it."""
        self.nit += 1
        self.done += 1
        self.before, point = before, self.shown
        known = getattr(self.state, "products", None) if self._scaled is None else None
        if known is None:
            s = np.subtract(point.x, before.x, self._step)
            y = np.subtract(point.g, before.g, self._change)
            known = products(s, y)
        self._ss = ss = known[0]
        self.norm = self._norm(point)
        if -math.inf < point.f <= self.best.f or not math.isfinite(self.best.f):
            self.best = point
        self._record(lr, known)
        if getattr(self.state, "waits", False):  # a rule that gathers gradients before it steps
            status = self.stopping.waiting(self.done)
        else:
            status = self.stopping.after(before, point, self.norm, ss, self.done)
        if self._watch is not None:
            try:
                self._watch(point, self.nit)
            except StopIteration:
                return Status.CALLBACK
        return status

    def arrive_many(self, point: Point, best: Point, rows: Vector) -> None:
        """Take over a block of iterations that ran elsewhere and were judged: where it ended, the best point so far."""
        self.nit += len(rows)
        self.done += len(rows)
        before = self.shown.f if len(rows) == 1 else float(rows[-2, 1])
        self.before = Point(self.shown.x, before, self.shown.g)
        self.point = self.shown = point
        self.best = best
        self.norm, self._ss = float(rows[-1, 2]), float(rows[-1, 7])
        self.recorder.add_block(rows)

    def _norm(self, point: Point) -> float:
        return largest(self.method.criterion(self.objective, point), self._change)

    def _record(self, lr: float, known: tuple[float, float, float]) -> None:
        point = self.shown
        length = math.sqrt(known[0]) if known[0] >= 0 else math.nan
        seconds, calls = self.objective.seconds, self._calls.nfev
        row = (self.nit, point.f, self.norm, length, lr, seconds, calls, *known)
        self.recorder.add(row, point.x)

    # ---- units

    def _restarts(self, status: Status) -> bool:
        """Whether to go on from the point reached: in its own units, or with better differences."""
        if status not in UNFINISHED:
            return False
        x = self.shown.x
        units = np.ones(x.size) if self.units is None else self.units
        plan = restart_after(
            status,
            units,
            x,
            fell=has_fallen(self.anchor, self.shown.f),
            scales=self.scales,
            doubtful=self.objective.scheme == "2-point" and self._steep(),
        )
        if plan.rescaled:
            self.units = units_at(x, units)
        refined = plan.sharper and self._sharpen(units_at(x, units))
        return plan.rescaled or refined

    def _steep(self) -> bool:
        return not self.norm <= (self.limits.gtol or 0.0)

    def _sharpen(self, sizes: Vector) -> bool:
        """Take better differences, if the gradient is one; the gradient at the point is computed again."""
        if not self.objective.sharpen(sizes):
            return False
        self.sizes = sizes
        old, x = self.shown, self.shown.x
        self.shown = Point(x, *self._composite.value_and_gradient(x))
        self.norm = self._norm(self.shown)
        if self.best is old:
            self.best = self.shown
        return True

    def _set_out(self) -> None:
        """Start the method at the point reached."""
        self.anchor = self.shown.f
        self._change_units()
        self.point = self.shown if self._scaled is None else self._scaled.point(self.shown)
        self.state = None
        self.state = self.method.start(self._oracle, self.point)

    def _change_units(self) -> None:
        self._scaled = None if self.units is None else Scaled(self._composite, self.units)
        self._oracle: Oracle = self._composite if self._scaled is None else self._scaled

    # ---- what is left at the end

    def last(self) -> Progress:
        """The measures of the last iteration."""
        return progress(self.before or self.shown, self.shown, self.norm, self._ss)

    def spent(self) -> tuple[int, int, float]:
        """Iterations, evaluations and seconds of this call."""
        calls = self.objective
        return self.done, calls.nfev - self._calls_before, calls.seconds - self._seconds_before

    def best_point(self) -> Point:
        """The best point that was seen, its gradient nan where it cannot be had any more."""
        objective = self.objective
        best = objective.best
        whole = self._composite is objective  # else its own best is not the best of the sum
        if best is None or not whole or self.best.f <= best.f:
            return self.best
        try:
            g = objective.gradient(best.x) if best.g is None else best.g
        except Ended:
            g = np.full(objective.n, math.nan)
        return Point(best.x, best.f, g)
