"""Rules whose step in each array depends on the norms of that array."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive, Scalar
from descend.ops import array_norm, maximum, sqrt, where


@rule
def lars(
    x: Any, g: Any, v: Any, *, lr: NonNegative = 1.0, momentum: Decay = 0.9,
    trust: Positive = 1e-3, weight_decay: NonNegative = 0.0,
) -> Any:
    """LARS: momentum with a rate of its own for each array, ``λ = trust · ‖x‖ / (‖g‖ + wd ‖x‖)``.

    ``v ← μ v + lr · λ (g + wd · x);  x ← x − v``;  λ = 1 where ‖x‖ or ‖g‖ is 0.

    State: ``v``, the velocity in units of the parameters.
    References: You, Gitman, Ginsburg, "Large batch training of convolutional networks", 2017, Algorithm 1.
    """
    size, slope = array_norm(x), array_norm(g)
    local = where(size * slope > 0, trust * size / (slope + weight_decay * size), 1)
    v = momentum * v + lr * local * (g + weight_decay * x)
    return x - v, v


@rule
def lamb(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-6,
    weight_decay: NonNegative = 0.0,
) -> Any:
    """LAMB: Adam's direction (with decay), scaled in each array to the norm of the parameters.

    ``u = m̂ / (√v̂ + ε) + wd · x;  x ← x − lr · ‖x‖ / ‖u‖ · u``;  the ratio is 1 where a norm is 0.

    State: ``m``, ``v`` as in `adam`.
    Same as: ``optax.lamb(1e-3)``.
    References: You et al., "Large batch optimization for deep learning", 2020, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) + weight_decay * x
    size, length = array_norm(x), array_norm(u)
    return x - lr * where(size * length > 0, size / length, 1) * u, m, v


@rule
def novograd(
    x: Any, g: Any, m: Any, v: Scalar = 0.0, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.25, eps: Positive = 1e-6,
    weight_decay: NonNegative = 0.0,
) -> Any:
    """NovoGrad: one second moment for each array, and momentum on the gradient that it normalises.

    ``v ← β₂ v + (1 − β₂) ‖g‖²`` (the first v is ‖g‖²);  ``m ← β₁ m + g / (√v + ε) + wd · x;  x ← x − lr · m``

    State: ``m``, the momentum; ``v``, a number for each array.
    Same as: ``optax.novograd(1e-3)``.
    References: Ginsburg et al., "Stochastic gradient methods with layer-wise adaptive moments", 2019, Algorithm 1.
    """
    size = array_norm(g) ** 2
    v = where(t > 1, beta2 * v + (1 - beta2) * size, size)
    m = beta1 * m + g / (sqrt(v) + eps) + weight_decay * x
    return x - lr * m, m, v


@rule
def fromage(x: Any, g: Any, *, lr: NonNegative = 1e-2) -> Any:
    """Fromage: a step of lr times the norm of each array, then back to the sphere: ``x ← (x − lr · ‖x‖ / ‖g‖ · g) / √(1 + lr²)``.

    Same as: ``optax.fromage(1e-2, min_norm=0)``.
    References: Bernstein et al., "On the distance between two neural networks and the stability of learning", 2020, Algorithm 1.
    """
    size, slope = array_norm(x), array_norm(g)
    return (x - lr * where(size * slope > 0, size / slope, 1) * g) / sqrt(1 + lr**2)


@rule
def fromage_bounded(x: Any, g: Any, *, lr: NonNegative = 1e-2, min_norm: Positive = 1e-6) -> Any:
    """`fromage` in which no norm counts as less than a bound: ``‖x‖`` and ``‖g‖`` are ``max(‖·‖, min_norm)``.

    Same as: ``optax.fromage(1e-2)``.
    References: Bernstein et al., "On the distance between two neural networks and the stability of learning", 2020, Algorithm 1.
    """
    size, slope = maximum(array_norm(x), min_norm), maximum(array_norm(g), min_norm)
    return (x - lr * (size / slope) * g) / sqrt(1 + lr**2)
