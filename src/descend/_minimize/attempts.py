"""Runs from many starts, one after the other or in worker processes; a start that fails is an outcome like any other."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import cloudpickle
from loky import ProcessPoolExecutor
from threadpoolctl import threadpool_limits

from descend._minimize.result import Result
from descend._workers import ONE_THREAD, become_worker, close, signals_held, track_resources
from descend.errors import DescendError, ProblemError
from descend.methods._method import Vector

Run = Callable[[Vector], Result]

_run: Run | None = None  # a worker's own, set when it starts


@dataclass(frozen=True, slots=True)
class Failure:
    """A start at which the run raised."""

    reason: str


Outcome = Result | Failure
Told = tuple[type[Warning], str]
Sent = tuple[Outcome, list[Told]]
Note = Callable[[int, Outcome], None]


def attempt_all(run: Run, points: Vector, jobs: int, note: Note) -> None:
    """Run from each row of ``points`` and ``note`` what came of it, with its number, in any order.

    A start may be noted twice, when processes have to give way to threads.

    Raises
    ------
    KeyboardInterrupt
        What was finished is noted then, and the result so far of the run that was broken off.
    DescendError
        Of any kind but ProblemError: what was asked for is wrong, and no start's fault.
    """
    jobs = min(jobs, len(points))
    if jobs == 1:
        _one_by_one(run, points, note)
        return
    try:
        pickled = cloudpickle.dumps(run)
    except Exception as error:  # noqa: BLE001 - pickling runs code of anybody
        _in_threads(run, points, jobs, note, error)
        return
    try:
        _in_processes(pickled, points, jobs, note)
    except _Unpicklable as error:
        _in_threads(run, points, jobs, note, error)


class _Unpicklable(Exception):  # noqa: N818 - says what happened to a result
    """A result cannot be sent back."""


def attempt(run: Run, x: Vector) -> Outcome:
    """Run from a copy of ``x``; what the user's function raises is a Failure."""
    try:
        return run(x.copy())
    except ProblemError as error:
        return Failure(str(error))
    except DescendError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the user's own code
        return Failure(f"{type(error).__name__}: {error}")


def _one_by_one(run: Run, points: Vector, note: Note) -> None:
    with threadpool_limits(1):
        for i, x in enumerate(points):
            try:
                note(i, attempt(run, x))
            except KeyboardInterrupt as interruption:
                so_far = getattr(interruption, "result", None)
                if so_far is not None:
                    note(i, so_far)
                raise


def _in_threads(run: Run, points: Vector, jobs: int, note: Note, reason: BaseException) -> None:
    warnings.warn(
        "starts run in threads: worker processes need what pickle can send, but"
        f" {type(reason).__name__}: {reason}",
        RuntimeWarning,
        stacklevel=4,
    )
    executor = ThreadPoolExecutor(jobs)
    try:
        with threadpool_limits(1):
            _collect({executor.submit(attempt, run, x): i for i, x in enumerate(points)}, note)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _in_processes(pickled: bytes, points: Vector, jobs: int, note: Note) -> None:
    track_resources()
    executor = ProcessPoolExecutor(
        jobs, env=ONE_THREAD, initializer=_receive, initargs=(pickled, os.getpid())
    )
    try:
        _collect_sent(_submitted(executor, points), note)
    except BrokenProcessPool as error:
        raise ProblemError(
            "a function must let its worker process live; one died while starts were run."
            " Hint: jobs=1 shows where."
        ) from error
    finally:
        close(executor)


def _submitted(executor: Executor, points: Vector) -> dict[Future[Sent], int]:
    with signals_held():  # workers start here, and inherit it: only this process answers to Ctrl-C
        return {executor.submit(_work, x): i for i, x in enumerate(points)}


def _collect(number: dict[Future[Outcome], int], note: Note) -> None:
    for future in as_completed(number):
        note(number.pop(future), future.result())  # popped: results with their states are large


def _collect_sent(number: dict[Future[Sent], int], note: Note) -> None:
    """Note what workers sent, and warn once of what any of them warned of."""
    told: set[Told] = set()
    for future in as_completed(number):
        outcome, warned = future.result()
        note(number.pop(future), outcome)
        for category, sentence in dict.fromkeys(w for w in warned if w not in told):
            warnings.warn(sentence, category, stacklevel=7)
        told.update(warned)


def _receive(pickled: bytes, parent: int) -> None:
    """Make a fresh process a worker."""
    global _run  # noqa: PLW0603 - a worker holds one run for all its starts
    become_worker(parent)
    threadpool_limits(1)
    _run = cloudpickle.loads(pickled)


def _work(x: Vector) -> Sent:
    """What came of a start, and what it warned of: a worker's own stderr would say it once for each of them."""
    if _run is None:
        raise ProblemError("a worker must receive its run before its first start; got none.")
    with warnings.catch_warnings(record=True) as caught:
        outcome = attempt(_run, x)
    sent = outcome, [(w.category, str(w.message)) for w in caught]
    try:
        cloudpickle.dumps(sent)
    except Exception as error:  # noqa: BLE001 - pickling runs code of anybody
        raise _Unpicklable(f"{type(error).__name__}: {error}") from None
    return sent
