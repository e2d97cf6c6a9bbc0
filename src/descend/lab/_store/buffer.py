"""Rows on their way to the disk: written together, and never later than promised."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from descend.errors import StoreError

EncodedRun = tuple[Any, ...]


class Buffer:
    """Collects rows and hands them to ``write`` at most ``seconds`` after they came.

    Parameters
    ----------
    write : callable
        Takes a list of rows; when it raises, they stay here and the next flush tries again.
    seconds : float
        The longest that a row waits. Zero writes each row at once.
    lock : threading.RLock
        Held during ``write``: rows are also written from the buffer's own timer thread, because
        the next row may come much later than ``seconds``.
    """

    def __init__(
        self,
        write: Callable[[Sequence[EncodedRun]], None],
        seconds: float,
        lock: threading.RLock,
    ) -> None:
        self._write = write
        self._seconds = seconds
        self._lock = lock
        self._rows: list[EncodedRun] = []
        self._oldest = 0.0
        self._timer: threading.Timer | None = None

    def add(self, row: EncodedRun) -> None:
        """Keep ``row``; when an earlier flush failed or is late, write all now."""
        with self._lock:
            if not self._rows:
                self._oldest = time.monotonic()
            self._rows.append(row)
            if time.monotonic() - self._oldest >= self._seconds:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(self._seconds, self._flush_quietly)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write all rows now."""
        with self._lock:
            self.cancel()
            if self._rows:
                self._write(self._rows)
                self._rows.clear()

    def cancel(self) -> None:
        """Stop the timer."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _flush_quietly(self) -> None:
        with suppress(StoreError):  # nobody listens here: the next row is late and raises it
            self.flush()
