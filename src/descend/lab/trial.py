"""One run: an update on one instance of a problem, with a fixed number of gradient evaluations."""

from __future__ import annotations

import math
import textwrap
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend._chain import Update
from descend._stepper import Stepper
from descend.errors import DescendError
from descend.lab.contract import Instance, Problem
from descend.lab.deadline import deadline
from descend.lab.records import Curve, Run, RunKey, Status

CHECKPOINTS = 48
"""Scores per run, so many at most: half spread evenly, half by the logarithm."""
RUNAWAY = 1e3
"""A score above this many times (1 + its start) is a divergence: nothing comes back from there in time."""
HANG_FACTOR = 2.0
"""A run with its scoring may take so many times the limit of its training before it is broken off."""


@dataclass(frozen=True)
class Task:
    """What a worker needs to know for one run, beside the problem."""

    key: RunKey
    update: Update
    settings: dict[str, float]
    steps: int
    open_test: bool
    """Whether the test data may be looked at: only after selection."""
    timeout: float = math.inf
    """Seconds of training after which the run is stopped."""


def checkpoints(steps: int) -> NDArray[np.int64]:
    """The evaluations after which a run is scored: increasing, the last is ``steps``.

    >>> checkpoints(4)
    array([1, 2, 3, 4])
    """
    half = CHECKPOINTS // 2
    wanted = np.concatenate([np.geomspace(1, steps, half), np.linspace(1, steps, half)])
    return np.unique(np.rint(wanted).astype(np.int64))


def run_trial(problem: Problem, task: Task) -> Run:
    """Run ``task`` on ``problem``. A run that fails is a result with a status and a cause, never an exception."""
    trace = _Trace()
    status: Status = "finished"
    cause, test = "", math.nan
    try:
        with deadline(HANG_FACTOR * task.timeout, lambda: _late(HANG_FACTOR * task.timeout)):
            instance = problem.open(task.key.seed)
            _descend(instance, task, trace)
            if task.open_test:
                test = float(instance.test(_read_only(trace.best)))
    except _RunStopped as stop:
        status, cause = stop.status, stop.cause
    except DescendError as error:
        status, cause = "failed", str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's problem may raise anything
        said = textwrap.shorten(str(error), 300, placeholder=" …")
        status, cause = "failed", f"{type(error).__name__}: {said}"
    return Run(
        key=task.key,
        settings=task.settings,
        status=status,
        cause=cause,
        score=trace.best_score if status == "finished" else math.inf,
        test=test,
        evaluations=trace.evaluations,
        seconds=trace.seconds,
        curve=Curve(np.array(trace.at, dtype=np.int64), np.array(trace.scores, dtype=np.float64)),
    )


class _RunStopped(BaseException):
    """The run is over before its last step; a user's ``except Exception`` must not hold it."""

    def __init__(self, status: Status, cause: str) -> None:
        super().__init__(cause)
        self.status: Status = status
        self.cause = cause


class _Trace:
    """What a run has shown so far."""

    def __init__(self) -> None:
        self.at: list[int] = []
        self.scores: list[float] = []
        self.best_score = math.inf
        self.best = np.empty(0)
        self.evaluations = 0
        self.seconds = 0.0

    def record(self, x: NDArray[np.float64], score: float) -> None:
        self.at.append(self.evaluations)
        self.scores.append(score)
        # the start is no achievement of the optimizer
        if self.evaluations and score < self.best_score:
            self.best_score, self.best = score, x.copy()


def _descend(instance: Instance, task: Task, trace: _Trace) -> None:
    x = np.array(
        instance.x0, dtype=np.float64
    )  # a copy: a problem may hand out one array again and again
    stepper = Stepper(task.update, x, threads=1)
    start = float(instance.score(_read_only(x)))
    trace.record(x, start)
    ceiling = RUNAWAY * (1 + abs(start)) if math.isfinite(start) else math.inf
    with np.errstate(all="ignore"):  # overflow is an outcome here, and is seen below
        for checkpoint in checkpoints(task.steps).tolist():
            _advance(instance, stepper, x, checkpoint, trace, task.timeout)
            solution = _read_only(stepper.solution)
            score = float(instance.score(solution))
            trace.record(solution, score)
            if not (math.isfinite(score) and score <= ceiling):
                raise _RunStopped(
                    "diverged",
                    f"the score was {score:.3g} after {checkpoint} evaluations, from {start:.3g} at the start.",
                )


def _advance(
    instance: Instance,
    stepper: Stepper,
    x: NDArray[np.float64],
    until: int,
    trace: _Trace,
    timeout: float,
) -> None:
    """Step to the next checkpoint, unless something stops being finite or takes too long."""
    started = time.perf_counter()
    end = started + timeout - trace.seconds
    given = _read_only(x)
    try:
        while trace.evaluations < until:
            value, gradient = instance.gradient(given)
            trace.evaluations += 1
            if not math.isfinite(value):
                raise _RunStopped(
                    "diverged", f"the loss was {value} at evaluation {trace.evaluations}."
                )
            stepper.step(gradient, value)
            if time.perf_counter() > end:
                raise _late(timeout)
    finally:
        trace.seconds += time.perf_counter() - started
    if not np.isfinite(x).all():
        raise _RunStopped(
            "diverged", f"a parameter was not finite after evaluation {trace.evaluations}."
        )


def _read_only(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A view through which a problem cannot change the optimizer's x."""
    view = x.view()
    view.flags.writeable = False
    return view


def _late(timeout: float) -> _RunStopped:
    return _RunStopped("timed out", f"the run took longer than its limit of {timeout:.3g} s.")
