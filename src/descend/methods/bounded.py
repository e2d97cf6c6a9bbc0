"""L-BFGS-B: limited-memory BFGS where every coordinate may have a least and a greatest value.

Byrd, Lu, Nocedal & Zhu (1995), "A limited memory algorithm for bound constrained optimization". Each iteration follows the
projected gradient to the first minimum of the quadratic model, which settles which bounds are active; minimizes the model
over the other coordinates; and searches from x towards that point. The path that the paper follows break by break is
followed here for a whole block of breaks at once, by cumulative sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgetrf, dgetrs

from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Step, Vector
from descend.methods.lines import Found, Line, Trial, failure
from descend.methods.memory import DirectMemory, ended_by_rounding, learn
from descend.methods.searches import Straight, StrongWolfe

FIRST_BLOCK = 64
"""How many stops of the path are looked at together at first."""

SEARCH = StrongWolfe()


@dataclass(frozen=True, slots=True)
class Box:
    """The feasible points: lower ≤ x ≤ upper."""

    lower: Vector
    upper: Vector

    def nearest(self, x: Vector) -> Vector:
        return np.minimum(np.maximum(x, self.lower), self.upper)

    def reach(self, x: Vector, direction: Vector) -> float:
        """The longest step along ``direction`` from ``x``, which is inside, that stays there."""
        edges = np.where(direction > 0, self.upper, self.lower)
        return float(np.fmin.reduce(np.abs((edges - x) / direction), initial=np.inf))


def has_bounds(oracle: Oracle) -> bool:
    return oracle.lower is not None or oracle.upper is not None


def box_of(oracle: Oracle, n: int) -> Box:
    """The bounds of the oracle, infinite where it has none."""
    lower = np.full(n, -np.inf) if oracle.lower is None else oracle.lower
    upper = np.full(n, np.inf) if oracle.upper is None else oracle.upper
    return Box(lower, upper)


def projected_gradient(oracle: Oracle, point: Point) -> Vector:
    """Return x − P(x − g), shape (n,): g without bounds, and 0 exactly where no feasible direction leads down."""
    if oracle.lower is None and oracle.upper is None:
        return point.g
    return point.x - box_of(oracle, point.x.size).nearest(point.x - point.g)


def advance(oracle: Oracle, point: Point, memory: DirectMemory) -> Step:
    """Run one iteration of L-BFGS-B; when the search fails, one more from an empty memory."""
    box = box_of(oracle, point.x.size)
    if not memory.count and not np.array_equal(inside := box.nearest(point.x), point.x):
        return Step(Point(inside, *oracle.value_and_gradient(inside)), memory, 0.0)
    direction, found = _towards_minimum(oracle, point, box, memory)
    if found is None:
        promised = 0.5 * inner(point.g, direction)
        if memory.count:
            memory.forget()
            direction, found = _towards_minimum(oracle, point, box, memory)
        if found is None:
            return Step(point, memory, 0.0, failure(point.f, promised))
    learn(memory, point, found.point)
    return Step(found.point, memory, found.lr, ended_by_rounding(memory, point, found.point))


def _towards_minimum(
    oracle: Oracle, point: Point, box: Box, memory: DirectMemory
) -> tuple[Vector, Found | None]:
    """Search along the direction to the minimum of the model; the first step of all is short unless the box is."""
    with np.errstate(all="ignore"):
        direction = feasible_direction(point, box, memory)
        first = 1.0
        if not memory.count and np.isinf(box.upper - box.lower).any():
            first = 1.0 / max(1.0, float(np.linalg.norm(direction)))
        return direction, SEARCH.along(Segment(oracle, point, direction, box), first)


def feasible_direction(point: Point, box: Box, memory: DirectMemory) -> Vector:
    """Return the way from ``point`` to the minimum of the model inside the box, a descent direction.

    Leaving the box, the minimum over the free coordinates is projected (Morales & Nocedal 2011, "Remark on algorithm 778").
    Where the model there is above the Cauchy point, the step from that is cut at the first bound instead. They cut it only
    where the projection leads uphill; one that is almost level passes so, and ends a search with steps that are lost.
    """
    x, theta = point.x, memory.theta
    try:
        solve = _solver(memory.middle)
        cauchy = cauchy_point(point, box, memory, solve)
        lowest = lowest_beyond(cauchy, point, memory)
    except np.linalg.LinAlgError:  # pairs that are the same to rounding: as if nothing were known
        return box.nearest(x - point.g / theta) - x
    inside = box.nearest(lowest)
    direction = inside - x
    if np.count_nonzero(inside != lowest):
        met = memory.rows.dot(direction)
        fall = _model(point.g, theta, direction, met, solve(met))
        if not fall <= _model(point.g, theta, cauchy.x - x, cauchy.met, cauchy.pulled):
            beyond = lowest - cauchy.x
            share = min(1.0, box.reach(cauchy.x, beyond))
            direction = box.nearest(cauchy.x + share * beyond) - x
    return direction


def _model(g: Vector, theta: float, z: Vector, met: Vector, pulled: Vector) -> float:
    """gᵀz + zᵀBz / 2, by how much the model changes with a step z, from W z and Q⁻¹W z."""
    return inner(g, z) + 0.5 * theta * (inner(z, z) - inner(met, pulled))


@dataclass(slots=True)
class Cauchy:
    """The first minimum of the model along P(x − t g), t ≥ 0."""

    x: Vector
    free: NDArray[np.bool_]
    """The coordinates that have not come to a bound."""
    t: float
    turned: Vector
    """W d, where d is −g in free coordinates and 0 in the others."""
    met: Vector
    """W z, where z is the way here."""
    pulled: Vector
    """Q⁻¹ W z."""


def cauchy_point(
    point: Point, box: Box, memory: DirectMemory, solve: Callable[[Vector], Vector]
) -> Cauchy:
    """Find the first minimum of the model along the projected gradient (Byrd et al., algorithm CP)."""
    x, g = point.x, point.g
    edges = np.where(g < 0, box.upper, box.lower)
    times = (x - edges) / g
    if np.count_nonzero(g) < g.size:  # what lies on a bound without a slope stays there
        level = g == 0
        edges[level] = x[level]
        times[level] = np.where((x > box.lower) & (x < box.upper), np.inf, 0.0)[level]
    direction = np.where(times > 0, -g, 0.0)
    t, path = _first_minimum(direction, times, memory, solve)
    free = times > t
    there = np.where(free, box.nearest(x + t * direction), edges)
    met = path.settled + t * path.turned
    return Cauchy(there, free, t, path.turned, met, solve(met))


def _first_minimum(
    direction: Vector, times: Vector, memory: DirectMemory, solve: Callable[[Vector], Vector]
) -> tuple[float, _Path]:
    """How far the model falls along the bent path on which coordinate i stops at ``times[i]``, and the path to there."""
    left, turned = inner(direction, direction), memory.rows.dot(direction)
    path = _Path(left, turned, np.zeros(turned.size))
    bend = memory.theta * (left - inner(turned, solve(turned)))
    t = left / bend if bend > 0 else np.inf
    if t < np.inf and not np.count_nonzero((times > 0) & (times <= t)):
        return t, path
    stops = np.flatnonzero((times > 0) & (times < np.inf))
    if not stops.size:
        return 0.0, path
    stops = stops[times[stops].argsort()]
    begin, end = 0, FIRST_BLOCK
    while begin < stops.size:
        following = np.append(times[stops[begin + 1 : end + 1]], np.inf)[: end - begin]
        t = path.follow(stops[begin:end], following, direction, times, memory, solve)
        if t < np.inf:
            return t, path
        begin, end = end, 3 * end
    return float(times[stops[-1]]), path


@dataclass(slots=True)
class _Path:
    """Where the path stands after the stops that were passed: |d|², W d and W z of the coordinates that stopped."""

    left: float
    turned: Vector
    settled: Vector

    def follow(
        self,
        stops: NDArray[np.intp],
        following: Vector,
        direction: Vector,
        times: Vector,
        memory: DirectMemory,
        solve: Callable[[Vector], Vector],
    ) -> float:
        """Pass ``stops`` up to the first minimum between one of them and the stop ``following`` it, and return where it is.

        Infinity where there is none. With z(t) the way from x, slope and bend of the model are gᵀd + dᵀBz and dᵀBd, and
        B = θ(I − WᵀQ⁻¹W).
        """
        t, d, rows = times[stops], direction[stops], memory.rows[:, stops]
        left = np.maximum(self.left - (d * d).cumsum(), 0.0)
        turned = self.turned[:, None] - (d * rows).cumsum(axis=1)
        settled = self.settled[:, None] + (t * d * rows).cumsum(axis=1)
        pulled = solve(turned)
        slope = memory.theta * (t * left - (pulled * (settled + t * turned)).sum(axis=0)) - left
        bend = memory.theta * (left - (pulled * turned).sum(axis=0))
        further = np.divide(-slope, bend, out=np.full_like(t, np.inf), where=bend > 0)
        lowest = t + np.where(slope >= 0, 0.0, further)
        there = (lowest <= following) & (t < following) & (lowest < np.inf)
        last = int(there.argmax()) if there.any() else -1
        self.left, self.turned, self.settled = float(left[last]), turned[:, last], settled[:, last]
        return float(lowest[last]) if there.any() else np.inf


def lowest_beyond(cauchy: Cauchy, point: Point, memory: DirectMemory) -> Vector:
    """Return where the model is lowest over the coordinates that are free at the Cauchy point; it may lie outside the box.

    Byrd et al., section 5.1 (direct primal method): the step is −(r + Wᵀw)/θ with w = (Q − W Wᵀ)⁻¹W r and the slope
    r = g + θ(z − Wᵀp), p = Q⁻¹W z, all products over free coordinates. There z = −t g, so t drops out of the place reached,
    and W r is made of products that are known.
    """
    theta, gram = memory.theta, memory.gram_over(cauchy.free)
    slopes = (theta * cauchy.t - 1.0) * cauchy.turned - theta * gram.dot(cauchy.pulled)
    weights = cauchy.pulled - _solver(memory.middle - gram)(slopes) / theta
    lowest = point.x - point.g / theta + weights.dot(memory.rows)
    return np.where(cauchy.free, lowest, cauchy.x)


def _solver(matrix: Vector) -> Callable[[Vector], Vector]:
    """The solution x of matrix x = b as a function of b; LAPACK alone takes a third of the time of NumPy's way to it."""
    factors, pivots, info = dgetrf(matrix)
    if info:
        raise np.linalg.LinAlgError
    return lambda b: dgetrs(factors, pivots, b)[0]


class Segment(Line):
    """The part of a line inside the box. Longer steps end at its edge, where a slope that leads out is no reason to go on."""

    def __init__(self, oracle: Oracle, point: Point, direction: Vector, box: Box) -> None:
        super().__init__(oracle, point, direction)
        self.box = box

    @cached_property
    def most(self) -> float:
        """The longest step, at least 1: the direction itself ends inside."""
        return max(1.0, self.box.reach(self.start.point.x, self.direction))

    def at(self, lr: float) -> Trial:
        if lr > 1.0:
            lr = min(lr, self.most)
        x = self.box.nearest(self.start.point.x + lr * self.direction)
        f, g = self.oracle.value_and_gradient(x)
        slope = inner(g, self.direction)
        if slope < 0 and lr >= 1.0 and lr == self.most:
            slope = 0.0
        return self.keep(Trial(lr, f, slope, Point(x, f, g)))


def along_segment(search: Straight, oracle: Oracle, point: Point, first: float) -> Found | None:
    """Search from x to P(x − first g) and on to the edge of the box; the step found is one along −g."""
    box = box_of(oracle, point.x.size)
    direction = box.nearest(point.x - first * point.g) - point.x
    with np.errstate(all="ignore"):
        found = search.along(Segment(oracle, point, direction, box), 1.0)
    return None if found is None else Found(found.point, first * found.lr)
