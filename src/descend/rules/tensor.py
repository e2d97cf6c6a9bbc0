"""Rules that precondition an array along each of its axes."""

from __future__ import annotations

from typing import Any

from descend._tensor_rule import tensor_rule
from descend.domains import Count, Decay, NonNegative, Positive
from descend.ops import sqrt
from descend.ops_matrix import (
    by_axis,
    eigenvectors,
    gram,
    gram_matrices,
    inverse_root,
    kept,
    largest,
    multiply,
    orthonormal,
    rotations,
    smallest,
)


@tensor_rule(init={"h": gram_matrices})
def shampoo(x: Any, g: Any, h: Any, *, lr: NonNegative = 1e-1, eps: Positive = 1e-4) -> Any:
    """Shampoo: the gradient, multiplied along each of its k axes by an inverse root of the gradients' products there.

    ``hᵢ ← hᵢ + Gᵢ Gᵢᵀ;  x ← x − lr · g ×₁ (h₁ + ε I)^(−1/2k) … ×ₖ (hₖ + ε I)^(−1/2k)``, Gᵢ being g unfolded along axis i.

    For a matrix, ``x ← x − lr · L^(−1/4) g R^(−1/4)``; for a vector, full-matrix AdaGrad.

    State: ``h``, a matrix for each axis without its start ε I; of an axis with more than 1200 elements the diagonal.
    References: Gupta, Koren, Singer, "Shampoo: preconditioned stochastic tensor optimization", 2018, Algorithms 1 and 2.
    """
    h = tuple(a + gram(g, i) for i, a in enumerate(h))
    u = g
    for i, a in enumerate(h):
        u = multiply(inverse_root(a, 2 * g.ndim, eps), u, i)
    return x - lr * u, h


def turned(g: Any, q: Any) -> Any:
    """G in the bases q: its coordinates along each axis that is rotated."""
    for i, a in enumerate(q):
        g = multiply(a.T, g, i) if kept(a) else g
    return g


@tensor_rule(init={"h": rotations, "q": rotations})
def soap(
    x: Any, g: Any, m: Any, v: Any, h: Any, q: Any, *, t: Any,
    lr: NonNegative = 3e-3, beta1: Decay = 0.95, beta2: Decay = 0.95, eps: Positive = 1e-8, every: Count = 10.0,
) -> Any:
    """SOAP: Adam in the eigenvectors of Shampoo's matrices, ``x ← x − lr · Q_L (m̂' / (√v̂ + ε)) Q_Rᵀ`` with ``m' = Q_Lᵀ m Q_R``.

    v averages the squares of ``Q_Lᵀ g Q_R``. The first gradient only makes the bases; every ``every`` steps, one QR step turns them.

    State: ``m``, ``v`` as in `adam`; ``h``, an average of Gᵢ Gᵢᵀ, and ``q``, the basis, for each axis; none for a vector, or beyond 1200.
    References: Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam", 2024, Algorithm 3 and 4; their code skips the first step.
    """
    if t > 1:
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * turned(g, q) ** 2
        u = turned(m, q) / (1 - beta1 ** (t - 1)) / (sqrt(v / (1 - beta2 ** (t - 1))) + eps)
        x = x - lr * turned(u, tuple(a.T for a in q))
    h = tuple(beta2 * a + (1 - beta2) * gram(g, i) if kept(a) else a for i, a in enumerate(h))
    if t == 1:
        q = tuple(eigenvectors(a) if kept(a) else a for a in h)
    elif (t - 1) % every < 1:
        q = tuple(orthonormal(a @ b) if kept(a) else a for a, b in zip(h, q, strict=True))
    return x, m, v, h, q


@tensor_rule(init={"a": by_axis})
def sm3(
    x: Any, g: Any, m: Any, a: Any, *,
    lr: NonNegative = 1e-1, momentum: Decay = 0.9, eps: Positive = 1e-8,
) -> Any:
    """SM3: AdaGrad that remembers, in place of each element's sum of squares, the largest along each axis.

    ``s = g² + min over axes of a;  aᵢ ← max of s across axis i;  m ← μ m + (1 − μ) g / √(s + ε);  x ← x − lr · m``

    State: ``m``, the momentum; ``a``, one array along each axis.
    Same as: ``optax.sm3(1e-1)``.
    References: Anil et al., "Memory-efficient adaptive optimization", 2019, Algorithm SM3-II, its covers the slices along each axis, with momentum.
    """
    s = g**2 + smallest(a)
    m = momentum * m + (1 - momentum) * g / sqrt(s + eps)
    return x - lr * m, m, tuple(largest(s, i) for i in range(s.ndim))
