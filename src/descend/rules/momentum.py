"""Gradient descent and its two accelerations, each with the learning rate outside or inside the velocity."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative, Share
from descend.ops import where


@rule
def sgd(x: Any, g: Any, *, lr: NonNegative = 1e-2) -> Any:
    """Gradient descent: ``x ← x − lr · g``.

    Parameters: ``lr``, the step per unit of gradient.
    Same as: ``torch.optim.SGD(lr=0.01)``, ``optax.sgd(0.01)``.
    References: Robbins, Monro, "A stochastic approximation method", 1951, eq. 6.
    """
    return x - lr * g


@rule
def momentum(x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-2, momentum: Decay = 0.9) -> Any:
    """Heavy ball with the learning rate outside the velocity: ``v ← μ v + g;  x ← x − lr · v``.

    State: ``v``, the velocity in units of the gradient.
    Same as: ``torch.optim.SGD(lr=0.01, momentum=0.9)``, ``optax.sgd(0.01, momentum=0.9)``.
    Differs: `momentum_inside` keeps lr in the velocity; both agree while lr is constant.
    References: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, eq. 9.
    """
    v = momentum * v + g
    return x - lr * v, v


@rule
def momentum_dampened(
    x: Any, g: Any, v: Any, *, t: Any, lr: NonNegative = 1e-2, momentum: Decay = 0.9,
    dampening: Share = 0.1,
) -> Any:
    """Heavy ball that takes in only a part of each gradient but the first: ``v ← μ v + (1 − d) g;  x ← x − lr · v``.

    State: ``v``, the velocity in units of the gradient; after the first step it is g whole.
    Same as: ``torch.optim.SGD(lr=0.01, momentum=0.9, dampening=0.1)``.
    Differs: d = μ makes v an average of gradients; its start at g takes the place of Adam's correction.
    References: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, eqs. 1-2, with torch's d.
    """
    v = momentum * v + where(t > 1, 1 - dampening, 1.0) * g
    return x - lr * v, v


@rule
def momentum_inside(x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-2, momentum: Decay = 0.9) -> Any:
    """Heavy ball with the learning rate inside the velocity: ``v ← μ v − lr · g;  x ← x + v``.

    State: ``v``, the velocity in units of the parameters: a changed lr acts only on new gradients.
    Same as: ``keras.optimizers.SGD(0.01, momentum=0.9)``.
    References: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, eqs. 1-2.
    """
    v = momentum * v - lr * g
    return x + v, v


@rule
def nesterov(x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-2, momentum: Decay = 0.9) -> Any:
    """Nesterov's momentum in the shifted variable, lr outside: ``v ← μ v + g;  x ← x − lr · (g + μ v)``.

    State: ``v``, the velocity in units of the gradient.
    Same as: ``torch.optim.SGD(lr=0.01, momentum=0.9, nesterov=True)``.
    Differs: `nesterov_lookahead` has the iterate beside the point of the gradients; this x is that point.
    References: Bengio, Boulanger-Lewandowski, Pascanu, "Advances in optimizing recurrent networks", 2012, eqs. 6-7.
    """
    v = momentum * v + g
    return x - lr * (g + momentum * v), v


@rule
def nesterov_inside(x: Any, g: Any, v: Any, *, lr: NonNegative = 1e-2, momentum: Decay = 0.9) -> Any:
    """Nesterov's momentum in the shifted variable, lr inside: ``v ← μ v − lr · g;  x ← x + μ v − lr · g``.

    State: ``v``, the velocity in units of the parameters.
    Same as: ``keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)``.
    References: Bengio, Boulanger-Lewandowski, Pascanu, "Advances in optimizing recurrent networks", 2012, eq. 7.
    """
    v = momentum * v - lr * g
    return x + momentum * v - lr * g, v


@rule(init={"theta": "x"}, solution="theta")
def nesterov_lookahead(
    x: Any, g: Any, theta: Any, v: Any, *, lr: NonNegative = 1e-2, momentum: Decay = 0.9
) -> Any:
    """Nesterov's momentum as it was published: gradients are taken at x, where the velocity alone would lead the iterate θ.

    ``v ← μ v + lr · g;  θ ← θ − v;  x ← θ − μ v``

    State: ``theta``, the iterate: the answer (``Stepper.solution``); ``v``, the velocity in units of the parameters.
    Differs: `nesterov_inside` keeps x alone; both take the same x while μ is constant, and their answers differ by μ v.
    References: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, eqs. 3-4 (its v is −v);
    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", 1983.
    """
    v = momentum * v + lr * g
    theta = theta - v
    return theta - momentum * v, theta, v


@rule
def qhm(
    x: Any, g: Any, v: Any, *, lr: NonNegative = 1.0, beta: Decay = 0.999, nu: NonNegative = 0.7
) -> Any:
    """Quasi-hyperbolic momentum: a mean of the gradient and its average, ``v ← β v + (1 − β) g;  x ← x − lr ((1 − ν) g + ν v)``.

    State: ``v``, the average of the gradient.
    Differs: ν = β is Nesterov's momentum with lr (1 − β) for lr; ν = 1 the heavy ball.
    References: Ma, Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019, eqs. 3-4.
    """
    v = beta * v + (1 - beta) * g
    return x - lr * ((1 - nu) * g + nu * v), v


@rule
def optimistic(
    x: Any, g: Any, g_before: Any, *, t: Any, lr: NonNegative = 1e-2,
    alpha: NonNegative = 1.0, beta: NonNegative = 1.0,
) -> Any:
    """Optimistic gradient descent: a step on what the next gradient will be, ``x ← x − lr ((α + β) g − β g₋₁)``.

    State: ``g_before``, the last gradient; at the first step it counts as g.
    Same as: ``optax.optimistic_gradient_descent(0.01)``.
    References: Mokhtari, Ozdaglar, Pattathil, "A unified analysis of extra-gradient and optimistic gradient methods", 2020, eq. 11.
    """
    g_before = where(t > 1, g_before, g)
    return x - lr * ((alpha + beta) * g - beta * g_before), g
