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
    Differs: Keras adds ε before the correction (eps-hat).
    References: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v


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
    Differs: Keras has ψ = 1; optax keeps μ = β₁. torch holds the product in its default dtype.
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
