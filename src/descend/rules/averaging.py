"""Rules whose answer is an average of their iterates."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive, Scalar
from descend.ops import maximum, sqrt, where


@rule(init={"z": "x", "average": "x"}, solution="average")
def schedule_free_sgd(
    x: Any, g: Any, z: Any, average: Any, weights: Scalar = 0.0, *,
    lr: NonNegative = 1.0, beta: Decay = 0.9,
) -> Any:
    """Schedule-free SGD: gradients are taken at x, between the iterate z and the running average of all z.

    ``z ← z − lr · g;  average ← average + (z − average) · lr² / Σ lr²;  x ← (1 − β) z + β · average``

    State: ``z``, the iterate; ``average``, the answer: use it (``Stepper.solution``), not x, when training ends; ``weights``, Σ lr².
    Same as: ``optax.contrib.schedule_free_sgd(1.0, b1=0.9)``.
    Differs: under a schedule, optax weighs z by its largest lr so far; at a constant lr each z weighs 1/t.
    References: Defazio et al., "The road less scheduled", 2024, eqs. 2-4, with the weights of Algorithm 1.
    """
    z = z - lr * g
    weights = weights + lr**2
    c = lr**2 / maximum(weights, 1e-300)  # 0, not 0 / 0, while a warm-up is still at 0
    average = average + c * (z - average)
    return (1 - beta) * z + beta * average, z, average, weights


@rule(init={"z": "x", "average": "x"}, solution="average")
def schedule_free_adamw(
    x: Any, g: Any, z: Any, average: Any, v: Any, weights: Scalar = 0.0, *, t: Any,
    lr: NonNegative = 2.5e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
) -> Any:
    """Schedule-free AdamW: `schedule_free_sgd` with Adam's scale; each z weighs lr² of its step, so a warm-up counts less.

    ``z ← z − lr · (g / (√v̂ + ε) + λ x);  average ← average + (z − average) · lr² / Σ lr²;  x ← (1 − β₁) z + β₁ · average``

    State: ``z``, the iterate; ``average``, the answer: use it (``Stepper.solution``), not x, when training ends; ``v`` as
    in `adam`; ``weights``, Σ lr².
    Same as: ``optax.contrib.schedule_free_adamw(0.0025)``, ``keras.optimizers.ScheduleFreeAdamW(0.0025)``.
    Differs: under a schedule, Keras weighs every z alike: `schedule_free_adamw_uniform`; the authors' code puts √(1 − β₂ᵗ) into lr, so also into the weights, and ε beside the uncorrected √v.
    References: Defazio et al., "The road less scheduled", 2024, Algorithm 1.
    """
    v = beta2 * v + (1 - beta2) * g**2
    v_hat = v / (1 - beta2**t)
    z = z - lr * (g / (sqrt(v_hat) + eps) + weight_decay * x)
    weights = weights + lr**2
    c = lr**2 / maximum(weights, 1e-300)  # 0, not 0 / 0, while a warm-up is still at 0
    average = average + c * (z - average)
    return (1 - beta1) * z + beta1 * average, z, average, v, weights


@rule(init={"z": "x", "average": "x"}, solution="average")
def schedule_free_adamw_uniform(
    x: Any, g: Any, z: Any, average: Any, v: Any, *, t: Any,
    lr: NonNegative = 2.5e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """`schedule_free_adamw` in which every z weighs the same, whatever its rate: ``average ← average + (z − average) / t``.

    State: ``z``, the iterate; ``average``, the answer: use it (``Stepper.solution``), not x, when training ends; ``v`` as in `adam`.
    Same as: ``keras.optimizers.ScheduleFreeAdamW(0.0025)``.
    References: Defazio et al., "The road less scheduled", 2024, eqs. 2-4 with c = 1 / t.
    """
    v = beta2 * v + (1 - beta2) * g**2
    z = z - lr * (g / (sqrt(v / (1 - beta2**t)) + eps))
    average = average + (z - average) / t
    return (1 - beta1) * z + beta1 * average, z, average, v


@rule(init={"average": "x"}, solution="average")
def averaged_sgd(x: Any, g: Any, average: Any, *, t: Any, lr: NonNegative = 1e-2) -> Any:
    """Gradient descent whose answer is the mean of its iterates: ``x ← x − lr · g;  average ← average + (x − average) / t``.

    State: ``average``, the mean of x₁ … xₜ: the answer.
    Same as: ``torch.optim.SGD(lr=0.01)``, ``torch.optim.swa_utils.AveragedModel()``.
    Differs: the paper's sum starts one step earlier, x₀ … xₜ₋₁.
    References: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", 1992, eq. 2.
    """
    x = x - lr * g
    return x, average + (x - average) / t


@rule(init={"average": "x"}, solution="average")
def asgd(
    x: Any, g: Any, average: Any, *, t: Any,
    lr: NonNegative = 1e-2, lambd: NonNegative = 1e-4, alpha: Positive = 0.75, t0: NonNegative = 1e6,
) -> Any:
    """Averaged SGD with a falling rate: ``η = lr / (1 + λ lr (t − 1))^α;  x ← x − η (g + λ x)``, averaged from step t₀ + 2 on.

    Parameters: ``lambd``, the L2 penalty λ that the rate is made for; ``t0``, the steps before the average (until then it is x).
    State: ``average``, the answer, torch's ``ax``.
    Same as: ``torch.optim.ASGD(lr=0.01, lambd=1e-4, alpha=0.75, t0=1e6)``.
    Differs: torch reads a scheduled lr one step late.
    References: Bottou, "Stochastic gradient descent tricks", 2012, section 5.3 (his μ, with t − 1 for t: torch's count).
    """
    eta = lr / (1 + lambd * lr * (t - 1)) ** alpha
    mu = 1 / maximum(t - 1 - t0, 1)
    x = (1 - lambd * eta) * x - eta * g
    return x, where(mu < 1, average + mu * (x - average), x)
