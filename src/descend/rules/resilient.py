"""Resilient propagation: each element keeps a step size of its own and uses only the gradient's sign."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, Growth, NonNegative, Positive
from descend.ops import maximum, minimum, sign, where


@rule(init={"step": "lr"})
def rprop(
    x: Any, g: Any, g_before: Any, step: Any, *,
    lr: NonNegative = 1e-2, eta_minus: Decay = 0.5, eta_plus: Growth = 1.2,
    step_min: Positive = 1e-6, step_max: Positive = 50.0,
) -> Any:
    """Rprop: lengthen an element's step while its gradient keeps its sign, shorten it and stand still when it changes.

    ``s ← sign(g · g₋₁);  Δ ← clip(Δ · (η₊ if s > 0, η₋ if s < 0, else 1), Δ_min, Δ_max);  g ← 0 if s < 0;  x ← x − Δ · sign(g)``

    Parameters: ``lr``, the first step of each element; a schedule's later values are not read.
    State: ``g_before``, the last gradient, 0 after a change of sign; ``step``, Δ.
    Same as: ``torch.optim.Rprop(lr=0.01, etas=(0.5, 1.2), step_sizes=(1e-6, 50))``.
    Differs: optax applies each update one step late, and does not bound the first step.
    References: Riedmiller, Braun, "A direct adaptive method for faster backpropagation learning", 1993;
    Igel, Hüsken, "Improving the Rprop learning algorithm", 2000 (iRprop−, which forgets the gradient after a change of sign).
    """
    s = sign(g) * sign(g_before)
    step = step * where(s > 0, eta_plus, where(s < 0, eta_minus, 1.0))
    step = minimum(maximum(step, step_min), step_max)
    g = where(s < 0, 0.0, g)
    return x - step * sign(g), g, step
