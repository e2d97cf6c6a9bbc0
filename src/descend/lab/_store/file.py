"""The run store's file: opening and checking it, its journal, transactions."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from descend.errors import StoreError
from descend.lab._store.failures import BUSY_SECONDS, damaged, explained, result_code
from descend.lab._store.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES

_JOURNAL_SECONDS = 5.0


def file_of(path: str | os.PathLike[str]) -> Path:
    """The file that ``path`` names: a plain path or ``sqlite:///path.db``.

    Parameters
    ----------
    path : str or path
        As in SQLAlchemy, ``sqlite:///runs.db`` is relative and ``sqlite:////tmp/runs.db`` absolute.

    Returns
    -------
    Path
        The absolute path of the file, which need not exist.

    Raises
    ------
    StoreError
        When the path names no file.

    Examples
    --------
    >>> file_of("sqlite:////tmp/runs.db").as_posix()
    '/tmp/runs.db'
    """
    text = os.fspath(path)
    scheme, found, rest = text.partition("://")
    if found and (scheme != "sqlite" or not rest.startswith("/")):
        raise StoreError(
            "the path of a run store must be a file or sqlite:///FILE; "
            f"got {text!r}. Hint: sqlite:///runs.db."
        )
    name = rest[1:] if found else text
    if not name or name == ":memory:" or "\0" in name:
        raise StoreError(f"the path of a run store must name a file; got {text!r}.")
    return Path(name).expanduser().absolute()


def journal_for(version: tuple[int, ...]) -> str:
    """The safe journal for an SQLite version: ``wal``, or ``delete`` where WAL may corrupt.

    Before 3.51.3 (and the backports 3.44.6 and 3.50.7) two connections that write or checkpoint
    in WAL mode at the same time can corrupt the file: https://sqlite.org/wal.html#walresetbug.

    >>> journal_for((3, 40, 1)), journal_for((3, 44, 6)), journal_for((3, 51, 3))
    ('delete', 'wal', 'wal')
    """
    backported = version[:2] in ((3, 44), (3, 50)) and version >= (
        *version[:2],
        {44: 6, 50: 7}[version[1]],
    )
    return "wal" if version >= (3, 51, 3) or backported else "delete"


def open_file(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to the run store at ``path``, checked from end to end.

    Parameters
    ----------
    path : Path
        An absolute path.
    read_only : bool
        Leave the file as it is; otherwise it is created when missing.

    Returns
    -------
    sqlite3.Connection
        In autocommit mode, to be used by one thread at a time.

    Raises
    ------
    StoreError
        When the file is missing, unreadable, damaged, too new or something else.
    """
    _check_place(path, read_only)
    with explained(path):
        connection = _connect(path, "ro" if read_only else "rwc")
        try:
            _prepare(connection, path, read_only)
        except BaseException:
            connection.close()
            raise
    return connection


def query(
    connection: sqlite3.Connection, path: Path, sql: str, values: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows of one SELECT, after undoing what a killed writer left half-written."""
    with explained(path):
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if result_code(error) not in (
                sqlite3.SQLITE_READONLY_ROLLBACK,
                sqlite3.SQLITE_READONLY_RECOVERY,
            ):
                raise
        # A reader may not roll back the journal of a killed writer; any read by a writer does.
        with closing(_connect(path, "rw")) as writer:
            writer.execute("SELECT count(*) FROM sqlite_master").fetchall()
        return connection.execute(sql, values).fetchall()


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Everything inside is written or nothing; the write lock is taken at the start.

    A transaction that begins as a reader and then writes fails at once with "locked" when another
    writes: the busy timeout does not apply to it. BEGIN IMMEDIATE waits.
    """
    with explained(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")
            raise


def _check_place(path: Path, read_only: bool) -> None:
    try:
        exists, is_file = path.exists(), path.is_file()
        parent = path.parent.is_dir()
    except OSError as error:
        raise StoreError(f"the run store {path} must be readable; got {error.strerror}.") from error
    if exists and not is_file:
        got = "a directory" if path.is_dir() else "a device or pipe"
        raise StoreError(f"the run store {path} must be a file; got {got}.")
    if not exists and read_only:
        raise StoreError(f"the run store {path} must exist; got no such file. Hint: race first.")
    if not parent:
        raise StoreError(
            f"the folder of the run store {path} must exist; got none. Hint: create it first."
        )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    for pragma in ("foreign_keys=ON", "trusted_schema=OFF", "cell_size_check=ON"):
        connection.execute(f"PRAGMA {pragma}")
    is_new = _is_new(connection, path)
    if is_new and read_only:
        raise StoreError(f"the file {path} must be a run store; got an empty file.")
    if not read_only:
        _set_journal(connection, path)
        with transaction(connection, path):
            if _is_new(connection, path):  # another may have created it since
                _create(connection)
    _check_content(connection, path)


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is still empty; raises unless it is that or a run store of this version."""
    application, version, tables = _identity(connection, path)
    if (application, version, tables) == (0, 0, 0):
        return True
    if application != APPLICATION_ID:
        raise StoreError(
            f"the file {path} must be a run store; got an SQLite file of another program."
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the run store {path} must have schema version {SCHEMA_VERSION}; got {version}. "
            "Hint: a newer descend wrote it: upgrade."
        )
    if 0 < version < SCHEMA_VERSION:
        raise StoreError(
            f"the run store {path} must have schema version {SCHEMA_VERSION}; got {version}. "
            "Hint: an older descend wrote it, whose results hold less: race into another file."
        )
    if version != SCHEMA_VERSION:
        raise damaged(path, f"schema version {version}")
    return False


def _identity(connection: sqlite3.Connection, path: Path) -> tuple[int, int, int]:
    """Application id, user version and number of tables, all of one moment.

    Without the transaction another process can create the store between two of the questions.
    """
    outside = not connection.in_transaction
    if outside:
        connection.execute("BEGIN")
    try:
        (application,) = query(connection, path, "PRAGMA application_id")[0]
        (version,) = query(connection, path, "PRAGMA user_version")[0]
        (tables,) = query(connection, path, "SELECT count(*) FROM sqlite_master")[0]
    finally:
        if outside and connection.in_transaction:
            connection.execute("ROLLBACK")
    return application, version, tables


def _create(connection: sqlite3.Connection) -> None:
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Tables as created, no triggers (they would run with our writes), and pages in order."""
    found = query(
        connection,
        path,
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' OR name IN ('races', 'runs')",
    )
    if {sql for (sql,) in found} != set(TABLES):
        raise damaged(path, "other tables than a run store has")
    (verdict,) = query(connection, path, "PRAGMA integrity_check(1)")[0]
    if verdict != "ok":
        raise damaged(path, str(verdict).replace("\n", " "))


def _set_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Choose the journal; changing it needs a moment without any other connection."""
    wanted = journal_for(sqlite3.sqlite_version_info)
    deadline = time.monotonic() + _JOURNAL_SECONDS
    while not _has_journal(connection, wanted):
        if time.monotonic() > deadline:
            if wanted == "wal":
                return  # the rollback journal is always safe
            raise StoreError(
                f"the run store {path} must leave WAL mode, in which SQLite "
                f"{sqlite3.sqlite_version} can damage it; got another process that has it open. "
                "Hint: close that first."
            )
        time.sleep(random.uniform(0.005, 0.05))  # noqa: S311  (spreads the starters)


def _has_journal(connection: sqlite3.Connection, wanted: str) -> bool:
    try:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != wanted:
            (mode,) = connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
    except sqlite3.OperationalError as error:
        if result_code(error) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise
        return False
    return bool(mode == wanted)
