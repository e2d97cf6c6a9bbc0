"""Muon: momentum, orthogonalised; matrices move by it, all other arrays by Adam."""

from __future__ import annotations

from typing import Any

from descend._tensor_rule import tensor_rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import array_norm, maximum, sqrt
from descend.ops_matrix import unless_matrix
from descend.rules.adam import adam, adam_eps_hat, nadam_constant


def orthogonalized(u: Any) -> Any:
    """Five steps of a quintic Newton–Schulz iteration: of U S Vᵀ with singular values up to 1, nearly U Vᵀ.

    ``u ← a u + (b A + c A²) u`` with ``A = u uᵀ``, on the side with fewer rows; (a, b, c) are Jordan's.
    """
    tall = u.shape[0] > u.shape[1]
    u = u.T if tall else u
    for _ in range(5):
        a = u @ u.T
        u = 3.4445 * u + (-4.7750 * a + 2.0315 * (a @ a)) @ u
    return u.T if tall else u


@tensor_rule(init={"v": unless_matrix})
def muon(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, momentum: Decay = 0.95,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Muon: ``m ← μ m + (1 − μ) g;  x ← x − lr · √max(1, rows/columns) · NS(μ m + (1 − μ) g)`` for matrices.

    NS, Newton–Schulz, brings all singular values near 1. Arrays that are no matrices move by `adam` with β₁, β₂, ε.

    State: ``m``, the momentum; ``v`` as in `adam`, empty for matrices.
    Same as: ``torch.optim.Muon(weight_decay=0)``.
    Differs: torch takes only matrices and rounds NS to bfloat16; its decay is ``dd.decay(0.1)`` in front. `muon_rms` and `muon_trace` scale by 0.2 √max(rows, columns), `muon_corrected` corrects the average.
    References: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024, https://kellerjordan.github.io/posts/muon.
    """
    if x.ndim != 2:
        return adam(x, g, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    m = momentum * m + (1 - momentum) * g
    u = momentum * m + (1 - momentum) * g
    o = orthogonalized(u / maximum(array_norm(u), 1e-7))
    return x - lr * sqrt(max(1.0, x.shape[0] / x.shape[1])) * o, m, v


@tensor_rule(init={"v": unless_matrix})
def muon_rms(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, momentum: Decay = 0.95, scale: Positive = 0.2,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Muon with steps of the size of AdamW's: ``x ← x − lr · 0.2 √max(rows, columns) · NS(μ m + (1 − μ) g)`` for matrices.

    Arrays that are no matrices move by `adam` with β₁, β₂, ε.

    State: ``m``, the momentum; ``v`` as in `adam`, empty for matrices.
    Same as: ``torch.optim.Muon(adjust_lr_fn="match_rms_adamw", weight_decay=0)``.
    Differs: torch takes only matrices and rounds NS to bfloat16; its decay is ``dd.decay(0.1)`` in front.
    References: Liu et al., "Muon is scalable for LLM training", 2025, eq. 4.
    """
    if x.ndim != 2:
        return adam(x, g, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    m = momentum * m + (1 - momentum) * g
    u = momentum * m + (1 - momentum) * g
    o = orthogonalized(u / maximum(array_norm(u), 1e-7))
    return x - lr * scale * sqrt(max(x.shape)) * o, m, v


@tensor_rule(init={"v": unless_matrix})
def muon_trace(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, momentum: Decay = 0.95, scale: Positive = 0.2,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-7,
) -> Any:
    """Muon on a sum, not an average, of gradients: ``m ← μ m + g;  x ← x − lr · 0.2 √max(rows, columns) · NS(g + μ m)`` for matrices.

    The norm before NS is ‖·‖ + 1e-7. Arrays that are no matrices move by `adam_eps_hat` with β₁, β₂, ε.

    State: ``m``, the momentum; ``v`` as in `adam`, empty for matrices.
    Same as: ``keras.optimizers.Muon(1e-3, weight_decay=None, adam_weight_decay=None)``.
    References: Liu et al., "Muon is scalable for LLM training", 2025, eqs. 1 and 4; keras.optimizers.Muon.
    """
    if x.ndim != 2:
        return adam_eps_hat(x, g, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    m = momentum * m + g
    u = g + momentum * m
    o = orthogonalized(u / (array_norm(u) + 1e-7))
    return x - lr * scale * sqrt(max(x.shape)) * o, m, v


@tensor_rule(init={"v": unless_matrix})
def muon_corrected(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, momentum: Decay = 0.95,
    beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Muon on the corrected average, for matrices that multiply from the right: its scale is √max(1, columns/rows).

    ``m ← μ m + (1 − μ) g;  u = μ m / (1 − μᵗ⁺¹) + (1 − μ) g / (1 − μᵗ);  x ← x − lr · √max(1, columns/rows) · NS(u)``

    The norm before NS is ‖·‖ + ε. Arrays that are no matrices move by `nadam_constant` with β₁, β₂, ε.

    State: ``m``, the momentum; ``v`` as in `adam`, empty for matrices.
    Same as: ``optax.contrib.muon(1e-3)``.
    References: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; optax.contrib.muon.
    """
    if x.ndim != 2:
        return nadam_constant(x, g, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    m = momentum * m + (1 - momentum) * g
    u = momentum * m / (1 - momentum ** (t + 1)) + (1 - momentum) * g / (1 - momentum**t)
    o = orthogonalized(u / (array_norm(u) + eps))
    return x - lr * sqrt(max(1.0, x.shape[1] / x.shape[0])) * o, m, v
