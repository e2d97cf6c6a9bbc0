"""Adafactor: second moments by row and by column, steps relative to the size of the parameters."""

from __future__ import annotations

from typing import Any

from descend._tensor_rule import tensor_rule
from descend.domains import Growth, NonNegative, Positive
from descend.ops import maximum, minimum, sqrt
from descend.ops_matrix import (
    by_column,
    by_row,
    kept,
    longest_axes,
    mean,
    of_vectors,
    rms,
    unless_factored,
    without_longest,
    without_second_longest,
)


def moments(s: Any, r: Any, c: Any, v: Any, beta: Any, axes: tuple[int, int] = (-2, -1)) -> Any:
    """Averages of s along the last of two axes, and along the first of them; where v is kept, of each element alone."""
    if kept(v):
        return r, c, beta * v + (1 - beta) * s
    down, along = axes
    return beta * r + (1 - beta) * mean(s, along), beta * c + (1 - beta) * mean(s, down), v


@tensor_rule(init={"r": by_row, "c": by_column, "v": of_vectors})
def adafactor(
    x: Any, g: Any, r: Any, c: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-2, beta2_decay: NonNegative = 0.8, eps1: Positive = 1e-30,
    eps2: NonNegative = 1e-3, clip: Positive = 1.0,
) -> Any:
    """Adafactor: ``x ← x − max(ε₂, RMS(x)) · min(lr, 1/√t) · u / max(1, RMS(u)/d)`` with ``u = g / √v̂``.

    v̂ = r c / mean(r), of averages of g² + ε₁ by row and column with β₂ = 1 − t^(−β₂ decay), so that memory grows with the sides.

    State: ``r``, ``c`` for arrays of two axes or more (the last two are factored); ``v`` for vectors, whose v̂ it is.
    Same as: ``keras.optimizers.Adafactor(1e-2)``.
    Differs: torch clamps instead of adding ε₁ (`adafactor_clamped`), optax has no 1/√t (`adafactor_constant`).
    References: Shazeer, Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018, Algorithms 4 to 6 (means for sums).
    """
    r, c, v = moments(g**2 + eps1, r, c, v, 1 - t**-beta2_decay)
    u = g / (sqrt(v) if kept(v) else sqrt(r / mean(r, -2)) * sqrt(c))  # ε₁² is 0 in float32, ε₁ is not
    u = u / maximum(1.0, rms(u) / clip)
    return x - maximum(eps2, rms(x)) * minimum(lr, 1 / sqrt(t)) * u, r, c, v


@tensor_rule(init={"r": by_row, "c": by_column, "v": of_vectors})
def adafactor_clamped(
    x: Any, g: Any, r: Any, c: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-2, beta2_decay: NonNegative = 0.8, eps1: Positive = 2.0**-52,
    eps2: NonNegative = 1e-3, clip: Positive = 1.0, weight_decay: NonNegative = 0.0,
) -> Any:
    """Adafactor with ε₁ as the least √v̂ and the least mean of r, instead of added to g².

    ``u = g / max(√v̂, ε₁);  x ← (1 − lr · wd) x − max(ε₂, RMS(x)) · min(lr, 1/√t) · u / max(1, RMS(u)/d)``, RMS(x) before the decay

    State: ``r``, ``c`` for arrays of two axes or more (the last two are factored); ``v`` for vectors.
    Same as: ``torch.optim.Adafactor()``.
    Differs: torch's ε₁ is that of the dtype: this one in float64, 2⁻²³ in float32.
    References: Shazeer, Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018; torch.optim.Adafactor, the note on ε₁.
    """
    r, c, v = moments(g**2, r, c, v, 1 - t**-beta2_decay)
    u = g / maximum(sqrt(v if kept(v) else r * c / maximum(mean(r, -2), eps1)), eps1)
    alpha = maximum(eps2, rms(x)) * minimum(lr, 1 / sqrt(t))
    return x - lr * weight_decay * x - alpha / maximum(1.0, rms(u) / clip) * u, r, c, v


@tensor_rule(init={"r": without_longest, "c": without_second_longest, "v": unless_factored})
def adafactor_constant(
    x: Any, g: Any, r: Any, c: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-2, beta2_decay: NonNegative = 0.8, eps1: Positive = 1e-30,
    eps2: NonNegative = 1e-3, clip: Positive = 1.0, weight_decay: NonNegative = 0.0, factored_from: Growth = 128.0,
) -> Any:
    """Adafactor with lr as it is, not bounded by 1/√t, and the two longest axes factored if both have ``factored_from`` elements.

    ``x ← x − lr · max(ε₂, RMS(x)) · u / max(1, RMS(u)/d) − wd · x``; the decay is not times lr.

    State: ``r``, ``c`` where factored; ``v`` elsewhere.
    Same as: ``optax.adafactor(1e-2)``.
    Differs: optax rounds its β₂ to float32.
    References: Shazeer, Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018, sections 3, 6, 8; optax.adafactor.
    """
    down, along = longest_axes(x.shape) if kept(r) else (-2, -1)
    r, c, v = moments(g**2 + eps1, r, c, v, 1 - t**-beta2_decay, (down, along))
    u = g / (sqrt(v) if kept(v) else sqrt(r / mean(r, down)) * sqrt(c))  # ε₁² is 0 in float32, ε₁ is not
    u = lr * maximum(eps2, rms(x)) / maximum(1.0, rms(u) / clip) * u
    return x - u - weight_decay * x, r, c, v
