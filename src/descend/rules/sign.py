"""Rules that step by the sign of a direction, so that each element moves by lr."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative
from descend.ops import sign
from descend.transforms import decay


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


@rule
def signsgd(x: Any, g: Any, *, lr: NonNegative = 1e-3) -> Any:
    """signSGD: ``x ← x − lr · sign(g)``.

    Parameters: ``lr``, the step of each element.
    Same as: ``optax.sign_sgd(0.001)``.
    References: Bernstein et al., "signSGD: compressed optimisation for non-convex problems", 2018, Algorithm 1.
    """
    return x - lr * sign(g)


@rule
def signum(x: Any, g: Any, m: Any, *, lr: NonNegative = 1e-3, beta: Decay = 0.9) -> Any:
    """Signum: step by the sign of the momentum, ``m ← β m + (1 − β) g;  x ← x − lr · sign(m)``.

    State: ``m``, the average of the gradient.
    Same as: ``optax.signum(0.001, beta=0.9)``.
    References: Bernstein et al., "signSGD: compressed optimisation for non-convex problems", 2018, Algorithm 2.
    """
    m = beta * m + (1 - beta) * g
    return x - lr * sign(m), m


@rule
def tiger(
    x: Any, g: Any, m: Any, *,
    lr: NonNegative = 1e-3, beta: Decay = 0.965, weight_decay: NonNegative = 1e-2,
) -> Any:
    """Tiger: Signum after decoupled weight decay, ``m ← β m + (1 − β) g;  x ← x − lr · (sign(m) + λ x)``.

    State: ``m``, the average of the gradient.
    Differs: the author's code scales lr by the root mean square of each weight array, and halves it for biases and
    norms, which do not decay.
    References: Su, "Tiger: a tight-fisted optimizer", https://github.com/bojone/tiger, 2023.
    """
    x, g = decay(x, g, lr=lr, weight_decay=weight_decay)
    return signum(x, g, m, lr=lr, beta=beta)
