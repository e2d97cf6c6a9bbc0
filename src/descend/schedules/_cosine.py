"""Half cosines: one, one after a warm-up, and many with restarts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from descend.schedules._schedule import FACTOR, Finite, Schedule, power


@dataclass(frozen=True, repr=False)
class cosine(Finite):  # noqa: N801 - schedules are called like functions
    """Half a cosine from ``value`` to ``end`` over ``steps`` updates, after ``warmup`` linear ones; ``end`` holds.

    ``steps`` counts the whole schedule, warm-up included.

    >>> schedule = cosine(1.0, steps=10, warmup=2)
    >>> schedule(1), schedule(2), schedule(3), schedule(7), round(schedule(11), 12)
    (0.5, 1.0, 1.0, 0.5, 0.0)

    Same as: ``torch.optim.lr_scheduler.CosineAnnealingLR(T_max=steps, eta_min=end)``, ``optax.cosine_decay_schedule(value, steps, alpha=end / value)``,
    ``keras.optimizers.schedules.CosineDecay(value, steps, alpha=end / value)``.
    Differs: after T_max torch rises again; the warm-ups of optax and Keras start from their initial value, here the first update has ``value / warmup``;
    Keras' ``decay_steps`` do not count the warm-up.
    References: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, eq. 5.
    """

    warmup: int = 0
    end: float = 0.0

    def __post_init__(self) -> None:
        self._number("value")
        self._number("end")
        self._count("steps")
        self._count("warmup", least=0)
        if self.warmup >= self.steps:
            raise self._must("warmup", f"below steps, {self.steps}")

    def _at(self, t: int) -> float:
        if t <= self.warmup:
            return self.value * (t / self.warmup)
        done = min((t - 1 - self.warmup) / (self.steps - self.warmup), 1.0)
        return self.end + (self.value - self.end) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, repr=False)
class cosine_restarts(Schedule):  # noqa: N801
    """Half cosines from ``value`` to ``end``, one after another, without end.

    The first lasts ``steps`` updates and each next one ``growth`` times as many; its height above ``end`` is ``decay`` times the last.

    >>> [cosine_restarts(1.0, steps=2, growth=2, decay=0.5)(t) for t in (1, 2, 3, 5, 7)]
    [1.0, 0.5, 0.5, 0.25, 0.25]

    Same as: ``torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=steps, T_mult=growth, eta_min=end)``,
    ``keras.optimizers.schedules.CosineDecayRestarts(value, steps, t_mul=growth, m_mul=decay, alpha=end / value)``.
    Differs: optax ``sgdr_schedule`` is a `join` of `cosine`; Keras finds the cycle by logarithms, which in float32 take some late restarts for the end of the cycle before; its ``t_mul``
    may be a fraction.
    References: Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, eq. 5, with ``T_mult`` as growth.
    """

    value: float
    steps: int
    growth: int = 1
    decay: float = 1.0
    end: float = 0.0

    def __post_init__(self) -> None:
        self._number("value")
        self._count("steps")
        self._count("growth")
        self._number("decay", FACTOR)
        self._number("end")

    def _at(self, t: int) -> float:
        cycle, made, length = self._cycle(t - 1)
        height = (self.value - self.end) * power(self.decay, cycle)
        return self.end + height * (1 + math.cos(math.pi * (made / length))) / 2

    def _cycle(self, made: int) -> tuple[int, int, int]:
        """Which cosine, the updates already made of it, and its length: in whole numbers, so that no restart is missed."""
        if self.growth == 1:
            return made // self.steps, made % self.steps, self.steps
        cycle, length = 0, self.steps
        while made >= length:
            made, cycle, length = made - length, cycle + 1, length * self.growth
        return cycle, made, length
