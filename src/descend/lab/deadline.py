"""A limit on the time that somebody else's code may take, where the system has timers."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from descend.errors import ProblemError

PROBE_SECONDS = 60.0
"""A single call of a user's code before the race, in which it is looked at, may take so long."""
_AGAIN = 1.0  # seconds until the next ring, for code that catches everything

T = TypeVar("T")


class HangError(ProblemError):
    """A user's code did not come back from a call before the race."""


class _TooLong(BaseException):
    """A user's ``except Exception`` must not hold it."""


@contextmanager
def deadline(seconds: float, late: Callable[[], BaseException]) -> Iterator[None]:
    """Raise ``late()`` in the middle of what takes longer than ``seconds``.

    It reaches Python code in the main thread; a call into C ends before it is heard.
    """
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not usable or math.isinf(seconds):
        yield
        return

    def ring(*_: object) -> None:
        raise late()

    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if left:  # a limit around this one goes on
            passed = time.monotonic() - started
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, 1e-3), again)


def within_limit(owner: str, action: Callable[[], T]) -> T:
    """Return ``action()``.

    Raises
    ------
    HangError
        It took longer than ``PROBE_SECONDS``.
    """
    try:
        with deadline(PROBE_SECONDS, _TooLong):
            return action()
    except _TooLong:
        raise HangError(
            f"{owner} must return within {PROBE_SECONDS:g} s; it did not. Hint: it may hang."
        ) from None


def limited(owner: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with every call held to ``PROBE_SECONDS``."""

    def call(*arguments: Any) -> Any:
        return within_limit(owner, lambda: function(*arguments))

    return call
