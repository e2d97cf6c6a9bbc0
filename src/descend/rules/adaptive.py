"""Rules that divide each element's step by the size of its past gradients."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import sqrt


@rule
def adagrad(x: Any, g: Any, a: Any, *, lr: NonNegative = 1e-2, eps: Positive = 1e-10) -> Any:
    """AdaGrad: ``a ← a + g²;  x ← x − lr · g / (√a + ε)``.

    State: ``a``, the sum of squared gradients.
    Same as: ``torch.optim.Adagrad(lr=0.01, eps=1e-10)``.
    Differs: Keras and optax divide by √(a + ε) and start a at 0.1.
    References: Duchi, Hazan, Singer, "Adaptive subgradient methods", 2011, Figure 1 (diagonal).
    """
    a = a + g**2
    return x - lr * g / (sqrt(a) + eps), a


@rule
def rmsprop(
    x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-3, alpha: Decay = 0.99, eps: Positive = 1e-8
) -> Any:
    """RMSprop: ``v ← α v + (1 − α) g²;  x ← x − lr · g / (√v + ε)``.

    State: ``v``, the average of squared gradients.
    Same as: ``torch.optim.RMSprop(lr=0.001, alpha=0.99, eps=1e-8)``.
    Differs: Keras and optax divide by √(v + ε) and average with 0.9.
    References: Tieleman, Hinton, "Lecture 6.5: rmsprop", Coursera, 2012, slide 29.
    """
    v = alpha * v + (1 - alpha) * g**2
    return x - lr * g / (sqrt(v) + eps), v
