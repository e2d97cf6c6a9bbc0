"""How large the entries of a vector are, told in as few calls as can be: it is asked at every iteration."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.blas import ddot, idamax

from descend.methods._method import Vector

_SHORT = 10_000
"""Entries from which on BLAS works in threads, which may wait for milliseconds."""


def largest(v: Vector, scratch: Vector) -> float:
    """Return the largest size of an entry, nan where one is nan; ``scratch``, of the shape of ``v``, may be overwritten.

    >>> largest(np.array([1.0, -3.0]), np.empty(2)), largest(np.array([np.nan, 1.0]), np.empty(2))
    (3.0, nan)
    """
    if v.size < _SHORT and ddot(v, v) < math.inf:  # BLAS's search passes over nan
        return abs(float(v[idamax(v)]))
    sizes = np.abs(v, out=scratch)  # a fresh array of 800 kB costs more than its numbers
    return float(np.maximum.reduce(sizes))


def finite(x: Vector) -> bool:
    """Return whether every entry is finite.

    >>> finite(np.array([1e200, 1.0])), finite(np.array([np.inf, 1.0]))
    (True, False)
    """
    quick = x.size < _SHORT and math.isfinite(ddot(x, x))  # a sum of squares tells sooner
    return quick or bool(np.isfinite(x).all())
