"""Schedules that are one formula of the step, most of them falling. ``t − 1`` is the number of updates already made."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from descend.schedules._schedule import FACTOR, Finite, Schedule, between, power


@dataclass(frozen=True, repr=False)
class constant(Schedule):  # noqa: N801 - schedules are called like functions
    """The same value at every step.

    >>> constant(0.1)(5)
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        self._number("value")

    def _at(self, t: int) -> float:  # noqa: ARG002 - every schedule takes the step
        return self.value


@dataclass(frozen=True, repr=False)
class step(Schedule):  # noqa: N801
    """Multiply by ``factor`` after every ``every`` updates: ``value · factor^⌊(t − 1) / every⌋``.

    >>> [step(1.0, every=2)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]

    Same as: ``torch.optim.lr_scheduler.StepLR(step_size=every, gamma=factor)``, ``optax.exponential_decay(value, every, factor, staircase=True)``,
    ``keras.optimizers.schedules.ExponentialDecay(value, every, factor, staircase=True)``.
    """

    value: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        self._number("value")
        self._count("every")
        self._number("factor", FACTOR)

    def _at(self, t: int) -> float:
        return self.value * power(self.factor, (t - 1) // self.every)


@dataclass(frozen=True, repr=False)
class multistep(Schedule):  # noqa: N801
    """Multiply by ``factor`` after each number of updates in ``boundaries``.

    >>> [multistep(1.0, boundaries=(2, 3))(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.010000000000000002, 0.010000000000000002]

    Same as: ``torch.optim.lr_scheduler.MultiStepLR(milestones=boundaries, gamma=factor)``,
    ``optax.piecewise_constant_schedule(value, dict.fromkeys(boundaries, factor))``.
    Differs: Keras ``PiecewiseConstantDecay`` changes one update later. For values of their own, `join` numbers.
    """

    value: float
    boundaries: Sequence[int]
    factor: float = 0.1

    def __post_init__(self) -> None:
        self._number("value")
        self._boundaries("boundaries")
        self._number("factor", FACTOR)

    def _at(self, t: int) -> float:
        return self.value * power(self.factor, bisect_right(self.boundaries, t - 1))


@dataclass(frozen=True, repr=False)
class exponential(Schedule):  # noqa: N801
    """Multiply by ``rate`` after every update: ``value · rate^(t − 1)``.

    >>> exponential(1.0, rate=0.5)(3)
    0.25

    Same as: ``torch.optim.lr_scheduler.ExponentialLR(gamma=rate)``, ``optax.exponential_decay(value, 10, rate**10)``,
    ``keras.optimizers.schedules.ExponentialDecay(value, 10, rate**10)``.
    """

    value: float
    rate: float

    def __post_init__(self) -> None:
        self._number("value")
        self._number("rate", FACTOR)

    def _at(self, t: int) -> float:
        return self.value * power(self.rate, t - 1)


@dataclass(frozen=True, repr=False)
class linear(Finite):  # noqa: N801
    """A straight line from ``value`` to ``end`` over ``steps`` updates; ``end`` holds. It may rise.

    >>> [linear(1.0, steps=4)(t) for t in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    Same as: ``torch.optim.lr_scheduler.LinearLR(start_factor=1.0, end_factor=end / value, total_iters=steps)``, ``optax.linear_schedule(value, end, steps)``.
    """

    end: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._number("end")

    def _at(self, t: int) -> float:
        return between(self.value, self.end, min((t - 1) / self.steps, 1.0))


@dataclass(frozen=True, repr=False)
class polynomial(Finite):  # noqa: N801
    """``end + (value − end) · (1 − (t − 1) / steps)^power``; ``end`` holds.

    >>> [polynomial(1.0, steps=4, power=2)(t) for t in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]

    Same as: ``torch.optim.lr_scheduler.PolynomialLR(total_iters=steps, power=power)``, ``optax.polynomial_schedule(value, end, power, steps)``,
    ``keras.optimizers.schedules.PolynomialDecay(value, steps, end, power)``.
    Differs: torch's end is 0.
    """

    power: float
    end: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._number("power", FACTOR)
        self._number("end")

    def _at(self, t: int) -> float:
        left = 1 - min((t - 1) / self.steps, 1.0)
        return between(self.end, self.value, left**self.power)


@dataclass(frozen=True, repr=False)
class polynomial_cycles(Schedule):  # noqa: N801
    """`polynomial` that, whenever it has come to ``end``, stretches to the next multiple of ``steps``.

    ``end + (value − end) · (1 − (t − 1) / (k · steps))^power`` with the least k that keeps the base at 0 or more.

    >>> [polynomial_cycles(1.0, steps=2, power=1)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 0.5, 0.0, 0.25, 0.0]

    Same as: ``keras.optimizers.schedules.PolynomialDecay(value, steps, end, power, cycle=True)``.
    """

    value: float
    steps: int
    power: float
    end: float = 0.0

    def __post_init__(self) -> None:
        self._number("value")
        self._count("steps")
        self._number("power", FACTOR)
        self._number("end")

    def _at(self, t: int) -> float:
        cycles = max(-(-(t - 1) // self.steps), 1)
        left = 1 - (t - 1) / (cycles * self.steps)
        return between(self.end, self.value, left**self.power)


@dataclass(frozen=True, repr=False)
class inverse_time(Schedule):  # noqa: N801
    """``value / (1 + rate · (t − 1))``.

    >>> [inverse_time(1.0, rate=1.0)(t) for t in (1, 2, 4)]
    [1.0, 0.5, 0.25]

    Same as: ``keras.optimizers.schedules.InverseTimeDecay(value, 10, rate * 10)``.
    Differs: Keras's staircase is ``per_epoch`` of this.
    References: Robbins, Monro, "A stochastic approximation method", 1951, whose conditions it meets.
    """

    value: float
    rate: float

    def __post_init__(self) -> None:
        self._number("value")
        self._number("rate")

    def _at(self, t: int) -> float:
        return self.value / (1 + self.rate * (t - 1))


@dataclass(frozen=True, repr=False)
class inverse_sqrt(Schedule):  # noqa: N801
    """Rise linearly to ``value`` at update ``warmup``, then fall with the root: ``value · min(t / warmup, √(warmup / t))``.

    >>> [inverse_sqrt(1.0, warmup=4)(t) for t in (1, 2, 4, 16)]
    [0.25, 0.5, 1.0, 0.5]

    Differs: fairseq's ``inverse_sqrt`` counts the updates already made, so that its first has an lr of ``--warmup-init-lr``: there
    the value for update t is this one's for t − 1. T5 has no rise: its first ``warmup`` updates are at ``value``.
    References: Vaswani et al., "Attention is all you need", 2017, eq. 3, with ``value = (d · warmup)^(−1/2)``.
    """

    value: float
    warmup: int

    def __post_init__(self) -> None:
        self._number("value")
        self._count("warmup")

    def _at(self, t: int) -> float:
        return self.value * min(t / self.warmup, math.sqrt(self.warmup / t))


@dataclass(frozen=True, repr=False)
class rex(Finite):  # noqa: N801
    """The reflected exponential: ``value · (1 − z) / (1/2 + 1/2 · (1 − z))`` with ``z = (t − 1) / steps``; 0 holds.

    It stays high for longer than a line does, then falls faster.

    >>> [round(rex(1.0, steps=4)(t), 4) for t in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.8571, 0.6667, 0.4, 0.0, 0.0]

    References: Chen, Wolfe, Kyrillidis, "REX: Revisiting budgeted training with an improved schedule", 2021, section 3.
    """

    def _at(self, t: int) -> float:
        left = 1 - min((t - 1) / self.steps, 1.0)
        return self.value * left / (0.5 + 0.5 * left)
