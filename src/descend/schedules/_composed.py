"""Schedules made of others: after a warm-up, one after another, in epochs or micro-steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from descend.schedules._schedule import (
    Finite,
    Follow,
    Schedule,
    as_tuple,
    between,
    follow,
    total_of,
    value_of,
)


@dataclass(frozen=True, repr=False)
class warmup(Schedule):  # noqa: N801 - schedules are called like functions
    """Rise linearly over ``steps`` updates to ``schedule``, then follow it from its own first step.

    >>> import descend as dd
    >>> rising = dd.warmup(dd.exponential(0.8, rate=0.5), steps=4)
    >>> [rising(t) for t in range(1, 7)]
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8, 0.4]

    Differs: torch, optax and Keras rise from a value that the first update has; here the first has ``1 / steps`` of the height.
    Theirs is ``join((linear(first, steps=n, end=value), after), boundaries=(n,))``.
    """

    schedule: Follow
    steps: int

    def __post_init__(self) -> None:
        self._follow("schedule")
        self._count("steps")

    @property
    def total(self) -> int | None:
        after = total_of(self.schedule)
        return None if after is None else self.steps + after

    def _at(self, t: int) -> float:
        if t <= self.steps:
            return value_of(self.schedule, 1) * t / self.steps
        return value_of(self.schedule, t - self.steps)


@dataclass(frozen=True, repr=False)
class join(Schedule):  # noqa: N801
    """One schedule or number after another: the next begins, at its own first step, after each number of updates in ``boundaries``.

    >>> import descend as dd
    >>> [dd.join((1.0, 0.5, dd.linear(0.4, steps=2)), boundaries=(2, 3))(t) for t in range(1, 7)]
    [1.0, 1.0, 0.5, 0.4, 0.2, 0.0]

    Same as: ``optax.join_schedules([optax.constant_schedule(s) for s in schedules], boundaries)``,
    ``keras.optimizers.schedules.PiecewiseConstantDecay([b - 1 for b in boundaries], schedules)``.
    Differs: torch ``SequentialLR(milestones=boundaries)`` joins schedulers, each with the optimizer's lr.
    """

    schedules: Sequence[Follow]
    boundaries: Sequence[int]

    def __post_init__(self) -> None:
        parts = as_tuple(self.schedules)
        if len(parts) < 2:
            raise self._must("schedules", "two or more schedules or numbers")
        named = [follow(s, f"schedules[{i}]", "join") for i, s in enumerate(parts)]
        self._keep("schedules", tuple(named))
        self._boundaries("boundaries")
        if len(self.boundaries) != len(parts) - 1:
            raise self._must("boundaries", f"one fewer than schedules, {len(parts) - 1}")

    @property
    def total(self) -> int | None:
        last = total_of(self.schedules[-1])
        return None if last is None else self.boundaries[-1] + last

    def _at(self, t: int) -> float:
        begun, current = 0, self.schedules[0]
        for boundary, schedule in zip(self.boundaries, self.schedules[1:], strict=True):
            if t <= boundary:
                break
            begun, current = boundary, schedule
        return value_of(current, t - begun)


@dataclass(frozen=True, repr=False)
class wsd(Finite):  # noqa: N801
    """Warm-up, stable, decay: rise linearly over ``warmup`` updates, stay, fall linearly over the last ``decay`` of ``steps`` to ``end``.

    >>> [wsd(1.0, steps=7, warmup=2, decay=2)(t) for t in range(1, 10)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]

    References: Hu et al., "MiniCPM: Unveiling the potential of small language models with scalable training strategies", 2024, section 4;
    the linear decay is that of Hägele et al., "Scaling laws and compute-optimal training beyond fixed training durations", 2024, section 3.
    """

    warmup: int
    decay: int
    end: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._count("warmup", least=0)
        self._count("decay")
        self._number("end")
        if self.warmup + self.decay > self.steps:
            raise self._must("decay", f"at most steps − warmup, {self.steps - self.warmup}")

    def _at(self, t: int) -> float:
        if t <= self.warmup:
            return self.value * (t / self.warmup)
        done = (t - 1 - (self.steps - self.decay)) / self.decay
        return between(self.value, self.end, self._fallen(min(max(done, 0.0), 1.0)))

    def _fallen(self, done: float) -> float:
        return done


class wsd_sqrt(wsd):  # noqa: N801
    """`wsd` that falls with the root: by ``√done``, fast at first.

    >>> [wsd_sqrt(1.0, steps=7, warmup=2, decay=4)(t) for t in range(1, 9)]
    [0.5, 1.0, 1.0, 1.0, 0.5, 0.2928932188134524, 0.1339745962155614, 0.0]

    References: Hägele et al., "Scaling laws and compute-optimal training beyond fixed training durations", 2024, eq. (1-sqrt).
    """

    def _fallen(self, done: float) -> float:
        return math.sqrt(done)


@dataclass(frozen=True, repr=False)
class per_epoch(Schedule):  # noqa: N801
    """A schedule whose steps are epochs of ``updates`` updates each; its value stays through an epoch.

    >>> import descend as dd
    >>> [dd.per_epoch(dd.exponential(1.0, rate=0.5), updates=2)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]

    Differs: a scheduler of torch counts its own steps: stepped once per epoch, it is this of its schedule.
    """

    unit = "epoch"

    schedule: Follow
    updates: int

    def __post_init__(self) -> None:
        self._follow_updates("schedule")
        self._count("updates")

    @property
    def total(self) -> int | None:
        epochs = total_of(self.schedule)
        return None if epochs is None else epochs * self.updates

    def _at(self, t: int) -> float:
        return value_of(self.schedule, (t - 1) // self.updates + 1)


@dataclass(frozen=True, repr=False)
class per_micro_step(Schedule):  # noqa: N801
    """A schedule whose steps are micro-batches, ``micro_steps`` of which are accumulated to an update; the last of them gives its value.

    >>> import descend as dd
    >>> [dd.per_micro_step(dd.linear(1.0, steps=8), micro_steps=4)(t) for t in (1, 2, 3)]
    [0.625, 0.125, 0.0]

    Differs: Keras's schedules are this in an optimizer with ``gradient_accumulation_steps=micro_steps``; optax and torch count updates.
    """

    unit = "micro-step"

    schedule: Follow
    micro_steps: int

    def __post_init__(self) -> None:
        self._follow_updates("schedule")
        self._count("micro_steps")

    @property
    def total(self) -> int | None:
        described = total_of(self.schedule)
        return None if described is None else -(-described // self.micro_steps)

    def _at(self, t: int) -> float:
        return value_of(self.schedule, t * self.micro_steps)
