"""SQLite's errors as sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from descend.errors import StoreError

BUSY_SECONDS = 60.0
"""How long one connection waits for another; a flush takes milliseconds."""

_LOCKED = (
    f"be free within {BUSY_SECONDS:.0f} s",
    "another process holds it; end that one or use another file",
)
_CLOSED = ("be open to this user", "check the permissions of the file and of its folder")
_ADVICE = {
    sqlite3.SQLITE_FULL: (
        "have room to grow",
        "free some space and resume: what was flushed before is kept",
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _CLOSED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one StoreError that names the file, the cause and a way out."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_sentence(path, error)) from error
    except UnicodeDecodeError as error:  # a message that quotes damaged text
        raise damaged(path, "text that is no UTF-8") from error


def damaged(path: Path, what: str) -> StoreError:
    """The error for a file whose content contradicts itself."""
    return StoreError(
        f"the run store {path} must be undamaged; got {what}. Hint: restore the file from a copy."
    )


def result_code(error: sqlite3.Error) -> int:
    """The extended result code; 0 for errors of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0)


def _sentence(path: Path, error: sqlite3.Error) -> str:
    got = str(error).rstrip(".")
    code = result_code(error) & 0xFF
    # The Python module reports text that is no UTF-8 by itself, without a code.
    if code == sqlite3.SQLITE_CORRUPT or "decode to UTF-8" in got:
        return str(damaged(path, repr(got)))
    if code == sqlite3.SQLITE_NOTADB:
        return f"the file {path} must be a run store; got {got!r}."
    expected, hint = _ADVICE.get(code, ("be usable", "see whether the disk works"))
    return f"the run store {path} must {expected}; got {got!r}. Hint: {hint}."
