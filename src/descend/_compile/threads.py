"""Our own threads for kernels: fixed chunks, so any number of threads computes the same bits.

Kernels release the interpreter's lock. Threads start at the first large step and again after a fork, where a parent's do not live on.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Sequence
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
        raise HyperparameterError(
            f"threads of {owner} must be an int of at least 1; got {value!r}."
        )
    return value


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="descend")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def split(chunks: int, threads: int) -> list[tuple[int, int]]:
    """Equal ranges (first, last) of ``chunks`` for as many of ``threads`` as pay."""
    parts = max(min(threads, chunks // (PARALLEL_FROM // 2)), 1)
    bounds = [chunks * i // parts for i in range(parts + 1)]
    return list(itertools.pairwise(bounds))


def run_together(calls: Sequence[Callable[[], object]]) -> None:
    """Make the calls at the same time, the first of them on this thread."""
    others = [_pool(len(calls) - 1).submit(call) for call in calls[1:]]
    calls[0]()
    for other in others:
        other.result()
