"""Changes of the gradient or the parameters that come before a rule in a chain."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from descend._links import transform
from descend._tensor_rule import tensor_transform
from descend.domains import NonNegative, Positive, Seed
from descend.ops import array_norm, maximum, minimum, norm, where
from descend.ops_matrix import mean, normal


@transform
def clip_norm(x: Any, g: Any, *, max_norm: Positive = 1.0) -> Any:
    """Scale the whole gradient down to the global norm ``max_norm``; shorter ones pass unchanged.

    ``g ← g · min(1, max_norm / ‖g‖)`` with ‖g‖ over all arrays together. Where ‖g‖ overflows, all is nan: a step of 0 would hide it.

    Same as: ``optax.clip_by_global_norm(1.0)``, ``keras.optimizers.SGD(0.01, global_clipnorm=1.0)``.
    References: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, Algorithm 1.
    Differs: torch divides by ‖g‖ + 1e-6.
    """
    length = norm(g)
    return x, g * where(length < inf, max_norm / maximum(length, max_norm), nan)


@transform
def clip_norm_each(x: Any, g: Any, *, max_norm: Positive = 1.0) -> Any:
    """Scale the gradient of each array down to the norm ``max_norm``; shorter ones pass unchanged.

    Same as: ``keras.optimizers.SGD(0.01, clipnorm=1.0)``.
    Differs: ``optax.clip_by_block_rms`` bounds the root of the mean square.
    """
    length = array_norm(g)
    return x, g * where(length < inf, max_norm / maximum(length, max_norm), nan)


@transform
def agc(x: Any, g: Any, *, clipping: Positive = 1e-2, eps: Positive = 1e-3) -> Any:
    """Adaptive gradient clipping, array by array: the gradient's norm is at most ``clipping`` times the parameters'.

    ``g ← g · min(1, clipping · max(‖x‖, ε) / ‖g‖)``

    References: Brock et al., "High-performance large-scale image recognition without normalization", 2021, eq. 3 (per array, not per unit).
    """
    length, limit = array_norm(g), clipping * maximum(array_norm(x), eps)
    return x, g * where(length < inf, limit / maximum(length, limit), nan)


@transform
def clip_value(x: Any, g: Any, *, max_value: Positive = 1.0) -> Any:
    """Clip each element of the gradient to [−max_value, max_value].

    Same as: ``optax.clip(1.0)``, ``keras.optimizers.SGD(0.01, clipvalue=1.0)``.
    """
    return x, maximum(minimum(g, max_value), -max_value)


@tensor_transform
def centralize(x: Any, g: Any) -> Any:
    """Gradient centralization: subtract from each slice along the first axis its mean; a vector passes unchanged.

    Same as: ``optax.centralize()``.
    References: Yong et al., "Gradient centralization: a new optimization technique for deep neural networks", 2020, eq. 1.
    """
    return x, g - mean(g, *range(1, g.ndim)) if g.ndim > 1 else g


@transform(place="decay")
def decay(x: Any, g: Any, *, lr: Any, weight_decay: NonNegative = 1e-2) -> Any:
    """Decoupled weight decay: ``x ← x − lr · weight_decay · x``, with the lr of the chain's rule.

    Same as: ``keras.optimizers.SGD(0.01, weight_decay=0.01)``.
    References: Loshchilov, Hutter, "Decoupled weight decay regularization", 2019, Algorithm 2.
    """
    return x - lr * weight_decay * x, g


@transform
def maximize(x: Any, g: Any) -> Any:
    """Climb where the rule would descend: ``g ← −g``. It comes before what adds to the gradient, such as `l2`.

    Same as: ``torch.optim.SGD(lr=0.01, maximize=True)``.
    """
    return x, -g


@tensor_transform
def noise(
    x: Any,
    g: Any,
    *,
    t: Any,
    index: Any,
    eta: NonNegative = 0.01,
    gamma: NonNegative = 0.55,
    seed: Seed = 0.0,
) -> Any:
    """Gaussian gradient noise that dies out: ``g ← g + N(0, η / t^γ)``, its numbers fixed by seed, t and the place of the array among those that are trained.

    References: Neelakantan et al., "Adding gradient noise improves learning for very deep networks", 2015, eq. 1 (t from 0 there).
    """
    return x, g + (eta / t**gamma) ** 0.5 * normal(g, seed, index, t)


@transform
def l2(x: Any, g: Any, *, weight_decay: NonNegative = 1e-2) -> Any:
    """Coupled weight decay, the gradient of ``weight_decay / 2 · ‖x‖²``: ``g ← g + weight_decay · x``.

    Same as: ``torch.optim.SGD(lr=0.01, weight_decay=0.01)``, ``optax.add_decayed_weights(0.01)``.
    """
    return x, g + weight_decay * x
