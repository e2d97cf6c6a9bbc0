"""Unconstrained test problems with exact gradients, starts and known minima; fits with certified answers.

`PROBLEMS` maps each name to its `Problem`; `nist.FITS` are the nonlinear fits, whose minimum is far harder to reach from afar.
"""

from __future__ import annotations

from benchmarks.collection import (  # noqa: F401  (each enters its problems)
    any_size,
    arrowheads,
    chained,
    coupled,
    few_variables,
    fitted,
    oddities,
)
from benchmarks.collection.problem import PROBLEMS, Problem

__all__ = ["PROBLEMS", "Problem"]
