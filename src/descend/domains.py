"""What a hyperparameter may be: intervals that validate, print and bound a search.

A rule's signature annotates each hyperparameter with one of the names below; validation, documentation,
the command line and the search space of a race all read it there.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Annotated, Any

from descend.errors import HyperparameterError


@dataclass(frozen=True)
class Interval:
    """The real (or whole) numbers between ``low`` and ``high``; an end belongs to it only where it is closed.

    >>> print(Interval(0.0, 1.0, closed_low=True))
    a float in [0, 1)
    >>> 1.0 in Interval(0.0, 1.0)
    False
    """

    low: float
    high: float
    closed_low: bool = False
    closed_high: bool = False
    whole: bool = False

    def __contains__(self, value: float) -> bool:
        above = self.low <= value if self.closed_low else self.low < value
        below = value <= self.high if self.closed_high else value < self.high
        return above and below and (not self.whole or value == math.floor(value))

    def __str__(self) -> str:
        ends = "[" if self.closed_low else "(", "]" if self.closed_high else ")"
        kind = "a whole number" if self.whole else "a float"
        return f"{kind} in {ends[0]}{self.low:g}, {self.high:g}{ends[1]}"

    def check(self, value: Any, name: str, owner: str) -> float:
        """``value`` as a float, or a `HyperparameterError` that names ``name``, ``owner`` and the domain."""
        number = _as_float(value)
        if not math.isfinite(number) or number not in self:
            raise HyperparameterError(f"{name} of {owner} must be {self}; got {brief(value)}.")
        return number


def _as_float(value: Any) -> float:
    """``value`` as a float; nan for what is not a real number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # an int beyond float64
        return math.inf


def brief(value: Any) -> str:
    """The repr of a refused value, cut to 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print an int of more than 4300 digits
        return f"an int of {value.bit_length()} bits"
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True)
class HostScalar:
    """Marks a state that is one number for all arrays, kept on the host in float64."""


Positive = Annotated[float, Interval(0.0, math.inf)]
"""A float above 0."""
NonNegative = Annotated[float, Interval(0.0, math.inf, closed_low=True)]
"""A float of at least 0; learning rates are in it, so that a warm-up may start from 0."""
Decay = Annotated[float, Interval(0.0, 1.0, closed_low=True)]
"""The factor of an exponential average: at least 0, below 1."""
Share = Annotated[float, Interval(0.0, 1.0, closed_low=True, closed_high=True)]
"""The weight of one of two terms: 0, 1 or between."""
Scalar = Annotated[float, HostScalar()]
"""A state that is one number, not an array; its default is its first value."""
Growth = Annotated[float, Interval(1.0, math.inf, closed_low=True)]
"""A factor of at least 1."""
Count = Annotated[float, Interval(1.0, math.inf, closed_low=True, whole=True)]
"""A number of steps: 1, 2, 3 …"""
Seed = Annotated[float, Interval(0.0, math.inf, closed_low=True, whole=True)]
"""From which random numbers are drawn: 0, 1, 2 …"""
Real = Annotated[float, Interval(-math.inf, math.inf)]
"""Any finite float."""
