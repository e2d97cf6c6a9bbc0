"""One column of a table as float64: numbers, booleans (0 and 1), dates (days), text (codes)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from descend.errors import DataError

Kind = Literal["number", "boolean", "date", "text"]

MISSING = ("", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "?")
"""Words, in any case, that stand for a missing value."""
MISSING_NUMBER = ("none", "-", "--", ".")
"""Words that do so only among numbers; as text they are values of their own."""
LARGEST = 1e100
"""Larger numbers are refused: their squares overflow in a variance or a loss."""

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DECIMAL_COMMA = r"^[+-]?[0-9]+(,[0-9]+)?([eE][+-]?[0-9]+)?$"
_THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$"
_DAY, _SECOND = 86_400e6, 1e6  # in microseconds


@dataclass(frozen=True)
class Owner:
    """The file that a column belongs to, for messages and for the reading of commas."""

    file: str
    place: Callable[[int], str]
    """The words for a row, from its index."""
    decimal_comma: bool = False


@dataclass(frozen=True, eq=False)
class Column:
    """float64 values, NaN where one is missing."""

    name: str
    kind: Kind
    values: NDArray[np.float64]
    labels: tuple[str, ...] = ()
    """Of a text column, sorted; its values index them."""
    notes: tuple[str, ...] = ()

    def take(self, rows: NDArray[Any]) -> Column:
        """The same column with these rows only."""
        return replace(self, values=self.values[rows])


def convert(name: str, array: Any, owner: Owner) -> Column:
    """A pyarrow array as a column.

    Raises
    ------
    DataError
        When the column holds no value, a number too large, or a few texts among many numbers.
    """
    column = _by_type(name, array, owner)
    values, notes = column.values, column.notes
    infinite = np.isinf(values)
    if infinite.any():
        values = np.where(infinite, np.nan, values)
        notes = (*notes, f"column {name!r}: infinite values taken as missing: {infinite.sum()}.")
    if np.isnan(values).all():
        raise DataError(f"column {name!r} of {owner.file} must hold values; got none at all.")
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if large.size:
        raise DataError(
            f"column {name!r} of {owner.file} must hold numbers within ±{LARGEST:g}; "
            f"got {values[large[0]]:g} in {owner.place(int(large[0]))}."
        )
    return replace(column, values=values, notes=notes)


def _by_type(name: str, array: Any, owner: Owner) -> Column:
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.cast(array.type.storage_type)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_boolean(array.type):
        return Column(name, "boolean", _floats(array))
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        return _days(name, array)
    if pa.types.is_time(array.type) or pa.types.is_duration(array.type):
        return _seconds(name, array)
    try:
        if _is_text(array.type):
            texts = array.cast(pa.large_string())
            return _Text(name, pc.utf8_trim_whitespace(texts), owner).column()
        return Column(name, "number", _floats(array))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(
            f"column {name!r} of {owner.file} must hold numbers, booleans, dates or text; "
            f"got {array.type}."
        ) from None


def _is_text(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests + binary)


@dataclass(frozen=True)
class _Text:
    """A column of trimmed text, read as what all of its values can be read as."""

    name: str
    texts: Any
    owner: Owner

    def column(self) -> Column:
        lowered = pc.utf8_lower(self.texts)
        absent = pc.is_in(lowered, pa.array((*MISSING, None), pa.large_string()))
        present = pc.if_else(absent, None, self.texts)
        lowered = pc.if_else(absent, None, lowered)
        return (
            self._numbers(present, lowered)
            or self._booleans(lowered)
            or self._dates(present)
            or self._labels(present)
        )

    def _numbers(self, present: Any, lowered: Any) -> Column | None:
        values = _parsed(present)
        if values is not None:
            return Column(self.name, "number", values)
        absent = pc.is_in(lowered, pa.array(MISSING_NUMBER, pa.large_string()))
        present = pc.if_else(absent, None, present)
        values = _parsed(present)
        if values is not None:
            return Column(self.name, "number", values)
        return self._numbers_with_commas(present)

    def _numbers_with_commas(self, present: Any) -> Column | None:
        decimal = self.owner.decimal_comma
        pattern = _DECIMAL_COMMA if decimal else _THOUSANDS
        if not pc.all(pc.match_substring_regex(present, pattern)).as_py():
            return None
        values = _parsed(pc.replace_substring(present, ",", "." if decimal else ""))
        word = "decimal points" if decimal else "thousands separators"
        note = f"column {self.name!r}: commas are read as {word}."
        return None if values is None else Column(self.name, "number", values, notes=(note,))

    def _booleans(self, lowered: Any) -> Column | None:
        if not pc.all(pc.is_in(lowered, pa.array(("true", "false", None), lowered.type))).as_py():
            return None
        return Column(self.name, "boolean", _floats(pc.equal(lowered, "true")))

    def _dates(self, present: Any) -> Column | None:
        """ISO 8601 dates, with or without a time of day and a zone."""
        for zone in (None, "UTC"):
            try:
                return _days(self.name, present.cast(pa.timestamp("us", zone)))
            except pa.ArrowInvalid:
                continue
        return None

    def _labels(self, present: Any) -> Column:
        labels, codes = _codes(present)
        return Column(self.name, "text", codes, labels, self._mixed(present))

    def _mixed(self, present: Any) -> tuple[str, ...]:
        """A note on numbers among text; an error for a little text among many numbers."""
        numeric = pc.fill_null(pc.match_substring_regex(present, _NUMBER), False)
        n_numeric, n_present = pc.sum(numeric).as_py(), pc.count(present).as_py()
        if not n_numeric:
            return ()
        first = pc.index(pc.and_(pc.is_valid(present), pc.invert(numeric)), True).as_py()
        where = f"{_short(present[first].as_py())} in {self.owner.place(first)}"
        many = pc.count_distinct(present.filter(numeric)).as_py() > 20
        if many and n_numeric >= 0.9 * n_present:
            raise DataError(
                f"column {self.name!r} of {self.owner.file} must hold numbers throughout, "
                f"as {n_numeric} of its {n_present} values are; got {where}."
            )
        note = (
            f"column {self.name!r}: taken as text, for only {n_numeric} of its {n_present} "
            f"values are numbers (the first that is not: {where})."
        )
        return (note,)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _floats(array: Any) -> NDArray[np.float64]:
    """A pyarrow array as float64, NaN for null."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    return np.array(array.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def _parsed(texts: Any) -> NDArray[np.float64] | None:
    try:
        return _floats(texts)
    except pa.ArrowInvalid:
        return None


def _days(name: str, array: Any) -> Column:
    zone = getattr(array.type, "tz", None)
    stamps = array.cast(pa.timestamp("us", zone), safe=False)
    days = _floats(stamps.cast(pa.int64())) / _DAY
    note = f"column {name!r}: dates turned into days since 1970-01-01."
    return Column(name, "date", days, notes=(note,))


def _seconds(name: str, array: Any) -> Column:
    kind = pa.time64("us") if pa.types.is_time(array.type) else pa.duration("us")
    seconds = _floats(array.cast(kind, safe=False).cast(pa.int64())) / _SECOND
    return Column(name, "number", seconds, notes=(f"column {name!r}: times turned into seconds.",))


def _codes(texts: Any) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Sorted labels, and for each row the index of its label (NaN for null)."""
    encoded = pa.concat_arrays(texts.chunks).dictionary_encode()
    labels = encoded.dictionary.to_pylist()
    order = sorted(range(len(labels)), key=labels.__getitem__)
    rank = np.full(len(labels) + 1, np.nan)  # the last one is for null
    rank[order] = np.arange(len(labels))
    codes = encoded.indices.fill_null(len(labels)).to_numpy(zero_copy_only=False)
    return tuple(labels[i] for i in order), rank[codes]
