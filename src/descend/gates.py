"""Gates of the catalogue: gradients that are accumulated, unscaled, skipped, or asked for at another point."""

from __future__ import annotations

from typing import Any

from descend._gate import gate
from descend.domains import Count, Growth, Positive, Scalar, Share
from descend.ops import maximum, minimum, norm, total, where


@gate(gives="mean", place="accumulate")
def accumulate(
    x: Any, g: Any, mean: Any, micro: Scalar = 0, *, steps: Count = 4.0
) -> tuple[Any, ...]:
    """Gradient accumulation: one update for every ``steps`` gradients, along their mean.

    State: ``mean``, the sum so far; ``micro``, gradients in it. t counts updates; `per_micro_step` counts gradients.
    Same as: ``keras.optimizers.SGD(0.1, gradient_accumulation_steps=4)``.
    Differs: in torch the user divides the loss; ``optax.MultiSteps`` weights the gradients in float32.
    """
    micro = micro + 1
    mean = where(micro > 1, mean, 0) + g
    last = micro >= steps
    return last, x, where(last, mean / micro, mean), where(last, 0, micro)


@gate(init={"scale": "first"}, gives="unscaled")
def unscale(
    x: Any,
    g: Any,
    unscaled: Any,
    scale: Scalar,
    good: Scalar = 0,
    *,
    first: Growth = 65536.0,
    growth: Growth = 2.0,
    backoff: Share = 0.5,
    every: Count = 2000.0,
) -> tuple[Any, ...]:
    """Dynamic loss scaling for mixed precision: divide the gradient by ``scale``; skip the step where it is not finite.

    Multiply the loss by ``Stepper.state["scale"]``. A skipped step shrinks the scale by ``backoff``; ``every`` good ones in a row
    let it grow. It stays between 1 and 2¹⁰⁰.

    State: ``unscaled``, the gradient; ``scale``; ``good``, finite gradients in a row.
    Differs: ``torch.amp.GradScaler`` scales the loss itself.
    References: Micikevicius et al., "Mixed precision training", 2018, section 3.2.
    """
    finite = total(where(g - g == 0, 0, 1)) < 1
    good = where(finite, good + 1, 0)
    ripe = good >= every
    new = minimum(
        where(finite, scale * where(ripe, growth, 1), maximum(scale * backoff, 1)), 2.0**100
    )
    return finite, x, g / scale, new, where(ripe, 0, good)


@gate(place="skip")
def skip_nonfinite(x: Any, g: Any, skipped: Scalar = 0) -> tuple[Any, ...]:
    """No step, and no change of any state, where the gradient holds nan or inf.

    State: ``skipped``, how many there were.
    Same as: ``optax.apply_if_finite(optax.sgd(0.1), max_consecutive_errors=1000000)``.
    """
    finite = total(where(g - g == 0, 0, 1)) < 1
    return finite, x, skipped + where(finite, 0, 1)


@gate(init={"home": "x"}, solution="home", place="sam")
def sam(x: Any, g: Any, home: Any, away: Scalar = 0, *, rho: Positive = 0.05) -> tuple[Any, ...]:
    """Sharpness-aware minimization: the rule steps along the gradient that is found ``rho`` uphill; two gradients a step.

    The first moves x to ``home + ρ g / ‖g‖``; with the gradient there the rule steps from home.

    State: ``home``, the answer while x is away; ``away``, 1 then.
    References: Foret et al., "Sharpness-aware minimization for efficiently improving generalization", 2021, Algorithm 1, eq. 2.
    """
    at_home = away < 1
    home = where(at_home, x, home)
    uphill = x + rho / maximum(norm(g), 1e-12) * g
    return away, where(at_home, uphill, home), home, where(at_home, 1, 0)
