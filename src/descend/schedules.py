"""Schedules: pure functions of the step t = 1, 2, 3 … that any hyperparameter may take in place of a number.

One update is one step. The value for the first update is ``schedule(1)``; after the last of ``steps`` updates the end value holds.
"""

from __future__ import annotations

import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields

from descend.domains import Interval
from descend.errors import HyperparameterError

_VALUE = Interval(0.0, math.inf, closed_low=True)
_FACTOR = Interval(0.0, math.inf)


class Schedule(ABC):
    """A frozen value that is called with the step; its repr can be pasted."""

    @abstractmethod
    def __call__(self, t: int) -> float: ...

    def __repr__(self) -> str:
        given = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))  # type: ignore[arg-type]
        return f"dd.{type(self).__name__}({', '.join(given)})"

    def _number(self, name: str, domain: Interval) -> None:
        """Check a field and keep it as a float."""
        value = domain.check(getattr(self, name), name, type(self).__name__)
        object.__setattr__(self, name, value)

    def _count(self, name: str, least: int = 1) -> None:
        """Check a field and keep it as an int."""
        value, owner = getattr(self, name), type(self).__name__
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
            raise HyperparameterError(
                f"{name} of {owner} must be an int of at least {least}; got {value!r}."
            )
        object.__setattr__(self, name, int(value))


def _power(base: float, exponent: int) -> float:
    try:
        return base**exponent
    except OverflowError:
        return math.inf


@dataclass(frozen=True, repr=False)
class constant(Schedule):  # noqa: N801 - schedules are called like functions
    """The same value at every step.

    >>> constant(0.1)(5)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        self._number("value", _VALUE)

    def __call__(self, t: int) -> float:  # noqa: ARG002 - every schedule takes the step
        return self.value


@dataclass(frozen=True, repr=False)
class step(Schedule):  # noqa: N801
    """Multiply by ``factor`` after every ``every`` updates.

    >>> [step(1.0, every=2)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """

    value: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        self._number("value", _VALUE)
        self._count("every")
        self._number("factor", _FACTOR)

    def __call__(self, t: int) -> float:
        return self.value * _power(self.factor, (t - 1) // self.every)


@dataclass(frozen=True, repr=False)
class exponential(Schedule):  # noqa: N801
    """Multiply by ``rate`` after every update: ``value · rate^(t − 1)``.

    >>> exponential(1.0, rate=0.5)(3)
    0.25
    """

    value: float
    rate: float

    def __post_init__(self) -> None:
        self._number("value", _VALUE)
        self._number("rate", _FACTOR)

    def __call__(self, t: int) -> float:
        return self.value * _power(self.rate, t - 1)


@dataclass(frozen=True, repr=False)
class cosine(Schedule):  # noqa: N801
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
        self._number("value", _VALUE)
        self._number("end", _VALUE)
        self._count("steps")
        self._count("warmup", least=0)
        if self.warmup >= self.steps:
            raise HyperparameterError(
                f"warmup of cosine must be below steps, {self.steps}; got {self.warmup}."
            )

    def __call__(self, t: int) -> float:
        if t <= self.warmup:
            return self.value * t / self.warmup
        done = min((t - 1 - self.warmup) / (self.steps - self.warmup), 1.0)
        return self.end + (self.value - self.end) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, repr=False)
class warmup(Schedule):  # noqa: N801
    """Rise linearly over ``steps`` updates to ``schedule``, then follow it from its own first step.

    >>> rising = warmup(exponential(0.8, rate=0.5), steps=4)
    >>> [rising(t) for t in range(1, 7)]
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8, 0.4]
    """

    schedule: float | Callable[[int], float]
    steps: int

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            self._number("schedule", _VALUE)
        self._count("steps")

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
