"""Rules for a loss plus ``l1 · ‖x‖₁``: exact zeros come from a soft threshold after the step."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import NonNegative, Positive, Scalar
from descend.ops import maximum, minimum, sqrt, total, where


@rule
def ista(x: Any, g: Any, *, lr: NonNegative = 1e-2, l1: NonNegative = 1e-3) -> Any:
    """Proximal gradient descent (stochastic, if g is): ``u ← x − lr · g;  x ← u − clip(u, −lr · l1, lr · l1)``.

    Parameters: ``l1``, the weight of ‖x‖₁ in the loss; its part is not in g.
    References: Daubechies, Defrise, De Mol, "An iterative thresholding algorithm", 2004, eq. 1.5;
    Beck, Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009, eq. 1.4.
    """
    u = x - lr * g
    return u - maximum(minimum(u, lr * l1), -lr * l1)


@rule(init={"z": "x"}, solution="z")
def fista(
    x: Any, g: Any, z: Any, theta: Scalar = 1.0, *, lr: NonNegative = 1e-2, l1: NonNegative = 1e-3
) -> Any:
    """FISTA: `ista` from x to a new z, then x beyond z along the last move; gradients are taken at x.

    ``z ← ista(x);  θ ← (1 + √(1 + 4 θ₋₁²)) / 2;  x ← z + (θ₋₁ − 1) / θ · (z − z₋₁)``

    State: ``z``, the answer; ``theta``, θ (the paper's t).
    References: Beck, Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009, eqs. 4.1-4.3.
    """
    z_before, theta_before = z, theta
    z = ista(x, g, lr=lr, l1=l1)
    theta = (1 + sqrt(1 + 4 * theta_before**2)) / 2
    return z + (theta_before - 1) / theta * (z - z_before), z, theta


@rule(init={"z": "x"}, solution="z")
def fista_restart(
    x: Any, g: Any, z: Any, theta: Scalar = 1.0, *, lr: NonNegative = 1e-2, l1: NonNegative = 1e-3
) -> Any:
    """`fista` that forgets its momentum whenever it points uphill: ``θ ← 1`` and ``x ← z`` if ``⟨x − z, z − z₋₁⟩ > 0``.

    x − z is lr times the (proximal) gradient, so no function value is needed.

    State: ``z``, the answer; ``theta``, θ.
    References: O'Donoghue, Candès, "Adaptive restart for accelerated gradient schemes", 2015, section 3.2, gradient scheme.
    """
    y, z_before = x, z
    x, z, theta_next = fista(x, g, z, theta, lr=lr, l1=l1)
    uphill = total((y - z) * (z - z_before)) > 0
    return where(uphill, z, x), z, where(uphill, 1.0, theta_next)


@rule(init={"n": "n0"})
def ftrl(
    x: Any, g: Any, z: Any, n: Any, *,
    lr: Positive = 1e-3, beta: NonNegative = 0.0, l1: NonNegative = 0.0, l2: NonNegative = 0.0,
    shrinkage: NonNegative = 0.0, n0: Positive = 0.1,
) -> Any:
    """FTRL-Proximal: x minimises all past linearised losses together, near all past x, with an exact ‖x‖₁ penalty.

    ``σ ← (√(n + g²) − √n) / lr;  n ← n + g²;  z ← z + g + shrinkage · x − σ x;  x ← (clip(z, −l1, l1) − z) / ((β + √n) / lr + l2)``

    x is a function of z and n alone: an x other than 0 at the start is left at the first step.

    Parameters: ``l2``, the penalty ``l2 / 2 · ‖x‖²`` of each minimisation; ``shrinkage``, that of the loss; ``n0``, the start of n.
    State: ``z``, the sum of gradients less that of σ x; ``n``, ``n0`` plus the sum of squared gradients.
    Same as: ``keras.optimizers.Ftrl(0.001)``.
    Differs: Keras' ``l2_regularization_strength`` and ``l2_shrinkage_regularization_strength`` are half of l2 and shrinkage; the paper
    has n₀ = 0, β = 1, no shrinkage.
    References: McMahan et al., "Ad click prediction: a view from the trenches", 2013, Algorithm 1.
    """
    root, n = sqrt(n), n + g**2
    z = z + (g + shrinkage * x) - (sqrt(n) - root) / lr * x
    return (maximum(-l1, minimum(z, l1)) - z) / ((beta + sqrt(n)) / lr + l2), z, n
