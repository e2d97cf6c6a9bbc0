"""What a method is: an algorithm that calls the function itself, one iteration at a time.

A method asks an `Oracle` for values and gradients and turns one `Point` into the next. What it remembers between
iterations is its state, handed back with every `Step`; so a run can be stopped and continued anywhere, bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from descend.methods._status import Status

Vector = NDArray[np.float64]


class Oracle(ABC):
    """The function as methods see it: counted, never changed by what it is asked.

    Every call may end the run (by an exception that only the driver catches) when a budget is spent or the user's function
    fails. Values and gradients that are not finite come back as they are.
    """

    n: int
    lower: Vector | None = None
    """Least values of the coordinates, -inf where there is none; None without bounds."""
    upper: Vector | None = None
    has_hessian: bool = False
    """Whether `hessian` costs less than n gradients: the user gave one."""

    @property
    def has_bounds(self) -> bool:
        return self.lower is not None or self.upper is not None

    @abstractmethod
    def value(self, x: Vector) -> float:
        """Return f(x)."""

    @abstractmethod
    def gradient(self, x: Vector) -> Vector:
        """Return the gradient at ``x``, shape (n,), a fresh array."""

    @abstractmethod
    def hessian(self, x: Vector) -> Vector:
        """Return the Hessian at ``x``, shape (n, n), symmetric."""

    @abstractmethod
    def hessian_product(self, x: Vector, v: Vector) -> Vector:
        """Return the Hessian at ``x`` times ``v``, shape (n,)."""

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient."""
        return self.value(x), self.gradient(x)


class Point(NamedTuple):
    """Where the function was evaluated; nobody changes its arrays."""

    x: Vector
    f: float
    g: Vector


class Step(NamedTuple):
    """What one iteration made of a point."""

    point: Point
    state: Any
    lr: float
    """The length of the step along its direction (α of a line search, lr of a rule); nan where it has none."""
    ended: Status | None = None
    """Why the method cannot go on from ``point``."""
    why: str = ""
    """The sentence to ``ended``, where there is more to say than the status does."""


@dataclass(frozen=True)
class Method(ABC):
    """An algorithm with its settings; subclasses are frozen dataclasses whose fields are the settings."""

    name: ClassVar[str]
    takes_bounds: ClassVar[bool] = False
    takes_hessian: ClassVar[bool] = False
    scales: ClassVar[bool] = True
    """Whether the driver may run it in other units of x: not where its iterates are a definition."""
    tolerances: ClassVar[dict[str, float]] = {"gtol": 1e-5}
    """What stops it when the user names no tolerance."""

    @abstractmethod
    def start(self, oracle: Oracle, point: Point) -> Any:
        """Return the state with which the first iteration begins."""

    @abstractmethod
    def step(self, oracle: Oracle, point: Point, state: Any) -> Step:
        """Run one iteration from ``point``; ``state`` is what the last one returned and may be changed in place."""

    def criterion(self, oracle: Oracle, point: Point) -> Vector:  # noqa: ARG002 - bounds are the oracle's
        """Return the vector that is 0 at a solution, whose largest entry is compared with gtol."""
        return point.g

    def objective(self, oracle: Oracle) -> Oracle:
        """Return what is minimized when ``oracle`` is the user's function."""
        return oracle

    def lower_beside(self, oracle: Oracle, point: Point) -> Point | None:  # noqa: ARG002
        """Return a lower point beside a stationary one that is no minimum; None where the method cannot tell."""
        return None

    @property
    def label(self) -> str:
        """What it is called where its convergence is explained."""
        return self.name

    def iterations(self, n: int) -> int:
        """Return the default of ``maxiter`` for n variables."""
        return 200 * n
