"""Losses: the mean over the rows, and its gradient with respect to the scores.

Scores that are not finite give a loss that is not finite, without a warning: a run that has
diverged is for the race to notice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from descend.errors import HyperparameterError, ShapeError, unknown_name

Array = NDArray[Any]
Task = Literal["regression", "classification"]


class Loss(ABC):
    """The mean over the rows of what one row's scores cost.

    ``y`` holds float targets of shape (n,) for a regression, class indices 0 to K-1 of shape (n,)
    for a classification. A classification reads one column of scores as two classes (the score is
    for class 1 against class 0), and K columns as K classes.
    """

    name: ClassVar[str]
    task: ClassVar[Task]

    def outputs(self, n_classes: int) -> int:
        """How many columns of scores a model must produce.

        Parameters
        ----------
        n_classes : int
            Number of classes; not read by a regression.

        Returns
        -------
        int
            1 for a regression and for two classes, otherwise ``n_classes``.

        Examples
        --------
        >>> get_loss("log").outputs(2), get_loss("log").outputs(10), get_loss("huber").outputs(0)
        (1, 10, 1)
        """
        return n_classes if self.task == "classification" and n_classes > 2 else 1

    def value(self, scores: Array, y: Array) -> float:
        """The mean loss of ``scores`` of shape (n, k) against ``y`` of shape (n,)."""
        return self.value_and_slope(scores, y)[0]

    def value_and_slope(self, scores: Array, y: Array) -> tuple[float, Array]:
        """The mean loss and its gradient with respect to the scores.

        Parameters
        ----------
        scores : array of shape (n, k)
        y : array of shape (n,)

        Returns
        -------
        value : float
        slope : array of shape (n, k), already divided by n

        Raises
        ------
        ShapeError
            When the shapes do not fit together, or there are no rows.

        Examples
        --------
        >>> value, slope = get_loss("squared").value_and_slope(np.array([[3.0]]), np.array([1.0]))
        >>> value, slope.tolist()
        (2.0, [[2.0]])
        """
        self._check(scores, y)
        with np.errstate(all="ignore"):
            if self.task == "regression":
                value, slope = self._one_column(scores[:, 0] - y)
                return float(value), slope[:, None]
            if scores.shape[1] == 1:
                sign = 2.0 * y - 1.0
                value, slope = self._one_column(sign * scores[:, 0])
                return float(value), (sign * slope)[:, None].astype(scores.dtype, copy=False)
            value, slope = self._columns(scores, y)
            return float(value), slope

    def _check(self, scores: Array, y: Array) -> None:
        if scores.ndim != 2 or scores.shape[0] == 0 or scores.shape[1] == 0:
            raise ShapeError(
                f"scores of {self.name} must have shape (n, k) with n and k at least 1; "
                f"got {scores.shape}."
            )
        if y.shape != scores.shape[:1]:
            raise ShapeError(
                f"y of {self.name} must have one entry for each row of scores, "
                f"shape {scores.shape[:1]}; got {y.shape}."
            )
        if self.task == "regression" and scores.shape[1] != 1:
            raise ShapeError(
                f"scores of {self.name} must have one column; got shape {scores.shape}."
            )

    @abstractmethod
    def _one_column(self, r: Array) -> tuple[Any, Array]:
        """Mean loss and slope of residuals (score - y) or of margins (score · ±1), shape (n,)."""

    def _columns(self, scores: Array, y: Array) -> tuple[Any, Array]:
        """Mean loss and slope for one column of scores per class; only a classification has classes."""
        raise ShapeError(
            f"scores of {self.name} must have one column; got shape {scores.shape} for {len(y)} rows."
        )


@dataclass(frozen=True)
class Squared(Loss):
    """Half the mean squared residual, ``(score - y)² / 2``."""

    name: ClassVar[str] = "squared"
    task: ClassVar[Task] = "regression"

    def _one_column(self, r: Array) -> tuple[Any, Array]:
        return r @ r / (2 * r.size), r / r.size


@dataclass(frozen=True)
class Huber(Loss):
    """``r²/2`` up to ``|r| = delta``, then the tangent ``delta·(|r| - delta/2)``.

    Parameters
    ----------
    delta : float, default 1.0
        Where the parabola becomes a line, in units of y.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", 1964.
    """

    name: ClassVar[str] = "huber"
    task: ClassVar[Task] = "regression"
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.delta < float("inf"):
            raise HyperparameterError(
                f"delta of huber must be a float in (0, inf); got {self.delta!r}."
            )

    def _one_column(self, r: Array) -> tuple[Any, Array]:
        c = np.clip(r, -self.delta, self.delta)
        return c @ (r - c / 2) / r.size, c / r.size


@dataclass(frozen=True)
class Log(Loss):
    """Minus the log-probability of the true class: logistic for one column, softmax for more."""

    name: ClassVar[str] = "log"
    task: ClassVar[Task] = "classification"

    def _one_column(self, r: Array) -> tuple[Any, Array]:
        value = np.logaddexp(0.0, -r).sum() / r.size
        return value, -1.0 / (
            r.size * (1.0 + np.exp(r))
        )  # where exp is inf, the slope is rightly 0

    def _columns(self, scores: Array, y: Array) -> tuple[Any, Array]:
        n, k = scores.shape
        z = scores - np.maximum.reduce(scores, axis=1, keepdims=True)
        true = np.arange(0, n * k, k) + y  # one flat index a row: half the time of z[rows, y]
        z_true = z.take(true)
        p = np.exp(z, out=z)
        total = p @ np.ones(k, p.dtype)
        value = (np.log(total) - z_true).sum() / n
        p *= (1.0 / (n * total))[:, None]
        p.reshape(-1)[true] -= 1.0 / n
        return value, p


@dataclass(frozen=True)
class Hinge(Loss):
    """``max(0, 1 - margin)``; for more classes, the margin to the nearest wrong class.

    References
    ----------
    Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
    Machines", JMLR 2, 2001, for more than two classes.
    """

    name: ClassVar[str] = "hinge"
    task: ClassVar[Task] = "classification"

    def _one_column(self, r: Array) -> tuple[Any, Array]:
        short = np.maximum(1.0 - r, 0.0)
        return short.sum() / r.size, (short > 0.0) / -r.size

    def _columns(self, scores: Array, y: Array) -> tuple[Any, Array]:
        n = y.size
        rows = np.arange(n)
        short = scores - (scores[rows, y] - 1.0)[:, None]
        short[rows, y] = 0.0
        worst = short.argmax(axis=1)
        slope = np.zeros_like(scores)
        slope[rows, worst] = 1.0 / n
        slope[rows, y] -= 1.0 / n  # cancels to 0 where the true class itself is the worst
        return short[rows, worst].sum() / n, slope


_LOSSES: dict[str, Loss] = {loss.name: loss for loss in (Squared(), Huber(), Log(), Hinge())}


def get_loss(name: str) -> Loss:
    """The loss called ``name``.

    Raises
    ------
    UnknownNameError
        When there is none; the message holds the nearest name.

    Examples
    --------
    >>> get_loss("huber")
    Huber(delta=1.0)
    """
    if name not in _LOSSES:
        raise unknown_name("loss", name, _LOSSES)
    return _LOSSES[name]


def list_losses() -> list[str]:
    """Names of all losses, sorted.

    Examples
    --------
    >>> list_losses()
    ['hinge', 'huber', 'log', 'squared']
    """
    return sorted(_LOSSES)
