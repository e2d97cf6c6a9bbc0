"""Derivatives by differences: forward, central and complex steps, inside bounds, beside holes of the domain.

A step balances two errors. Forward differences are wrong by ``h |f''| / 2`` (truncation) and ``2 ε |f| / h`` (rounding), least at
h ~ ε^(1/2) of the size of x; central ones by ``h² |f'''| / 6`` and ``ε |f| / h``, least at h ~ ε^(1/3) [1]_.

References
----------
.. [1] J. Nocedal, S. J. Wright, Numerical Optimization, 2nd ed., Springer 2006, section 8.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend._minimize.scaling import units_of
from descend.methods._method import Vector

Function = Callable[[Vector], Any]
"""x of shape (n,) to a float or to an array, whose derivatives are rows."""

_IMAGINARY = 2.0**-66
"""Complex steps subtract nothing, so they may be so short that truncation is below rounding."""
_TINY = 1e-4
"""Where all of x0 is smaller, a step for numbers near 1 would be more than 1.5e-4 of x."""


@dataclass(frozen=True)
class Steps:
    """How far differences may go."""

    sizes: Vector
    """What counts as 1 in each coordinate, where x itself is smaller."""
    lower: Vector
    upper: Vector
    precision: float = 2.0**-52
    """The relative error of the function."""
    seen: Callable[[Vector], Vector] = np.ndarray.copy
    """x as the function gets it, rounded to its dtype: a step counts by what it is after rounding."""
    absolute: Any = None
    """Steps of the user's own, a number or one for each coordinate."""
    relative: Any = None
    """Steps of the user's own, times |x|."""

    def lengths(self, x: Vector, power: float) -> Vector:
        """Return the wished length of each step: all positive."""
        natural: Vector = self.precision**power * np.maximum(np.abs(x), self.sizes)
        if self.absolute is not None:
            return np.broadcast_to(np.abs(self.absolute), x.shape)
        if self.relative is not None:
            asked = np.abs(self.relative) * np.abs(x)
            return np.where(x + asked == x, natural, asked)
        return natural

    def hold(self, x: Vector) -> Any:
        """Whether each coordinate is within its bounds."""
        return (x >= self.lower) & (x <= self.upper)


Scheme = Callable[[Function, Vector, Any, Steps], Vector]
"""``scheme(f, x, f(x), steps)``: the derivatives, shape (n,) or one row a coordinate."""


def typical_sizes(x0: Vector) -> Vector:
    """Return what counts as 1 in each coordinate before anything but x0 is known, shape (n,).

    >>> typical_sizes(np.array([0.0, 3.0])), typical_sizes(np.array([2e-6, 1e-6]))
    (array([1., 1.]), array([1.5e-06, 1.5e-06]))
    """
    sizes = units_of(x0)
    known = np.abs(x0[x0 != 0])
    if known.size and (sizes == 1).all() and known.max() < _TINY:
        return np.full(x0.size, np.median(known))
    return sizes


def forward(f: Function, x: Vector, fx: Any, steps: Steps) -> Vector:
    """Return one-sided differences, n calls: away from 0, the other way at a bound or a hole."""
    if not _finite(fx):
        return _unknown(x, fx)
    x = steps.seen(x)
    with np.errstate(all="ignore"):
        h = np.where(x >= 0, 1.0, -1.0) * steps.lengths(x, 1 / 2)
        near, far = _into_bounds(x, h, steps), _into_bounds(x, -h, steps)
    fixed = near == x
    near, far = np.where(fixed, far, near), np.where(fixed, near, far)
    probe = _Probe(f, x)
    return np.array([_one_sided(probe, i, fx, near[i], far[i]) for i in range(x.size)])


def central(f: Function, x: Vector, fx: Any, steps: Steps) -> Vector:
    """Return two-sided differences, 2n calls; three points on one side at a bound or a hole."""
    if not _finite(fx):
        return _unknown(x, fx)
    x = steps.seen(x)
    with np.errstate(all="ignore"):
        h = steps.lengths(x, 1 / 3)
        low, high = steps.seen(x - h), steps.seen(x + h)
    probe = _Probe(f, x)
    return np.array([_two_sided(probe, i, fx, low[i], high[i], steps) for i in range(x.size)])


def complex_step(f: Callable[[Any], Any], x: Vector, fx: Any, steps: Steps) -> Vector:
    """Return ``Im f(x + ih) / h``, n calls, exact to rounding where ``f`` computes in complex numbers [1]_.

    References
    ----------
    .. [1] W. Squire, G. Trapp, SIAM Review 40 (1998) 110, equation 6.
    """
    if not _finite(fx):
        return _unknown(x, fx)
    rows = []
    z = x.astype(np.complex128)
    for i, h in enumerate(_IMAGINARY * np.maximum(np.abs(x), steps.sizes)):
        z[i] += 1j * h
        rows.append(np.imag(f(z)) / h)
        z[i] = x[i]
    return np.array(rows)


SCHEMES: dict[str, Scheme] = {"2-point": forward, "3-point": central, "cs": complex_step}


def derivative_along(gradient: Function, x: Vector, g: Vector, v: Vector, steps: Steps) -> Vector:
    """Return the Hessian at ``x`` times ``v``: a forward difference of gradients, one call.

    The step moves the coordinate that moves most, relative to its size, by ε^(1/2). Coordinates that a bound stops are
    moved the other way, by a second call.
    """
    x = steps.seen(x)
    with np.errstate(all="ignore"):
        fastest = np.max(np.abs(v) / np.maximum(np.abs(x), steps.sizes), initial=0.0)
        t = steps.precision**0.5 / fastest if fastest else 0.0
        if not np.isfinite(fastest) or not np.isfinite(g).all():
            return np.full(x.size, np.nan)
        fits = steps.hold(x + t * v)
    product = np.zeros(x.size)
    for part, sign in ((v * fits, 1.0), (v * ~fits, -1.0)):
        product += _secant(gradient, x, g, part, sign * t, steps)
    return product


def _secant(gradient: Function, x: Vector, g: Vector, v: Vector, t: float, steps: Steps) -> Vector:
    with np.errstate(all="ignore"):
        there = np.clip(x + t * v, steps.lower, steps.upper)
    if (there == x).all():
        return np.zeros(x.size)
    at = gradient(there)
    if not np.isfinite(at).all() and steps.hold(x - t * v).all():
        t = -t
        at = gradient(x + t * v)
    with np.errstate(all="ignore"):
        return np.asarray((at - g) / t)


def _into_bounds(x: Vector, h: Vector, steps: Steps) -> Vector:
    """Return x + h where bounds allow it, else x − h, else the bound that is farther away."""
    there, back = steps.seen(x + h), steps.seen(x - h)
    farther = np.where(steps.upper - x >= x - steps.lower, steps.upper, steps.lower)
    return np.where(steps.hold(there), there, np.where(steps.hold(back), back, farther))


class _Probe:
    """f along one coordinate at a time."""

    def __init__(self, f: Function, x: Vector) -> None:
        self.x = x
        self._f = f
        self._at = x.copy()

    def __call__(self, i: int, value: float) -> Any:
        self._at[i] = value
        result = self._f(self._at)
        self._at[i] = self.x[i]
        return result


def _one_sided(probe: _Probe, i: int, fx: Any, near: float, far: float) -> Any:
    x = probe.x[i]
    if near == x:  # bounds leave the coordinate no room: nothing depends on its slope
        return 0.0 * fx
    at = probe(i, near)
    if not _finite(at) and far not in {near, x}:
        other = probe(i, far)
        if _finite(other):
            near, at = far, other
    return _slope(at, fx, near - x)


def _two_sided(probe: _Probe, i: int, fx: Any, low: float, high: float, steps: Steps) -> Any:
    below, above = (probe(i, end) if _within(end, i, steps) else None for end in (low, high))
    if below is not None and above is not None:
        if _finite(below) and _finite(above):
            return _slope(above, below, high - low)
        if not (_finite(below) or _finite(above)):
            return _slope(above, below, high - low)
    if above is not None and (below is None or _finite(above)):
        return _three_points(probe, i, fx, high, above, steps)
    if below is not None:
        return _three_points(probe, i, fx, low, below, steps)
    return _narrow(probe, i, fx, steps)


def _three_points(probe: _Probe, i: int, fx: Any, end: float, at: Any, steps: Steps) -> Any:
    """Return the slope at x of the parabola through x, ``end`` and a point twice as far, where there is one."""
    x = probe.x[i]
    twice = x + 2 * (end - x)
    h1, h2 = end - x, twice - x
    if not _within(twice, i, steps):
        return _slope(at, fx, h1)
    beyond = probe(i, twice)
    if not _finite(beyond):
        return _slope(at, fx, h1)
    with np.errstate(all="ignore"):  # Lagrange's formula for steps that rounding made unequal
        return ((at - fx) * (h2 / h1) - (beyond - fx) * (h1 / h2)) / (h2 - h1)


def _narrow(probe: _Probe, i: int, fx: Any, steps: Steps) -> Any:
    """Return the slope in a box narrower than a step."""
    x = probe.x[i]
    low, high = steps.lower[i], steps.upper[i]
    if low == x == high:
        return 0.0 * fx
    above = fx if high == x else probe(i, high)
    below = fx if low == x else probe(i, low)
    return _slope(above, below, high - low)


def _within(value: float, i: int, steps: Steps) -> bool:
    return bool(steps.lower[i] <= value <= steps.upper[i])


def _slope(above: Any, below: Any, width: float) -> Any:
    with np.errstate(all="ignore"):
        return np.subtract(above, below) / width


def _unknown(x: Vector, fx: Any) -> Vector:
    return np.full(x.shape + np.shape(fx), np.nan)


def _finite(values: Any) -> bool:
    return bool(np.isfinite(values).all())
