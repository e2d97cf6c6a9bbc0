"""Boxes: the feasible points where coordinates have a least and a greatest value, and lines that end at their edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from descend.methods._inner import inner
from descend.methods._method import Oracle, Point, Vector
from descend.methods.lines import Found, Line, Trial

if TYPE_CHECKING:
    from descend.methods.searches import Straight


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


def box_of(oracle: Oracle, n: int) -> Box:
    """The bounds of the oracle, infinite where it has none."""
    lower = np.full(n, -np.inf) if oracle.lower is None else oracle.lower
    upper = np.full(n, np.inf) if oracle.upper is None else oracle.upper
    return Box(lower, upper)


def within_bounds(oracle: Oracle, x: Vector) -> Vector:
    """Return the feasible point nearest to ``x``: ``x`` itself without bounds."""
    return box_of(oracle, x.size).nearest(x) if oracle.has_bounds else x


def projected_gradient(oracle: Oracle, point: Point) -> Vector:
    """Return x − P(x − g), shape (n,): g without bounds, and 0 exactly where no feasible direction leads down."""
    if not oracle.has_bounds:
        return point.g
    return point.x - within_bounds(oracle, point.x - point.g)


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
