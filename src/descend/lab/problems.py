"""Problems to race on, asked for by text: test functions, data sets, tables and the user's files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from descend.data import Dataset, list_datasets, load_dataset, read_dataset
from descend.errors import ProblemError, nearest, unknown_name
from descend.lab.contract import EvaluationFailed, Instance, Problem
from descend.lab.functions import get_function, list_functions
from descend.lab.learning import BATCH_SIZE, LearningProblem
from descend.lab.objective import FUNCTION_STEPS, FunctionProblem
from descend.lab.user import function_problem, load_problem
from descend.losses import get_loss

__all__ = [
    "EvaluationFailed",
    "FunctionProblem",
    "Instance",
    "LearningProblem",
    "Problem",
    "function_problem",
    "get_problem",
    "list_problems",
]

_MODELS = {
    "breast_cancer": "linear",
    "diabetes": "linear",
    "digits": "mlp:64,64",
    "wine": "softmax",
}
_LOSSES = {"classification": "log", "regression": "squared"}
_FEW_ROWS = 200
_TABLES = (".csv", ".parquet")


def get_problem(
    text: str,
    *,
    target: str | None = None,
    loss: str | None = None,
    model: str | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> Problem:
    """Return the problem that ``text`` names.

    Parameters
    ----------
    text : str
        A test function (``rosenbrock:n=10``), a data set (``digits``), a table (``data.csv``,
        ``data.parquet``) or something of your own (``file.py:name``).
    target : str, optional
        The column of a table to predict; only for tables, and needed there.
    loss : str, optional
        ``log`` for a classification and ``squared`` for a regression unless given.
    model : str, optional
        ``linear``, ``softmax`` or ``mlp:64,64``; which one unless given, the card says.
    steps : int, optional
        Gradient evaluations per run: 500 for functions, 20 epochs for data unless given.
    batch_size : int, optional
        Rows of a mini-batch, 32 unless given.
    seed : int, default 0
        Draws the test rows.

    Raises
    ------
    UnknownNameError
        Nothing is called so; the message holds the nearest name.
    ProblemError, DataError
        The problem is unusable, or an option does not apply to it.

    Examples
    --------
    >>> get_problem("booth").card().metric
    'f(x) − f*'
    """
    _check_counts(steps=steps, batch_size=batch_size)
    name = text.partition(":")[0]
    learning = {"loss": loss, "model": model, "batch_size": batch_size}
    if name in list_functions():
        _refuse(text, "a test function", {"target": target, **learning})
        return FunctionProblem.of(get_function(text), steps or FUNCTION_STEPS)
    if text in list_datasets():
        _refuse(text, "a data set with its own target", {"target": target})
        return _learn(load_dataset(text, seed), loss, model, steps, batch_size)
    if Path(text).suffix.lower() in _TABLES:
        task = get_loss(loss).task if loss else None  # a loss asked for decides what is learned
        data = read_dataset(text, _need_target(text, target), seed, task=task)
        return _learn(data, loss, model, steps, batch_size)
    if text.endswith(".py") or ".py:" in text:
        _refuse(text, "your own code", {"target": target, **learning})
        return load_problem(text, steps)
    raise _unknown(text)


def list_problems() -> list[str]:
    """Return the names of all built-in problems, sorted.

    Examples
    --------
    >>> {"rosenbrock", "digits"} <= set(list_problems())
    True
    """
    return sorted([*list_functions(), *list_datasets()])


def _learn(
    data: Dataset, loss: str | None, model: str | None, steps: int | None, batch_size: int | None
) -> LearningProblem:
    notes: tuple[str, ...] = ()
    if model is None:
        model, notes = _default_model(data)
    return LearningProblem(
        data, model, loss or _LOSSES[data.task], batch_size or BATCH_SIZE, steps or 0, notes
    )


def _default_model(data: Dataset) -> tuple[str, tuple[str, ...]]:
    rows = len(data.y) + len(data.y_test)
    if data.name in _MODELS:
        return _MODELS[data.name], ()
    if rows < _FEW_ROWS:
        return "linear", (f"Model: linear, as there are {rows} rows, fewer than {_FEW_ROWS}.",)
    said = f"Model: mlp:64,64, as there are {rows} rows, at least {_FEW_ROWS}."
    return "mlp:64,64", (said,)


def _need_target(path: str, target: str | None) -> str:
    if target is None:
        from descend.data.tables import read_table  # reads with pyarrow: only where it is wanted

        columns = ", ".join(read_table(path).names)
        raise ProblemError(
            f"{Path(path).name} needs a target, the column to predict; its columns are: {columns}."
        )
    return target


def _refuse(text: str, kind: str, options: Mapping[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        verb = "does" if len(given) == 1 else "do"
        raise ProblemError(f"{' and '.join(given)} {verb} not apply to {text}, which is {kind}.")


def _check_counts(**counts: int | None) -> None:
    for name, value in counts.items():
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (whole and value >= 1):
            raise ProblemError(f"{name} must be an integer of at least 1; got {value!r}.")


def _unknown(text: str) -> Exception:
    """The error for a text that names nothing: an unreadable kind of file, or a misspelt name."""
    suffix = Path(text).suffix
    if suffix and not nearest(text, list_problems()):
        return ProblemError(
            f"a problem must be a built-in name, a .csv or .parquet table, or file.py:name;"
            f" got {text}."
        )
    return unknown_name("problem", text, list_problems())
