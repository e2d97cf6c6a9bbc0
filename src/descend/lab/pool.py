"""Worker processes for runs: one problem sent once, many tasks, results as they come.

Every worker computes on one thread, so a run has the same bits whatever the number of workers.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import cloudpickle
import numpy as np
from loky import ProcessPoolExecutor

from descend._compile.kernels import cache_folder
from descend._workers import ONE_THREAD, become_worker, close, signals_held, track_resources
from descend.errors import DescendError, ProblemError
from descend.lab.contract import Problem
from descend.lab.records import Curve, Run
from descend.lab.trial import Task, checkpoints, run_trial

_REPEATS = 3
MEASURE_SECONDS = 60.0
"""While the cost of a run is measured, its first steps may train so long."""
_problem: Problem | ProblemError | None = None  # a worker's own, set when it starts

T = TypeVar("T")


class Pool:
    """``jobs`` worker processes that hold one problem; a context manager that leaves no process behind."""

    def __init__(self, problem: Problem, jobs: int) -> None:
        self._jobs = jobs
        self._name = problem.name
        self._pickled = _pickle(problem, problem.name)
        self._scratch = None if cache_folder() else tempfile.mkdtemp(prefix="descend-kernels-")
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        track_resources()
        # without a folder of their own, workers would compile every kernel again
        cache = {"DESCEND_CACHE_DIR": self._scratch} if self._scratch else {}
        return ProcessPoolExecutor(
            self._jobs,
            env={**ONE_THREAD, **cache},
            initializer=_receive,
            initargs=(self._pickled, os.getpid()),
        )

    def seconds_per_run(self, tasks: Sequence[Task]) -> float:
        """The cost of one run, measured on a few steps of the first task that its worker survives.

        Raises
        ------
        ProblemError
            If workers cannot load the problem or one of ``tasks``, survive none of them, or come to
            no end with any.
        """
        for task in tasks:
            self._submit(_load, task).result()
        hung = False
        for task in tasks:
            try:
                seconds = self._submit(_measure, replace(task, timeout=MEASURE_SECONDS)).result()
            except BrokenProcessPool:
                self._restart()
                continue
            if seconds is not None:
                return seconds
            hung = True
        if hung:
            raise ProblemError(
                f"a run of {self._name} must get past its first steps; with every entry they took"
                f" longer than {MEASURE_SECONDS:g} s. Hint: f may hang."
            )
        raise ProblemError("a problem must let its worker process live; it ended with every entry.")

    def run(self, tasks: Iterable[Task]) -> Iterator[Run]:
        """The results of all tasks, in the order in which they come. A task whose worker dies is a failed run."""
        waiting = {task.key: task for task in tasks}
        while waiting:
            futures = [self._submit(_work, task) for task in waiting.values()]
            try:
                for future in as_completed(futures):
                    run = future.result()
                    del waiting[run.key]
                    yield run
            except BrokenProcessPool:
                self._restart()
                # tasks start in order: whichever ended its worker is among the first
                for key in list(waiting)[: 2 * self._jobs]:
                    yield self._alone(waiting.pop(key))

    def _alone(self, task: Task) -> Run:
        try:
            return self._submit(_work, task).result()
        except BrokenProcessPool:
            self._restart()
            return _dead(task)

    def _submit(self, function: Callable[[bytes], T], task: Task) -> Future[T]:
        with (
            signals_held()
        ):  # workers start here, and inherit it: only this process answers to Ctrl-C
            future: Future[T] = self._executor.submit(function, _pickle(task, task.key.entry))
        return future

    def _restart(self) -> None:
        self._executor.shutdown(kill_workers=True)
        self._executor = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with signals_held():
            close(self._executor)
            if self._scratch:
                shutil.rmtree(self._scratch, ignore_errors=True)


def default_jobs() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pickle(thing: Problem | Task, name: str) -> bytes:
    try:
        return bytes(cloudpickle.dumps(thing))
    except Exception as error:
        raise ProblemError(
            f"{name} must be picklable, so that worker processes can receive it; "
            f"got {type(error).__name__}: {error}."
        ) from error


def _receive(pickled: bytes, parent: int) -> None:
    """Make a fresh process a worker."""
    global _problem  # noqa: PLW0603 - a worker process holds one problem for all its tasks
    become_worker(parent)
    try:
        _problem = _unpickle(pickled)
    except ProblemError as error:  # a worker that ends without a word is a riddle
        _problem = error


def _unpickle(pickled: bytes) -> Any:
    try:
        return cloudpickle.loads(pickled)
    except Exception as error:
        said = (
            str(error) if isinstance(error, DescendError) else f"{type(error).__name__}: {error}."
        )
        raise ProblemError(f"a worker process cannot load what it is to run: {said}") from error


def _held() -> Problem:
    if isinstance(_problem, Problem):
        return _problem
    raise _problem or ProblemError(
        "a worker must receive its problem before its first task; got none."
    )


def _load(pickled: bytes) -> None:
    _held()
    _unpickle(pickled)


def _work(pickled: bytes) -> Run:
    return run_trial(_held(), _unpickle(pickled))


def _measure(pickled: bytes) -> float | None:
    """Seconds of a whole run, from short ones: the cost per step and per score, kernels loaded before.

    None when the first steps do not come to an end.
    """
    problem = _held()
    task: Task = _unpickle(pickled)
    short = replace(task, steps=1, open_test=False)
    started = time.perf_counter()
    if run_trial(problem, short).status == "timed out":
        return None
    # of a slow problem fewer steps, so that they fit the limit
    few = int(task.timeout / 4 / max(time.perf_counter() - started, 1e-9))
    short = replace(short, steps=max(min(task.steps, few, 20), 1))
    costs = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        run = run_trial(problem, short)
        whole = time.perf_counter() - started
        if run.status == "timed out":
            return None
        steps = max(run.evaluations, 1)
        scores = max(len(run.curve.score), 1)
        scoring = max(whole - run.seconds, 0.0) / scores
        costs.append(run.seconds / steps * task.steps + scoring * len(checkpoints(task.steps)))
    return min(costs)


def _dead(task: Task) -> Run:
    nothing = Curve(np.empty(0, np.int64), np.empty(0))
    cause = "its worker process died."
    return Run(task.key, task.settings, "failed", cause, math.inf, math.nan, 0, 0.0, nothing)
