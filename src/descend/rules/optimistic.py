"""Adam's steps taken optimistically: on what the next step's ratio of averages will be."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import sqrt, where


@rule
def optimistic_adam(
    x: Any, g: Any, m: Any, v: Any, r_before: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    alpha: NonNegative = 1.0, beta: NonNegative = 1.0,
) -> Any:
    """Optimistic Adam: with Adam's ``r = m̂ / (√v̂ + ε)``, ``x ← x − lr ((α + β) r − β r₋₁)``.

    State: ``m``, ``v`` as in `adam`; ``r_before``, the last r; at the first step it counts as r.
    Same as: ``optax.optimistic_adam_v2(0.001, nesterov=False)``.
    Differs: optax has Nesterov's m̂ unless told otherwise: `optimistic_adam_nesterov`. r₋₁ = 0 would make the first step (α + β) / α times as long.
    References: Daskalakis, Ilyas, Syrgkanis, Zeng, "Training GANs with optimism", 2018, Algorithm 1 (α = β = 1).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    r = m_hat / (sqrt(v_hat) + eps)
    r_before = where(t > 1, r_before, r)
    return x - lr * ((alpha + beta) * r - beta * r_before), m, v, r


@rule
def optimistic_adam_nesterov(
    x: Any, g: Any, m: Any, v: Any, r_before: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    alpha: NonNegative = 1.0, beta: NonNegative = 1.0,
) -> Any:
    """Optimistic Adam with Nesterov's look-ahead: `optimistic_adam` with ``m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ)``.

    State: ``m``, ``v``, ``r_before`` as in `optimistic_adam`.
    Same as: ``optax.optimistic_adam_v2(0.001)``.
    Differs: m̂ of the paper is Adam's: `optimistic_adam`.
    References: Daskalakis, Ilyas, Syrgkanis, Zeng, "Training GANs with optimism", 2018, Algorithm 1 (α = β = 1), with m̂ of Dozat,
    "Incorporating Nesterov momentum into Adam", 2016, Algorithm 2 with μₜ = β₁.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    r = m_hat / (sqrt(v_hat) + eps)
    r_before = where(t > 1, r_before, r)
    return x - lr * ((alpha + beta) * r - beta * r_before), m, v, r
