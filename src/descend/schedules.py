"""Schedules: pure functions of the step t = 1, 2, 3 … that any hyperparameter may take in place of a number.

One update is one step. The value for the first update is ``schedule(1)``; after the last of ``steps`` updates the end value holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from descend.domains import Interval
from descend.errors import HyperparameterError

_VALUE = Interval(0.0, math.inf, closed_low=True)
_FACTOR = Interval(0.0, math.inf)


def _check_steps(value: int, name: str, owner: str, least: int = 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise HyperparameterError(f"{name} of {owner} must be an int of at least {least}; got {value!r}.")


@dataclass(frozen=True)
class constant:  # noqa: N801 - schedules are called like functions
    """The same value at every step.

    >>> constant(0.1)(5)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        _VALUE.check(self.value, "value", "constant")

    def __call__(self, t: int) -> float:
        return self.value


@dataclass(frozen=True)
class step:  # noqa: N801
    """Multiply by ``factor`` after every ``every`` updates.

    >>> [step(1.0, every=2)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """

    value: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _VALUE.check(self.value, "value", "step")
        _check_steps(self.every, "every", "step")
        _FACTOR.check(self.factor, "factor", "step")

    def __call__(self, t: int) -> float:
        return self.value * self.factor ** ((t - 1) // self.every)


@dataclass(frozen=True)
class exponential:  # noqa: N801
    """Multiply by ``rate`` after every update: ``value · rate^(t − 1)``.

    >>> exponential(1.0, rate=0.5)(3)
    0.25
    """

    value: float
    rate: float

    def __post_init__(self) -> None:
        _VALUE.check(self.value, "value", "exponential")
        _FACTOR.check(self.rate, "rate", "exponential")

    def __call__(self, t: int) -> float:
        return self.value * self.rate ** (t - 1)


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """Half a cosine from ``value`` to ``end`` over ``steps`` updates, after ``warmup`` linear ones; ``end`` holds.

    ``steps`` counts the whole schedule, warm-up included.

    >>> schedule = cosine(1.0, steps=10, warmup=2)
    >>> schedule(1), schedule(2), schedule(3), schedule(7), round(schedule(11), 12)
    (0.5, 1.0, 1.0, 0.5, 0.0)

    References: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, eq. 5.
    """

    value: float
    steps: int
    warmup: int = 0
    end: float = 0.0

    def __post_init__(self) -> None:
        _VALUE.check(self.value, "value", "cosine")
        _VALUE.check(self.end, "end", "cosine")
        _check_steps(self.steps, "steps", "cosine")
        _check_steps(self.warmup, "warmup", "cosine", least=0)
        if self.warmup >= self.steps:
            raise HyperparameterError(
                f"warmup of cosine must be below steps, {self.steps}; got {self.warmup}."
            )

    def __call__(self, t: int) -> float:
        if t <= self.warmup:
            return self.value * t / self.warmup
        done = min((t - 1 - self.warmup) / (self.steps - self.warmup), 1.0)
        return self.end + (self.value - self.end) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class warmup:  # noqa: N801
    """Rise linearly over ``steps`` updates to ``schedule``, then follow it from its own first step.

    >>> rising = warmup(exponential(0.8, rate=0.5), steps=4)
    >>> [rising(t) for t in range(1, 7)]
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8, 0.4]
    """

    schedule: float | Callable[[int], float]
    steps: int

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            _VALUE.check(self.schedule, "schedule", "warmup")
        _check_steps(self.steps, "steps", "warmup")

    def _after(self, t: int) -> float:
        return self.schedule(t) if callable(self.schedule) else float(self.schedule)

    def __call__(self, t: int) -> float:
        if t <= self.steps:
            return self._after(1) * t / self.steps
        return self._after(t - self.steps)


SCHEDULES: dict[str, Callable[..., Callable[[int], float]]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "cosine": cosine,
    "warmup": warmup,
}
