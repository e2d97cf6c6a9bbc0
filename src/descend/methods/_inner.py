"""The inner product of two vectors, quick at every length."""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import ddot

from descend.methods._method import Vector

_SHORT = 10_000


def inner(a: Vector, b: Vector) -> float:
    """Return aᵀb, whatever it is: no warning on inf and nan.

    SciPy's ddot costs a third of NumPy's dot where vectors are short. From 10 000 entries on both use threads of their own
    copies of OpenBLAS, which then wait for each other (8 ms a call on two cores), so long vectors are all left to NumPy.
    """
    if a.size < _SHORT:
        return ddot(a, b)  # type: ignore[no-any-return]
    with np.errstate(all="ignore"):
        return float(a.dot(b))


def products(s: Vector, y: Vector) -> tuple[float, float, float]:
    """Return sᵀs, sᵀy and yᵀy: one call instead of three where vectors are short."""
    if s.size < _SHORT:
        return ddot(s, s), ddot(s, y), ddot(y, y)
    return inner(s, s), inner(s, y), inner(y, y)
