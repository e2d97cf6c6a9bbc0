"""A function in other units of x: coordinates of very different sizes become numbers near 1.

Units are powers of two, because multiplying by one is exact: ``units * (x / units)`` is x bit for bit, so a run
may change units anywhere, f is the same number, and bounds are met exactly in both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from descend.methods._method import Oracle, Point, Vector

ABOVE, BELOW = 10.0, 1e-4
"""Sizes of x0 need units where the largest is so many times the middle one, or the smallest so much less: a single small entry of a
start taken at random is near 0 by chance and tells of no unit, a single large one does."""
FEW = 10
"""Of more sizes, some are always near 0 by chance; see `_told`."""
BY_CHANCE = 0.01
"""Of n numbers that differ from 0 by chance, the least is under this / n of the middle one about once in a hundred times."""
NEAR = 10.0
"""A factor within which all sizes are alike, whichever is the middle one."""
APART = 100.0
"""From this spread of |x| / units on, other units are worth a restart."""

_EXTREME = 300
"""Greatest exponent of a unit: the square of it, in a Hessian, is still a float."""
_LEAST = 2.0**-26
"""Least unit at a restart relative to the old: a coordinate on its way to 0 has no size of its own."""


def powers_of_two(sizes: Vector) -> Vector:
    """Return the nearest power of two to each of ``sizes``, which are positive.

    >>> powers_of_two(np.array([0.3, 1.0, 1000.0]))
    array([2.500e-01, 1.000e+00, 1.024e+03])
    """
    exponents = np.clip(np.rint(np.log2(sizes)), -_EXTREME, _EXTREME)
    units: Vector = np.ldexp(1.0, exponents.astype(int))
    return units


def units_of(x0: Vector) -> Vector:
    """Return the units to start in, shape (n,): ones where the sizes in ``x0`` are alike.

    >>> units_of(np.array([0.5, 0.0, -5.0])), units_of(np.array([1e-4, 0.0, -16.0, 8.0]))
    (array([1., 1., 1.]), array([1.22070312e-04, 8.00000000e+00, 1.60000000e+01, 8.00000000e+00]))
    """
    sizes = np.abs(x0)
    known = (sizes > 0) & np.isfinite(sizes)
    if not known.any():
        return np.ones(x0.size)
    told = _told(sizes[known])
    if not _outlying(told).any():
        return np.ones(x0.size)
    units = np.full(x0.size, np.median(sizes[known]))
    units[known] = told
    return powers_of_two(units)


def _middle(sizes: Vector) -> float:
    return float(np.exp(np.median(np.log(sizes))))


def _outlying(sizes: Vector) -> NDArray[np.bool_]:
    """Which of the ``sizes`` lie so far from the middle one that they tell of a unit of their own."""
    middle, n = _middle(sizes), sizes.size
    below = BELOW if n <= FEW else BY_CHANCE / n
    return (sizes > ABOVE * middle) | (sizes < below * middle)


def _told(sizes: Vector) -> Vector:
    """The ``sizes`` as far as they tell of units: among many alike, those that may differ by chance are all the middle one.

    Sizes are alike where a tenth at most is above ten times the middle one, and a tenth at most below a hundredth of it.
    """
    n = sizes.size
    if n <= FEW:
        return sizes
    middle, ordered = _middle(sizes), np.sort(sizes)
    if ordered[n // 10] < 0.01 * middle or ordered[-1 - n // 10] > ABOVE * middle:
        return sizes
    return np.where(_outlying(sizes), sizes, middle)


def units_at(x: Vector, units: Vector) -> Vector:
    """Return the units of the point ``x`` that a run in ``units`` reached; a coordinate at 0 keeps its own."""
    sizes = np.abs(x)
    known = (sizes > 0) & np.isfinite(sizes)
    in_units = np.where(known, np.maximum(sizes, _LEAST * units), units) / units
    return powers_of_two(units * _told(in_units))


def differ(units: Vector, x: Vector) -> bool:
    """Whether a restart in the units of ``x`` is worth it: they spread more than 100 times in the old.

    >>> differ(np.ones(2), np.array([1.0, 50.0])), differ(np.ones(2), np.array([1e-3, 1.0]))
    (False, True)
    """
    spread = units_at(x, units) / units
    return bool(np.isfinite(x).all() and spread.max() > APART * spread.min())


class Scaled(Oracle):
    """Another oracle as a function of ``u = x / units``.

    Parameters
    ----------
    oracle : Oracle
        The function of x.
    units : array of shape (n,)
        Powers of two; see `powers_of_two`.
    """

    def __init__(self, oracle: Oracle, units: Vector) -> None:
        self.n = oracle.n
        self.units = units
        self.lower = None if oracle.lower is None else oracle.lower / units
        self.upper = None if oracle.upper is None else oracle.upper / units
        self.has_hessian = oracle.has_hessian
        self._oracle = oracle
        self._u: Vector | None = None
        self._x = units

    def value(self, x: Vector) -> float:
        return self._oracle.value(self.there(x))

    def gradient(self, x: Vector) -> Vector:
        return self._in_units(self._oracle.gradient(self.there(x)))

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        f, g = self._oracle.value_and_gradient(self.there(x))
        return f, self._in_units(g)

    def hessian(self, x: Vector) -> Vector:
        h = self._oracle.hessian(self.there(x))
        with np.errstate(all="ignore"):
            return h * self.units * self.units[:, None]

    def hessian_product(self, x: Vector, v: Vector) -> Vector:
        with np.errstate(all="ignore"):
            along = v * self.units
        return self._in_units(self._oracle.hessian_product(self.there(x), along))

    def there(self, u: Vector) -> Vector:
        """Return x at ``u``: the very array at which the function is asked."""
        if (
            u is not self._u
        ):  # the oracle knows its x again by identity: the gradient after the value
            with np.errstate(all="ignore"):
                self._x = u * self.units
            self._u = u
        return self._x

    def point(self, point: Point) -> Point:
        """Return a point of the function of x in these units."""
        with np.errstate(all="ignore"):
            return Point(point.x / self.units, point.f, point.g * self.units)

    def point_back(self, point: Point) -> Point:
        """Return a point in these units as one of the function of x."""
        with np.errstate(all="ignore"):
            return Point(self.there(point.x), point.f, point.g / self.units)

    def _in_units(self, g: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return g * self.units
