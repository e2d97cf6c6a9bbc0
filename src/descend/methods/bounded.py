"""L-BFGS-B: limited-memory BFGS where every coordinate may have a least and a greatest value.

Byrd, Lu, Nocedal & Zhu (1995), "A limited memory algorithm for bound constrained optimization". Each iteration follows the
projected gradient to the first minimum of the quadratic model, which settles which bounds are active; minimizes the model
over the other coordinates; and searches from x towards that point. The path that the paper follows break by break is
followed here for a whole block of breaks at once, by cumulative sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesv

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
        return x.clip(self.lower, self.upper)

    def reach(self, x: Vector, direction: Vector) -> float:
        """The longest step along ``direction`` from ``x`` that stays inside, at least 0."""
        moving = direction != 0
        edges = np.where(direction > 0, self.upper, self.lower)
        return float(((edges - x)[moving] / direction[moving]).min(initial=np.inf).clip(0.0))


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
    inside = point.x if memory.count else box.nearest(point.x)
    if not np.array_equal(inside, point.x):
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
        line = Segment(oracle, point, direction, box)
        first = 1.0
        if not memory.count and np.isinf(box.upper - box.lower).any():
            first = 1.0 / max(1.0, float(np.linalg.norm(direction)))
    if not -np.inf < line.start.slope < 0:
        return direction, None
    return direction, SEARCH._narrow(line, line.at(first))  # noqa: SLF001 - the search on a line of our own


def feasible_direction(point: Point, box: Box, memory: DirectMemory) -> Vector:
    """Return the way from ``point`` to the minimum of the model inside the box, a descent direction.

    Leaving the box, the minimum over the free coordinates is projected; where that is no descent, the step to it is cut at
    the first bound (Morales & Nocedal 2011, "Remark on algorithm 778").
    """
    try:
        inverse = _solved(memory.middle, np.eye(len(memory.middle)))
        cauchy = cauchy_point(point, box, memory, inverse)
        beyond = subspace_step(point, cauchy, box, memory, inverse)
    except np.linalg.LinAlgError:  # pairs that are the same to rounding: as if nothing were known
        return box.nearest(point.x - point.g / memory.theta) - point.x
    direction = box.nearest(cauchy + beyond) - point.x
    if not inner(point.g, direction) < 0:
        share = min(1.0, box.reach(cauchy, beyond))
        direction = box.nearest(cauchy + share * beyond) - point.x
    return direction


def cauchy_point(point: Point, box: Box, memory: DirectMemory, inverse: Vector) -> Vector:
    """Return the first minimum of the model along P(x − t g), t ≥ 0 (Byrd et al., algorithm CP)."""
    x, g = point.x, point.g
    to_edge = x - np.where(g < 0, box.upper, box.lower)
    times = np.divide(to_edge, g, out=np.full(g.size, np.inf), where=g != 0)
    direction = np.where(times > 0, -g, 0.0)
    t = _first_minimum(direction, times, memory, inverse)
    return box.nearest(x + t * direction) if t < np.inf else x


def _first_minimum(
    direction: Vector, times: Vector, memory: DirectMemory, inverse: Vector
) -> float:
    """How far the model falls along the bent path on which coordinate i stops at ``times[i]``."""
    left, turned = inner(direction, direction), memory.rows.dot(direction)
    bend = memory.theta * (left - turned.dot(inverse).dot(turned))
    t = left / bend if bend > 0 else np.inf
    stops = np.flatnonzero((times > 0) & (times < np.inf))
    if not stops.size or t <= times[stops].min():
        return t
    stops = stops[times[stops].argsort()]
    path = _Path(left, turned, np.zeros_like(turned))
    begin, end = 0, FIRST_BLOCK
    while begin < stops.size:
        following = np.append(times[stops[begin + 1 : end + 1]], np.inf)[: end - begin]
        t = path.follow(stops[begin:end], following, direction, times, memory, inverse)
        if t < np.inf:
            return t
        begin, end = end, 3 * end
    return float(times[stops[-1]])


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
        inverse: Vector,
    ) -> float:
        """Return the first minimum between one of ``stops`` and the stop ``following`` it, inf where there is none.

        With z(t) the way from x, slope and bend of the model are gᵀd + dᵀBz and dᵀBd, and B = θ(I − WᵀQ⁻¹W).
        """
        t, d, rows = times[stops], direction[stops], memory.rows[:, stops]
        left = np.maximum(self.left - (d * d).cumsum(), 0.0)
        turned = self.turned[:, None] - (d * rows).cumsum(axis=1)
        settled = self.settled[:, None] + (t * d * rows).cumsum(axis=1)
        pulled = inverse.dot(turned)
        slope = memory.theta * (t * left - (pulled * (settled + t * turned)).sum(axis=0)) - left
        bend = memory.theta * (left - (pulled * turned).sum(axis=0))
        further = np.divide(-slope, bend, out=np.full_like(t, np.inf), where=bend > 0)
        lowest = t + np.where(slope >= 0, 0.0, further)
        there = (lowest <= following) & (t < following) & (lowest < np.inf)
        self.left, self.turned, self.settled = float(left[-1]), turned[:, -1], settled[:, -1]
        return float(lowest[there.argmax()]) if there.any() else np.inf


def subspace_step(
    point: Point, cauchy: Vector, box: Box, memory: DirectMemory, inverse: Vector
) -> Vector:
    """Return the step from ``cauchy`` to the minimum of the model over the coordinates that are on no bound there.

    Byrd et al., section 5.1 (direct primal method): −(r + Wᵀ(Q − W Wᵀ)⁻¹W r)/θ with all products over free coordinates.
    """
    free = (cauchy > box.lower) & (cauchy < box.upper)
    z = cauchy - point.x
    model = point.g + memory.theta * (z - memory.rows.dot(z).dot(inverse).dot(memory.rows))
    r = np.where(free, model, 0.0)
    inside = memory.middle - _gram_of(free, memory)
    weights = _solved(inside, memory.rows.dot(r))
    return np.where(free, -(r + weights.dot(memory.rows)) / memory.theta, 0.0)


def _solved(matrix: Vector, right: Vector) -> Vector:
    """The solution X of matrix X = right; LAPACK alone takes a third of the time of NumPy's way to it where there are 20 rows."""
    _, _, solution, info = dgesv(matrix, right)
    if info:
        raise np.linalg.LinAlgError
    return solution  # type: ignore[no-any-return]


def _gram_of(free: NDArray[np.bool_], memory: DirectMemory) -> Vector:
    """W Wᵀ over the free coordinates, by way of the fewer ones."""
    count = np.count_nonzero(free)
    if count == free.size:
        return memory.gram
    if 2 * count > free.size:
        rest = memory.rows[:, ~free]
        return memory.gram - rest @ rest.T
    rows = memory.rows[:, free]
    return rows @ rows.T


class Segment(Line):
    """The part of a line inside the box. Longer steps end at its edge, where a slope that leads out is no reason to go on."""

    __slots__ = ("box", "most")

    def __init__(self, oracle: Oracle, point: Point, direction: Vector, box: Box) -> None:
        super().__init__(oracle, point, direction)
        self.box = box
        self.most = max(1.0, box.reach(point.x, direction))

    def at(self, lr: float) -> Trial:
        lr = min(lr, self.most)
        x = self.box.nearest(self.start.point.x + lr * self.direction)
        f, g = self.oracle.value_and_gradient(x)
        slope = inner(g, self.direction)
        if lr == self.most and slope < 0:
            slope = 0.0
        return self.keep(Trial(lr, f, slope, Point(x, f, g)))


def along_segment(search: Straight, oracle: Oracle, point: Point, first: float) -> Found | None:
    """Search from x to P(x − first g) and on to the edge of the box; the step found is one along −g."""
    box = box_of(oracle, point.x.size)
    direction = box.nearest(point.x - first * point.g) - point.x
    found = search.along(Segment(oracle, point, direction, box), 1.0)
    return None if found is None else Found(found.point, first * found.lr)
