"""Rules that step by the sign of a direction, so that each element moves by lr."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative
from descend.ops import sign


@rule
def lion(
    x: Any, g: Any, m: Any, *, lr: NonNegative = 1e-4, beta1: Decay = 0.9, beta2: Decay = 0.99
) -> Any:
    """Lion: step by the sign of an average of m and g, then average g into m with another factor.

    ``c ← β₁ m + (1 − β₁) g;  x ← x − lr · sign(c);  m ← β₂ m + (1 − β₂) g``

    State: ``m``, the average of the gradient.
    Same as: ``optax.lion(1e-4, weight_decay=0)``.
    Differs: the paper adds decoupled weight decay: ``dd.chain(dd.decay(λ), dd.lion())``.
    References: Chen et al., "Symbolic discovery of optimization algorithms", 2023, Algorithm 2.
    """
    c = beta1 * m + (1 - beta1) * g
    return x - lr * sign(c), beta2 * m + (1 - beta2) * g
