"""Worker processes that see no Ctrl-C, compute on one thread, and outlive nobody; the pools of races and of starts share it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

from loky import ProcessPoolExecutor

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "DESCEND_NUM_THREADS",
    ),
    "1",
)
"""The environment of a worker, so that its results do not depend on how many there are."""
_PARENT_CHECK = 0.5  # seconds
_FEEDER_ENDS = 1.0  # seconds


@contextmanager
def signals_held() -> Iterator[None]:
    """Let interruptions wait; what is started meanwhile never sees them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def track_resources() -> None:
    """Start the process that cleans up after workers: later, on its own, it would let the signals through to them."""
    if os.name == "posix":
        resource_tracker.ensure_running()


def close(executor: ProcessPoolExecutor) -> None:
    """End all workers, whatever they are doing."""
    with signals_held():  # a second Ctrl-C must not leave workers behind
        executor.shutdown(wait=True, kill_workers=True)
        # a thread that feeds them and is broken off by the interpreter's end leaks a semaphore
        for thread in threading.enumerate():
            if thread.name == "QueueFeederThread":
                thread.join(_FEEDER_ENDS)


def become_worker(parent: int) -> None:
    """Make a fresh process one that ends soon after its parent, even if that was killed, and prints to stderr alone."""
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    with contextlib.suppress(OSError):
        os.dup2(2, 1)  # what a user's code prints must not mix with the output of the command


def _follow(parent: int) -> None:
    while os.name == "nt" or os.getppid() == parent:
        time.sleep(_PARENT_CHECK)
    os._exit(1)
