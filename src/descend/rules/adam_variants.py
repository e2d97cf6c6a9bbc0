"""Relatives of Adam with another average, another scale or another start."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Count, Decay, NonNegative, Positive, Share
from descend.ops import maximum, minimum, norm, sign, sqrt, where
from descend.rules.adam import adam


def _rectification(t: Any, beta2: Any) -> tuple[Any, Any]:
    """RAdam's length of the average, ρₜ, and its r; r is 0 where the paper's root is of a negative number (ρₜ < 4)."""
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r2 = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
    return rho, sqrt(maximum(r2, 0.0))


@rule
def radam(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """RAdam: Adam's step times r while v averages enough gradients, momentum's before: no warm-up needed.

    ``x ← x − lr · m̂ · r √(1 − β₂ᵗ) / (√v + ε)`` where ρₜ > 5, else ``x ← x − lr · m̂``;
    ``ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)``, ``ρ∞ = 2 / (1 − β₂) − 1``, ``r² = (ρₜ − 4) (ρₜ − 2) ρ∞ / ((ρ∞ − 4) (ρ∞ − 2) ρₜ)``

    State: ``m``, ``v`` as in `adam`.
    Same as: ``torch.optim.RAdam(lr=0.001)``.
    Differs: the paper has no ε and changes at ρₜ > 4; optax adds ε after the correction: `radam_corrected`.
    References: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    rho, r = _rectification(t, beta2)
    scale = where(rho > 5, r * sqrt(1 - beta2**t) / (sqrt(v) + eps), 1.0)
    return x - lr * (m / (1 - beta1**t)) * scale, m, v


@rule
def radam_corrected(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8,
) -> Any:
    """RAdam with ε beside the corrected √v̂: ``x ← x − lr · r m̂ / (√v̂ + ε)`` where ρₜ ≥ 5, else ``x ← x − lr · m̂``.

    State: ``m``, ``v`` as in `adam`; ρₜ and r as in `radam`.
    Same as: ``optax.radam(0.001)``.
    References: Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    rho, r = _rectification(t, beta2)
    scale = where(rho >= 5, r / (sqrt(v / (1 - beta2**t)) + eps), 1.0)
    return x - lr * (m / (1 - beta1**t)) * scale, m, v


@rule
def adabelief(
    x: Any, g: Any, m: Any, s: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-16,
    eps_root: NonNegative = 1e-16,
) -> Any:
    """AdaBelief: Adam divided by how far gradients stray from their average, ``s ← β₂ s + (1 − β₂) (g − m)² + ε_root``.

    ``x ← x − lr · m̂ / (√ŝ + ε)``; the paper's one ε is ``eps`` and ``eps_root`` alike.

    State: ``m``, the average of the gradient; ``s``, that of its squared distance from m.
    Same as: ``optax.adabelief(0.001)``.
    References: Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in observed gradients", 2020,
    Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps_root
    m_hat = m / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(s_hat) + eps), m, s


@rule
def yogi(
    x: Any, g: Any, m: Any, v: Any, *,
    lr: NonNegative = 1e-2, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-3,
) -> Any:
    """Yogi: Adam whose v changes by at most (1 − β₂) g², ``v ← v − (1 − β₂) sign(v − g²) g²;  x ← x − lr · m / (√v + ε)``.

    State: ``m``, the average of the gradient; ``v``, the size of its square.
    Differs: optax starts both at 1e-6 and corrects both: `yogi_corrected`.
    References: Zaheer et al., "Adaptive methods for nonconvex optimization", 2018, Algorithm 2.
    """
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    return x - lr * m / (sqrt(v) + eps), m, v


@rule(init={"m": "initial", "v": "initial"})
def yogi_corrected(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-2, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-3,
    initial: NonNegative = 1e-6,
) -> Any:
    """Yogi with m and v started at ``initial`` and corrected as Adam's: ``x ← x − lr · m̂ / (√v̂ + ε)``.

    State: ``m``, ``v`` as in `yogi`; m starts above 0, so x moves a little even where all gradients are 0.
    Same as: ``optax.yogi(0.01)``.
    References: Zaheer et al., "Adaptive methods for nonconvex optimization", 2018, Algorithm 2, with Adam's corrections.
    """
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps), m, v


@rule
def adan(
    x: Any, g: Any, m: Any, v: Any, n: Any, previous: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.98, beta2: Decay = 0.92, beta3: Decay = 0.99,
    eps: Positive = 1e-8, weight_decay: NonNegative = 0.0,
) -> Any:
    """Adan: averages of the gradient, of its change d and of the square of the gradient looked ahead, g + β₂ d.

    ``x ← (x − lr · (m̂ + β₂ v̂) / (√n̂ + ε)) / (1 + lr · λ)``, with d = 0 at the first step

    State: ``m``, ``v``, ``n``, the averages of g, d and (g + β₂ d)²; ``previous``, the last gradient.
    Differs: the paper writes 1 − β for β, and starts m, v and n at the first gradients instead of correcting them, as the authors' code does. optax
    looks ahead by 1 − β₂ (the same at β₂ = ½) and decays as ``dd.chain(dd.decay(λ), dd.adan())``.
    References: Xie et al., "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models", 2022, Algorithm 1,
    corrected as in the authors' code.
    """
    d = where(t > 1, g - previous, 0.0)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * d
    n = beta3 * n + (1 - beta3) * (g + beta2 * d) ** 2
    m_hat = m / (1 - beta1**t) + beta2 * (v / (1 - beta2**t))
    n_hat = n / (1 - beta3**t)
    return (x - lr * m_hat / (sqrt(n_hat) + eps)) / (1 + lr * weight_decay), m, v, n, g


@rule
def adan_complement(
    x: Any, g: Any, m: Any, v: Any, n: Any, previous: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.98, beta2: Decay = 0.92, beta3: Decay = 0.99,
    eps: NonNegative = 1e-8, eps_root: NonNegative = 1e-8,
) -> Any:
    """Adan that looks ahead by the complement 1 − β₂ (`adan`: by β₂) and has a second ε in the root.

    ``x ← x − lr · (m̂ + (1 − β₂) v̂) / (√(n̂ + ε_root) + ε)``, with d = 0 at the first step

    State: ``m``, ``v``, ``n``, the averages of g, d and (g + (1 − β₂) d)²; ``previous``, the last gradient.
    Same as: ``optax.adan(0.001)``.
    Differs: optax's decay is ``dd.chain(dd.decay(λ), …)``.
    References: Xie et al., "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep models", 2022, Algorithm 1,
    with the paper's 1 − β₂ read as the factor of d, corrected as `adan`.
    """
    d = where(t > 1, g - previous, 0.0)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * d
    n = beta3 * n + (1 - beta3) * (g + (1 - beta2) * d) ** 2
    u = m / (1 - beta1**t) + (1 - beta2) * (v / (1 - beta2**t))
    return x - lr * u / (sqrt(n / (1 - beta3**t) + eps_root) + eps), m, v, n, g


@rule
def adopt(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.9999, eps: Positive = 1e-6,
) -> Any:
    """ADOPT: momentum of gradients that are scaled by the v before them and clipped; the first gradient only starts v.

    ``m ← β₁ m + (1 − β₁) clip(g / max(√v, ε), (t − 1)^¼);  x ← x − lr · m;  v ← β₂ v + (1 − β₂) g²``; v is g² at t = 1

    State: ``m``, the average of scaled gradients; ``v``, that of squared ones.
    Same as: ``optax.contrib.adopt(0.001)``.
    Differs: the paper's first version does not clip, and starts m at the first scaled gradient.
    References: Taniguchi et al., "ADOPT: modified Adam can converge with any β₂ with the optimal rate", 2024, Algorithm 2.
    """
    c = (t - 1) ** 0.25
    scaled = g / maximum(sqrt(v), eps)
    m = beta1 * m + (1 - beta1) * maximum(minimum(scaled, c), -c)
    beta2 = where(t > 1, beta2, 0.0)
    return x - lr * m, m, beta2 * v + (1 - beta2) * g**2


@rule
def ademamix(
    x: Any, g: Any, m1: Any, m2: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.9, beta2: Decay = 0.999, beta3: Decay = 0.9999,
    alpha: NonNegative = 5.0, eps: Positive = 1e-8,
) -> Any:
    """AdEMAMix: Adam with a second, slow average of the gradient, ``x ← x − lr · (m̂₁ + α m₂) / (√v̂ + ε)``.

    State: ``m1``, ``m2``, the fast and the slow average of the gradient; ``v``, that of its square. m₂ is not corrected.
    Same as: ``optax.contrib.ademamix(0.001)``.
    Differs: the paper raises α and β₃ over the run: give them schedules; its decay is ``dd.chain(dd.decay(λ), …)``.
    References: Pagliardini, Ablin, Grangier, "The AdEMAMix optimizer: better, faster, older", 2024, Algorithm 1.
    """
    m1 = beta1 * m1 + (1 - beta1) * g
    m2 = beta3 * m2 + (1 - beta3) * g
    v = beta2 * v + (1 - beta2) * g**2
    m1_hat = m1 / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * (m1_hat + alpha * m2) / (sqrt(v_hat) + eps), m1, m2, v


@rule
def qhadam(
    x: Any, g: Any, m: Any, v: Any, *, t: Any,
    lr: NonNegative = 1e-3, beta1: Decay = 0.995, beta2: Decay = 0.999, eps: Positive = 1e-8,
    nu1: Share = 0.7, nu2: Share = 1.0,
) -> Any:
    """QHAdam: Adam on mixtures of the average and the newest gradient.

    ``x ← x − lr · ((1 − ν₁) g + ν₁ m̂) / (√((1 − ν₂) g² + ν₂ v̂) + ε)``; ν₁ = ν₂ = 1 is `adam`

    State: ``m``, ``v`` as in `adam`.
    References: Ma, Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019, section 4.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    scale = sqrt((1 - nu2) * g**2 + nu2 * v_hat) + eps
    return x - lr * ((1 - nu1) * g + nu1 * m_hat) / scale, m, v


@rule
def mars(
    x: Any, g: Any, m: Any, v: Any, previous: Any, *, t: Any,
    lr: NonNegative = 3e-3, beta1: Decay = 0.95, beta2: Decay = 0.99, eps: Positive = 1e-8,
    gamma: NonNegative = 0.025,
) -> Any:
    """MARS-AdamW, approximate: Adam on ``c = g + γ β₁ / (1 − β₁) (g − g_previous)``, cut to norm 1; at the first step c = g.

    State: ``m``, ``v``, the averages of c and c²; ``previous``, the last gradient.
    Differs: the authors' code cuts each array by its own norm and takes 0 for the gradient before the first; the paper's
    decay is ``dd.chain(dd.decay(λ), dd.mars())``.
    References: Yuan et al., "MARS: unleashing the power of variance reduction for training large models", 2024, Algorithm 2
    (approximate: the last step's gradient in place of the last point's).
    """
    change = where(t > 1, gamma * beta1 / (1 - beta1), 0.0)
    c = g + change * (g - previous)
    c = c / maximum(norm(c), 1.0)
    x, m, v = adam(x, c, m, v, t=t, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    return x, m, v, g


@rule
def sophia(
    x: Any,
    g: Any,
    m: Any,
    h: Any,
    curvature: Any,
    *,
    t: Any,
    lr: NonNegative = 1e-3,
    beta1: Decay = 0.96,
    beta2: Decay = 0.99,
    gamma: Positive = 0.01,
    eps: Positive = 1e-12,
    weight_decay: NonNegative = 0.1,
    every: Count = 10.0,
) -> Any:
    """Sophia: the averaged gradient over the averaged diagonal of the Hessian, each element of the step clipped.

    ``m ← β₁ m + (1 − β₁) g;  h ← β₂ h + (1 − β₂) ĥ when t − 1 is a multiple of every;``
    ``x ← x − lr · λ · x;  x ← x − lr · clip(m / max(γ h, ε), 1)``

    State: ``m``; ``h``; ``curvature``, the estimate ĥ of the Hessian's diagonal that the last ``Stepper.step(g, curvature=…)`` got:
    give one at t = 1, 1 + every, … Without any, every step is lr · sign(m).
    References: Liu et al., "Sophia: a scalable stochastic second-order optimizer for language model pre-training", 2023, Algorithm 3.
    """
    m = beta1 * m + (1 - beta1) * g
    h = where((t - 1) % every < 1, beta2 * h + (1 - beta2) * curvature, h)
    x = x - lr * weight_decay * x
    u = m / maximum(gamma * h, eps)
    return x - lr * maximum(minimum(u, 1), -1), m, h, curvature
