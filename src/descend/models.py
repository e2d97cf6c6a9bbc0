"""Models: a linear map or a network of relu layers, all parameters in one flat vector.

Every model here is a stack of affine layers with relu between them, so one forward and one
backward pass serve them all; ``linear`` and ``softmax`` are the stack of a single layer.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from descend.errors import ProblemError, ShapeError, unknown_name
from descend.losses import Loss

Array = NDArray[Any]

WIDEST = 65536
"""Widest hidden layer that a text may ask for: a slip of the keyboard must not take all memory."""

_WIDTHS = f"widths of mlp must be integers from 1 to {WIDEST}, as in mlp:64,64"


@dataclass(frozen=True)
class Model(ABC):
    """What maps rows of features to rows of scores."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The text that ``get_model`` reads back."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of the hidden layers, first to last."""
        return ()

    def outputs(self, loss: Loss, n_classes: int) -> int:
        """How many columns of scores this model produces; ProblemError where ``loss`` misfits."""
        return loss.outputs(n_classes)

    def shapes(self, n_features: int, n_outputs: int) -> tuple[tuple[int, ...], ...]:
        """Shapes of weight, bias, weight, bias …: how the flat vector is cut, in order.

        Examples
        --------
        >>> get_model("mlp:5").shapes(3, 2)
        ((3, 5), (5,), (5, 2), (2,))
        """
        sizes = (n_features, *self.widths, n_outputs)
        return tuple(shape for a, b in pairwise(sizes) for shape in ((a, b), (b,)))

    def size(self, n_features: int, n_outputs: int) -> int:
        """Number of parameters."""
        return sum(prod(shape) for shape in self.shapes(n_features, n_outputs))

    def initial(
        self,
        n_features: int,
        n_outputs: int,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float64,
    ) -> Array:
        """The flat vector that training starts from: zeros for a single layer (convex).

        Otherwise normal weights of variance 2 / fan_in before a relu (He) and
        2 / (fan_in + fan_out) in the last layer (Glorot), and biases 0.

        References
        ----------
        He et al., arXiv 1502.01852, equation 10; Glorot and Bengio, AISTATS 2010, equation 12.
        """
        shapes = self.shapes(n_features, n_outputs)
        if len(shapes) == 2:
            return np.zeros(self.size(n_features, n_outputs), dtype)
        blocks = [_draw(shape, i == len(shapes) - 2, rng) for i, shape in enumerate(shapes)]
        return np.concatenate(blocks, dtype=dtype)

    def scores(self, x: Array, X: Array) -> Array:
        """Scores of shape (n, k) of the rows of ``X``; the columns follow from the size of ``x``."""
        n_features = X.shape[1]
        # the size is affine in the number of outputs: a + b·k
        per_output = self.size(n_features, 2) - self.size(n_features, 1)
        n_outputs, rest = divmod(x.size - self.size(n_features, 0), per_output)
        if rest or n_outputs < 1:
            raise ShapeError(
                f"x of {self.text} must have {self.size(n_features, 1)} entries for {n_features} "
                f"features, or {per_output} more for each further column of scores; got {x.size}."
            )
        return self.network(n_features, n_outputs).scores(x, X)

    def network(self, n_features: int, n_outputs: int) -> Network:
        """The model for given numbers of features and of score columns.

        Examples
        --------
        >>> get_model("linear").network(64, 10).size
        650
        """
        shapes = self.shapes(n_features, n_outputs)
        ends = accumulate(map(prod, shapes), initial=0)
        cuts = tuple(
            (slice(a, b), (b - a) // width, width)
            for (a, b), (*_, width) in zip(pairwise(ends), shapes, strict=True)
        )
        return Network(self, n_features, n_outputs, cuts)


def _draw(shape: tuple[int, ...], last: bool, rng: np.random.Generator) -> Array:
    """One flat block of the initial vector: a normal weight matrix, or a bias of zeros."""
    if len(shape) == 1:
        return np.zeros(shape)
    fan_in, fan_out = shape
    deviation = sqrt(2 / (fan_in + fan_out) if last else 2 / fan_in)
    return rng.normal(0.0, deviation, fan_in * fan_out)


@dataclass(frozen=True)
class Network:
    """A model with its sizes fixed: the pieces of the flat vector are worked out once."""

    model: Model
    n_features: int
    n_outputs: int
    cuts: tuple[tuple[slice, int, int], ...]
    """Weight, bias, weight, bias …: where in the flat vector, rows, columns."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.cuts[-1][0].stop)

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
        """The flat vector that training starts from; see ``Model.initial``."""
        return self.model.initial(self.n_features, self.n_outputs, rng, dtype)

    def scores(self, x: Array, X: Array) -> Array:
        """Scores of shape (n, n_outputs) of the rows of ``X``, shape (n, n_features)."""
        self._check(x, X)
        with np.errstate(all="ignore"):
            return self._forward(self._matrices(x), X)[-1]

    def value_and_gradient(self, x: Array, X: Array, y: Array, loss: Loss) -> tuple[float, Array]:
        """The mean loss over the rows and its gradient, by backpropagation.

        Parameters
        ----------
        x : array of shape (size,)
        X, y : arrays of shape (n, n_features) and (n,)
        loss : Loss

        Returns
        -------
        value : float
        gradient : array of the shape and dtype of ``x``

        Examples
        --------
        >>> from descend.losses import get_loss
        >>> network = get_model("linear").network(1, 1)
        >>> X, y = np.array([[2.0]]), np.array([1.0])
        >>> value, gradient = network.value_and_gradient(np.zeros(2), X, y, get_loss("squared"))
        >>> value, gradient.tolist()
        (0.5, [-2.0, -1.0])
        """
        self._check(x, X)
        with np.errstate(all="ignore"):
            matrices = self._matrices(x)
            layers = self._forward(matrices, X)
            value, slope = loss.value_and_slope(layers.pop(), y)
            gradient = np.empty_like(x)
            self._backward(matrices, layers, slope, gradient)
        return value, gradient

    def _check(self, x: Array, X: Array) -> None:
        if x.shape != (self.cuts[-1][0].stop,):
            raise ShapeError(
                f"x of {self.model.text} must have shape ({self.size},); got {x.shape}."
            )
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise ShapeError(
                f"X of {self.model.text} must have shape (n, {self.n_features}); got {X.shape}."
            )

    def _matrices(self, x: Array) -> list[Array]:
        """Views of the flat vector; a bias is a matrix of one row."""
        return [x[cut].reshape(rows, columns) for cut, rows, columns in self.cuts]

    def _forward(self, matrices: list[Array], X: Array) -> list[Array]:
        """What enters each layer, then the scores."""
        layers = [X]
        for i in range(0, len(matrices), 2):
            a = layers[-1] @ matrices[i]
            a += matrices[i + 1]
            layers.append(a)
            if i + 2 < len(matrices):
                np.maximum(a, 0.0, out=a)
        return layers

    def _backward(
        self, matrices: list[Array], layers: list[Array], slope: Array, gradient: Array
    ) -> None:
        """Fill ``gradient``, last layer first; ``slope`` is that of the layer's affine output."""
        pieces = self._matrices(gradient)
        ones = np.ones(len(slope), slope.dtype)  # a product with ones sums in a third of the time
        for i in reversed(range(len(layers))):
            np.matmul(layers[i].T, slope, out=pieces[2 * i])
            np.matmul(ones, slope, out=pieces[2 * i + 1][0])
            if i:
                slope = slope @ matrices[2 * i].T
                slope *= layers[i] > 0.0


@dataclass(frozen=True)
class Linear(Model):
    """Affine scores, ``X W + b``."""

    @property
    def text(self) -> str:
        return "linear"


@dataclass(frozen=True)
class Softmax(Model):
    """Affine scores with a column for each class, also for two; goes with the log loss."""

    @property
    def text(self) -> str:
        return "softmax"

    def outputs(self, loss: Loss, n_classes: int) -> int:
        """One column for each class."""
        if loss.name != "log":
            raise ProblemError(f"loss of softmax must be log; got {loss.name}. Hint: use linear.")
        return n_classes


@dataclass(frozen=True)
class Mlp(Model):
    """Relu layers of the given widths, then affine scores."""

    hidden: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.hidden or not all(1 <= width <= WIDEST for width in self.hidden):
            raise ProblemError(f"{_WIDTHS}; got {self.text!r}.")

    @property
    def text(self) -> str:
        return "mlp:" + ",".join(map(str, self.hidden))

    @property
    def widths(self) -> tuple[int, ...]:
        return self.hidden


_SINGLE: dict[str, Callable[[], Model]] = {"linear": Linear, "softmax": Softmax}


def get_model(text: str) -> Model:
    """The model that a text describes: ``linear``, ``softmax``, or ``mlp:`` and layer widths.

    Raises
    ------
    UnknownNameError, ProblemError
        When no model is called so; when the widths are missing, out of range or uncalled for.

    Examples
    --------
    >>> get_model("mlp:64,64")
    Mlp(hidden=(64, 64))
    """
    name, colon, widths = text.replace(" ", "").partition(":")
    if name == "mlp":
        if not re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})*", widths):
            raise ProblemError(f"{_WIDTHS}; got {text!r}.")
        return Mlp(tuple(map(int, widths.split(","))))
    if name not in _SINGLE:
        raise unknown_name("model", name, list_models())
    if colon:
        raise ProblemError(f"{name} must be written without widths; got {text!r}.")
    return _SINGLE[name]()


def list_models() -> list[str]:
    """The models as texts, sorted; the widths of ``mlp`` are an example.

    Examples
    --------
    >>> list_models()
    ['linear', 'mlp:64,64', 'softmax']
    """
    return sorted([*_SINGLE, "mlp:64,64"])
