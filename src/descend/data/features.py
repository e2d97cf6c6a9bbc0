"""Rows split off for the test, and columns turned into features, through scikit-learn.

Every statistic (median, mean, deviation, frequent categories) comes from the training rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from descend.data.columns import Column

Array = NDArray[Any]
Floats = NDArray[np.float64]

MOST_CATEGORIES = 50
"""Features that one text column may become; the least frequent categories share the last."""
_NO_LABEL = "(missing)"
_NUMBERS = ("number", "date")


@dataclass(frozen=True, eq=False)
class Split:
    """Indices of the rows to train on and of the rows held back."""

    train: Array
    test: Array
    note: str


@dataclass(frozen=True, eq=False)
class Features:
    """Features of both kinds of rows, their names, and what was done."""

    train: Floats
    test: Floats
    names: tuple[str, ...]
    notes: tuple[str, ...]


def split_rows(classes: Array | None, n_rows: int, test_fraction: float, seed: int) -> Split:
    """Draw the test rows.

    Parameters
    ----------
    classes : int array of shape (n_rows,), or None for a regression
        The test rows hold each class in proportion. A class of one row stays with the training
        rows; where the test rows are fewer than the classes, one row of each class does.
    n_rows : int
    test_fraction : float
    seed : int
    """
    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    rows = np.arange(n_rows)
    n_test = min(ceil(test_fraction * n_rows), n_rows - 2)
    if classes is None:
        train, test = train_test_split(rows, test_size=n_test, random_state=state)
        return Split(np.sort(train), np.sort(test), _split_note(train, test, seed, "at random"))
    kept, proportional = _kept_back(classes, n_test)
    drawn = np.setdiff1d(rows, kept)
    train, test = train_test_split(
        drawn,
        test_size=min(n_test, drawn.size - 1),
        random_state=state,
        stratify=classes[drawn] if proportional else None,
    )
    train = np.concatenate([train, kept])
    how = "in proportion to the classes" if proportional else "at random"
    if kept.size:
        which = f"classes of a single row ({kept.size} of them)" if proportional else "each class"
        how += f", after one row of {which} was kept for training"
    return Split(np.sort(train), np.sort(test), _split_note(train, test, seed, how))


def _kept_back(classes: Array, n_test: int) -> tuple[Array, bool]:
    """Rows that must be trained on, and whether the others can be drawn in proportion."""
    _, first, counts = np.unique(classes, return_index=True, return_counts=True)
    several = counts > 1
    rest = counts[several].sum()
    enough = several.sum() <= min(n_test, rest - n_test)
    # in proportion, the smallest class must get at least one training row
    if enough and counts[several].min() * (rest - n_test) >= rest:
        return first[~several], True
    return first, False


def _split_note(train: Array, test: Array, seed: int, how: str) -> str:
    n = len(train) + len(test)
    return f"{len(test)} of {n} rows held back for the test, drawn {how} (seed {seed})."


def standardise(values: Floats, split: Split) -> tuple[Floats, Floats, int]:
    """Training and test rows to mean 0 and variance 1; columns that are constant become 0.

    Returns
    -------
    train, test : float64 arrays
    n_constant : int
        Number of constant columns.
    """
    scaler = StandardScaler().fit(values[split.train])
    varies = np.ptp(values[split.train], axis=0) > 0
    train, test = (scaler.transform(values[rows]) * varies for rows in (split.train, split.test))
    return train, test, int((~varies).sum())


def prepare(columns: Sequence[Column], split: Split) -> Features:
    """Features from columns: numbers filled and standardised, text one-hot encoded.

    A column that tells nothing is dropped with a note. No column may be left over: then the
    features have no columns, and it is for the caller to say so.
    """
    least = max(2, ceil(len(split.train) / 200))
    notes = [note for column in columns for note in column.notes]
    reasons = [_useless(column, split, least) for column in columns]
    notes += [reason for reason in reasons if reason]
    kept = [column for column, reason in zip(columns, reasons, strict=True) if not reason]
    if not kept:
        none = np.empty((0, 0))
        return Features(none, none, (), tuple(notes))
    transformer = _transformer(kept, least)
    matrix = np.column_stack([_filled(column) for column in kept])
    train = transformer.fit_transform(matrix[split.train])
    test = transformer.transform(matrix[split.test])
    names, what = _described(kept, transformer, least, len(split.train))
    return Features(
        np.ascontiguousarray(train, dtype=np.float64),
        np.ascontiguousarray(test, dtype=np.float64),
        names,
        (*notes, *what),
    )


def _useless(column: Column, split: Split, least: int) -> str:
    """Why a column is dropped, as a sentence; empty when it is not."""
    values = column.values[split.train]
    seen = values[~np.isnan(values)]
    name = f"column {column.name!r}"
    if not seen.size:
        return f"dropped {name}: it holds no value in the training rows."
    if column.kind != "text":
        # below this spread, rounding in the mean hides the column's own variation
        rounding = len(seen) * np.finfo(float).eps * np.abs(seen).max()
        if np.ptp(seen) <= max(rounding, 1e-100):
            why = ": it varies less than float64 can tell" if np.ptp(seen) else ""
            return f"dropped {'' if why else 'constant '}{name}{why}."
        return ""
    counts = np.unique(seen, return_counts=True)[1]
    if counts.size == 1 and seen.size == values.size:
        return f"dropped constant {name}."
    if counts.max() >= least:
        return ""
    if counts.size == seen.size:
        return f"dropped {name}: every value is different text."
    return f"dropped {name}: none of its {counts.size} categories has {least} training rows."


def _filled(column: Column) -> Floats:
    """A missing category is a category of its own."""
    if column.kind != "text":
        return column.values
    return np.nan_to_num(column.values, nan=len(column.labels))


def _transformer(columns: list[Column], least: int) -> Any:
    by_kind = {
        "numbers": [i for i, column in enumerate(columns) if column.kind in _NUMBERS],
        "booleans": [i for i, column in enumerate(columns) if column.kind == "boolean"],
        "texts": [i for i, column in enumerate(columns) if column.kind == "text"],
    }
    steps = {
        "numbers": make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        "booleans": SimpleImputer(strategy="most_frequent"),
        "texts": OneHotEncoder(
            handle_unknown="ignore",
            min_frequency=least,
            max_categories=MOST_CATEGORIES,
            sparse_output=False,
        ),
    }
    return ColumnTransformer([(kind, steps[kind], which) for kind, which in by_kind.items()])


def _described(
    columns: list[Column], transformer: Any, least: int, n_train: int
) -> tuple[tuple[str, ...], list[str]]:
    """Names of the features in the transformer's order, and what it did as sentences."""
    numbers = [column for column in columns if column.kind in _NUMBERS]
    booleans = [column for column in columns if column.kind == "boolean"]
    texts = [column for column in columns if column.kind == "text"]
    names = [column.name for column in numbers + booleans]
    notes = []
    if numbers:
        filled = _missing_note(numbers, "median")
        notes.append(f"{_count(numbers, 'numeric')}: {filled}; standardised to mean 0, variance 1.")
    if booleans:
        filled = _missing_note(booleans, "most frequent value")
        notes.append(f"{_count(booleans, 'boolean')}: {filled}; taken as 0 and 1.")
    for i, column in enumerate(texts):
        labels, rare = _categories(column, transformer.named_transformers_["texts"], i)
        names += [f"{column.name}={label}" for label in labels]
        names += [f"{column.name}=(rare)"] if rare else []
        notes.append(_text_note(column, len(labels), rare, least, n_train))
    return tuple(names), notes


def _count(columns: list[Column], kind: str) -> str:
    return f"{len(columns)} {kind} column{'s' if len(columns) > 1 else ''}"


def _missing_note(columns: list[Column], filler: str) -> str:
    missing = sum(int(np.isnan(column.values).sum()) for column in columns)
    if not missing:
        return "no missing values"
    return f"{missing} missing value{'s' if missing > 1 else ''} filled with the training {filler}"


def _categories(column: Column, encoder: Any, i: int) -> tuple[list[str], int]:
    """Labels that have a feature of their own, in order, and how many share the last feature."""
    labels = (*column.labels, _NO_LABEL)
    rare = encoder.infrequent_categories_[i]
    merged = set() if rare is None else set(rare.tolist())
    known = encoder.categories_[i].tolist()
    return [labels[int(code)] for code in known if code not in merged], len(merged)


def _text_note(column: Column, own: int, rare: int, least: int, n_train: int) -> str:
    note = f"column {column.name!r}: {own + rare} categories, one-hot encoded"
    if rare:
        past = f" or past the {MOST_CATEGORIES - 1} most frequent"
        bound = past if own + rare > MOST_CATEGORIES else ""
        note += f"; rare categories (< {least} of {n_train} training rows{bound}) merged: {rare}"
    missing = int(np.isnan(column.values).sum())
    if missing:
        note += f"; missing values are a category of their own: {missing}"
    return note + "."
