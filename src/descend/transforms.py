"""Changes of the gradient or the parameters that come before a rule in a chain."""

from __future__ import annotations

from typing import Any

from descend._rule import transform
from descend.domains import NonNegative, Positive
from descend.ops import maximum, minimum, norm


@transform
def clip_norm(x: Any, g: Any, *, max_norm: Positive = 1.0) -> Any:
    """Scale the whole gradient down to the global norm ``max_norm``; shorter ones pass unchanged.

    ``g ← g · min(1, max_norm / ‖g‖)`` with ‖g‖ over all arrays together.

    References: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, Algorithm 1.
    Differs: torch divides by ‖g‖ + 1e-6.
    """
    return x, g * (max_norm / maximum(norm(g), max_norm))


@transform
def clip_value(x: Any, g: Any, *, max_value: Positive = 1.0) -> Any:
    """Clip each element of the gradient to [−max_value, max_value]."""
    return x, maximum(minimum(g, max_value), -max_value)


@transform
def decay(x: Any, g: Any, *, lr: Any, weight_decay: NonNegative = 1e-2) -> Any:
    """Decoupled weight decay: ``x ← x − lr · weight_decay · x``, with the lr of the chain's rule.

    References: Loshchilov, Hutter, "Decoupled weight decay regularization", 2019, Algorithm 2.
    """
    return x - lr * weight_decay * x, g


@transform
def l2(x: Any, g: Any, *, weight_decay: NonNegative = 1e-2) -> Any:
    """Coupled weight decay, the gradient of ``weight_decay / 2 · ‖x‖²``: ``g ← g + weight_decay · x``."""
    return x, g + weight_decay * x
