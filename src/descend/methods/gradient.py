"""Methods that step along the gradient; they differ in how far. With bounds, all four project their steps."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import InitVar, dataclass, field
from typing import ClassVar

from scipy.linalg.blas import dnrm2

from descend.errors import HyperparameterError
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods._status import Status
from descend.methods.boxes import along_segment, projected_gradient, within_bounds
from descend.methods.lines import Found, failure, hopeless, rounding
from descend.methods.searches import Armijo, Fixed, Search, Straight, check_count

TRIES = 60
"""How often a step is shortened at most: 2⁻⁶⁰ is below the spacing of float64 numbers."""


USUAL = Armijo()  # this very object: an equal one that is given beside lr is told from it


def unit_step(g: Vector) -> float:
    """Return the step that moves x by a length of 1."""
    return 1.0 / max(float(dnrm2(g)), 1e-300)


@dataclass(frozen=True)
class Projected(Method):
    """A method whose iterates are projected on the bounds."""

    takes_bounds: ClassVar[bool] = True

    def criterion(self, oracle: Oracle, point: Point) -> Vector:
        return projected_gradient(oracle, point)


@dataclass(slots=True)
class Pace:
    """The last accepted step."""

    lr: float
    begun: bool = False


@dataclass(frozen=True)
class GD(Projected):
    """Gradient descent, x ← x − lr g, by Cauchy (1847).

    The first trial of the first search moves x by 1, later ones are twice the last step. With bounds the search goes along the
    path of projections (Bertsekas 1976); one that needs a line, `StrongWolfe` or `HagerZhang`, along that to P(x − lr g). For f convex with an L-Lipschitz gradient, lr = 1/L gives
    f − f* ≤ L / (4 n + 2) |x0 − x*|² after n steps (Drori & Teboulle 2014).

    Parameters
    ----------
    search : the line search
    lr : a step that never changes, in place of a search: the same as ``search=Fixed(lr)``

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("gd:lr=0.1")
    GD(search=Fixed(lr=0.1))
    """

    name: ClassVar[str] = "gd"
    scales: ClassVar[bool] = False
    search: Search = USUAL
    lr: InitVar[float | None] = None

    def __post_init__(self, lr: float | None) -> None:
        if lr is None:
            return
        if self.search is not USUAL:
            raise HyperparameterError(f"lr of gd must be left out beside a search; got {lr!r}.")
        object.__setattr__(self, "search", Fixed(lr))

    def start(self, oracle: Oracle, point: Point) -> Pace:  # noqa: ARG002 - it begins with the gradient
        return Pace(unit_step(point.g))

    def step(self, oracle: Oracle, point: Point, state: Pace) -> Step:
        first = 2.0 * state.lr if state.begun else state.lr
        found = self._searched(oracle, point, first)
        if found is None:
            promised = 0.5 * first * inner(point.g, projected_gradient(oracle, point))
            return Step(point, state, 0.0, failure(point.f, promised))
        return Step(found.point, Pace(found.lr, begun=True), found.lr, stuck(found.point))

    def _searched(self, oracle: Oracle, point: Point, first: float) -> Found | None:
        if oracle.has_bounds and isinstance(self.search, Straight):
            return along_segment(self.search, oracle, point, first)
        return self.search(oracle, point, -point.g, first)


def stuck(point: Point) -> Status | None:
    """The status of a point where f or its gradient is not finite; None for any other."""
    fine = math.isfinite(point.f) and math.isfinite(inner(point.g, point.g))
    return None if fine else Status.NON_FINITE


@dataclass(slots=True)
class Spectrum:
    """The next step of `BarzilaiBorwein`, and the values that it may not rise above."""

    lr: float
    values: deque[float]
    long: bool = True
    """Whether the next step is s·s / s·y, not s·y / y·y."""


@dataclass(frozen=True)
class BarzilaiBorwein(Projected):
    """Gradient descent with the inverse curvature of the last step for its length, which makes it much faster than `GD`.

    The steps s·s / s·y and s·y / y·y of Barzilai & Borwein (1988) by turns. f must fall below the highest of its last
    ``memory`` values (Grippo, Lampariello & Lucidi 1986), so that the method cannot run away: Raydan, "The Barzilai and Borwein
    gradient method for the large scale unconstrained minimization problem" (1997). With bounds it is SPG2 of Birgin, Martínez
    & Raydan (2000): the search is along P(x − lr g) − x.

    Parameters
    ----------
    memory : how many values of f are remembered; 1 demands that f falls at every step
    search : how a step that is too long is shortened
    """

    name: ClassVar[str] = "bb"
    memory: int = 10
    search: Armijo = field(default_factory=Armijo)

    def __post_init__(self) -> None:
        check_count(self.memory, "memory", "bb")

    def start(self, oracle: Oracle, point: Point) -> Spectrum:  # noqa: ARG002 - it begins with the gradient
        return Spectrum(unit_step(point.g), deque([point.f], maxlen=self.memory))

    def step(self, oracle: Oracle, point: Point, state: Spectrum) -> Step:
        direction = within_bounds(oracle, point.x - state.lr * point.g) - point.x
        found = self.search.below(max(state.values), oracle, point, direction, 1.0)
        if found is None:
            return Step(point, state, 0.0, failure(point.f, 0.5 * inner(point.g, direction)))
        new, lr = found.point, found.lr * state.lr
        state.values.append(new.f)
        state.lr = _spectral(new.x - point.x, new.g - point.g, lr, state.long)
        state.long = not state.long
        return Step(new, state, lr)


def _spectral(s: Vector, y: Vector, lr: float, long: bool) -> float:
    """The inverse curvature along ``s``; ten times the last step where it is not positive."""
    sy = inner(s, y)
    if not 0 < sy < math.inf:
        return 10.0 * lr
    inverse: float = inner(s, s) / sy if long else sy / inner(y, y)
    return min(max(inverse, 1e-30), 1e30)


@dataclass(slots=True)
class Adapted:
    """The last step of `AdGD`, its ratio θ to the one before, and where it began."""

    lr: float
    ratio: float
    before: Point | None


@dataclass(frozen=True)
class AdGD(Projected):
    """Gradient descent whose steps follow the curvature that they meet, without a line search.

    lr ← min(√(2/3 + θ) lr, lr / √[2 lr² L² − 1]₊), where L = |g − g_old| / |x − x_old| and θ is the last ratio of steps:
    Malitsky & Mishchenko, "Adaptive proximal gradient method for convex optimization" (2023), who prove convergence for convex f.
    The first step is fitted to L, 1/√2 ≤ lr L ≤ 2. A step to where f is not finite is halved.

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("adgd").takes_bounds
    True
    """

    name: ClassVar[str] = "adgd"

    def start(self, oracle: Oracle, point: Point) -> Adapted:  # noqa: ARG002 - it begins with the gradient
        return Adapted(unit_step(point.g), 1.0 / 3.0, None)

    def step(self, oracle: Oracle, point: Point, state: Adapted) -> Step:
        if state.before is None:
            new, lr = _fitted(oracle, point, state.lr)
            ratio = state.ratio
        else:
            new, lr = _finite(oracle, point, _adapted(state, point))
            ratio = lr / state.lr
        return Step(new, Adapted(lr, ratio, point), lr, stuck(new))


def _adapted(state: Adapted, point: Point) -> float:
    moved, turned = _distances(state.before or point, point)
    lr = math.sqrt(2.0 / 3.0 + state.ratio) * state.lr
    excess = 2.0 * (state.lr * turned / moved) ** 2 - 1.0 if moved else 0.0
    return min(lr, state.lr / math.sqrt(excess)) if excess > 0 else lr


def _distances(old: Point, new: Point) -> tuple[float, float]:
    """How far x moved and how far the gradient turned."""
    return dnrm2(new.x - old.x), dnrm2(new.g - old.g)


def _finite(oracle: Oracle, point: Point, lr: float) -> tuple[Point, float]:
    """The step ``lr``, or a shorter one, to a point with finite values."""
    for _ in range(TRIES):
        x = within_bounds(oracle, point.x - lr * point.g)
        new = Point(x, *oracle.value_and_gradient(x))
        if stuck(new) is None:
            break
        lr *= 0.5
    return new, lr


def _fitted(oracle: Oracle, point: Point, lr: float) -> tuple[Point, float]:
    """A first step with 1/√2 ≤ lr L ≤ 2."""
    for _ in range(TRIES):
        new, lr = _finite(oracle, point, lr)
        moved, turned = _distances(point, new)
        if not (moved and turned) or math.sqrt(0.5) <= lr * turned / moved <= 2.0:
            break
        lr = moved / turned
    return new, lr


EASE = 0.9
"""What L is multiplied by at every step of `NesterovRestart`; measured, 0.8 to 0.98 need about equally many gradients, and 1
a fifth to two thirds more on quadratics and Rosenbrock's function, and far more where curvature falls on the way."""


@dataclass(slots=True)
class Momentum:
    """The last point that descent reached, t of FISTA and the estimate L of the Lipschitz constant."""

    reached: Vector
    t: float
    lipschitz: float


@dataclass(frozen=True)
class NesterovRestart(Projected):
    """Nesterov's accelerated gradient, whose momentum starts again whenever it leads uphill.

    z = P(y − g(y) / L), y ← z + (t − 1) / t₊ (z − z_old), t₊ = (1 + √(1 + 4 t² L / L_old)) / 2: FISTA of Beck & Teboulle (2009)
    with their backtracking: L doubles until f(z) ≤ f(y) + g(y)·(z − y) + L/2 |z − y|². It is eased by a tenth before, as in
    TFOCS (Becker, Candès & Grant 2011), whose t this is. The gradient scheme of O'Donoghue & Candès, "Adaptive restart for
    accelerated gradient schemes" (2015), sets t = 1 when (y − z)·(z − z_old) > 0. The point of a step is y, so that an
    iteration takes one gradient; f is evaluated at z too.
    """

    name: ClassVar[str] = "nesterov_restart"

    def start(self, oracle: Oracle, point: Point) -> Momentum:
        """Estimate L from a second gradient, at a short way down: too small at most, and then it doubles."""
        x = within_bounds(oracle, point.x - 1e-3 * unit_step(point.g) * point.g)
        moved, turned = _distances(point, Point(x, math.nan, oracle.gradient(x)))
        lipschitz = turned / moved if moved and 0 < turned < math.inf else 1.0 / unit_step(point.g)
        return Momentum(point.x, 1.0, lipschitz)

    def step(self, oracle: Oracle, point: Point, state: Momentum) -> Step:
        z, bound = _descended(oracle, point, EASE * state.lipschitz)
        if z is None:
            promised = inner(point.g, projected_gradient(oracle, point)) / state.lipschitz
            return Step(point, state, 0.0, failure(point.f, promised))
        way = z - state.reached
        t = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * state.t**2 * bound / state.lipschitz))
        uphill = inner(point.x - z, way) > 0
        ahead = z if uphill else within_bounds(oracle, z + (state.t - 1.0) / t * way)
        new, after = evaluated(oracle, ahead), Momentum(z, 1.0 if uphill else t, bound)
        if stuck(new) is not None:  # momentum led out of the domain
            new, after = evaluated(oracle, z), Momentum(z, 1.0, bound)
        return Step(new, after, 1.0 / bound, stuck(new))


def evaluated(oracle: Oracle, x: Vector) -> Point:
    return Point(x, *oracle.value_and_gradient(x))


def _descended(oracle: Oracle, point: Point, lipschitz: float) -> tuple[Vector | None, float]:
    """P(y − g / L), and the first doubled L that bounds f there from above; None where none does."""
    first = 1.0 / lipschitz
    for _ in range(TRIES):
        z = within_bounds(oracle, point.x - point.g / lipschitz)
        s = z - point.x
        promised = inner(point.g, s)
        if hopeless(point.f, promised, 1.0 / lipschitz, first):
            break
        bound = promised + 0.5 * lipschitz * inner(s, s) + rounding(point.f)
        if -math.inf < oracle.value(z) - point.f <= bound:
            return z, lipschitz
        lipschitz *= 2.0
    return None, lipschitz
