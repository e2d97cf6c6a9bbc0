"""Our own threads for kernels: fixed chunks, so any number of threads computes the same bits.

Kernels release the interpreter's lock. Threads start at the first large step and again after a fork, where a parent's do not live on.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from descend.errors import HyperparameterError

CHUNK = 16_384
"""Elements of one chunk: small enough for the second-level cache, large enough to hide a call's cost."""
PARALLEL_FROM = 8
"""Chunks from which a second thread pays for its hand-over (about 30 µs)."""


def available_threads() -> int:
    """Processors that this process may use, or ``DESCEND_NUM_THREADS``."""
    given = os.environ.get("DESCEND_NUM_THREADS")
    if given is not None:
        return check_threads(int(given) if given.isdecimal() else given, "DESCEND_NUM_THREADS")
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_threads(value: object, owner: str = "Stepper") -> int:
    """``value`` as a number of threads."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise HyperparameterError(f"threads of {owner} must be an int of at least 1; got {value!r}.")
    return value


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="descend")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def run_chunks(call: Callable[[int, int], object], chunks: int, threads: int) -> None:
    """``call(first, last)`` over all chunks, in equal parts on ``threads`` threads (this one among them)."""
    threads = min(threads, chunks // (PARALLEL_FROM // 2))
    if threads < 2:
        call(0, chunks)
        return
    bounds = [chunks * i // threads for i in range(threads + 1)]
    pool = _pool(threads - 1)
    others = [pool.submit(call, bounds[i], bounds[i + 1]) for i in range(1, threads)]
    call(bounds[0], bounds[1])
    for other in others:
        other.result()
