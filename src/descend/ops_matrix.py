"""Words for rules that see whole arrays: averages along axes, products of matrices, roots and eigenvectors.

They compute on NumPy arrays, and on torch or JAX arrays when their library is loaded. What has nan or inf in it gives nan, not an
error. An axis of more than `SQUARE_UP_TO` elements has no matrix of its own: what belongs to it is the diagonal alone, a vector.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.ops import _space

SQUARE_UP_TO = 1200
"""Elements of an axis up to which it has a square matrix: the limit of the paper on Shampoo, section 5."""

Shape = tuple[int, ...]


# ---- first values of states


def by_axis(shape: Shape) -> tuple[NDArray[Any], ...]:
    """Zeros along each axis alone, which broadcast against the array."""
    return tuple(np.zeros(_along(axis, n, len(shape))) for axis, n in enumerate(shape))


def by_row(shape: Shape) -> NDArray[Any]:
    """Zeros for each row (all axes but the last); nothing for a vector."""
    return np.zeros((*shape[:-1], 1)) if len(shape) > 1 else np.zeros(0)


def by_column(shape: Shape) -> NDArray[Any]:
    """Zeros for each column (all axes but the last but one); nothing for a vector."""
    return np.zeros((*shape[:-2], 1, shape[-1])) if len(shape) > 1 else np.zeros(0)


def of_vectors(shape: Shape) -> NDArray[Any]:
    """Zeros for each element of a vector; nothing for an array of more axes."""
    return np.zeros(shape if len(shape) < 2 else 0)


def unless_matrix(shape: Shape) -> NDArray[Any]:
    """Zeros for each element of what is no matrix; nothing for a matrix."""
    return np.zeros(0 if len(shape) == 2 else shape)


def without_longest(shape: Shape, *, factored_from: float) -> NDArray[Any]:
    """Zeros for all axes but the longest; nothing where `factored` holds not."""
    return np.zeros(_without(shape, -1) if factored(shape, factored_from) else 0)


def without_second_longest(shape: Shape, *, factored_from: float) -> NDArray[Any]:
    """Zeros for all axes but the second longest; nothing where `factored` holds not."""
    return np.zeros(_without(shape, -2) if factored(shape, factored_from) else 0)


def unless_factored(shape: Shape, *, factored_from: float) -> NDArray[Any]:
    """Zeros for each element; nothing where `factored` holds."""
    return np.zeros(0 if factored(shape, factored_from) else shape)


def gram_matrices(shape: Shape) -> tuple[NDArray[Any], ...]:
    """A square matrix of zeros for each axis, or its diagonal for an axis that is too long."""
    return tuple(np.zeros((n, n) if n <= SQUARE_UP_TO else n) for n in shape)


def rotations(shape: Shape) -> tuple[NDArray[Any], ...]:
    """A square matrix of zeros for each axis that is rotated: none of a vector, and none that is too long."""
    rotated = len(shape) > 1
    return tuple(np.zeros((n, n) if rotated and n <= SQUARE_UP_TO else 0) for n in shape)


def longest_axes(shape: Shape) -> tuple[int, int]:
    """The second longest axis and the longest; of equal ones, the later is the longer."""
    order = np.argsort(shape, kind="stable")
    return int(order[-2]), int(order[-1])


def factored(shape: Shape, least: float) -> bool:
    """Whether there are two axes of at least ``least`` elements."""
    return bool(len(shape) > 1 and sorted(shape)[-2] >= least)


def kept(state: Any) -> bool:
    """Whether a state holds anything for this array, or is empty since another holds it."""
    return bool(math.prod(state.shape))


def _without(shape: Shape, place: int) -> Shape:
    axis = longest_axes(shape)[place]
    return (*shape[:axis], 1, *shape[axis + 1 :])


def _along(axis: int, n: int, ndim: int) -> Shape:
    return (1,) * axis + (n,) + (1,) * (ndim - axis - 1)


# ---- sums and extremes along axes


def mean(x: Any, *axes: int) -> Any:
    """The mean along axes, which stay as axes of one element."""
    return x.mean(axes, keepdims=True)


def rms(x: Any) -> float:
    """The root of the mean square of all elements, a float: computed in float64."""
    wide = _wide(x)
    return math.sqrt(float((wide * wide).mean()))


def largest(x: Any, axis: int) -> Any:
    """The largest element for each place along one axis, which the others keep as axes of one element."""
    space, others = _space(x), tuple(i for i in range(x.ndim) if i != axis)
    return (space.amax(x, others, keepdims=True)) if others else x


def smallest(parts: tuple[Any, ...]) -> Any:
    """The smallest of several arrays at each element, broadcast against each other."""
    return functools.reduce(_space(*parts).minimum, parts)


# ---- matrices


def gram(g: Any, axis: int) -> Any:
    """``G Gᵀ`` of g unfolded along one axis: the products of its slices; of an axis that is too long, the squares alone."""
    space = _space(g)
    rows = space.moveaxis(g, axis, 0).reshape(g.shape[axis], -1)
    return rows @ rows.T if g.shape[axis] <= SQUARE_UP_TO else (rows * rows).sum(1)


def multiply(a: Any, g: Any, axis: int) -> Any:
    """``g`` with each of its slices along one axis replaced by their combinations by the rows of ``a``, a matrix or a diagonal."""
    space = _space(g)
    if a.ndim == 1:
        return g * a.reshape(_along(axis, a.shape[0], g.ndim))
    front = space.moveaxis(g, axis, 0)
    product = a @ front.reshape(front.shape[0], -1)
    return space.moveaxis(product.reshape(front.shape), 0, axis)


def inverse_root(a: Any, p: int, eps: float) -> Any:
    """``(A + ε I)^(−1/p)`` of a symmetric A without negative eigenvalues, or of a diagonal; computed in float64."""
    wide = _wide(a)
    if a.ndim == 1:
        return _like((wide + eps) ** (-1 / p), a)
    values, vectors = _eigen(wide)
    # rounding can leave a negative eigenvalue where the exact one is 0
    roots = (_space(a).clip(values, 0, None) + eps) ** (-1 / p)
    return _like((vectors * roots) @ vectors.T, a)


def eigenvectors(a: Any) -> Any:
    """The eigenvectors of a symmetric matrix as columns, that of the largest eigenvalue first; computed in float64.

    The largest element of each is positive, so that their signs do not depend on the library.
    """
    space = _space(a)
    vectors = space.flip(_eigen(_wide(a))[1], (1,))
    top, bottom = space.amax(vectors, 0), space.amin(vectors, 0)
    return _like(vectors * space.where(top + bottom < 0, -1.0, 1.0), a)


def orthonormal(a: Any) -> Any:
    """Gram–Schmidt's orthonormal columns of ``a``, by a QR decomposition in float64 whose R has a positive diagonal."""
    space = _space(a)
    q, r = space.linalg.qr(_wide(a))
    return _like(q * space.where(space.diagonal(r) < 0, -1.0, 1.0), a)


def _eigen(a: Any) -> tuple[Any, Any]:
    space = _space(a)
    if bool(space.isfinite(a).all()):
        values, vectors = space.linalg.eigh(a)
        return values, vectors
    return a[0] * math.nan, a * math.nan


def _wide(a: Any) -> Any:
    """``a`` in float64, as far as its library has that."""
    space = _space(a)
    return space.asarray(a, dtype=space.float64)


def _like(value: Any, a: Any) -> Any:
    """``value`` in the dtype of ``a``."""
    return _space(a).asarray(value, dtype=a.dtype)


# ---- random numbers


def normal(like: Any, *key: float) -> Any:
    """Standard normal numbers in the shape and dtype of an array, fixed by the key alone (Philox, a counter-based generator)."""
    space = _space(like)
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([int(k) for k in key])))
    return space.asarray(generator.standard_normal(tuple(like.shape)), dtype=like.dtype)
