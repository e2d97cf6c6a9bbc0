"""Worker processes for runs: one problem sent once, many tasks, results as they come.

Every worker computes on one thread, so a run has the same bits whatever the number of workers.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

import cloudpickle
import numpy as np
from loky import ProcessPoolExecutor

from descend._compile.kernels import cache_folder
from descend.errors import ProblemError
from descend.lab.contract import Problem
from descend.lab.records import Curve, Run
from descend.lab.trial import Task, checkpoints, run_trial

_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "DESCEND_NUM_THREADS"),
    "1",
)
_REPEATS = 3
_problem: Problem | None = None  # a worker's own, set when it starts


class Pool:
    """``jobs`` worker processes that hold one problem; a context manager that leaves no process behind."""

    def __init__(self, problem: Problem, jobs: int) -> None:
        self._jobs = jobs
        self._pickled = _pickle(problem)
        self._scratch = None if cache_folder() else tempfile.mkdtemp(prefix="descend-kernels-")
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # without a folder of their own, workers would compile every kernel again
        cache = {"DESCEND_CACHE_DIR": self._scratch} if self._scratch else {}
        return ProcessPoolExecutor(
            self._jobs, env={**_ONE_THREAD, **cache}, initializer=_receive, initargs=(self._pickled,)
        )

    def seconds_per_run(self, task: Task) -> float:
        """The cost of one run, measured on a few of its steps."""
        return float(self._executor.submit(_measure, task).result())

    def run(self, tasks: Iterable[Task]) -> Iterator[Run]:
        """The results of all tasks, in the order in which they come. A task whose worker dies is a failed run."""
        waiting = list(tasks)
        while waiting:
            futures: dict[Future[Run], Task] = {
                self._executor.submit(_work, task): task for task in waiting
            }
            try:
                for future in as_completed(futures):
                    yield future.result()
                    waiting.remove(futures[future])
            except BrokenProcessPool:
                # which task killed its worker is not known: each of the rest gets a worker of its own
                self._restart()
                yield from self._one_by_one(waiting)
                return

    def _one_by_one(self, tasks: list[Task]) -> Iterator[Run]:
        for task in tasks:
            try:
                yield self._executor.submit(_work, task).result()
            except BrokenProcessPool:
                self._restart()
                yield _dead(task)

    def _restart(self) -> None:
        self._executor.shutdown(kill_workers=True)
        self._executor = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=True, kill_workers=True)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


def default_jobs() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pickle(problem: Problem) -> bytes:
    try:
        return bytes(cloudpickle.dumps(problem))
    except Exception as error:
        raise ProblemError(
            f"the problem {problem.name} must be picklable, so that worker processes can receive it; "
            f"got {type(error).__name__}: {error}."
        ) from error


def _receive(pickled: bytes) -> None:
    global _problem  # noqa: PLW0603 - a worker process holds one problem for all its tasks
    _problem = cloudpickle.loads(pickled)


def _held() -> Problem:
    if _problem is None:
        raise ProblemError("a worker must receive its problem before its first task; got none.")
    return _problem


def _work(task: Task) -> Run:
    return run_trial(_held(), task)


def _measure(task: Task) -> float:
    """Seconds of a whole run, from short ones: the cost per step and per score, kernels loaded before."""
    problem = _held()
    few = max(min(task.steps, 20), 1)
    short = Task(task.key, task.update, task.settings, few, open_test=False)
    run_trial(problem, short)
    costs = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        run = run_trial(problem, short)
        whole = time.perf_counter() - started
        steps = max(run.evaluations, 1)
        scores = max(len(run.curve.score), 1)
        scoring = max(whole - run.seconds, 0.0) / scores
        costs.append(run.seconds / steps * task.steps + scoring * len(checkpoints(task.steps)))
    return min(costs)


def _dead(task: Task) -> Run:
    nothing = Curve(np.empty(0, np.int64), np.empty(0))
    cause = "its worker process died."
    return Run(task.key, task.settings, "failed", cause, math.inf, math.nan, 0, 0.0, nothing)
