"""What is asked of the tables ``races`` and ``runs``, one function per question."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from descend.errors import StoreError
from descend.lab._store import rows
from descend.lab._store.failures import damaged
from descend.lab._store.file import query
from descend.lab._store.process import Owner, is_alive
from descend.lab.records import ProblemCard, RaceResult, Run

RaceStatus = Literal["running", "done", "interrupted", "failed"]
Row = dict[str, Any]

_INSERT_RUN = (
    f"INSERT OR {{}} INTO runs ({rows.RUN_COLUMNS}) "  # noqa: S608  (a constant)
    f"VALUES ({', '.join('?' * len(rows.RUN_COLUMNS.split(', ')))})"
)
_SEALED = ("id", "problem", "spec_hash", "plan", "manifest", "card", "result", "created")
"""The columns of a race that its digest covers; the others change while it runs."""
_COLUMNS = (
    *_SEALED, "digest", "status", "cause", "finished", "pid", "host", "boot", "started", "seen",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM races"  # noqa: S608  (constants)
_SILENT_SECONDS = 86_400.0
"""A race whose process cannot be seen from here counts as running for a day after its last row."""


@dataclass(frozen=True)
class RaceRow:
    """One line in the list of races."""

    race_id: int
    problem: str
    title: str
    status: RaceStatus
    cause: str
    """Why the race failed; empty otherwise."""
    spec_hash: str
    created: datetime
    finished: datetime | None
    runs: int
    """Runs stored so far, of every status."""
    leaders: tuple[str, ...]
    """Entries of the first tie group; empty until the race is done."""


@contextmanager
def intact(path: Path, what: str) -> Iterator[None]:
    """Turn the errors of decoding into one StoreError that names the damaged part."""
    try:
        yield
    except StoreError:
        raise
    except rows.MALFORMED as error:
        raise damaged(path, f"{what} that cannot be read ({error})") from error


def insert_race(connection: sqlite3.Connection, owner: Owner, row: Row) -> int:
    """Enter a running race with the sealed columns of ``row``, which lacks its id."""
    sealed = {**row, "result": None, "created": _now()}
    values = {
        **sealed, "digest": b"", "status": "running", "seen": time.time(),
        "pid": owner.pid, "host": owner.host, "boot": owner.boot, "started": owner.started,
    }  # fmt: skip
    cursor = connection.execute(
        f"INSERT INTO races ({', '.join(values)}) "  # noqa: S608  (names from this module)
        f"VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
    race_id = cast(int, cursor.lastrowid)
    _seal(connection, {**sealed, "id": race_id})
    return race_id


def spec_row(
    problem: str,
    card: ProblemCard,
    plan: Mapping[str, Any],
    manifest: Mapping[str, Any],
    spec_hash: str,
) -> Row:
    """The columns that a race begins with; StoreError when one cannot be stored."""
    return {
        "problem": rows.checked_text("problem", problem),
        "spec_hash": rows.checked_text("spec hash", spec_hash),
        "plan": rows.to_json(plan),
        "manifest": rows.to_json(manifest),
        "card": rows.encode_card(card),
    }


def read_race(connection: sqlite3.Connection, path: Path, race_id: int) -> Row:
    """The row of one race; StoreError when there is none or its digest differs."""
    found = query(connection, path, f"{_SELECT} WHERE id = ?", (race_id,))
    if not found:
        raise StoreError(f"race {race_id} must be one of the races in {path}; got no such race.")
    return _checked(path, found[0])


def read_runs(connection: sqlite3.Connection, path: Path, race_id: int) -> list[Run]:
    """The runs of a race: tuning before fresh seeds, then by entry, trial and seed."""
    found = query(
        connection,
        path,
        f"SELECT {rows.RUN_COLUMNS} FROM runs WHERE race_id = ? "  # noqa: S608  (a constant)
        "ORDER BY phase DESC, entry, trial, seed",
        (race_id,),
    )
    with intact(path, f"a run of race {race_id}"):
        return [rows.decode_run(row) for row in found]


def list_races(connection: sqlite3.Connection, path: Path) -> list[RaceRow]:
    """All races, the oldest first."""
    counts = dict(query(connection, path, "SELECT race_id, count(*) FROM runs GROUP BY race_id"))
    found = [_checked(path, row) for row in query(connection, path, f"{_SELECT} ORDER BY id")]
    with intact(path, "a race"):
        return [_race_row(row, counts.get(row["id"], 0)) for row in found]


def unfinished(connection: sqlite3.Connection, path: Path, spec_hash: str) -> int | None:
    """The latest race with this hash that is not done and has no living process."""
    found = query(
        connection,
        path,
        f"{_SELECT} WHERE spec_hash = ? AND status <> 'done' ORDER BY id DESC",
        (spec_hash,),
    )
    races = [_checked(path, row) for row in found]
    return next((row["id"] for row in races if status_of(row) != "running"), None)


def status_of(row: Row) -> RaceStatus:
    """The status of a race now: one that runs without its process is interrupted."""
    if row["status"] != "running":
        return cast(RaceStatus, row["status"])
    alive = is_alive(Owner(row["pid"], row["host"], row["boot"], row["started"]))
    if alive is None:
        alive = time.time() - row["seen"] < _SILENT_SECONDS
    return "running" if alive else "interrupted"


def claim(connection: sqlite3.Connection, race_id: int, owner: Owner) -> None:
    """Let ``owner`` go on with a race; runs that are no results are removed."""
    connection.execute(
        "UPDATE races SET status = 'running', cause = '', finished = NULL, "
        "pid = ?, host = ?, boot = ?, started = ?, seen = ? WHERE id = ?",
        (*astuple(owner), time.time(), race_id),
    )
    connection.execute(
        "DELETE FROM runs WHERE race_id = ? AND status IN ('failed', 'timed out')", (race_id,)
    )


def insert_runs(connection: sqlite3.Connection, batch: Sequence[tuple[Any, ...]]) -> None:
    """Write encoded runs, and that their races gave a sign of life."""
    connection.executemany(_INSERT_RUN.format("REPLACE"), batch)
    connection.executemany(
        "UPDATE races SET seen = ? WHERE id = ?",
        [(time.time(), race_id) for race_id in {row[0] for row in batch}],
    )


def conclude(connection: sqlite3.Connection, row: Row, result: RaceResult) -> None:
    """Write the result of the race in ``row``, with the runs that are not stored yet."""
    race_id = row["id"]
    encoded = [rows.encode_run(race_id, run) for run in result.runs]
    connection.executemany(_INSERT_RUN.format("IGNORE"), encoded)
    counted = connection.execute("SELECT count(*) FROM runs WHERE race_id = ?", (race_id,))
    final = {
        "plan": rows.to_json(result.plan),
        "manifest": rows.to_json(result.manifest),
        "card": rows.encode_card(result.problem),
        "result": rows.encode_result(result, counted.fetchone()[0]),
    }
    connection.execute(
        "UPDATE races SET status = 'done', cause = '', finished = :finished, plan = :plan, "
        "manifest = :manifest, card = :card, result = :result WHERE id = :id",
        {**final, "finished": _now(), "id": race_id},
    )
    _seal(connection, {**row, **final})


def stop(connection: sqlite3.Connection, race_id: int, status: RaceStatus, cause: str = "") -> None:
    """End a race that runs without a result; nothing happens to one that has ended."""
    connection.execute(
        "UPDATE races SET status = ?, cause = ? WHERE id = ? AND status = 'running'",
        (status, rows.bent_text(cause), race_id),
    )


def bury_the_dead(connection: sqlite3.Connection, path: Path) -> None:
    """Mark as interrupted what processes left running that have ended."""
    # A write-protected file fails here at once; BEGIN IMMEDIATE lets it pass.
    connection.execute("DELETE FROM runs WHERE race_id IS NULL")
    for row in query(connection, path, f"{_SELECT} WHERE status = 'running'"):
        race = _checked(path, row)
        if status_of(race) == "interrupted":
            stop(connection, race["id"], "interrupted")


def delete(connection: sqlite3.Connection, path: Path, race_ids: Iterable[int]) -> None:
    """Delete races with their runs; StoreError when one is missing or runs."""
    for race_id in race_ids:
        if status_of(read_race(connection, path, race_id)) == "running":
            raise StoreError(
                f"race {race_id} of {path} must have ended to be removed; got a running one."
            )
        connection.execute("DELETE FROM races WHERE id = ?", (race_id,))


def _checked(path: Path, values: tuple[Any, ...]) -> Row:
    row = dict(zip(_COLUMNS, values, strict=True))
    if row["digest"] != _digest(row):
        raise damaged(path, f"race {row['id']} with another checksum")
    times = isinstance(row["seen"], float) and isinstance(row["pid"], int)
    if row["status"] not in get_args(RaceStatus) or not times:
        raise damaged(path, f"race {row['id']} in an impossible state")
    return row


def _race_row(row: Row, n_runs: int) -> RaceRow:
    return RaceRow(
        race_id=row["id"],
        problem=row["problem"],
        title=rows.decode_card(row["card"]).title,
        status=status_of(row),
        cause=row["cause"],
        spec_hash=row["spec_hash"],
        created=datetime.fromisoformat(row["created"]),
        finished=datetime.fromisoformat(row["finished"]) if row["finished"] else None,
        runs=n_runs,
        leaders=rows.leaders(row["result"]) if row["result"] else (),
    )


def _seal(connection: sqlite3.Connection, row: Row) -> None:
    connection.execute("UPDATE races SET digest = ? WHERE id = ?", (_digest(row), row["id"]))


def _digest(row: Row) -> bytes:
    return rows.digest([row[name] for name in _SEALED])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
