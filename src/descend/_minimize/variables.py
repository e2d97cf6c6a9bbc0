"""The variables as the user has them: where they start, between which bounds, of which sizes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeWarning

from descend._minimize.returned import in_words, number
from descend._minimize.scaling import NEAR, powers_of_two, units_of
from descend._minimize.sizes import finite
from descend.errors import HyperparameterError, ProblemError, ShapeError
from descend.methods._method import Method, Vector


@dataclass(frozen=True)
class Start:
    """Where the run starts, and how a vector becomes an x as the user has it."""

    x: Vector
    shape: tuple[int, ...]
    restore: Callable[[Vector], Any]
    """A fresh x of the user's kind, shape and dtype from a vector."""
    kind: str
    """``numpy``, ``torch`` or ``jax``."""


def read_start(x0: Any) -> Start:
    """The starting point: a number, a list, or an array of NumPy, torch or jax.

    NumPy's x of one dimension or none is a vector, as SciPy has it; of more dimensions, or of torch and jax, it keeps its shape.

    Raises
    ------
    ShapeError
        If it is empty or holds no real numbers.
    ProblemError
        If a number of it is not finite.
    """
    kind = type(x0).__module__.partition(".")[0]
    kind = {"torch": "torch", "jax": "jax", "jaxlib": "jax"}.get(kind, "numpy")
    plain = _as_numpy(x0, kind)
    if plain.dtype.kind not in "fiub":
        raise ShapeError(f"x0 of minimize must hold real numbers; got dtype {plain.dtype}.")
    if plain.size == 0:
        raise ShapeError("x0 of minimize must hold at least one number; got an empty array.")
    x = np.array(plain, dtype=np.float64).ravel()
    if not finite(x):
        i = int(np.flatnonzero(~np.isfinite(x))[0])
        raise ProblemError(f"x0 of minimize must be finite; got {x[i]!r} at position {i}.")
    return Start(x, _shape(plain, kind), _restore(x0, plain, kind), kind)


def _as_numpy(x0: Any, kind: str) -> Any:
    if kind == "torch":
        x0 = x0.detach().cpu()
    try:
        plain = np.asarray(x0)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"x0 of minimize must be a number or an array; got {error}.") from None
    return _as_floats(plain) if plain.dtype.kind == "O" else plain


def _as_floats(objects: Any) -> Any:
    """The real numbers that are in an array of objects, such as fractions and decimals."""
    for i, entry in enumerate(objects.flat):
        if number(entry) is None:
            raise ShapeError(
                f"x0 of minimize must hold real numbers; got {in_words(entry)} at position {i}."
            )
    return objects.astype(np.float64)


def _shape(plain: Any, kind: str) -> tuple[int, ...]:
    return plain.shape if kind != "numpy" or plain.ndim > 1 else (plain.size,)


def _restore(x0: Any, plain: Any, kind: str) -> Callable[[Vector], Any]:
    shape = plain.shape
    if kind == "torch":
        import torch

        dtype = x0.dtype if x0.dtype.is_floating_point else torch.float64
        device = x0.device
        return lambda v: torch.tensor(v, dtype=dtype, device=device).reshape(shape)
    if kind == "jax":
        import jax.numpy as jnp

        floats = plain.dtype if plain.dtype.kind == "f" else None
        return lambda v: jnp.array(v, dtype=floats or float).reshape(shape)
    return np.ndarray.copy if plain.ndim < 2 else lambda v: v.reshape(shape).copy()


def kept(bounds: Any) -> Any:
    """Bounds that may be read more than once: those of an iterator, such as ``zip(lower, upper)``, in a list."""
    return list(bounds) if hasattr(bounds, "__next__") else bounds


def read_bounds(bounds: Any, start: Start) -> tuple[Vector | None, Vector | None]:
    """Least and greatest values, or None and None where nothing is bounded.

    Parameters
    ----------
    bounds : None, SciPy's ``Bounds``, or a (least, greatest) pair for each variable, None for no bound
    """
    if bounds is None:
        return None, None
    n = start.x.size
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        sides = bounds.lb, bounds.ub
    else:
        sides = _pairs(bounds, n)
    try:
        lower, upper = (np.array(np.broadcast_to(s, start.shape), float).ravel() for s in sides)
    except (ValueError, TypeError):
        raise ShapeError(
            f"bounds of minimize must fit x0 of shape {start.shape}; got {bounds!r}."
        ) from None
    wrong = np.flatnonzero(~(lower <= upper) | (lower == math.inf) | (upper == -math.inf))
    if wrong.size:
        i = int(wrong[0])
        raise ProblemError(
            f"bounds of minimize must have least <= greatest; got ({lower[i]}, {upper[i]}) at position {i}."
        )
    if np.isinf(lower).all() and np.isinf(upper).all():
        return None, None
    return lower, upper


def _pairs(bounds: Any, n: int) -> tuple[Any, Any]:
    pairs = list(bounds) if hasattr(bounds, "__iter__") else []
    if len(pairs) != n or any(not hasattr(p, "__len__") or len(p) != 2 for p in pairs):
        raise ShapeError(
            f"bounds of minimize must be {n} pairs (least, greatest), one for each variable; got {bounds!r}."
        )
    lower = [-math.inf if p[0] is None else p[0] for p in pairs]
    upper = [math.inf if p[1] is None else p[1] for p in pairs]
    return np.array(lower), np.array(upper)


def inside(x: Vector, lower: Vector | None, upper: Vector | None) -> Vector:
    """``x`` within the bounds; if it was not, a warning says so, as SciPy's does."""
    if lower is None or upper is None:
        return x
    clipped = np.clip(x, lower, upper)
    if (clipped != x).any():
        warnings.warn(
            "Initial guess is not within the specified bounds", OptimizeWarning, stacklevel=4
        )
    return clipped


def read_scale(scale: Any, method: Method, start: Start) -> tuple[Vector | None, bool]:
    """The units to start in (None for x's own), and whether a restart may choose others."""
    if scale is None or (isinstance(scale, str) and scale == "auto"):
        if scale is None or not method.scales:
            return None, False
        sizes = np.abs(start.x)
        if sizes.max() <= NEAR * sizes.min():
            return None, True
        units = units_of(start.x)
        return (None if (units == 1.0).all() else units), True
    try:
        sizes = np.broadcast_to(np.asarray(scale, float), start.shape).ravel()
    except (ValueError, TypeError):
        sizes = np.zeros(0)
    if sizes.size == 0 or not (np.isfinite(sizes) & (sizes > 0)).all():
        raise HyperparameterError(
            f"scale of minimize must be 'auto', None or positive sizes of the shape of x0; got {scale!r}."
        )
    return powers_of_two(sizes), False
