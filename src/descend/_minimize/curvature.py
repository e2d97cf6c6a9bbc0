"""The inverse Hessian that a method learned, as a matrix or an operator of x."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import LbfgsInvHessProduct

from descend.methods._method import Vector
from descend.methods.memory import DirectMemory, InverseMemory, pairs_in

_Memory = InverseMemory | DirectMemory


def inverse_hessian(state: Any, units: Vector | None) -> Any:
    """Return what the ``state`` of a method in ``units`` knows; None where that is nothing.

    Returns
    -------
    array of shape (n, n), or for limited memory a `scipy.optimize.LbfgsInvHessProduct` of that shape
    """
    if isinstance(state, _Memory):
        return LearnedPairs(state, units)
    inverse = getattr(state, "inverse", None)
    if inverse is None:
        return None
    h: Vector = inverse()
    return h if units is None else h * units * units[:, None]


class LearnedPairs(LbfgsInvHessProduct):  # type: ignore[misc]
    """SciPy's operator of the pairs (s, y) in memory, which are copied when it is first used: they may be large."""

    def __init__(self, memory: _Memory, units: Vector | None) -> None:
        n = memory.rows.shape[1]
        # what SciPy's own constructor sets, after checks that take longer than an iteration
        self.dtype, self.shape = np.dtype(np.float64), (n, n)
        self._memory, self._units = memory, units
        self._most = memory.rows.shape[0] // 2
        self.n_corrs = pairs_in(memory)

    @cached_property
    def sk(self) -> Vector:
        """Steps of x, the oldest first, shape (n_corrs, n)."""
        steps = self._rows(0 if isinstance(self._memory, InverseMemory) else self._most)
        return steps if self._units is None else steps * self._units

    @cached_property
    def yk(self) -> Vector:
        """The changes of the gradient in these steps; both may be divided by √(sᵀy), which changes no product."""
        changes = self._rows(self._most if isinstance(self._memory, InverseMemory) else 0)
        return changes if self._units is None else changes / self._units

    @cached_property
    def rho(self) -> Vector:
        """1 / sᵀy of each pair."""
        rho: Vector = 1.0 / np.einsum("ij,ij->i", self.sk, self.yk)
        return rho

    def _rows(self, start: int) -> Vector:
        """The rows of one kind, out of their ring: a fresh array."""
        ring = np.arange(self._memory.count - self.n_corrs, self._memory.count) % self._most
        rows: Vector = self._memory.rows[start + ring]
        return rows
