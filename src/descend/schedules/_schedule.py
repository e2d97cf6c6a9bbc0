"""What a schedule is: a frozen, checked value that is called with the step t = 1, 2, 3 …"""

from __future__ import annotations

import itertools
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from descend.domains import Interval, brief
from descend.errors import HyperparameterError

VALUE = Interval(0.0, math.inf, closed_low=True)
FACTOR = Interval(0.0, math.inf)

Follow = float | Callable[[int], float]
"""A part of a composed schedule: a number that stays, or a schedule."""


class Checked:
    """A dataclass whose fields are checked by name; its repr can be pasted."""

    def __repr__(self) -> str:
        given = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.init)  # type: ignore[arg-type]
        return f"dd.{type(self).__name__}({', '.join(given)})"

    def _keep(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _must(self, name: str, expected: str) -> HyperparameterError:
        """The error for a field that is not what it must be."""
        owner, value = type(self).__name__, getattr(self, name)
        return HyperparameterError(f"{name} of {owner} must be {expected}; got {brief(value)}.")

    def _number(self, name: str, domain: Interval = VALUE) -> None:
        """Check a field and keep it as a float."""
        self._keep(name, domain.check(getattr(self, name), name, type(self).__name__))

    def _count(self, name: str, least: int = 1) -> None:
        """Check a field and keep it as an int."""
        if not is_count(getattr(self, name), least):
            raise self._must(name, f"an int of at least {least}")
        self._keep(name, int(getattr(self, name)))

    def _boundaries(self, name: str) -> None:
        """Check a field of increasing counts of updates and keep it as a tuple."""
        value = as_tuple(getattr(self, name))
        counts = all(is_count(b, 1) for b in value)
        if not value or not counts or any(a >= b for a, b in itertools.pairwise(value)):
            raise self._must(name, "increasing ints of at least 1")
        self._keep(name, tuple(int(b) for b in value))

    def _follow(self, name: str) -> None:
        """Check a field that is a schedule or a number."""
        self._keep(name, follow(getattr(self, name), name, type(self).__name__))

    def _follow_updates(self, name: str) -> None:
        """Check a field that is a schedule whose unit may be converted: it is once."""
        self._follow(name)
        if getattr(getattr(self, name), "unit", "update") != "update":
            raise self._must(name, "a schedule of updates")


class Schedule(Checked, ABC):
    """A pure function of the step.

    Attributes
    ----------
    total : int, the updates that it describes, after which its end value holds; None for a schedule without end
    unit : what one step of its arguments is
    """

    unit: ClassVar[Literal["update", "epoch", "micro-step"]] = "update"

    @property
    def total(self) -> int | None:
        return None

    def __call__(self, t: int) -> float:
        if type(t) is not int or t < 1:
            t = self._step(t)
        return self._at(t)

    @abstractmethod
    def _at(self, t: int) -> float:
        """The value for the t-th update; t is a checked int."""

    def _step(self, t: Any) -> int:
        if not is_count(t, 1):
            raise HyperparameterError(
                f"t of {type(self).__name__} must be an int of at least 1; got {brief(t)}."
            )
        return int(t)


@dataclass(frozen=True, repr=False)
class Finite(Schedule):
    """A schedule over ``steps`` updates that starts from, or rises to, ``value``."""

    value: float
    steps: int

    def __post_init__(self) -> None:
        self._number("value")
        self._count("steps")

    @property
    def total(self) -> int:
        return self.steps


def is_count(value: Any, least: int) -> bool:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return whole and value >= least


def as_tuple(value: Any) -> tuple[Any, ...]:
    """The items of a collection; none for what is not one."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return ()
    return tuple(value)


def follow(value: Any, name: str, owner: str) -> Follow:
    """A part of a composed schedule, checked."""
    if callable(value) and not isinstance(value, type):
        return value  # type: ignore[no-any-return]
    try:
        return VALUE.check(value, name, owner)
    except HyperparameterError:
        raise HyperparameterError(
            f"{name} of {owner} must be a schedule or {VALUE}; got {brief(value)}."
        ) from None


def value_of(part: Follow, t: int) -> float:
    return part(t) if callable(part) else part


def total_of(part: Follow) -> int | None:
    """The updates that a part describes; None for a number, and for a function that does not say."""
    return getattr(part, "total", None)


def power(base: float, exponent: float) -> float:
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


def between(first: float, last: float, part: float) -> float:
    """The point at ``part`` of the way, exact at both ends."""
    return first * (1 - part) + last * part


def check_length(schedule: Callable[[int], float], steps: int) -> str | None:
    """Compare the updates that a schedule describes with those of a run.

    Parameters
    ----------
    schedule : a schedule, or any function of the step
    steps : int, the updates of the run

    Returns
    -------
    str or None
        A sentence if they differ; None if they agree, or if the schedule has no end or does not say.

    Raises
    ------
    HyperparameterError
        If steps is not a number of updates, or the schedule not a function.

    Examples
    --------
    >>> import descend as dd
    >>> print(check_length(dd.linear(1.0, steps=10), 8))
    dd.linear(value=1.0, steps=10, end=0.0) describes 10 updates and the run has 8: it stops at 0.3, and the rest is never used.
    >>> print(check_length(dd.linear(1.0, steps=10), 12))
    dd.linear(value=1.0, steps=10, end=0.0) describes 10 updates and the run has 12: the last 2 take its end value, 0.
    >>> print(check_length(dd.linear(1.0, steps=10), 10))
    None
    """
    if not callable(schedule) or isinstance(schedule, type):
        raise HyperparameterError(
            f"schedule of check_length must be a schedule; got {brief(schedule)}."
        )
    if not is_count(steps, 1):
        raise HyperparameterError(
            f"steps of check_length must be an int of at least 1; got {brief(steps)}."
        )
    total = total_of(schedule)
    if total is None or total == steps:
        return None
    said = f"{schedule!r} describes {total} updates and the run has {steps}: "
    if steps < total:
        return f"{said}it stops at {schedule(steps):g}, and the rest is never used."
    return f"{said}the last {steps - total} take its end value, {schedule(total + 1):g}."
