"""Gradient descent with one step size for all elements, measured from values, gradients or moves."""

from __future__ import annotations

from math import inf
from typing import Any

from descend._rule import rule
from descend.domains import NonNegative, Positive, Real, Scalar
from descend.ops import maximum, minimum, norm, quotient, sqrt, total, where


@rule
def polyak_sgd(
    x: Any, g: Any, *, value: Any, lr: NonNegative = 1.0, f_min: Real = 0.0, c: Positive = 1.0
) -> Any:
    """Polyak's step size, at most lr: ``x ← x − min((f − f_min) / (c ‖g‖²), lr) · g``; no step where f is below f_min.

    Parameters: ``f_min``, the least value of the function (0 where a model can fit all data); ``c``, 1 or, for convex losses, ½.
    Same as: ``optax.polyak_sgd(1.0, variant="sps+")``.
    Differs: optax has no c, and its ``scaling`` s is in ‖g‖ too, so that the uncut step is divided by s.
    References: Polyak, "Introduction to optimization", 1987, section 5.3; Loizou et al., "Stochastic Polyak step-size for SGD", 2021,
    eq. 3; Garrigos, Gower, Schaipp, "Function value learning", 2023 (f above f_min).
    """
    square = total(g * g)
    gap = maximum(value - f_min, 0.0)
    return x - minimum(quotient(gap, c * square, 0.0), lr) * g


@rule(init={"x_before": "x", "step": "lr"})
def barzilai_borwein(
    x: Any, g: Any, x_before: Any, g_before: Any, step: Scalar = 0.0, *, lr: NonNegative = 1e-3
) -> Any:
    """Barzilai-Borwein's long step: ``s = x − x₋₁, y = g − g₋₁;  α ← ⟨s, s⟩ / ⟨s, y⟩;  x ← x − α g``.

    Where ⟨s, y⟩ is not positive the last step size stays. The function's value may rise on the way.

    Parameters: ``lr``, the first step size; a schedule's later values are not read.
    State: ``x_before``, ``g_before``, of the last step; ``step``, α.
    References: Barzilai, Borwein, "Two-point step size gradient methods", 1988, eq. 6.
    """
    s, y = x - x_before, g - g_before
    curvature = total(s * y)
    step = quotient(total(s * s), curvature, step)
    return x - step * g, x, g, step


@rule(init={"x_before": "x", "step": "lr"})
def barzilai_borwein_short(
    x: Any, g: Any, x_before: Any, g_before: Any, step: Scalar = 0.0, *, lr: NonNegative = 1e-3
) -> Any:
    """Barzilai-Borwein's short step: ``s = x − x₋₁, y = g − g₋₁;  α ← ⟨s, y⟩ / ⟨y, y⟩;  x ← x − α g``.

    Where ⟨s, y⟩ is not positive the last step size stays. It is never longer than `barzilai_borwein`'s.

    Parameters: ``lr``, the first step size; a schedule's later values are not read.
    State: ``x_before``, ``g_before``, of the last step; ``step``, α.
    References: Barzilai, Borwein, "Two-point step size gradient methods", 1988, eq. 5.
    """
    s, y = x - x_before, g - g_before
    curvature = total(s * y)
    step = where(curvature > 0, quotient(curvature, total(y * y), step), step)
    return x - step * g, x, g, step


@rule(init={"x_before": "x", "step": "lr"})
def adgd(
    x: Any, g: Any, x_before: Any, g_before: Any, step: Scalar = 0.0, ratio: Scalar = inf, *, t: Any,
    lr: NonNegative = 1e-6,
) -> Any:
    """Adaptive gradient descent without descent: the step size grows slowly, and stays below half the inverse curvature.

    ``λ ← min(√(1 + θ) · λ₋₁, ‖x − x₋₁‖ / (2 ‖g − g₋₁‖));  θ ← λ / λ₋₁;  x ← x − λ g``

    Without a move and a change of gradient (at the first step) there is no second bound, and where neither is finite the last step size stays.

    Parameters: ``lr``, the first step size, small; a schedule's later values are not read.
    State: ``x_before``, ``g_before``, of the last step; ``step``, λ; ``ratio``, θ.
    References: Malitsky, Mishchenko, "Adaptive gradient descent without descent", 2020, Algorithm 1.
    """
    moved, bent = norm(x - x_before), norm(g - g_before)
    bound = where(moved > 0, quotient(moved, 2 * bent, inf), inf)
    longest = minimum(sqrt(1 + ratio) * step, bound)
    step_next = where(longest < inf, longest, step)
    return x - step_next * g, x, g, step_next, where(t > 1, quotient(step_next, step, 1.0), ratio)
