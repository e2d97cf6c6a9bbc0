"""Relatives of Adam whose scale remembers a maximum or stays within bounds."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import maximum, minimum, sqrt


@rule
def amsgrad(
    x: Any, g: Any, m: Any, v: Any, v_max: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """AMSGrad: Adam with the largest v so far, ``x ← x − lr · m̂ / (√(v_max / (1 − β₂ᵗ)) + ε)``.

    State: ``m``, ``v`` as in `adam`; ``v_max``, the largest v.
    Same as: ``torch.optim.Adam(lr=0.001, amsgrad=True)``.
    Differs: the paper corrects neither average: `amsgrad_uncorrected`; optax keeps the largest v̂: `amsgrad_corrected`;
    Keras adds ε before the correction: `amsgrad_eps_hat`.
    References: Reddi, Kale, Kumar, "On the convergence of Adam and beyond", 2018, Algorithm 2, with Adam's corrections.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v, v_max


@rule
def amsgrad_eps_hat(
    x: Any, g: Any, m: Any, v: Any, v_max: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-7,
) -> Any:
    """AMSGrad with ε beside the uncorrected root: ``x ← x − lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v_max + ε)``.

    State: ``m``, ``v``, ``v_max`` as in `amsgrad`.
    Same as: ``keras.optimizers.Adam(learning_rate=0.001, epsilon=1e-7, amsgrad=True)``.
    References: Reddi, Kale, Kumar, "On the convergence of Adam and beyond", 2018, Algorithm 2, with Adam's ε̂ form.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    alpha = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    return x - alpha * m / (sqrt(v_max) + eps), m, v, v_max


@rule
def amsgrad_corrected(
    x: Any, g: Any, m: Any, v: Any, v_max: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """AMSGrad with the largest corrected v̂ so far: ``x ← x − lr · m̂ / (√v_max + ε)``.

    State: ``m``, ``v`` as in `adam`; ``v_max``, the largest v̂, which a first large gradient fills at once.
    Same as: ``optax.amsgrad(0.001)``.
    References: Reddi, Kale, Kumar, "On the convergence of Adam and beyond", 2018, Algorithm 2, on Adam's v̂.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_max = maximum(v_max, v / (1 - beta2**t))
    return x - lr * m_hat / (sqrt(v_max) + eps), m, v, v_max


@rule
def amsgrad_uncorrected(
    x: Any, g: Any, m: Any, v: Any, v_max: Any, *,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """AMSGrad as its paper has it, without corrections: ``x ← x − lr · m / (√v_max + ε)``.

    State: ``m``, ``v``, ``v_max`` as in `amsgrad`.
    Differs: the paper's box has no ε, which divides 0 by 0 where all gradients were 0.
    References: Reddi, Kale, Kumar, "On the convergence of Adam and beyond", 2018, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    return x - lr * m / (sqrt(v_max) + eps), m, v, v_max


@rule
def padam(
    x: Any, g: Any, m: Any, v: Any, v_max: Any, *,
    lr: NonNegative = 0.1, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    p: Positive = 0.125,
) -> Any:
    """Padam: AMSGrad with the power p in place of the root, ``x ← x − lr · m / (√v_max + ε)²ᵖ``.

    p = ½ is `amsgrad_uncorrected`; p → 0 is gradient descent with momentum.

    State: ``m``, ``v``, ``v_max`` as in `amsgrad`.
    Differs: the authors' code multiplies lr by √(1 − β₂ᵗ) / (1 − β₁ᵗ); the paper's box has neither that nor ε.
    References: Chen et al., "Closing the generalization gap of adaptive gradient methods in training deep neural
    networks", 2020, Algorithm 1.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = maximum(v_max, v)
    return x - lr * m / (sqrt(v_max) + eps) ** (2 * p), m, v, v_max


@rule
def adamax(
    x: Any, g: Any, m: Any, u: Any, *, t: Any,
    lr: NonNegative = 2e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Adamax: Adam with a decaying maximum, ``u ← max(β₂ u, |g| + ε);  x ← x − lr · m̂ / u``.

    State: ``m``, the average of the gradient; ``u``, the decaying maximum of its size.
    Same as: ``torch.optim.Adamax(lr=0.002)``, ``optax.adamax(0.002)``.
    Differs: the paper has no ε; Keras adds it to u: `adamax_eps_outside`.
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g) + eps)
    return x - lr * (m / (1 - beta1**t)) / u, m, u


@rule
def adamax_eps_outside(
    x: Any, g: Any, m: Any, u: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-7,
) -> Any:
    """Adamax with ε outside the maximum: ``u ← max(β₂ u, |g|);  x ← x − lr · m̂ / (u + ε)``.

    State: ``m``, ``u`` as in `adamax`.
    Same as: ``keras.optimizers.Adamax(learning_rate=0.001)``.
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g))
    return x - lr * (m / (1 - beta1**t)) / (u + eps), m, u


@rule
def adabound(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    final_ratio: Positive = 100.0, gamma: Positive = 1e-3,
) -> Any:
    """AdaBound: Adam's scale within bounds that close in on one rate, so that it ends as gradient descent.

    ``η ← clip(√(1 − β₂ᵗ) / (1 − β₁ᵗ) / (√v + ε), r (1 − 1 / (γ t + 1)), r (1 + 1 / (γ t)));  x ← x − lr · η m``

    State: ``m``, ``v`` as in `adam`.
    Differs: r is the final rate in units of lr: the authors' ``AdaBound(lr=0.001, final_lr=0.1)``, which scales final_lr
    with a scheduled lr, has r = 100. The paper also divides η by √t and corrects nothing; the authors' code is this rule.
    References: Luo et al., "Adaptive gradient methods with dynamic bound of learning rate", 2019, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    lower = final_ratio * (1 - 1 / (gamma * t + 1))
    upper = final_ratio * (1 + 1 / (gamma * t))
    eta = sqrt(1 - beta2**t) / (1 - beta1**t) / (sqrt(v) + eps)
    return x - lr * maximum(minimum(eta, upper), lower) * m, m, v
