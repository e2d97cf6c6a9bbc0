"""Data to race on: four sets that come with scikit-learn, and the user's own tables.

Test rows are split off first; whatever is measured on the data is measured on the others.
``Dataset.notes`` says in sentences everything that was done.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from descend.data.targets import read_target, standardise_target
from descend.errors import DataError, unknown_name

if TYPE_CHECKING:
    from descend.data.columns import Column

Floats = NDArray[np.float64]
Task = Literal["regression", "classification"]

_ROW_NAMES = ("id", "index", "row", "rownames", "unnamed: 0", "__index_level_0__", "column 1")
_BUNDLED: dict[str, tuple[Task, str]] = {
    "breast_cancer": ("classification", "diagnosis"),
    "diabetes": ("regression", "progression"),
    "digits": ("classification", "digit"),
    "wine": ("classification", "cultivar"),
}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and targets, split, and what was done to them."""

    name: str
    task: Task
    X: Floats
    """Training features of shape (n, d), C-contiguous."""
    y: NDArray[Any]
    """float64 targets (mean 0, variance 1) or int64 class indices, shape (n,)."""
    X_test: Floats
    y_test: NDArray[Any]
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    """Names of the classes by index; empty for a regression."""
    target: str
    notes: tuple[str, ...]
    """Sentences on everything that was done to the data."""
    sha256: str
    """Hash of the raw content: the file's bytes, or the arrays of a bundled set."""


def list_datasets() -> list[str]:
    """Names that ``load_dataset`` knows, sorted.

    Examples
    --------
    >>> list_datasets()
    ['breast_cancer', 'diabetes', 'digits', 'wine']
    """
    return sorted(_BUNDLED)


def load_dataset(name: str, seed: int = 0, test_fraction: float = 0.2) -> Dataset:
    """A data set that comes with scikit-learn.

    Parameters
    ----------
    name : str
        ``breast_cancer``, ``diabetes``, ``digits`` or ``wine``.
    seed : int, default 0
        Draws the test rows.
    test_fraction : float, default 0.2
        Share of the rows to hold back, in (0, 1).

    Raises
    ------
    UnknownNameError
        When no data set is called so.
    DataError
        When the seed or the fraction is out of range.

    Examples
    --------
    >>> load_dataset("wine").X.shape
    (142, 13)
    """
    if name not in _BUNDLED:
        raise unknown_name("dataset", name, _BUNDLED)
    _check_split("load_dataset", seed, test_fraction)
    from sklearn import datasets

    from descend.data.features import split_rows, standardise

    task, target = _BUNDLED[name]
    bunch = getattr(datasets, f"load_{name}")()
    values = np.ascontiguousarray(bunch.data, dtype=np.float64)
    is_class = task == "classification"
    y = np.asarray(bunch.target, dtype=np.int64 if is_class else np.float64)
    split = split_rows(y if is_class else None, len(y), test_fraction, seed)
    X, X_test, constant = standardise(values, split)
    notes = [
        f"{name} as it comes with scikit-learn.",
        split.note,
        f"{values.shape[1]} numeric columns: standardised to mean 0, variance 1.",
    ]
    if constant:
        notes.append(f"{constant} columns are constant in the training rows and set to 0.")
    y_train, y_test, more = standardise_target(task, target, y, split, name)
    return Dataset(
        name=name,
        task=task,
        X=X,
        y=y_train,
        X_test=X_test,
        y_test=y_test,
        feature_names=tuple(map(str, bunch.feature_names)),
        classes=tuple(map(str, bunch.target_names)) if is_class else (),
        target=target,
        notes=(*notes, *more),
        sha256=hashlib.sha256(values.tobytes() + y.tobytes()).hexdigest(),
    )


def read_dataset(
    path: str | os.PathLike[str],
    target: str,
    seed: int = 0,
    test_fraction: float = 0.2,
    task: Task | None = None,
) -> Dataset:
    """The user's table, CSV or Parquet, made ready to learn from.

    Text, booleans and few distinct integers make a classification of the target, other numbers a
    regression. Numbers are filled with their median and standardised; booleans are 0 and 1; dates
    are days; text is one-hot encoded, rare categories together; columns that tell nothing go.

    Parameters
    ----------
    path : str or PathLike
        A ``.csv`` or ``.parquet`` file. A CSV file is UTF-8 with a header; commas, semicolons,
        tabs and bars are recognised.
    target : str
        Name of the column to predict.
    seed : int, default 0
        Draws the test rows.
    test_fraction : float, default 0.2
        Share of the rows to hold back, in (0, 1).
    task : {"regression", "classification"}, optional
        Overrides what the target suggests.

    Raises
    ------
    DataError
        When the table cannot be read or cannot be learned from; the message names the file, the
        column and the row where it can.
    UnknownNameError
        When no column is called ``target``.
    """
    _check_split("read_dataset", seed, test_fraction)
    if not isinstance(target, str):
        raise DataError(f"target of read_dataset must be the name of a column; got {target!r}.")
    if task not in (None, "regression", "classification"):
        raise DataError(
            f"task of read_dataset must be 'regression', 'classification' or None; got {task!r}."
        )
    from descend.data.features import prepare, split_rows
    from descend.data.tables import read_table

    table = read_table(path)
    file = table.owner.file
    target = target.strip()  # as the names of the columns are
    if target not in table.names:
        raise unknown_name("column", target, table.names)
    goal = read_target(table.column(target), task, file)
    others = [table.column(name) for name in table.names if name != target]
    columns, dropped = _without_row_numbers(others)
    classes = goal.values if goal.task == "classification" else None
    split = split_rows(classes, len(goal.rows), test_fraction, seed)
    features = prepare([column.take(goal.rows) for column in columns], split)
    if not features.names:
        raise DataError(
            f"{file} must have a column to learn from besides the target {target!r}; "
            f"got {_joined((*dropped, *features.notes)) or 'no other column'}."
        )
    y, y_test, notes = standardise_target(goal.task, target, goal.values, split, file)
    return Dataset(
        name=Path(file).name,
        task=goal.task,
        X=features.train,
        y=y,
        X_test=features.test,
        y_test=y_test,
        feature_names=features.names,
        classes=goal.classes,
        target=target,
        notes=(*table.notes, *goal.notes, split.note, *dropped, *features.notes, *notes),
        sha256=table.sha256,
    )


def _check_split(owner: str, seed: int, test_fraction: float) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed of {owner} must be an integer of at least 0; got {seed!r}.")
    if not isinstance(test_fraction, int | float) or not 0 < test_fraction < 1:
        raise DataError(f"test_fraction of {owner} must be in (0, 1); got {test_fraction!r}.")


def _joined(notes: Sequence[str]) -> str:
    return "; ".join(note.rstrip(".") for note in notes)


def _without_row_numbers(columns: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """Leave out columns that number the rows; a model would learn the order of the file."""
    kept, notes = [], []
    for column in columns:
        values = column.values
        counting = np.array_equal(values, values[0] + np.arange(len(values)))
        if counting and column.kind == "number" and column.name.lower() in _ROW_NAMES:
            notes.append(f"dropped column {column.name!r}: it numbers the rows.")
        else:
            kept.append(column)
    return kept, notes
