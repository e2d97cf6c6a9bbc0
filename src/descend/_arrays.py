"""The shapes in which parameters come: one array, or a list or dict of arrays; and what may be wrong with them."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import HyperparameterError, ShapeError

Array = NDArray[Any]
Arrays = Array | Sequence[Array] | Mapping[Any, Array]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def flatten(value: Any, name: str, owner: str = "") -> tuple[tuple[Hashable, ...], list[Array]]:
    """The keys and arrays of ``value``: no key for an array, positions for a list, keys for a dict."""
    if isinstance(value, np.ndarray):
        return (), [value]
    if isinstance(value, Mapping):
        return tuple(value), [as_array(v, f"{name}[{k!r}]{owner}") for k, v in value.items()]
    if isinstance(value, list | tuple) and all(isinstance(v, np.ndarray) for v in value):
        return tuple(range(len(value))), list(value)
    raise ShapeError(
        f"{name}{owner} must be an array, or a list or dict of arrays; got {_brief(value)}."
    )


def as_value(value: Any, owner: str) -> float:
    """The function's value as a float; it may be inf or nan."""
    single = isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "fiu"
    if not single and (isinstance(value, bool) or not isinstance(value, numbers.Real)):
        raise HyperparameterError(
            f"value of a step of {owner} must be the function's value at x, a float; got {value!r}."
        )
    return float(value)


def as_array(value: Any, name: str) -> Array:
    """``value`` itself, which must be an array."""
    if not isinstance(value, np.ndarray):
        raise ShapeError(f"{name} must be an array; got {_brief(value)}.")
    return value


def like(structure: Any, keys: tuple[Hashable, ...], arrays: Sequence[Any]) -> Any:
    """``arrays`` in the shape of ``structure``, whose keys are ``keys``."""
    if isinstance(structure, np.ndarray):
        return arrays[0]
    if isinstance(structure, Mapping):
        return dict(zip(keys, arrays, strict=True))
    return arrays


def check_parameters(keys: tuple[Hashable, ...], arrays: list[Array]) -> None:
    """Parameters are native float32 or float64, writeable, and no memory serves two of them."""
    if not arrays:
        raise ShapeError("x must hold at least one array; got none.")
    for key, a in zip(keys or ("",), arrays, strict=True):
        name = f"x[{key!r}]" if keys else "x"
        if a.dtype not in _FLOATS:
            parts = f" Hint: step its real and imaginary parts, {name}.view({a.real.dtype.name!r})."
            raise ShapeError(
                f"{name} must have dtype float32 or float64; got {a.dtype}.{parts if a.dtype.kind == 'c' else ''}"
            )
        if not a.flags.writeable:
            raise ShapeError(
                f"{name} must be writeable, since steps update it in place; got a read-only array."
            )
    open_spans: list[
        tuple[int, int]
    ] = []  # (end, array) of arrays whose memory may reach into the next one's
    for start, stop, j in sorted(
        (*np.lib.array_utils.byte_bounds(a), j) for j, a in enumerate(arrays) if a.size
    ):
        open_spans = [(end, i) for end, i in open_spans if end > start]
        for _, i in open_spans:
            if np.shares_memory(arrays[i], arrays[j]):
                raise ShapeError(
                    f"x[{keys[i]!r}] and x[{keys[j]!r}] must not share memory; they overlap."
                )
        open_spans.append((stop, j))


def check_gradients(
    what: str, owner: str, keys: tuple[Hashable, ...], arrays: list[Array], gradients: list[Array]
) -> None:
    """What is given with a step is real and has the shapes of the parameters."""
    for i, (x, g) in enumerate(zip(arrays, gradients, strict=True)):
        if g.shape != x.shape or g.dtype.kind not in "fiub":
            name = f"{what}[{keys[i]!r}]" if keys else what
            if g.shape != x.shape:
                raise ShapeError(
                    f"{name} of {owner} must have the shape of x, {x.shape}; got {g.shape}."
                )
            raise ShapeError(f"{name} of {owner} must hold real numbers; got dtype {g.dtype}.")


def _brief(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) < 60 else text[:57] + '...'}"
