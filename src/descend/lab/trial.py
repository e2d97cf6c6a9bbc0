"""One run: an update on one instance of a problem, with a fixed number of gradient evaluations."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend._rule import Update
from descend._stepper import Stepper
from descend.errors import DescendError
from descend.lab.contract import EvaluationFailed, Instance, Problem
from descend.lab.records import Curve, Run, RunKey, Status

CHECKPOINTS = 48
"""Scores per run, so many at most: half spread evenly, half by the logarithm."""
RUNAWAY = 1e3
"""A score above this many times (1 + its start) is a divergence: nothing comes back from there in time."""


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
    try:
        instance = problem.open(task.key.seed)
        status, cause = _descend(instance, task, trace)
        test = instance.test(trace.best) if task.open_test and status == "finished" else math.nan
    except EvaluationFailed as error:
        status, cause, test = "failed", str(error), math.nan
    except DescendError:
        raise
    except Exception as error:  # noqa: BLE001 - a user's problem may raise anything; the race goes on
        status, cause, test = "failed", f"{type(error).__name__}: {error}", math.nan
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


def _descend(instance: Instance, task: Task, trace: _Trace) -> tuple[Status, str]:
    x = instance.x0
    stepper = Stepper(task.update, x, threads=1)
    start = instance.score(x)
    trace.record(x, start)
    ceiling = RUNAWAY * (1 + abs(start))
    with np.errstate(all="ignore"):  # overflow is an outcome here, and is seen below
        for checkpoint in checkpoints(task.steps).tolist():
            cause = _advance(instance, stepper, x, checkpoint, trace)
            if cause:
                return "diverged", cause
            score = instance.score(stepper.solution)
            trace.record(stepper.solution, score)
            if not score <= ceiling:
                return "diverged", f"the score was {score:.3g} after {checkpoint} evaluations, from {start:.3g} at the start."
            if trace.seconds > task.timeout:
                return "timed out", f"{trace.seconds:.1f} s of training passed the limit of {task.timeout:.1f} s."
    return "finished", ""


def _advance(
    instance: Instance, stepper: Stepper, x: NDArray[np.float64], until: int, trace: _Trace
) -> str:
    """Step to the next checkpoint; a sentence if something stopped being finite."""
    started = time.perf_counter()
    try:
        while trace.evaluations < until:
            value, gradient = instance.gradient(x)
            trace.evaluations += 1
            stepper.step(gradient)
            if not math.isfinite(value):
                return f"the loss was {value} at evaluation {trace.evaluations}."
    finally:
        trace.seconds += time.perf_counter() - started
    if not np.isfinite(x).all():
        return f"a parameter was not finite after evaluation {trace.evaluations}."
    return ""
