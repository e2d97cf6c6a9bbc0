"""The history of a minimization: one row per iteration, read as arrays by name."""

from __future__ import annotations

import importlib
import math
import os
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import MissingDependencyError, nearest

if TYPE_CHECKING:
    from descend._minimize.rate import Rate

COLUMNS = (
    "nit",
    "fun",
    "grad_norm",
    "step_norm",
    "lr",
    "time",
    "nfev",
    "ss",
    "sy",
    "yy",
)
_WHOLE = frozenset({"nit", "nfev"})
_ROW = Struct(f"{len(COLUMNS)}d")
_PACK = _ROW.pack


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """What a minimization went through; row 0 is x0.

    Attributes
    ----------
    nit : int array of shape (n_rows,), the iteration
    fun : array of shape (n_rows,), the function
    grad_norm : array of shape (n_rows,), the largest entry of the gradient (with bounds: of the projected one), as gtol sees it
    step_norm : array of shape (n_rows,), the Euclidean length of the change of x; nan in row 0
    lr : array of shape (n_rows,), the step along the direction, or a rule's lr; nan where there is none
    time : array of shape (n_rows,), seconds since the start
    nfev : int array of shape (n_rows,), calls of the function so far
    ss, sy, yy : arrays of shape (n_rows,), the products of the change s of x and y of the gradient; sy / ss is the curvature
    x : array of shape (n_rows, n), where it was kept

    Examples
    --------
    >>> import numpy as np
    >>> h = History({"nit": np.arange(2), "fun": np.array([4.0, 0.0])})
    >>> h.fun, h["nit"], list(h), len(h)
    (array([4., 0.]), array([0, 1]), ['nit', 'fun'], 2)
    """

    arrays: Mapping[str, NDArray[Any]]
    method: str = ""
    """What ran, as text; empty where it is not known."""

    def __post_init__(self) -> None:
        for a in self.arrays.values():
            a.setflags(write=False)
        object.__setattr__(self, "arrays", MappingProxyType(dict(self.arrays)))

    @classmethod
    def later(cls, make: Callable[[], Mapping[str, NDArray[Any]]], method: str) -> History:
        """Return a history whose arrays are made when one is first asked for: most runs end without."""
        history = cls.__new__(cls)
        object.__setattr__(history, "_make", make)
        object.__setattr__(history, "method", method)
        return history

    def __getattr__(self, name: str) -> Any:
        make = self.__dict__.pop("_make", None)
        if make is not None:
            self.__init__(make(), self.method)  # type: ignore[misc]
            return getattr(self, name)
        known = self.__dict__.get("arrays", {})
        if name not in known:
            raise AttributeError(f"the history has no {name!r}.{nearest(name, known)}")
        found: NDArray[Any] = known[name]
        return found

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return self.arrays[name]
        except KeyError:
            hint = nearest(str(name), self.arrays)
            raise KeyError(f"the history has no {name!r}.{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays["nit"])

    def __repr__(self) -> str:
        return f"<History of {len(self)} rows: {', '.join(self)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return History, (dict(self.arrays), self.method)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the error of the function and the gradient's norm against evaluations.

        Parameters
        ----------
        path : where to write the figure; by default nowhere

        Returns
        -------
        figure : matplotlib.figure.Figure
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.0, 4.5), layout="constrained")
        axes = figure.add_subplot()
        error = self.fun - np.nanmin(self.fun)
        axes.plot(*_positive(self.nfev, error), label="f − least f", color="#1f5fa8")
        axes.plot(
            *_positive(self.nfev, self.grad_norm),
            label="largest entry of the gradient",
            color="#c8561b",
        )
        axes.set(yscale="log", xlabel="evaluations of the function")
        axes.grid(visible=True, which="major", color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        if path is not None:
            figure.savefig(Path(path), dpi=150)
        return figure

    def to_pandas(self) -> Any:
        """Return the history as a pandas DataFrame, a column per name; x is spread over ``x0, x1, …``.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise MissingDependencyError(
                "to_pandas of the history needs pandas, which is not installed. Run: pip install pandas."
            ) from None
        columns = {name: a for name, a in self.arrays.items() if a.ndim == 1}
        if "x" in self.arrays:
            flat = self.x.reshape(len(self), -1)
            columns |= {f"x{i}": flat[:, i] for i in range(flat.shape[1])}
        return pandas.DataFrame(columns)

    def rate(
        self, *, fmin: float | None = None, lr: float | None = None, curvature: Any = None
    ) -> Rate:
        """Return how fast the run converged, and what the curvature along its path predicts.

        Parameters
        ----------
        fmin : the least value of the function, where it is known
        lr : the step size, where the history does not have it
        curvature : eigenvalues of the Hessian at the minimum, or the Hessian, where they are known
        """
        from descend._minimize.rate import rate

        return rate(self, fmin=fmin, method=self.method or None, lr=lr, curvature=curvature)


def _positive(at: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The points that a logarithmic axis can show."""
    shown = np.isfinite(values) & (values > 0)
    return at[shown], values[shown]


class Recorder:
    """Rows as they come; a row costs one append to a buffer of doubles."""

    def __init__(self, n: int, *, keep_x: bool, before: History | None = None) -> None:
        self._n = n
        self._rows = bytearray()
        self._made: History | None = None
        self._made_of = 0
        self._xs = array("d") if keep_x else None
        if before is not None:
            self._continue(before)

    def _continue(self, before: History) -> None:
        table = np.column_stack([before[name] for name in COLUMNS])
        self.add_block(table.astype(np.float64))
        if self._xs is not None:
            kept = before.arrays.get("x", np.full((len(before), self._n), math.nan))
            self._xs.frombytes(np.ascontiguousarray(kept, dtype=np.float64).tobytes())

    @property
    def keeps_x(self) -> bool:
        """Whether every x is among the rows."""
        return self._xs is not None

    def add(self, row: tuple[float, ...], x: NDArray[np.float64]) -> None:
        """Append one row, in the order of ``COLUMNS``."""
        self._rows += _PACK(*row)
        if self._xs is not None:
            self._xs.frombytes(x.tobytes())

    def add_block(self, table: NDArray[np.float64]) -> None:
        """Append many rows at once, shape (k, len(COLUMNS))."""
        self._rows += np.ascontiguousarray(table).data.cast("B")

    def history(self, shape: tuple[int, ...], method: str = "") -> History:
        """The rows, each x of ``shape``; none can be added afterwards."""
        if self._made is not None and self._made_of == len(self._rows):
            return self._made
        rows, xs = np.frombuffer(self._rows), self._xs  # a view: millions of rows are not copied
        self._made = History.later(lambda: _columns(rows, xs, shape), method)
        self._made_of = len(self._rows)
        return self._made


def _columns(
    rows: NDArray[np.float64], xs: array[float] | None, shape: tuple[int, ...]
) -> dict[str, NDArray[Any]]:
    """The arrays of a history by name, from rows one after the other."""
    table = rows.reshape(-1, len(COLUMNS))
    arrays: dict[str, NDArray[Any]] = dict(zip(COLUMNS, table.T, strict=True))
    for name in _WHOLE:
        arrays[name] = arrays[name].astype(np.int64)
    if xs is not None:
        arrays["x"] = np.array(xs, dtype=np.float64).reshape(-1, *shape)
    return arrays
