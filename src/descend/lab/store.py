"""The run store: races, their runs and standings in one SQLite file.

One process writes, any number read. Runs are buffered and reach the disk within ``flush_seconds``,
so a killed process loses no more than that; the race it leaves behind becomes ``interrupted`` and
can be resumed.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from descend.errors import StoreError
from descend.lab._store import races
from descend.lab._store.buffer import Buffer, EncodedRun
from descend.lab._store.export import curve_table, run_table, write_table
from descend.lab._store.file import file_of, open_file, transaction
from descend.lab._store.process import this_process
from descend.lab._store.races import RaceRow, RaceStatus
from descend.lab._store.rows import decode_result, encode_run, from_json, to_json
from descend.lab.records import ProblemCard, RaceResult, Run

__all__ = ["RaceRow", "RaceStatus", "Store", "file_of", "from_json", "to_json"]


class Store:
    """A run store, to be used as a context manager.

    Parameters
    ----------
    path : str or path
        A file, also as ``sqlite:///runs.db``; created when missing.
    flush_seconds : float
        A run waits no longer than this before it is written.
    read_only : bool
        See `Store.reader`.

    Raises
    ------
    StoreError
        When the file is no run store, damaged, too new or not accessible; and from every method
        when the file cannot be read or written any more.

    Examples
    --------
    >>> with Store("runs.db") as store:  # doctest: +SKIP
    ...     for race in store.races():
    ...         print(race.race_id, race.problem, race.status, race.leaders)
    """

    def __init__(
        self, path: str | os.PathLike[str], *, flush_seconds: float = 1.0, read_only: bool = False
    ) -> None:
        self.path: Path = file_of(path)
        self._read_only = read_only
        self._owner = this_process()
        self._mine: set[int] = set()
        self._closed = False
        self._lock = threading.RLock()
        self._buffer = Buffer(self._write_runs, flush_seconds, self._lock)
        self._connection: sqlite3.Connection = open_file(self.path, read_only=read_only)
        if not read_only:
            try:
                with self._writing() as connection:
                    races.bury_the_dead(connection, self.path)
            except BaseException:
                self._connection.close()
                raise

    @classmethod
    def reader(cls, path: str | os.PathLike[str]) -> Self:
        """The store at ``path`` for reading only; another process may write meanwhile."""
        return cls(path, read_only=True)

    def begin_race(
        self,
        problem: str,
        card: ProblemCard,
        plan: Mapping[str, Any],
        manifest: Mapping[str, Any],
        spec_hash: str,
    ) -> int:
        """Enter a new race, run by this process.

        Parameters
        ----------
        problem : str
            The problem's name.
        card : ProblemCard
            The problem in words.
        plan, manifest : mapping
            As in `RaceResult`; tuples in them come back as lists.
        spec_hash : str
            Equal for races that would do the same runs.

        Returns
        -------
        int
            The race's number, never used again in this file.
        """
        row = races.spec_row(problem, card, plan, manifest, spec_hash)
        with self._writing() as connection:
            race_id = races.insert_race(connection, self._owner, row)
        self._mine.add(race_id)
        return race_id

    def resume_race(self, race_id: int) -> list[Run]:
        """Take over an unfinished race; its failed and timed-out runs are removed.

        Returns
        -------
        list of Run
            The runs that need not be done again, as `finished_runs` gives them.

        Raises
        ------
        StoreError
            When the race is done, or a living process works on it: of two processes that resume
            one race at the same moment, one gets this error.
        """
        self._buffer.flush()
        with self._writing() as connection:
            status = races.status_of(races.read_race(connection, self.path, race_id))
            if status == "done" or (status == "running" and race_id not in self._mine):
                raise StoreError(
                    f"race {race_id} of {self.path} must be interrupted to go on; got {status}."
                )
            races.claim(connection, race_id, self._owner)
        self._mine.add(race_id)
        return self.finished_runs(race_id)

    def add_run(self, race_id: int, run: Run) -> None:
        """Keep a run, in place of an earlier one with the same key.

        The first run added to an interrupted race resumes the race.

        Raises
        ------
        StoreError
            When ``run`` cannot be a row, or when the buffered runs could not be written; these
            stay buffered and the next flush tries again.
        """
        row = encode_run(race_id, run)
        self._own(race_id)
        self._buffer.add(row)

    def flush(self) -> None:
        """Write the buffered runs now."""
        self._buffer.flush()

    def finish_race(self, race_id: int, result: RaceResult) -> None:
        """Conclude a race with its standings; runs of ``result`` not yet stored are added."""
        self._own(race_id)
        self._buffer.flush()
        with self._writing() as connection:
            races.conclude(connection, races.read_race(connection, self.path, race_id), result)
        self._mine.discard(race_id)

    def interrupt_race(self, race_id: int) -> None:
        """Mark a running race as interrupted, with all runs so far written.

        Leaving the ``with`` block does this for the races that were begun in it.
        """
        self._stop(race_id, "interrupted", "")

    def fail_race(self, race_id: int, cause: str) -> None:
        """Mark a running race as failed, with a sentence why; it can be resumed."""
        self._stop(race_id, "failed", cause)

    def remove(self, race_ids: Iterable[int]) -> None:
        """Delete races with their runs: all, or none when one is missing or running."""
        self._buffer.flush()
        with self._writing() as connection:
            races.delete(connection, self.path, race_ids)

    def find_resumable(self, spec_hash: str) -> int | None:
        """The latest race with this hash that is not done and has no living process, or None."""
        with self._reading() as connection:
            return races.unfinished(connection, self.path, spec_hash)

    def finished_runs(self, race_id: int) -> list[Run]:
        """The runs that are results: finished or diverged, not failed and not timed out."""
        return [run for run in self.runs(race_id) if run.status in ("finished", "diverged")]

    def runs(self, race_id: int) -> list[Run]:
        """All runs of a race: tuning before fresh seeds, then by entry, trial and seed."""
        with self._reading() as connection:
            races.read_race(connection, self.path, race_id)
            return races.read_runs(connection, self.path, race_id)

    def races(self) -> list[RaceRow]:
        """All races, the oldest first; one whose process has died counts as interrupted."""
        with self._reading() as connection:
            return races.list_races(connection, self.path)

    def load(self, race_id: int) -> RaceResult:
        """Everything about a race that is done, as `finish_race` got it."""
        with self._reading() as connection:
            row = races.read_race(connection, self.path, race_id)
            if row["status"] != "done":
                raise StoreError(
                    f"race {race_id} of {self.path} must be done to have standings; "
                    f"got {races.status_of(row)}. Hint: resume it."
                )
            runs = races.read_runs(connection, self.path, race_id)
        with races.intact(self.path, f"the result of race {race_id}"):
            return decode_result(race_id, row, runs)

    def export(self, race_id: int, path: str | os.PathLike[str], *, curves: bool = False) -> None:
        """Write the runs of a race as a table, whole or not at all.

        Parameters
        ----------
        race_id : int
            Done or not.
        path : str or path
            Ends in .csv, .parquet, .jsonl or .ndjson; an existing file is replaced.
        curves : bool
            One row per checkpoint (``run``, ``step`` in gradient evaluations, ``val/loss``)
            instead of one per run.
        """
        target = Path(path)
        if target.exists() and target.samefile(self.path):
            raise StoreError(f"the export must be another file than the run store {self.path}.")
        with self._reading() as connection:
            problem = races.read_race(connection, self.path, race_id)["problem"]
            runs = races.read_runs(connection, self.path, race_id)
        table = curve_table if curves else run_table
        write_table(table(race_id, problem, runs), target)

    def close(self) -> None:
        """Write what is buffered, interrupt the races begun here, and close the file."""
        with self._lock:
            if self._closed or os.getpid() != self._owner.pid:
                return  # a forked process must leave the file to its parent
            try:
                self._buffer.flush()
                for race_id in tuple(self._mine):
                    self.interrupt_race(race_id)
            finally:
                self._closed = True
                self._buffer.cancel()
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(*[StoreError] if error else []):  # the first error is the cause
            self.close()

    def _own(self, race_id: int) -> None:
        if race_id not in self._mine:
            self.resume_race(race_id)

    def _stop(self, race_id: int, status: RaceStatus, cause: str) -> None:
        self._buffer.flush()
        with self._writing() as connection:
            races.read_race(connection, self.path, race_id)
            races.stop(connection, race_id, status, cause)
        self._mine.discard(race_id)

    def _write_runs(self, batch: Sequence[EncodedRun]) -> None:
        with self._writing() as connection:
            races.insert_runs(connection, batch)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._read_only:
            raise StoreError(f"the run store {self.path} must be open for writing; got a reader.")
        with self._lock, transaction(self._open(), self.path) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._buffer.flush()
            yield self._open()

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"the run store {self.path} must be open; got a closed one.")
        if os.getpid() != self._owner.pid:
            raise StoreError(
                f"the run store {self.path} must be used by the process that opened it; "
                "got a fork of that."
            )
        return self._connection
