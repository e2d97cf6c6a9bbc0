"""Changes of what a rule made of the parameters; they come after the rule of a chain.

``x`` is what the rule made of ``before``.
"""

from __future__ import annotations

from typing import Any

from descend._links import after
from descend.domains import Count, Decay, Share
from descend.ops import array_size, array_total, maximum, sign, where


@after(init={"average": "x"}, solution="average")
def ema(x: Any, g: Any, before: Any, average: Any, *, beta: Decay = 0.999) -> Any:
    """Exponential moving average of the iterates, the answer: ``average ← β · average + (1 − β) · x``.

    State: ``average``; use it (``Stepper.solution``) when training ends. x itself is not changed.
    Differs: ``torch.optim.swa_utils.AveragedModel(multi_avg_fn=get_ema_multi_avg_fn(0.999))`` starts from the first iterate, not from x.
    References: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", 1992 (with exponential weights).
    """
    return x, beta * average + (1 - beta) * x


@after(init={"average": "x"}, solution="average")
def ema_restart(
    x: Any, g: Any, before: Any, average: Any, *, t: Any, beta: Decay = 0.99, every: Count = 100.0
) -> Any:
    """`ema` from which x starts again after every ``every`` steps: ``average ← β · average + (1 − β) · x``, then ``x ← average``.

    State: ``average``, the answer.
    Differs: Keras's ``use_ema=True, ema_overwrite_frequency=every`` starts from the first iterate, not from x.
    References: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", 1992 (with exponential weights).
    """
    average = beta * average + (1 - beta) * x
    return where(t % every < 1, average, x), average


@after(init={"average": "x"}, solution="average")
def polyak_average(x: Any, g: Any, before: Any, average: Any, *, t: Any) -> Any:
    """Uniform average of all iterates so far, the answer: ``average ← average + (x − average) / t``.

    State: ``average``; use it (``Stepper.solution``) when training ends.
    References: Polyak, Juditsky, "Acceleration of stochastic approximation by averaging", 1992, eq. 3.
    """
    return x, average + (x - average) / t


@after(init={"average": "x"}, solution="average")
def swa(
    x: Any, g: Any, before: Any, average: Any, *, t: Any, every: Count = 1.0, start: Count = 1.0
) -> Any:
    """Stochastic weight averaging: the uniform average of every ``every``-th iterate from step ``start`` on, the answer.

    State: ``average``; before ``start`` it follows x.
    References: Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018, Algorithm 1.
    """
    count = maximum((t - start) // every, 0) + 1
    taken = where(t < start, 1, where((t - start) % every > 0, 0, 1 / count))
    return x, average + taken * (x - average)


@after(init={"slow": "x"}, solution="slow")
def lookahead(
    x: Any, g: Any, before: Any, slow: Any, *, t: Any, alpha: Share = 0.5, every: Count = 6.0
) -> Any:
    """Lookahead: after every ``every`` fast steps ``slow ← slow + α (x − slow)``, and the fast weights start from there.

    State: ``slow``, the answer.
    References: Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019, Algorithm 1.
    """
    due = t % every < 1
    slow = where(due, slow + alpha * (x - slow), slow)
    return where(due, slow, x), slow


@after
def cautious(x: Any, g: Any, before: Any) -> Any:
    """Cautious mask: drop each element whose step goes uphill, scale up the rest of its array.

    ``u = before − x;  x ← before − u · (u g > 0) / max(mean(u g > 0), 1e-3)``

    References: Liang et al., "Cautious optimizers: improving training with one line of code", 2024, Algorithm 1.
    """
    u = before - x
    mask = where(u * g > 0, 1, 0)
    return before - u * mask / maximum(array_total(mask) / array_size(g), 1e-3)


@after
def grams(x: Any, g: Any, before: Any) -> Any:
    """Grams: the size of the rule's step in the direction of the gradient's sign: ``x ← before − |before − x| · sign(g)``.

    References: Cao et al., "Grams: gradient descent with adaptive momentum scaling", 2024, Algorithm 1.
    """
    return before - abs(before - x) * sign(g)
