"""The inner product of two vectors, quick at every length."""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import ddot

from descend.methods._method import Vector


def inner(a: Vector, b: Vector) -> float:
    """Return aᵀb, whatever it is: no warning on inf and nan.

    SciPy's ddot costs a third of NumPy's dot where vectors are short. From 10 000 entries on both use threads of their own
    copies of OpenBLAS, which then wait for each other (8 ms a call on two cores), so long vectors are all left to NumPy.
    """
    if a.size < 10_000:
        return ddot(a, b)  # type: ignore[no-any-return]
    with np.errstate(all="ignore"):
        return float(a.dot(b))
