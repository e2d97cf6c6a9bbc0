"""What a finite-sum method asks of a function: mean gradients of chosen rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ProblemError, ShapeError
from descend.losses import Loss
from descend.models import Network

Array = NDArray[Any]
Rows = NDArray[np.intp]
MeanGradient = Callable[[Array, Rows], Array]


@dataclass(frozen=True)
class Residuals:
    """A shorter memory for SAG and SAGA: a few numbers a row instead of a whole gradient.

    Where the score of a row is linear in x, its gradient is its features times the loss's slope, so the slope is all to keep.
    """

    slopes: MeanGradient
    """``slopes(x, rows)``: what is kept of each row, shape (len(rows), k)."""
    gradient: Callable[[Array, Rows], Array]
    """``gradient(slopes, rows)``: the mean gradient that these slopes of these rows make; linear in the slopes."""


@dataclass(frozen=True)
class FiniteSum:
    """``F(x) = (1/n) Σ fᵢ(x)`` by the gradients of its terms, called rows.

    Parameters
    ----------
    gradient : ``gradient(x, rows)``, the mean of the gradients at x of the rows in the integer array ``rows``; x is read-only
    n : int, the number of rows
    residuals : a shorter memory than a gradient a row, where the function has one

    Raises
    ------
    ProblemError
        If gradient is no function or n no positive int.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> A, b = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([1.0, 3.0])
    >>> f = dd.FiniteSum(lambda x, rows: A[rows].T @ (A[rows] @ x - b[rows]) / len(rows), n=2)
    >>> method = dd.SVRG(f, np.zeros(2), lr=0.25, seed=0)
    >>> for _ in range(200):
    ...     method.step()
    >>> np.round(method.x, 6)
    array([1., 1.])
    """

    gradient: MeanGradient
    n: int
    residuals: Residuals | None = None

    def __post_init__(self) -> None:
        if not callable(self.gradient):
            raise ProblemError(
                f"gradient of FiniteSum must be a function of x and rows; got {self.gradient!r}."
            )
        if not is_whole(self.n) or self.n < 1:
            raise ProblemError(f"n of FiniteSum must be an int of at least 1; got {self.n!r}.")

    @classmethod
    def of(cls, network: Network, loss: Loss, X: Array, y: Array) -> FiniteSum:
        """The mean loss of a network over rows of data.

        For a network of one layer (``linear``, ``softmax``) SAG and SAGA keep the slope of the loss in each score, one number per row and
        score column; with hidden layers they keep a gradient per row.

        Parameters
        ----------
        network : Network, as ``get_model("linear").network(n_features, n_outputs)``
        loss : Loss
        X : array of shape (n, n_features)
        y : array of shape (n,)

        Raises
        ------
        ProblemError
            If network or loss is something else.
        ShapeError
            If X and y do not fit the network or one another.

        Examples
        --------
        >>> import numpy as np
        >>> from descend.losses import get_loss
        >>> from descend.models import get_model
        >>> X, y = np.array([[1.0], [2.0]]), np.array([1.0, 0.0])
        >>> f = FiniteSum.of(get_model("linear").network(1, 1), get_loss("squared"), X, y)
        >>> f.gradient(np.zeros(2), np.array([0])).tolist()
        [-1.0, -1.0]
        """
        _check_data(network, loss, X, y)

        def gradient(x: Array, rows: Rows) -> Array:
            return network.value_and_gradient(x, X.take(rows, axis=0), y.take(rows), loss)[1]

        def slopes(x: Array, rows: Rows) -> Array:
            scores = network.scores(x, X.take(rows, axis=0))
            return loss.value_and_slope(scores, y.take(rows))[1] * len(rows)  # it is of the mean

        def combined(slopes: Array, rows: Rows) -> Array:
            weights = X.take(rows, axis=0).T @ slopes
            return np.concatenate([weights.ravel(), slopes.sum(axis=0)]) / len(rows)

        single = not network.model.widths
        return cls(gradient, len(y), Residuals(slopes, combined) if single else None)


def is_whole(value: Any) -> bool:
    """Whether ``value`` is an int, of Python or NumPy."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_data(network: Any, loss: Any, X: Any, y: Any) -> None:
    if not isinstance(network, Network) or not isinstance(loss, Loss):
        raise ProblemError(
            "FiniteSum.of takes a network, as get_model('linear').network(n_features, n_outputs), and a loss, "
            f"as get_loss('squared'); got {type(network).__name__} and {type(loss).__name__}."
        )
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) != 2 or shape[0] < 1 or shape[1] != network.n_features:
        raise ShapeError(
            f"X of FiniteSum must be an array of shape (n, {network.n_features}) with n at least 1; got shape {shape}."
        )
    if getattr(y, "shape", None) != shape[:1]:
        raise ShapeError(
            f"y of FiniteSum must have one entry for each row of X, shape {shape[:1]}; got shape {getattr(y, 'shape', ())}."
        )
    if loss.task == "classification":
        classes = max(network.n_outputs, 2)
        if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= classes:
            raise ShapeError(
                f"y of FiniteSum must hold class indices from 0 to {classes - 1}; "
                f"got dtype {y.dtype} from {y.min()} to {y.max()}."
            )
