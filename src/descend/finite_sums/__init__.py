"""Variance-reduced methods for finite sums ``F(x) = (1/n) Σ fᵢ(x)``: SVRG, L-SVRG, SARAH, SAG and SAGA.

Each turns the gradients of a few rows into a direction whose error vanishes at the minimum, so that a constant learning rate
converges linearly where plain stochastic gradients stall. The step along the direction is an ordinary rule's.
"""

from descend.finite_sums._sum import FiniteSum
from descend.finite_sums.anchored import LSVRG, SARAH, SVRG
from descend.finite_sums.tabled import SAG, SAGA

__all__ = ["LSVRG", "SAG", "SAGA", "SARAH", "SVRG", "FiniteSum"]
