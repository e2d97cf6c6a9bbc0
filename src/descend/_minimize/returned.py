"""What a user's function returned, read as numbers, and told in words where it is none."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from descend.methods._method import Vector

_FLOAT64 = np.dtype(np.float64)
_PRECISION = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def number(result: Any) -> float | None:
    """Return a real scalar, or an array of one entry, as a float; None where it is neither.

    >>> number(np.array([2.0])), number(1j), number("2"), number([1.0, 2.0])
    (2.0, None, None, None)
    """
    array = _array(result)
    if array is None or array.size != 1:
        return None
    item = array.item()
    try:
        return float(item) if isinstance(item, (Real, Decimal)) else None
    except OverflowError:  # a whole number beyond the floats
        return None


def complex_number(result: Any) -> complex | None:
    """Return one number that was computed in complex arithmetic; None for any other result."""
    array = _array(result)
    if array is None or array.size != 1 or array.dtype.kind != "c":
        return None
    return complex(array.item())


def vector(result: Any, shape: tuple[int, ...], n: int) -> Vector | None:
    """Return a gradient of shape ``shape`` or (n,) as a fresh array of shape (n,); None for any other.

    >>> vector([[1, 2], [3, 4]], (2, 2), 4)
    array([1., 2., 3., 4.])
    """
    # a fresh array because the user's function may fill one buffer again and again
    if type(result) is np.ndarray and result.dtype is _FLOAT64 and result.shape == (n,):
        return result.copy()
    array = _array(result)
    if array is None or not _fits(array.shape, shape, n):
        return None
    return _real(array.reshape(n))


def complex_vector(result: Any, shape: tuple[int, ...], n: int) -> Any:
    """Return a gradient that was computed in complex arithmetic, shape (n,); None for any other."""
    array = _array(result)
    if array is None or array.dtype.kind != "c" or not _fits(array.shape, shape, n):
        return None
    return array.reshape(n)


def matrix(result: Any, n: int) -> Vector | None:
    """Return a Hessian, dense, sparse or a linear operator, as a symmetric array of shape (n, n)."""
    if hasattr(result, "toarray"):
        result = result.toarray()
    elif hasattr(result, "matmat"):
        result = result.matmat(np.eye(n))
    array = _array(result)
    if array is None or array.size != n * n:
        return None
    dense = _real(array.reshape(n, n))
    return None if dense is None else symmetric(dense)


def symmetric(dense: Vector) -> Vector:
    """Return the symmetric part of ``dense``."""
    with np.errstate(all="ignore"):
        return 0.5 * (dense + dense.T)


def precision(result: Any) -> float:
    """Return the spacing of floats at 1 in the dtype of ``result``; that of float64 where it has none."""
    name = str(getattr(result, "dtype", "")).removeprefix("torch.")
    return _PRECISION.get(name, 2.0**-52)


def in_words(result: Any) -> str:
    """Return a few words on ``result``.

    >>> in_words(None), in_words(np.zeros((3, 1))), in_words((1.0, [2.0]))
    ('None', 'an array of shape (3, 1)', 'a tuple of 2 entries')
    """
    shape = getattr(result, "shape", None)
    if isinstance(shape, tuple) and shape:
        dtype = str(getattr(result, "dtype", ""))
        kind = "a complex array" if dtype.startswith("complex") else "an array"
        return f"{kind} of shape {tuple(shape)}"
    if isinstance(result, (list, tuple)):
        return f"a {type(result).__name__} of {len(result)} entries"
    if result is None or isinstance(result, (bool, int, float, complex, str, np.generic)):
        return repr(result)[:80]
    return f"an object of type {type(result).__name__}"


def _fits(got: tuple[int, ...], shape: tuple[int, ...], n: int) -> bool:
    """Whether the shapes are equal but for axes of length 1: (3, 2) is a mistake where x0 is (2, 3)."""
    core = tuple(k for k in got if k != 1)
    return core in {tuple(k for k in shape if k != 1), (n,) if n != 1 else ()}


def _array(result: Any) -> Any:
    if hasattr(result, "detach"):  # a torch tensor, which may keep its graph or be on a device
        result = result.detach().cpu()
        if str(result.dtype) == "torch.bfloat16":
            result = result.double()
    try:
        return np.asarray(result)
    except (ValueError, TypeError, RuntimeError):  # ragged lists
        return None


def _real(array: Any) -> Vector | None:
    if array.dtype.kind in "iuf" or array.dtype.name == "bfloat16":
        return array.astype(np.float64)  # type: ignore[no-any-return]
    return None
