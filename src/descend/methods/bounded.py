"""L-BFGS-B: limited-memory BFGS where every coordinate may have a least and a greatest value.

Byrd, Lu, Nocedal & Zhu (1995), "A limited memory algorithm for bound constrained optimization". Each iteration searches
towards the minimum of the quadratic model gᵀz + zᵀBz / 2 inside the box. Where that is not simply the minimum over the
coordinates that no bound holds, the projected gradient is followed to the first minimum of the model, which settles which
bounds are active. The path that the paper follows break by break is followed here for a whole block of breaks at once, by
cumulative sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgetrf, dgetrs

from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Step, Vector
from descend.methods.boxes import Box, Segment, box_of
from descend.methods.lines import Found, failure
from descend.methods.memory import DirectMemory, ended_by_rounding, learn, pairs_in
from descend.methods.searches import StrongWolfe

FIRST_BLOCK = 64
"""How many stops of the path are looked at together at first."""

SEARCH = StrongWolfe()
Solver = Callable[[Vector], Vector]
"""From b, one or several columns, to the solution of matrix x = b."""


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
    """Return the way from ``point`` towards the minimum of the model inside the box: to rounding, a descent direction.

    The model is first minimized over the coordinates that no bound holds at x, and if that leads to a point of the box, the
    model is nowhere lower on their face. Else it is minimized over those that are free at the Cauchy point, and projected
    (Morales & Nocedal 2011, "Remark on algorithm 778"). Where the projection `is_poor`, the step from the Cauchy point is cut
    at the first bound instead.
    """
    x = point.x
    try:
        path = Path.of(point, box, memory)
        at_x = path.corner(x, 0.0)
        lowest = lowest_beyond(at_x, point, memory, pulled=np.zeros(at_x.met.size))
        if not np.count_nonzero(box.nearest(lowest) != lowest):
            return lowest - x
        solve = _solver(memory.middle)
        cauchy = cauchy_point(path, point, box, memory, solve)
        pulled = solve(cauchy.met)
        lowest = lowest_beyond(cauchy, point, memory, pulled)
    except np.linalg.LinAlgError:  # a pivot of 0: as if nothing were known
        return box.nearest(x - point.g / memory.theta) - x
    direction = box.nearest(lowest) - x
    model = Model(point.g, memory, solve)
    if is_poor(direction, model, model.change(cauchy.x - x, cauchy.met, pulled)):
        beyond = lowest - cauchy.x
        share = min(1.0, box.reach(cauchy.x, beyond))
        direction = box.nearest(cauchy.x + share * beyond) - x
    return direction


@dataclass(slots=True)
class Model:
    """The change of f by a step z as far as the memory knows it: gᵀz + zᵀBz / 2, B = θ(I − WᵀQ⁻¹W)."""

    g: Vector
    memory: DirectMemory
    solve: Solver

    def change(self, z: Vector, met: Vector, pulled: Vector) -> float:
        """The value at z, from W z and Q⁻¹W z."""
        return inner(self.g, z) + 0.5 * self.memory.theta * (inner(z, z) - inner(met, pulled))


def is_poor(direction: Vector, model: Model, at_cauchy: float) -> bool:
    """Whether a projection leads uphill, or to where the model is above the Cauchy point.

    Morales & Nocedal ask for the first only. But in a curved valley a projection can lead downhill for the tiniest step only,
    and the run ends as if f could fall no more. More pairs than variables contradict each other unless f is a parabola, and
    no more is asked of such a model.
    """
    if pairs_in(model.memory) > direction.size:
        return not inner(model.g, direction) < 0
    met = model.memory.rows.dot(direction)
    return not model.change(direction, met, model.solve(met)) <= at_cauchy


@dataclass(slots=True)
class Corner:
    """A place on the path."""

    x: Vector
    free: NDArray[np.bool_]
    """The coordinates that have not come to a bound."""
    t: float
    turned: Vector
    """W d, where d is −g in free coordinates and 0 in the others."""
    met: Vector
    """W z, where z is the way here."""


@dataclass(slots=True)
class Path:
    """The path P(x − t g), t ≥ 0, and what is known where it stands: at first at x."""

    edges: Vector
    """Where each coordinate stops."""
    times: Vector
    """The t at which it does; 0 where a bound holds it at x."""
    direction: Vector
    left: float
    """|d|² of the coordinates that have not stopped."""
    turned: Vector
    """W d of these."""
    settled: Vector
    """W z of those that have."""

    @classmethod
    def of(cls, point: Point, box: Box, memory: DirectMemory) -> Path:
        x, g = point.x, point.g
        edges = np.where(g < 0, box.upper, box.lower)
        times = (x - edges) / g
        if np.count_nonzero(g) < g.size:  # what lies on a bound without a slope stays there
            level = g == 0
            edges[level] = x[level]
            times[level] = np.where((x > box.lower) & (x < box.upper), np.inf, 0.0)[level]
        d = np.where(times > 0, -g, 0.0)
        turned = memory.rows.dot(d)
        return cls(edges, times, d, inner(d, d), turned, np.zeros(turned.size))

    def corner(self, x: Vector, t: float) -> Corner:
        return Corner(x, self.times > t, t, self.turned, self.settled + t * self.turned)

    def first_minimum(self, memory: DirectMemory, solve: Solver) -> float:
        """Go to the first minimum of the model, and return its t."""
        bend = memory.theta * (self.left - inner(self.turned, solve(self.turned)))
        t = self.left / bend if bend > 0 else np.inf
        if t < np.inf and not np.count_nonzero((self.times > 0) & (self.times <= t)):
            return t
        stops = np.flatnonzero((self.times > 0) & (self.times < np.inf))
        if not stops.size:
            return 0.0
        stops = stops[self.times[stops].argsort()]
        begin, end = 0, FIRST_BLOCK
        while begin < stops.size:
            following = np.append(self.times[stops[begin + 1 : end + 1]], np.inf)[: end - begin]
            t = self._pass(stops[begin:end], following, memory, solve)
            if t < np.inf:
                return t
            begin, end = end, 3 * end
        return float(self.times[stops[-1]])

    def _pass(
        self, stops: NDArray[np.intp], following: Vector, memory: DirectMemory, solve: Solver
    ) -> float:
        """Pass ``stops`` up to the first minimum between one of them and the stop ``following`` it, and return its t.

        Infinity where there is none. With z(t) the way from x, slope and bend of the model are gᵀd + dᵀBz and dᵀBd.
        """
        t, d, rows = self.times[stops], self.direction[stops], memory.rows[:, stops]
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


def cauchy_point(path: Path, point: Point, box: Box, memory: DirectMemory, solve: Solver) -> Corner:
    """Return the first minimum of the model along ``path`` (Byrd et al., algorithm CP)."""
    t = path.first_minimum(memory, solve)
    there = box.nearest(point.x + t * path.direction)
    return path.corner(np.where(path.times > t, there, path.edges), t)


def lowest_beyond(corner: Corner, point: Point, memory: DirectMemory, pulled: Vector) -> Vector:
    """Return where the model is lowest over the coordinates that are free at ``corner``; it may lie outside the box.

    Byrd et al., section 5.1 (direct primal method): the step is −(r + Wᵀw)/θ with w = (Q − W Wᵀ)⁻¹W r and the slope
    r = g + θ(z − Wᵀp), p = Q⁻¹W z (``pulled``), all products over free coordinates. There z = −t g, so t drops
    out of the place reached, and W r is made of products that are known.
    """
    theta, gram = memory.theta, memory.gram_over(corner.free)
    slopes = (theta * corner.t - 1.0) * corner.turned - theta * gram.dot(pulled)
    weights = pulled - _solver(memory.middle - gram)(slopes) / theta
    lowest = point.x - point.g / theta + weights.dot(memory.rows)
    return np.where(corner.free, lowest, corner.x)


def _solver(matrix: Vector) -> Solver:
    """LAPACK's own factors: three times as quick as NumPy's way to them where there are 20 rows."""
    factors, pivots, info = dgetrf(matrix)
    if info:
        raise np.linalg.LinAlgError
    return lambda b: dgetrs(factors, pivots, b)[0]
