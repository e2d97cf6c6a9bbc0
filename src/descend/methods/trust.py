"""Newton's method in a trust region, its systems solved by truncated conjugate gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from scipy.linalg.blas import daxpy

from descend.domains import Interval
from descend.methods._inner import inner
from descend.methods._method import Method, Oracle, Point, Step, Vector
from descend.methods._status import Status
from descend.methods.lines import rounding
from descend.methods.newton import MOST_BLIND, STAYS_BLIND, why_no_better

_SHORTENINGS = 60


@dataclass(frozen=True, slots=True)
class Region:
    """What `NewtonCG` remembers: how far the quadratic model is trusted."""

    radius: float
    blind: int = 0
    """How many of the last steps in a row had no finite product with the Hessian."""


@dataclass(frozen=True, slots=True)
class ModelStep:
    """A step of the quadratic model ``m(p) = f + g·p + ½ p·Hp``."""

    p: Vector
    slope: float
    """g·p, below 0."""
    bend: float
    """p·Hp."""
    at_boundary: bool
    blind: bool = False
    """Whether the Hessian was not finite at all, so that it is a step down the gradient."""

    def promised(self, share: float) -> float:
        """The decrease that the model promises for ``share`` of the step, above 0 for shares of 1 and less."""
        return -share * (self.slope + 0.5 * share * self.bend)


@dataclass(frozen=True)
class NewtonCG(Method):
    """Newton's method in a trust region; it needs products of the Hessian with vectors, never the matrix.

    Conjugate gradients minimize the quadratic model until the residual is below ``min(½, √‖g‖) ‖g‖`` (convergence is then
    superlinear), the step leaves the region, or a direction of negative curvature is met and followed to the boundary. A step whose
    decrease falls short of the model's is shortened along itself (Nocedal & Yuan), which costs values only; so every iteration moves.

    Parameters
    ----------
    radius : the first radius of the trust region, in units of max(1, ‖x0‖∞)
    accept : the least ratio of the decrease of f to the model's with which a step is taken

    References
    ----------
    Steihaug, "The conjugate gradient method and trust regions in large scale optimization", SIAM J. Numer. Anal. 20, 1983.
    Nocedal, Wright, "Numerical Optimization", 2006, algorithms 4.1 and 7.2. Nocedal, Yuan, "Combining trust region and line search
    techniques", 1998. Conn, Gould, Toint, "Trust-Region Methods", 2000, section 17.4.2 (ratios near rounding).

    Examples
    --------
    >>> from descend.methods.trust import NewtonCG
    >>> NewtonCG(radius=0.1)
    NewtonCG(radius=0.1, accept=0.0001)
    """

    name: ClassVar[str] = "newton-cg"
    takes_hessian: ClassVar[bool] = True

    radius: float = 1.0
    accept: float = 1e-4

    def __post_init__(self) -> None:
        Interval(0.0, math.inf).check(self.radius, "radius", self.name)
        Interval(0.0, 0.25).check(self.accept, "accept", self.name)

    def start(self, oracle: Oracle, point: Point) -> Region:
        del oracle
        return Region(self.radius * max(1.0, float(np.abs(point.x).max(initial=0.0))))

    def step(self, oracle: Oracle, point: Point, state: Region) -> Step:
        if not (math.isfinite(point.f) and np.isfinite(point.g).all()):
            return Step(point, state, math.nan, Status.NON_FINITE)
        if not point.g.any():
            why = "The gradient is 0; only newton looks whether such a point is a saddle."
            return Step(point, state, math.nan, Status.GRADIENT, why)
        with np.errstate(all="ignore"):  # near the largest float64: judged by what comes out
            model = truncated_cg(partial(oracle.hessian_product, point.x), point.g, state.radius)
            blind = state.blind + 1 if model.blind else 0
            if blind > MOST_BLIND:
                return Step(point, state, math.nan, Status.NON_FINITE, STAYS_BLIND)
            return self._shortened(oracle, point, model, Region(state.radius, blind))

    def _shortened(self, oracle: Oracle, point: Point, model: ModelStep, region: Region) -> Step:
        """Take the model's step, or the first share of it with which f falls as the model promises."""
        radius, share, length = region.radius, 1.0, math.sqrt(inner(model.p, model.p))
        for _ in range(_SHORTENINGS):
            x = daxpy(model.p, point.x.copy(), a=share)
            f = oracle.value(x)
            ratio = _ratio(point.f, f, model.promised(share))
            if ratio > self.accept:
                taken = _taken(point, Point(x, f, oracle.gradient(x)), model.promised(share))
                if taken is not None:
                    full = _next_radius(ratio, radius, length, model.at_boundary)
                    reached = full if share == 1.0 else share * length
                    return Step(taken, Region(reached, region.blind), share)
            share *= _shrink(point.f, f, share * model.slope)
        ended = why_no_better(point, model.p, model.promised(1.0))
        return Step(point, Region(share * length, region.blind), math.nan, ended)


def _ratio(f: float, reached: float, promised: float) -> float:
    """The decrease of f over the promised one; both are credited with the rounding of f, so that it is 1 where rounding rules.

    Conn, Gould & Toint (2000), section 17.4.2, but for their max(1, |f|), which would let f rise by 2e-15 where it is far smaller.
    """
    if not math.isfinite(reached):
        return -math.inf
    credit = rounding(f)
    expected = promised + credit
    return (f - reached + credit) / expected if 0 < expected < math.inf else -math.inf


def _taken(point: Point, reached: Point, promised: float) -> Point | None:
    """The point reached; None where its gradient is not finite, or where f cannot show progress and the gradient shows none."""
    if not np.isfinite(reached.g).all():
        return None
    visible = promised > rounding(point.f) and reached.f < point.f
    smaller = inner(reached.g, reached.g) < inner(point.g, point.g)
    return reached if visible or smaller else None


def _next_radius(ratio: float, radius: float, length: float, at_boundary: bool) -> float:
    """Nocedal & Wright, algorithm 4.1, with a step's length for the radius where the step was the shorter."""
    if ratio < 0.25:
        return 0.25 * length if length < radius else 0.25 * radius
    if ratio > 0.75 and at_boundary:
        return 2.0 * radius
    return radius


def _shrink(f: float, reached: float, slope: float) -> float:
    """The minimum of the parabola through f, its slope and the value reached, kept in [0.1, 0.5]."""
    if not math.isfinite(reached):
        return 0.1
    bend = 2 * (reached - f - slope)
    return min(max(-slope / bend, 0.1), 0.5) if bend > 0 else 0.5


def truncated_cg(product: Callable[[Vector], Vector], g: Vector, radius: float) -> ModelStep:
    """Minimize ``g·p + ½ p·Hp`` over ‖p‖ ≤ radius by conjugate gradients (Steihaug 1983; Nocedal & Wright, algorithm 7.2).

    A product that is not finite ends it with the step so far; if it is the first, with the step down the gradient to the
    boundary. The loop ends after 2 n + 10 products: rounding may cost more than the n of exact arithmetic.

    Parameters
    ----------
    product : returns H v for v of shape (n,)
    g : the gradient, array of shape (n,), finite and not 0
    radius : the radius of the trust region

    Returns
    -------
    ModelStep
    """
    unit = float(
        np.abs(g).max()
    )  # the model over it has the same minimum, and its squares stay in range
    r = g / unit
    squared = inner(r, r)
    enough = squared * min(0.25, unit * math.sqrt(squared))
    d, p, hp = -r, np.zeros_like(g), np.zeros_like(g)
    for _ in range(2 * len(g) + 10):
        hd = product(d) / unit
        bend = inner(d, hd)
        if not math.isfinite(bend):
            break
        alpha = squared / bend if bend > 0 else math.inf
        room = _to_boundary(p, d, radius)
        if alpha >= room:
            return _model_step(p + room * d, hp + room * hd, g, unit, at_boundary=True)
        p, hp, r = daxpy(d, p, a=alpha), daxpy(hd, hp, a=alpha), daxpy(hd, r, a=alpha)
        before, squared = squared, inner(r, r)
        if squared <= enough:
            break
        d = daxpy(d, -r, a=squared / before)
    if not p.any():
        p = d * (radius / math.sqrt(squared))
        return ModelStep(p, inner(g, p), 0.0, at_boundary=True, blind=True)
    return _model_step(p, hp, g, unit, at_boundary=False)


def _to_boundary(p: Vector, d: Vector, radius: float) -> float:
    """The positive τ with ‖p + τ d‖ = radius, by the root that does not cancel: p·d ≥ 0 in conjugate gradients."""
    a, b, room = inner(d, d), inner(p, d), radius * radius - inner(p, p)
    divisor = b + math.sqrt(max(b * b + a * room, 0.0))
    return float(max(room, 0.0) / divisor) if divisor > 0 else 0.0


def _model_step(p: Vector, hp: Vector, g: Vector, unit: float, *, at_boundary: bool) -> ModelStep:
    """The step with the model's slope and curvature in units of f."""
    return ModelStep(p, inner(g, p), unit * inner(p, hp), at_boundary)
