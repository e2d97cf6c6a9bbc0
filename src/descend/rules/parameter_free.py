"""Rules that need no learning rate: they find the distance to go, or bet on each gradient."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive, Scalar
from descend.ops import array_norm, array_total, maximum, norm, quotient, sqrt, total, where


@rule(init={"x0": "x"})
def dog(
    x: Any, g: Any, x0: Any, r: Scalar = 0.0, squares: Scalar = 0.0, *,
    lr: NonNegative = 1.0, r_rel: Positive = 1e-6, eps: Positive = 1e-8,
) -> Any:
    """DoG, distance over gradients: ``r ← max(r, ‖x − x₀‖);  G ← G + ‖g‖²;  x ← x − lr · r / √(G + ε) · g``.

    Parameters: ``lr``, a factor to leave at 1; ``r_rel``, the first distance in units of 1 + ‖x₀‖.
    State: ``x0``, the start; ``r``, the largest distance from it; ``squares``, G.
    Same as: ``optax.contrib.dog(1.0)``.
    Differs: the paper's answer is an average of the iterates; ‖·‖ is over all arrays together (`ldog` takes each array's).
    References: Ivgi, Hinder, Carmon, "DoG is SGD's best friend", 2023, eq. 1, with r_ε of section 4.1.
    """
    r = maximum(r, maximum(norm(x - x0), r_rel * (1 + norm(x0))))
    squares = squares + total(g * g)
    return x - lr * r / sqrt(squares + eps) * g, x0, r, squares


@rule(init={"x0": "x"})
def ldog(
    x: Any, g: Any, x0: Any, r: Scalar = 0.0, squares: Scalar = 0.0, *,
    lr: NonNegative = 1.0, r_rel: Positive = 1e-6, eps: Positive = 1e-8,
) -> Any:
    """L-DoG: `dog` for each array alone, with its own distance and its own gradients.

    State: ``x0``, the start; ``r`` and ``squares`` as in `dog`, a number of each array.
    References: Ivgi, Hinder, Carmon, "DoG is SGD's best friend", 2023, section 4.1 (layer-wise DoG).
    """
    r = maximum(r, maximum(array_norm(x - x0), r_rel * (1 + array_norm(x0))))
    squares = squares + array_total(g * g)
    return x - lr * r / sqrt(squares + eps) * g, x0, r, squares


@rule(init={"x0": "x", "r": "r0"})
def dowg(
    x: Any, g: Any, x0: Any, r: Scalar = 0.0, squares: Scalar = 0.0, *,
    lr: NonNegative = 1.0, r0: Positive = 1e-2, eps: Positive = 1e-4,
) -> Any:
    """DoWG, distance over weighted gradients: ``r ← max(r, ‖x − x₀‖);  v ← v + r² ‖g‖²;  x ← x − lr · r² / (√v + ε) · g``.

    Parameters: ``lr``, a factor to leave at 1; ``r0``, the first distance.
    State: ``x0``, the start; ``r``, the largest distance from it; ``squares``, v.
    Same as: ``optax.contrib.dowg(1.0)``.
    Differs: the paper has no ε.
    References: Khaled, Mishchenko, Jin, "DoWG unleashed", 2023, Algorithm 1.
    """
    r = maximum(r, norm(x - x0))
    squares = squares + r**2 * total(g * g)
    return x - lr * r**2 / (sqrt(squares) + eps) * g, x0, r, squares


@rule(init={"z": "x", "d": "d0"})
def dadapt_sgd(
    x: Any, g: Any, z: Any, s: Any, d: Scalar = 0.0, g_norm: Scalar = 0.0, inner: Scalar = 0.0, *,
    lr: NonNegative = 1.0, momentum: Decay = 0.9, d0: Positive = 1e-6,
) -> Any:
    """SGD with D-Adaptation: steps by d, an estimate of the distance to the answer that only grows.

    ``λ = lr · d / ‖g₁‖;  r ← r + λ ⟨g, s⟩;  s ← s + λ g;  z ← z − λ g;  x ← μ x + (1 − μ) z;  d ← max(d, 2 r / ‖s‖)``

    Parameters: ``lr``, a factor to leave at 1; ``d0``, the first d.
    State: ``z``, the iterate; ``s``, the weighted sum of gradients; ``d``; ``g_norm``, ‖g₁‖ (of the first that is not 0); ``inner``, r.
    Differs: the paper's proofs are for half of this d, which is a lower bound while μ = 0.
    References: Defazio, Mishchenko, "Learning-rate-free learning by D-Adaptation", 2023, Algorithm 4.
    """
    g_norm = where(g_norm > 0, g_norm, norm(g))
    step = quotient(lr * d, g_norm, 0.0)
    inner = inner + step * total(g * s)
    s, z = s + step * g, z - step * g
    size = norm(s)
    d = maximum(d, quotient(2 * inner, size, 0.0))
    return x + (1 - momentum) * (z - x), z, s, d, g_norm, inner


@rule(init={"d": "d0"})
def dadapt_adam(
    x: Any, g: Any, m: Any, v: Any, s: Any, d: Scalar = 0.0, inner: Scalar = 0.0, *,
    lr: NonNegative = 1.0, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, d0: Positive = 1e-6,
) -> Any:
    """Adam with D-Adaptation: d, a lower bound on the distance to the answer in Adam's own scale, takes the place of lr.

    ``m ← β₁ m + (1 − β₁) lr d g;  v ← β₂ v + (1 − β₂) g²;  A = √v + ε;  x ← x − m / A``; with b = √β₂
    ``r ← b r + (1 − b) lr d ⟨g, s / A⟩;  s ← b s + (1 − b) lr d g;  d ← max(d, r / ((1 − b) ‖s‖₁))``

    Parameters: ``lr``, a factor to leave at 1; ``d0``, the first d.
    State: ``m``, ``v``, ``s``, averages; ``d``; ``inner``, r.
    Differs: `dadapt_adam_corrected` has A of the last step and Adam's corrections.
    References: Defazio, Mishchenko, "Learning-rate-free learning by D-Adaptation", 2023, Algorithm 5.
    """
    m = beta1 * m + (1 - beta1) * lr * d * g
    v = beta2 * v + (1 - beta2) * g**2
    scale, b = sqrt(v) + eps, beta2**0.5
    inner = b * inner + (1 - b) * lr * d * total(g * s / scale)
    s = b * s + (1 - b) * lr * d * g
    size = (1 - b) * total(abs(s))
    return x - m / scale, m, v, s, maximum(d, quotient(inner, size, 0.0)), inner


@rule(init={"d": "d0"})
def dadapt_adam_corrected(
    x: Any, g: Any, m: Any, v: Any, s: Any, d: Scalar = 0.0, inner: Scalar = 0.0, *, t: Any,
    lr: NonNegative = 1.0, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, d0: Positive = 1e-6,
) -> Any:
    """`dadapt_adam` with lr times Adam's corrections, ``√(1 − β₂ᵗ) / (1 − β₁ᵗ)``, and r in the scale A of the last step.

    State: ``m``, ``v``, ``s``, ``d``, ``inner`` as in `dadapt_adam`.
    Same as: ``optax.contrib.dadapt_adamw(1.0)``.
    References: Defazio, Mishchenko, "Learning-rate-free learning by D-Adaptation", 2023, Algorithm 5, as in their implementation.
    """
    b, scale = beta2**0.5, sqrt(v) + eps
    step = lr * d * sqrt(1 - beta2**t) / (1 - beta1**t)
    inner = b * inner + (1 - b) * step * total(g * s / scale)
    m = beta1 * m + (1 - beta1) * step * g
    v = beta2 * v + (1 - beta2) * g**2
    s = b * s + (1 - b) * step * g
    size = (1 - b) * total(abs(s))
    return x - m / (sqrt(v) + eps), m, v, s, maximum(d, quotient(inner, size, 0.0)), inner


@rule(init={"x0": "x", "d": "d0"})
def prodigy(
    x: Any, g: Any, m: Any, v: Any, s: Any, x0: Any, d: Scalar = 0.0, inner: Scalar = 0.0, *,
    lr: NonNegative = 1.0, beta1: Decay = 0.9, beta2: Decay = 0.999, eps: Positive = 1e-8, d0: Positive = 1e-6,
) -> Any:
    """Prodigy: Adam whose lr is d, a lower bound on the distance to the answer that grows faster than D-Adaptation's.

    ``m ← β₁ m + (1 − β₁) d g;  v ← β₂ v + (1 − β₂) d² g²;  x ← x − lr d m / (√v + d ε)``; with b = √β₂
    ``r ← b r + (1 − b) lr d² ⟨g, x₀ − x⟩;  s ← b s + (1 − b) lr d² g;  d ← max(d, r / ‖s‖₁)``

    Parameters: ``lr``, a factor to leave at 1; ``d0``, the first d.
    State: ``m``, ``v``, ``s``, averages; ``x0``, the start; ``d``; ``inner``, r.
    Differs: ``optax.contrib.prodigy`` multiplies lr by Adam's corrections, ``√(1 − β₂ᵗ) / (1 − β₁ᵗ)``, and ε by the new d.
    References: Mishchenko, Defazio, "Prodigy: an expeditiously adaptive parameter-free learner", 2023, Algorithm 4.
    """
    b = beta2**0.5
    inner = b * inner + (1 - b) * lr * d**2 * total(g * (x0 - x))
    m = beta1 * m + (1 - beta1) * d * g
    v = beta2 * v + (1 - beta2) * d**2 * g**2
    s = b * s + (1 - b) * lr * d**2 * g
    x, size = x - lr * d * m / (sqrt(v) + d * eps), total(abs(s))
    return x, m, v, s, x0, maximum(d, quotient(inner, size, 0.0)), inner


@rule(init={"x0": "x", "largest": "eps"})
def cocob(
    x: Any, g: Any, x0: Any, largest: Any, sizes: Any, reward: Any, theta: Any, *,
    alpha: Positive = 100.0, eps: Positive = 1e-8,
) -> Any:
    """COCOB: each element bets a part of what it has won on the sign of its next gradient; there is no learning rate.

    ``L ← max(L, |g|);  G ← G + |g|;  R ← max(R − g (x − x₀), 0);  θ ← θ − g;  x ← x₀ + θ / (L · max(G + L, α L)) · (L + R)``

    State: ``x0``, the start; ``largest``, L; ``sizes``, G; ``reward``, R; ``theta``, θ.
    Same as: ``optax.contrib.cocob()``.
    References: Orabona, Tommasi, "Training deep networks without learning rates through coin betting", 2017, Algorithm 2.
    """
    largest = maximum(largest, abs(g))
    sizes = sizes + abs(g)
    reward = maximum(reward - g * (x - x0), 0.0)
    theta = theta - g
    bet = theta / (largest * maximum(sizes + largest, alpha * largest))
    return x0 + bet * (largest + reward), x0, largest, sizes, reward, theta
