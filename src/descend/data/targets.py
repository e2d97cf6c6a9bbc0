"""The column to predict: classes or quantities, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from descend.errors import DataError

if TYPE_CHECKING:
    from descend.data.columns import Column
    from descend.data.features import Split

Floats = NDArray[np.float64]
Task = Literal["regression", "classification"]

FEWEST_ROWS = 10
"""Rows with a target that a table must have."""
MOST_INTEGER_CLASSES = 20
"""A target of more distinct integers is taken as a quantity."""


@dataclass(frozen=True, eq=False)
class Target:
    """The target over the rows that have one."""

    name: str
    task: Task
    values: NDArray[Any]
    """float64 quantities or int64 class indices."""
    classes: tuple[str, ...]
    rows: NDArray[Any]
    notes: tuple[str, ...]


def read_target(column: Column, task: Task | None, file: str) -> Target:
    rows = np.flatnonzero(~np.isnan(column.values))
    values = column.values[rows]
    notes = list(column.notes)
    if len(rows) < len(column.values):
        without = len(column.values) - len(rows)
        notes.append(f"dropped {without} row{'s' if without > 1 else ''} without a target.")
    if len(rows) < FEWEST_ROWS:
        raise DataError(
            f"{file} must have at least {FEWEST_ROWS} rows with a target; got {len(rows)}."
        )
    distinct = np.unique(values)
    inferred, reason = _inferred(column, distinct, len(rows))
    if task is not None and task != inferred:
        reason = f"asked for, where the values suggest {inferred}"
    task = task or inferred
    notes.append(f"target {column.name!r}: {task} ({reason}).")
    if task == "regression":
        _check_quantity(column, distinct, file)
        return Target(column.name, task, values, (), rows, tuple(notes))
    classes = _class_names(column, distinct)
    _check_classes(column.name, classes, len(rows), file)
    codes = np.searchsorted(distinct, values).astype(np.int64)
    return Target(column.name, task, codes, classes, rows, tuple(notes))


def _inferred(column: Column, distinct: Floats, n_rows: int) -> tuple[Task, str]:
    if column.kind in ("text", "boolean"):
        return "classification", f"its values are {column.kind}"
    few = min(MOST_INTEGER_CLASSES, n_rows // 3)
    if column.kind == "number" and len(distinct) <= few and not np.any(distinct % 1):
        return "classification", f"it has only {len(distinct)} distinct integers"
    return "regression", f"its {len(distinct)} distinct values are quantities"


def _check_quantity(column: Column, distinct: Floats, file: str) -> None:
    if column.kind == "text":
        raise DataError(
            f"target {column.name!r} of {file} must hold numbers for a regression; "
            f"got text such as {column.labels[0]!r}."
        )
    if len(distinct) == 1:
        raise DataError(
            f"target {column.name!r} of {file} must vary; got the constant {distinct[0]:g}."
        )


def _class_names(column: Column, distinct: Floats) -> tuple[str, ...]:
    if column.kind == "text":
        return tuple(column.labels[int(code)] for code in distinct)
    if column.kind == "boolean":
        return tuple("true" if value else "false" for value in distinct)
    return tuple(f"{value:.15g}" for value in distinct)


def _check_classes(name: str, classes: Sequence[str], n_rows: int, file: str) -> None:
    if len(classes) == 1:
        raise DataError(
            f"target {name!r} of {file} must have at least two classes; "
            f"got one class only, {classes[0]!r}."
        )
    if len(classes) > n_rows / 2:
        raise DataError(
            f"target {name!r} of {file} must have several rows for each class; "
            f"got {len(classes)} classes in {n_rows} rows."
        )


def standardise_target(
    task: Task, name: str, values: NDArray[Any], split: Split, file: str
) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Training and test targets; a quantity is standardised like the features."""
    y, y_test = values[split.train], values[split.test]
    if task == "classification":
        return y, y_test, []
    mean, scale = y.mean(), y.std()
    if scale <= len(y) * np.finfo(float).eps * max(abs(mean), 1e-80):
        raise DataError(f"target {name!r} of {file} must vary in the training rows; got {mean:g}.")
    note = (
        f"target {name!r} standardised with mean {mean:.6g} and scale {scale:.6g} of the training "
        f"rows, which makes learning rates comparable between tables."
    )
    return (y - mean) / scale, (y_test - mean) / scale, [note]
