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
    """The real numbers between ``low`` and ``high``; ``high`` never belongs to it.

    >>> print(Interval(0.0, 1.0, closed_low=True))
    a float in [0, 1)
    >>> 1.0 in Interval(0.0, 1.0)
    False
    """

    low: float
    high: float
    closed_low: bool = False

    def __contains__(self, value: float) -> bool:
        above = self.low <= value if self.closed_low else self.low < value
        return above and value < self.high

    def __str__(self) -> str:
        return f"a float in {'[' if self.closed_low else '('}{self.low:g}, {self.high:g})"

    def check(self, value: Any, name: str, owner: str) -> float:
        """``value`` as a float, or a `HyperparameterError` that names ``name``, ``owner`` and the domain."""
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not real or not math.isfinite(value) or float(value) not in self:
            raise HyperparameterError(f"{name} of {owner} must be {self}; got {value!r}.")
        return float(value)


@dataclass(frozen=True)
class HostScalar:
    """Marks a state that is one number for all arrays, kept on the host in float64."""


Positive = Annotated[float, Interval(0.0, math.inf)]
"""A float above 0."""
NonNegative = Annotated[float, Interval(0.0, math.inf, closed_low=True)]
"""A float of at least 0; learning rates are in it, so that a warm-up may start from 0."""
Decay = Annotated[float, Interval(0.0, 1.0, closed_low=True)]
"""The factor of an exponential average: at least 0, below 1."""
Scalar = Annotated[float, HostScalar()]
"""A state that is one number, not an array; its default is its first value."""
