"""RMSprop in the forms that are in use: ε outside or inside the root, the variance centered or not, lr outside or inside a velocity.

A name says what differs from `rmsprop`: ``_eps_inside``, ``_centered``, then ``_momentum`` (lr outside the velocity) or ``_momentum_inside``.
torch has ε and lr outside, Keras both inside; optax has lr inside, and ε inside unless ``eps_in_sqrt=False``.
"""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Positive
from descend.ops import maximum, sqrt


@rule
def rmsprop(
    x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-3, alpha: Decay = 0.99, eps: Positive = 1e-8
) -> Any:
    """RMSprop: ``v ← α v + (1 − α) g²;  x ← x − lr · g / (√v + ε)``.

    State: ``v``, the average of squared gradients.
    Same as: ``torch.optim.RMSprop(lr=0.001, alpha=0.99, eps=1e-8)``.
    Differs: Keras and optax divide by √(v + ε) and average with 0.9: `rmsprop_eps_inside`.
    References: Tieleman, Hinton, "Lecture 6.5: rmsprop", Coursera, 2012, slide 29.
    """
    v = alpha * v + (1 - alpha) * g**2
    return x - lr * g / (sqrt(v) + eps), v


@rule
def rmsprop_momentum(
    x: Any, g: Any, v: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.99, eps: Positive = 1e-8, momentum: Decay = 0.9,
) -> Any:
    """RMSprop with a velocity, lr outside: ``b ← μ b + g / (√v + ε);  x ← x − lr · b``.

    State: ``v`` as in `rmsprop`; ``b``, the velocity of scaled gradients.
    Same as: ``torch.optim.RMSprop(lr=0.001, alpha=0.99, momentum=0.9)``.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41, with lr outside as torch has it.
    """
    v = alpha * v + (1 - alpha) * g**2
    b = momentum * b + g / (sqrt(v) + eps)
    return x - lr * b, v, b


@rule
def rmsprop_momentum_inside(
    x: Any, g: Any, v: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-8, momentum: Decay = 0.9,
) -> Any:
    """RMSprop with a velocity, lr inside: ``b ← μ b + lr · g / (√v + ε);  x ← x − b``.

    State: ``v`` as in `rmsprop`; ``b``, the velocity in units of the parameters.
    Same as: ``optax.rmsprop(0.001, momentum=0.9, eps_in_sqrt=False)``.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41.
    """
    v = alpha * v + (1 - alpha) * g**2
    b = momentum * b + lr * g / (sqrt(v) + eps)
    return x - b, v, b


@rule
def rmsprop_centered(
    x: Any, g: Any, v: Any, a: Any, *, lr: NonNegative = 1e-3, alpha: Decay = 0.99, eps: Positive = 1e-8
) -> Any:
    """RMSprop by the gradient's variance: ``a ← α a + (1 − α) g;  x ← x − lr · g / (√(v − a²) + ε)``.

    State: ``v`` as in `rmsprop`; ``a``, the average of gradients.
    Same as: ``torch.optim.RMSprop(lr=0.001, alpha=0.99, centered=True)``.
    Differs: a variance that rounds below 0 counts as 0 here, and gives nan there.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41, without the velocity.
    """
    v = alpha * v + (1 - alpha) * g**2
    a = alpha * a + (1 - alpha) * g
    return x - lr * g / (sqrt(maximum(v - a**2, 0.0)) + eps), v, a


@rule
def rmsprop_centered_momentum(
    x: Any, g: Any, v: Any, a: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.99, eps: Positive = 1e-8, momentum: Decay = 0.9,
) -> Any:
    """`rmsprop_centered` with a velocity, lr outside: ``b ← μ b + g / (√(v − a²) + ε);  x ← x − lr · b``.

    State: ``v``, ``a`` as in `rmsprop_centered`; ``b``, the velocity of scaled gradients.
    Same as: ``torch.optim.RMSprop(lr=0.001, alpha=0.99, centered=True, momentum=0.9)``.
    Differs: a variance that rounds below 0 counts as 0 here, and gives nan there.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41, with lr outside as torch has it.
    """
    v = alpha * v + (1 - alpha) * g**2
    a = alpha * a + (1 - alpha) * g
    b = momentum * b + g / (sqrt(maximum(v - a**2, 0.0)) + eps)
    return x - lr * b, v, a, b


@rule
def rmsprop_centered_momentum_inside(
    x: Any, g: Any, v: Any, a: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-8, momentum: Decay = 0.9,
) -> Any:
    """`rmsprop_centered` with a velocity, lr inside: ``b ← μ b + lr · g / (√(v − a²) + ε);  x ← x − b``.

    State: ``v``, ``a`` as in `rmsprop_centered`; ``b``, the velocity in units of the parameters.
    Same as: ``optax.rmsprop(0.001, centered=True, momentum=0.9, eps_in_sqrt=False)``.
    Differs: a variance that rounds below 0 counts as 0 here, and gives nan there.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41.
    """
    v = alpha * v + (1 - alpha) * g**2
    a = alpha * a + (1 - alpha) * g
    b = momentum * b + lr * g / (sqrt(maximum(v - a**2, 0.0)) + eps)
    return x - b, v, a, b


@rule
def rmsprop_eps_inside(
    x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-7
) -> Any:
    """RMSprop with ε inside the root: ``v ← α v + (1 − α) g²;  x ← x − lr · g / √(v + ε)``.

    State: ``v``, the average of squared gradients.
    Same as: ``keras.optimizers.RMSprop(0.001)``, ``optax.rmsprop(0.001, eps=1e-7)``.
    Differs: torch divides by √v + ε: `rmsprop`.
    References: Tieleman, Hinton, "Lecture 6.5: rmsprop", Coursera, 2012, slide 29.
    """
    v = alpha * v + (1 - alpha) * g**2
    return x - lr * g / sqrt(v + eps), v


@rule
def rmsprop_eps_inside_momentum_inside(
    x: Any, g: Any, v: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-7, momentum: Decay = 0.9,
) -> Any:
    """RMSprop with a velocity, ε and lr inside: ``b ← μ b + lr · g / √(v + ε);  x ← x − b``.

    State: ``v`` as in `rmsprop`; ``b``, the velocity in units of the parameters.
    Same as: ``keras.optimizers.RMSprop(0.001, momentum=0.9)``, ``optax.rmsprop(0.001, eps=1e-7, momentum=0.9)``.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41, not centered.
    """
    v = alpha * v + (1 - alpha) * g**2
    b = momentum * b + lr * g / sqrt(v + eps)
    return x - b, v, b


@rule
def rmsprop_eps_inside_centered(
    x: Any, g: Any, v: Any, a: Any, *, lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-7
) -> Any:
    """`rmsprop_centered` with ε inside the root: ``x ← x − lr · g / √(v − a² + ε)``.

    State: ``v``, ``a`` as in `rmsprop_centered`.
    Same as: ``keras.optimizers.RMSprop(0.001, centered=True)``, ``optax.rmsprop(0.001, eps=1e-7, centered=True)``.
    Differs: a variance that rounds below 0 counts as 0 here.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41, without the velocity.
    """
    v = alpha * v + (1 - alpha) * g**2
    a = alpha * a + (1 - alpha) * g
    return x - lr * g / sqrt(maximum(v - a**2, 0.0) + eps), v, a


@rule
def rmsprop_eps_inside_centered_momentum_inside(
    x: Any, g: Any, v: Any, a: Any, b: Any, *,
    lr: NonNegative = 1e-3, alpha: Decay = 0.9, eps: Positive = 1e-7, momentum: Decay = 0.9,
) -> Any:
    """`rmsprop_centered` with a velocity, ε and lr inside: ``b ← μ b + lr · g / √(v − a² + ε);  x ← x − b``.

    State: ``v``, ``a`` as in `rmsprop_centered`; ``b``, the velocity in units of the parameters.
    Same as: ``keras.optimizers.RMSprop(0.001, centered=True, momentum=0.9)``, ``optax.rmsprop(0.001, eps=1e-7, centered=True, momentum=0.9)``.
    Differs: a variance that rounds below 0 counts as 0 here.
    References: Graves, "Generating sequences with recurrent neural networks", 2013, eqs. 38-41.
    """
    v = alpha * v + (1 - alpha) * g**2
    a = alpha * a + (1 - alpha) * g
    b = momentum * b + lr * g / sqrt(maximum(v - a**2, 0.0) + eps)
    return x - b, v, a, b
