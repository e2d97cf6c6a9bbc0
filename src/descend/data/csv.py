"""The text of a CSV file: its separator and header, and which row is to blame when it is malformed.

The fast reader says that something is wrong; the slow one here says where.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from descend.errors import DataError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class CsvText:
    """The checked text of a CSV file."""

    file: str
    raw: bytes
    delimiter: str
    header: tuple[str, ...]
    """Names as they stand in the file."""

    def place(self, index: int) -> str:
        """``row 3 (line 4)`` for the record at ``index`` (from 0) below the header."""
        try:
            for number, line, _ in self._records(strict=False):
                if number == index + 1:
                    return f"row {number} (line {line})"
        except DataError:  # a cell that this reader finds too long; the number is right anyway
            pass
        return f"row {index + 1}"

    def _records(self, *, strict: bool = True) -> Iterator[tuple[int, int, list[str]]]:
        """Number (the header is 0), first line and cells of each record that is not blank."""
        reader = csv.reader(_lines(self.raw), delimiter=self.delimiter, strict=strict)
        number, line = -1, 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _bad_quotes(f"row {number + 1} (line {line})", self.file, error) from None
            if cells:
                number += 1
                yield number, line, cells
            line = reader.line_num + 1

    def blame(self, reason: str) -> DataError:
        """The error for the first record whose cells do not fit the header."""
        number = 0
        try:
            for number, line, cells in self._records():
                if len(cells) != len(self.header):
                    return DataError(
                        f"row {number} (line {line}) of {self.file} must have "
                        f"{len(self.header)} columns like the header; got {len(cells)}."
                    )
        except DataError as error:
            return error
        if not number:
            return DataError(f"{self.file} must hold rows below its column names; got none.")
        return DataError(f"{self.file} must be a readable CSV file; got {reason}.")

    def check_quotes(self) -> None:
        """Raise for a quote that is opened and never closed."""
        for _ in self._records():
            pass


def _lines(raw: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig", newline="")


def open_csv(file: str, raw: bytes) -> CsvText:
    """Check the bytes of a CSV file and find its separator and header.

    Raises
    ------
    DataError
        When the file is empty, is not UTF-8 text, or its header cannot be read.
    """
    _check_bytes(file, raw)
    headers = {}
    problem = None
    for mark in DELIMITERS:
        try:
            headers[mark] = _header(raw, mark)
        except csv.Error as error:
            problem = error
    # most columns win; a tie goes to the first, the comma
    delimiter = max(headers, key=lambda mark: len(headers[mark]), default="")
    if problem and (not delimiter or len(headers[delimiter]) == 1):
        raise _bad_quotes("the header (line 1)", file, problem)
    return CsvText(file, raw, delimiter, headers[delimiter])


def _check_bytes(file: str, raw: bytes) -> None:
    if not raw.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataError(f"{file} must be a table with a header and rows; got an empty file.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{file} must be UTF-8 text; got UTF-16. Hint: save it as UTF-8.")
    nul = raw.find(b"\0")
    if nul >= 0:
        raise DataError(f"{_line(raw, nul)} of {file} must be text; got a NUL byte.")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{_line(raw, error.start)} of {file} must be UTF-8 text; got byte "
            f"0x{raw[error.start]:02x}. Hint: save it as UTF-8."
        ) from None


def _line(raw: bytes, position: int) -> str:
    """``row 3 (line 4)`` for a byte of a file whose records are single lines."""
    line = raw.count(b"\n", 0, position) + 1
    return f"row {line - 1} (line {line})" if line > 1 else "the header (line 1)"


def _header(raw: bytes, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(_lines(raw), delimiter=delimiter, strict=True)
    return tuple(next(cells for cells in reader if cells))


def _bad_quotes(where: str, file: str, error: csv.Error) -> DataError:
    return DataError(
        f"{where} of {file} must close each quote that it opens; got {str(error).rstrip('.')}."
    )
