"""Rules that divide each element's step by the size of all its past gradients, or of its past steps."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import sqrt


@rule(init={"a": "a0"})
def adagrad(
    x: Any, g: Any, a: Any, *, lr: NonNegative = 1e-2, eps: Positive = 1e-10, a0: NonNegative = 0.0
) -> Any:
    """AdaGrad: ``a ← a + g²;  x ← x − lr · g / (√a + ε)``.

    State: ``a``, ``a0`` plus the sum of squared gradients.
    Same as: ``torch.optim.Adagrad(lr=0.01, eps=1e-10)``.
    Differs: Keras and optax divide by √(a + ε) and start a at 0.1: `adagrad_eps_inside`.
    References: Duchi, Hazan, Singer, "Adaptive subgradient methods", 2011, Figure 1 (diagonal).
    """
    a = a + g**2
    return x - lr * g / (sqrt(a) + eps), a


@rule(init={"a": "a0"})
def adagrad_eps_inside(
    x: Any, g: Any, a: Any, *, lr: NonNegative = 1e-3, eps: Positive = 1e-7, a0: NonNegative = 0.1
) -> Any:
    """AdaGrad with ε inside the root: ``a ← a + g²;  x ← x − lr · g / √(a + ε)``.

    State: ``a``, ``a0`` plus the sum of squared gradients.
    Same as: ``keras.optimizers.Adagrad(0.001)``, ``optax.adagrad(0.001)``.
    Differs: torch divides by √a + ε and starts a at 0: `adagrad`.
    References: Duchi, Hazan, Singer, "Adaptive subgradient methods", 2011, Figure 1 (diagonal).
    """
    a = a + g**2
    return x - lr * g / sqrt(a + eps), a


@rule
def adadelta(
    x: Any, g: Any, v: Any, u: Any, *, lr: NonNegative = 1.0, rho: Decay = 0.9, eps: Positive = 1e-6
) -> Any:
    """Adadelta: scale each gradient by the size of past steps over the size of past gradients.

    ``v ← ρ v + (1 − ρ) g²;  δ ← g · √(u + ε) / √(v + ε);  u ← ρ u + (1 − ρ) δ²;  x ← x − lr · δ``

    State: ``v``, the average of squared gradients; ``u``, that of squared steps before lr.
    Same as: ``torch.optim.Adadelta(lr=1.0)``, ``optax.adadelta(1.0)``, ``keras.optimizers.Adadelta(1.0, rho=0.9, epsilon=1e-6)``.
    Differs: the paper has no lr.
    References: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, Algorithm 1.
    """
    v = rho * v + (1 - rho) * g**2
    delta = g * sqrt(u + eps) / sqrt(v + eps)
    u = rho * u + (1 - rho) * delta**2
    return x - lr * delta, v, u
