"""Schedules that rise and fall: cyclical rates without end, and one cycle over a run."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

from descend.domains import Interval
from descend.schedules._schedule import FACTOR, Finite, Schedule, between, power


@dataclass(frozen=True, repr=False)
class Cyclic(Schedule):
    """Straight lines from ``value`` to ``peak`` over ``up`` updates and back over ``down``, by default as many.

    ``peak`` may lie below ``value``, as the momentum does that is cycled against the rate.
    """

    value: float
    peak: float
    up: int
    down: int = None  # type: ignore[assignment]  # as many as up

    def __post_init__(self) -> None:
        self._number("value")
        self._number("peak")
        self._count("up")
        self._keep("down", self.up if self.down is None else self.down)
        self._count("down")

    @abstractmethod
    def _scale(self, made: int, cycle: int) -> float:
        """The factor of the height, from the updates made and the cycles completed."""

    def _at(self, t: int) -> float:
        cycle, made = divmod(t - 1, self.up + self.down)
        part = made / self.up if made <= self.up else (self.up + self.down - made) / self.down
        if part == 0:  # an infinite scale has no height here
            return self.value
        return self.value + (self.peak - self.value) * part * self._scale(t - 1, cycle)


class triangular(Cyclic):  # noqa: N801 - schedules are called like functions
    """Straight lines from ``value`` to ``peak`` over ``up`` updates and back over ``down``, by default as many, without end.

    >>> [triangular(0.0, peak=1.0, up=2)(t) for t in range(1, 7)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]

    Same as: ``torch.optim.lr_scheduler.CyclicLR(base_lr=value, max_lr=peak, step_size_up=up, step_size_down=down, cycle_momentum=False)``.
    Differs: the momentum that torch cycles too is ``triangular(max_momentum, peak=base_momentum, up=up)``.
    References: Smith, "Cyclical learning rates for training neural networks", 2017, section 3.2.
    """

    def _scale(self, made: int, cycle: int) -> float:  # noqa: ARG002 - every cycle has its height
        return 1.0


class triangular2(Cyclic):  # noqa: N801
    """`triangular` whose height is halved after each cycle.

    >>> [triangular2(0.0, peak=1.0, up=1)(t) for t in range(1, 7)]
    [0.0, 1.0, 0.0, 0.5, 0.0, 0.25]

    Same as: ``torch.optim.lr_scheduler.CyclicLR(base_lr=value, max_lr=peak, step_size_up=up, step_size_down=down, mode="triangular2",
    cycle_momentum=False)``.
    References: Smith, "Cyclical learning rates for training neural networks", 2017, section 3.2.
    """

    def _scale(self, made: int, cycle: int) -> float:  # noqa: ARG002 - halved by the cycle
        return 0.5**cycle


@dataclass(frozen=True, repr=False)
class exp_range(Cyclic):  # noqa: N801
    """`triangular` whose height is multiplied by ``rate`` after every update.

    >>> [exp_range(0.0, peak=1.0, up=1, rate=0.5)(t) for t in range(1, 5)]
    [0.0, 0.5, 0.0, 0.125]

    Same as: ``torch.optim.lr_scheduler.CyclicLR(base_lr=value, max_lr=peak, step_size_up=up, step_size_down=down, mode="exp_range",
    gamma=rate, cycle_momentum=False)``.
    References: Smith, "Cyclical learning rates for training neural networks", 2017, section 3.2.
    """

    rate: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._number("rate", FACTOR)

    def _scale(self, made: int, cycle: int) -> float:  # noqa: ARG002 - multiplied by the update
        return power(self.rate, made)


@dataclass(frozen=True, repr=False)
class OneCycle(Finite):
    """Phases between ``start``, ``value`` and ``end``, in a shape that the names below give."""

    start: float = None  # type: ignore[assignment]  # value / 25
    end: float = None  # type: ignore[assignment]  # start / 10000
    rise: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        self._keep("start", self.value / 25 if self.start is None else self.start)
        self._number("start")
        self._keep("end", self.start / 1e4 if self.end is None else self.end)
        self._number("end")
        self._number("rise", Interval(0.0, 1.0))
        if self.rise * self.steps <= 1:
            raise self._must("rise", f"above 1 / steps, {1 / self.steps:g}")

    @abstractmethod
    def _shape(self, first: float, last: float, part: float) -> float: ...

    def _phases(self) -> tuple[tuple[float, float], ...]:
        """For each phase the update, counted from 0, at which it ends, and the value there."""
        peak = self.rise * self.steps - 1
        return (0.0, self.start), (peak, self.value), (self.steps - 1, self.end)

    def _at(self, t: int) -> float:
        made = min(t - 1, self.steps - 1)
        (since, first), *phases = self._phases()
        for until, last in phases:
            if made <= until:
                break
            since, first = until, last
        return self._shape(first, last, (made - since) / (until - since))


class _Cosines(OneCycle):
    def _shape(self, first: float, last: float, part: float) -> float:
        return last + (first - last) / 2 * (1 + math.cos(math.pi * part))


class _Lines(OneCycle):
    def _shape(self, first: float, last: float, part: float) -> float:
        return between(first, last, part)


class _ThreePhases(OneCycle):
    def __post_init__(self) -> None:
        super().__post_init__()
        if 2 * self.rise * self.steps - 2 >= self.steps - 1:
            raise self._must(
                "rise", f"below (steps + 1) / (2 · steps), {(1 + 1 / self.steps) / 2:g}"
            )

    def _phases(self) -> tuple[tuple[float, float], ...]:
        beginning, top, bottom = super()._phases()
        return beginning, top, (2 * self.rise * self.steps - 2, beginning[1]), bottom


class one_cycle(_Cosines):  # noqa: N801
    """Half a cosine from ``start`` up to ``value``, then one down to ``end``, which the last of ``steps`` updates has.

    The peak is at update ``rise · steps``. By default ``start`` is ``value / 25`` and ``end`` is ``start / 10000``.

    >>> [round(one_cycle(1.0, steps=10, start=0.5, end=0.0)(t), 3) for t in (1, 2, 3, 10, 11)]
    [0.5, 0.75, 1.0, 0.0, 0.0]

    Same as: ``torch.optim.lr_scheduler.OneCycleLR(max_lr=value, total_steps=steps, pct_start=rise, div_factor=value / start, final_div_factor=start / end,
    cycle_momentum=False)``.
    Differs: the momentum that torch cycles too is ``one_cycle(base_momentum, steps=steps, start=max_momentum, end=max_momentum)``; optax ``cosine_onecycle_schedule`` has its peak one update later and its end after the last: it is a `join` of two `cosine`.
    References: Smith, Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018; the cosines are fastai's.
    """


class one_cycle_linear(_Lines):  # noqa: N801
    """`one_cycle` of straight lines.

    >>> [round(one_cycle_linear(1.0, steps=10, start=0.5, end=0.3)(t), 3) for t in (1, 2, 3, 4, 10, 11)]
    [0.5, 0.75, 1.0, 0.9, 0.3, 0.3]

    Same as: ``torch.optim.lr_scheduler.OneCycleLR(max_lr=value, total_steps=steps, pct_start=rise, div_factor=value / start, final_div_factor=start / end,
    anneal_strategy="linear", cycle_momentum=False)``.
    """


class one_cycle_three_phase(_ThreePhases, _Cosines):  # noqa: N801
    """`one_cycle` that comes back to ``start`` at update ``2 · rise · steps − 1``, then goes on to ``end``.

    >>> [round(one_cycle_three_phase(1.0, steps=10, start=0.5, end=0.0)(t), 3) for t in (1, 3, 4, 5, 10)]
    [0.5, 1.0, 0.75, 0.5, 0.0]

    Same as: ``torch.optim.lr_scheduler.OneCycleLR(max_lr=value, total_steps=steps, pct_start=rise, div_factor=value / start, final_div_factor=start / end,
    three_phase=True, cycle_momentum=False)``.
    """


class one_cycle_linear_three_phase(_ThreePhases, _Lines):  # noqa: N801
    """`one_cycle_three_phase` of straight lines, the form of the paper.

    >>> [round(one_cycle_linear_three_phase(1.0, steps=10, start=0.5, end=0.0)(t), 3) for t in (1, 3, 4, 5, 6, 10)]
    [0.5, 1.0, 0.75, 0.5, 0.4, 0.0]

    Same as: ``torch.optim.lr_scheduler.OneCycleLR(max_lr=value, total_steps=steps, pct_start=rise, div_factor=value / start, final_div_factor=start / end,
    anneal_strategy="linear", three_phase=True, cycle_momentum=False)``.
    Differs: optax ``linear_onecycle_schedule`` has its corners elsewhere: it is a `join` of three `linear`.
    References: Smith, Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018, section 3.
    """
