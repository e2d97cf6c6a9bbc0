"""The user's files, CSV and Parquet, read through pyarrow into columns."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from descend.data.columns import Column, Owner, convert
from descend.data.csv import DELIMITERS, CsvText, open_csv
from descend.errors import DataError

_BLOCK = 1 << 24  # bytes that the CSV reader takes at once: a row must fit into them


@dataclass(frozen=True, eq=False)
class Table:
    """A file that has been read; its columns are converted one by one, on demand."""

    names: tuple[str, ...]
    n_rows: int
    sha256: str
    notes: tuple[str, ...]
    owner: Owner
    arrays: Sequence[Any]

    def column(self, name: str) -> Column:
        """The column called ``name`` as float64; DataError when it cannot be used."""
        return convert(name, self.arrays[self.names.index(name)], self.owner)


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a ``.csv`` or ``.parquet`` file.

    Raises
    ------
    DataError
        When there is no such file, it is malformed, or it holds no rows; the message names the
        file and, where there is one to blame, the row.
    """
    file = os.fspath(path)
    suffix = Path(file).suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise DataError(f"a table must be a .csv or .parquet file; got {file}.")
    raw = _raw(Path(file))
    digest = hashlib.sha256(raw).hexdigest()
    if suffix == ".csv":
        return _from_csv(open_csv(file, raw), digest)
    return _from_parquet(file, raw, digest)


def _raw(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} must be a file; got a directory.")
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} must be a readable file; got {str(reason).lower()!r}.") from None


def _from_csv(text: CsvText, digest: str) -> Table:
    table = _read_csv(text)
    notes = []
    if text.delimiter != ",":
        notes.append(f"columns of the file are separated by {DELIMITERS[text.delimiter]}.")
    # where commas do not separate columns, they may stand before decimals
    owner = Owner(text.file, text.place, decimal_comma=text.delimiter != ",")
    return _table(table, digest, notes, owner)


def _read_csv(text: CsvText) -> Any:
    """Every column as text.

    With types inferred from the first block, the reader would fail megabytes later; whole columns
    are converted afterwards, when every value can be seen.
    """
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(text.raw),
            read_options=pa.csv.ReadOptions(block_size=_BLOCK),
            parse_options=pa.csv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.large_string() for name in text.header}
            ),
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise text.blame(str(error).splitlines()[0].rstrip(".")) from None
    # an open quote swallows rows into one cell without an error: the file then has an odd number
    # of quotes, or cells that span lines
    if text.raw.count(b'"') % 2 or any(map(_spans_lines, table.columns)):
        text.check_quotes()
    return table


def _spans_lines(array: Any) -> bool:
    return bool(pc.any(pc.match_substring_regex(array, "[\r\n]")).as_py())


def _from_parquet(file: str, raw: bytes, digest: str) -> Table:
    if not raw:
        raise DataError(f"{file} must be a Parquet file; got an empty file.")
    try:
        schema = pa.parquet.read_schema(pa.BufferReader(raw))
        _check_schema(file, schema)
        source = pa.parquet.ParquetFile(pa.BufferReader(raw), page_checksum_verification=True)
        table = source.read()
        table.validate(full=True)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = (str(error).splitlines() or ["no reason"])[0].rstrip(".")
        raise DataError(f"{file} must be a readable Parquet file; got: {reason}.") from None
    return _table(table, digest, [], Owner(file, lambda index: f"row {index + 1}"))


def _check_schema(file: str, schema: Any) -> None:
    _check_names(file, schema.names)
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_nested(kind):
            raise DataError(
                f"column {field.name!r} of {file} must hold one value a row; "
                f"got the nested type {kind}."
            )


def _table(table: Any, digest: str, notes: list[str], owner: Owner) -> Table:
    names = [name.strip() for name in table.column_names]
    for i, name in enumerate(names):
        if not name:
            names[i] = f"column {i + 1}"
            notes.append(f"column {i + 1} has no name and is called {names[i]!r}.")
    _check_names(owner.file, names)
    if not table.num_rows:
        raise DataError(f"{owner.file} must hold rows below its column names; got none.")
    return Table(tuple(names), table.num_rows, digest, tuple(notes), owner, table.columns)


def _check_names(file: str, names: Sequence[str]) -> None:
    name, times = Counter(map(str.strip, names)).most_common(1)[0] if names else ("", 1)
    if times > 1 and name:
        raise DataError(f"column names of {file} must be distinct; got {name!r} {times} times.")
