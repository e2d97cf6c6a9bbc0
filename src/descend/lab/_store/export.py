"""Runs as a table for other programs: CSV, Parquet or JSON lines, by the file's extension.

One row per run, or one per checkpoint of its curve. Columns carry the names that tracking tools
use: ``run trial seed step val/loss test/loss``; hyperparameters keep their own.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from descend.errors import StoreError
from descend.lab._store.rows import to_json
from descend.lab.records import Run

Row = tuple[Any, ...]
Table = tuple[dict[str, type], Iterator[Row]]
"""Columns by name with their type, and the rows."""

_KEY_COLUMNS: dict[str, type] = {
    "race": int, "problem": str, "run": int, "entry": str, "phase": str, "trial": int, "seed": int,
}  # fmt: skip
_RUN_COLUMNS: dict[str, type] = {
    **_KEY_COLUMNS, "status": str, "cause": str,
    "evaluations": int, "seconds": float, "val/loss": float, "test/loss": float,
}  # fmt: skip
_CURVE_COLUMNS: dict[str, type] = {**_KEY_COLUMNS, "step": int, "val/loss": float}


def run_table(race_id: int, problem: str, runs: Sequence[Run]) -> Table:
    """One row per run; an empty hyperparameter stands for the entry's default.

    A hyperparameter whose name is already a column's becomes ``settings/NAME``.
    """
    settings = sorted({name for run in runs for name in run.settings})
    columns = dict(_RUN_COLUMNS)
    for name in settings:
        columns[f"settings/{name}" if name in _RUN_COLUMNS else name] = float
    rows = (
        (
            *_key(race_id, problem, number, run), run.status, run.cause,
            run.evaluations, run.seconds, run.score, run.test,
            *(run.settings.get(name) for name in settings),
        )
        for number, run in enumerate(runs, start=1)
    )  # fmt: skip
    return columns, rows


def curve_table(race_id: int, problem: str, runs: Sequence[Run]) -> Table:
    """One row per checkpoint; ``step`` counts gradient evaluations."""
    rows = (
        (*_key(race_id, problem, number, run), step, score)
        for number, run in enumerate(runs, start=1)
        for step, score in zip(
            run.curve.evaluations.tolist(), run.curve.score.tolist(), strict=True
        )
    )
    return dict(_CURVE_COLUMNS), rows


def write_table(table: Table, path: Path) -> None:
    """Write ``table`` to ``path``, whole or not at all.

    Parameters
    ----------
    table : tuple
        Columns and rows of `run_table` or `curve_table`.
    path : Path
        Ends in .csv, .parquet, .jsonl or .ndjson; an existing file is replaced.

    Raises
    ------
    StoreError
        For another extension, or when the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise StoreError(
            f"the extension of an export must be one of {', '.join(_WRITERS)}; got {str(path)!r}."
        )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(table, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StoreError(f"the export {path} must be writable; got {error.strerror!r}.") from error
    finally:
        with suppress(OSError):
            part.unlink()  # gone already when all went well


def _key(race_id: int, problem: str, number: int, run: Run) -> Row:
    key = run.key
    return race_id, problem, number, key.entry, key.phase, key.trial, key.seed


def _open_text(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def _write_csv(table: Table, path: Path) -> None:
    columns, rows = table
    with _open_text(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)  # floats by repr: every bit, and nan, inf, -0.0 as pandas reads them


def _write_json_lines(table: Table, path: Path) -> None:
    columns, rows = table
    with _open_text(path) as file:
        for row in rows:
            file.write(to_json(dict(zip(columns, row, strict=True))) + "\n")


def _write_parquet(table: Table, path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    columns, rows = table
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    parquet.write_table(pa.table(arrays, schema=schema), path)


_WRITERS: dict[str, Callable[[Table, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
}
