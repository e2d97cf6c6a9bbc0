"""What a user's code returns, as numbers and in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from descend.lab.contract import Vector


def as_real(value: Any) -> Vector | None:
    """Return ``value`` as an array of float64, or None where it is not made of real numbers."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # ragged lists, tensors that keep a graph
        return None
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def what_is(value: Any) -> str:
    """Return a few words on what ``value`` is: ``None``, ``an array of shape (3,)``."""
    if isinstance(value, np.ndarray):
        kind = "a complex array" if np.iscomplexobj(value) else "an array"
        return f"{kind} of shape {value.shape}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)} entries"
    if value is None or isinstance(value, (int, float, complex, str, bool)):
        return repr(value)
    return f"an object of type {type(value).__name__}"


def shown(x: Vector) -> str:
    """Return a point in words, at most four coordinates of it."""
    words = [f"{c:.4g}" for c in x[:4]]
    return f"({', '.join(words)}{', …' if x.size > 4 else ''})"


def is_pair(result: Any) -> bool:
    """Whether a function returned (f, g)."""
    return isinstance(result, tuple) and len(result) == 2
