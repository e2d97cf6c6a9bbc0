"""Adam and its family: a momentum step divided by the root of the average squared gradient."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive, Scalar
from descend.ops import sqrt
from descend.transforms import decay


@rule
def adam(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Adam: averages m of g and v of g², corrected for their start at 0; ``x ← x − lr · m̂ / (√v̂ + ε)``.

    State: ``m``, ``v``, the averages of the gradient and of its square.
    Same as: ``torch.optim.Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-8)``, ``optax.adam(0.001)``.
    Differs: Keras adds ε before the correction: `adam_eps_hat`.
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v


@rule
def adam_eps_hat(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-7,
) -> Any:
    """Adam with ε beside the uncorrected √v: ``x ← x − lr · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)``.

    State: ``m``, ``v`` as in `adam`.
    Same as: ``keras.optimizers.Adam(learning_rate=0.001, epsilon=1e-7)``.
    Differs: it is `adam` with ε / √(1 − β₂ᵗ) for ε, 31.6 times as much at the first step.
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, end of section 2 (ε̂).
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    alpha = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    return x - alpha * m / (sqrt(v) + eps), m, v


@rule
def adam_eps_root(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: NonNegative = 1e-8,
    eps_root: Positive = 1e-8,
) -> Any:
    """Adam with a second ε inside the root: ``x ← x − lr · m̂ / (√(v̂ + ε_root) + ε)``; its slope is finite at v̂ = 0.

    With β₁ = 0 and ε = 0 it is RMSprop with its average corrected, optax's ``rmsprop(0.001, bias_correction=True)``.

    State: ``m``, ``v`` as in `adam`.
    Same as: ``optax.adam(0.001, eps_root=1e-8)``.
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1, with optax's ε_root.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat + eps_root) + eps), m, v


@rule
def adamw(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    weight_decay: NonNegative = 1e-2,
) -> Any:
    """AdamW: Adam after decoupled weight decay, ``x ← x − lr · λ x``.

    State: ``m``, ``v`` as in `adam`.
    Same as: ``torch.optim.AdamW(lr=0.001, weight_decay=0.01)``.
    References: Loshchilov, Hutter, "Decoupled weight decay regularization", 2019, Algorithm 2.
    """
    x, g = decay(x, g, lr=lr, weight_decay=weight_decay)
    return adam(x, g, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)


@rule
def nadam(
    x: Any, g: Any, m: Any, v: Any, mu_product: Scalar = 1.0, *, t: Any,
    lr: NonNegative = 2e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    momentum_decay: NonNegative = 4e-3,
) -> Any:
    """Nadam: Adam with Nesterov's look-ahead and a warming momentum ``μₜ = β₁ (1 − ½ · 0.96^(t ψ))``.

    State: ``m``, ``v`` as in `adam`; ``mu_product``, the product μ₁ ⋯ μₜ.
    Same as: ``torch.optim.NAdam(lr=0.002, momentum_decay=0.004)``.
    Differs: Keras has ψ = 1 (``momentum_decay=1``); optax keeps μ = β₁: `nadam_constant`. torch holds the product in
    its default dtype.
    References: Dozat, "Incorporating Nesterov momentum into Adam", 2016, Algorithm 2 and appendix.
    """
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    mu_product = mu_product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = mu_next * m / (1 - mu_product * mu_next) + (1 - mu) * g / (1 - mu_product)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v, mu_product


@rule
def nadamw(
    x: Any, g: Any, m: Any, v: Any, mu_product: Scalar = 1.0, *, t: Any,
    lr: NonNegative = 2e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
    momentum_decay: NonNegative = 4e-3, weight_decay: NonNegative = 1e-2,
) -> Any:
    """NadamW: Nadam after decoupled weight decay, ``x ← x − lr · λ x``.

    State: ``m``, ``v``, ``mu_product`` as in `nadam`.
    Same as: ``torch.optim.NAdam(lr=0.002, momentum_decay=0.004, weight_decay=0.01, decoupled_weight_decay=True)``.
    Differs: ``optax.nadamw`` keeps μ = β₁: ``dd.chain(dd.decay(λ), dd.nadam_constant())``.
    References: Dozat, "Incorporating Nesterov momentum into Adam", 2016, Algorithm 2; Loshchilov, Hutter, "Decoupled
    weight decay regularization", 2019, Algorithm 2.
    """
    x, g = decay(x, g, lr=lr, weight_decay=weight_decay)
    return nadam(
        x, g, m, v, mu_product, t=t,
        lr=lr, beta1=beta1, beta2=beta2, eps=eps, momentum_decay=momentum_decay,
    )


@rule
def nadam_constant(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """Nadam with a constant momentum: ``m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ)``.

    State: ``m``, ``v`` as in `adam`.
    Same as: ``optax.nadam(0.001)``.
    Differs: `nadam` lets the momentum rise from about β₁ / 2 to β₁.
    References: Dozat, "Incorporating Nesterov momentum into Adam", 2016, Algorithm 2 with μₜ = β₁.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v
