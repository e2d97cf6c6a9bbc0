"""The laws that falling errors follow: e ~ ρ^k, e ~ k^-p, and orders above 1; and the f* that errors are measured from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_FEWEST = 4  # rows with a visible error: two ratios of successive falls


class Fit(NamedTuple):
    """A straight line through log e."""

    value: float
    """p of k^-p or ρ of ρ^k."""
    r2: float
    fmin: float
    """The f* that e was measured from."""
    first: int
    last: int
    """The rows fitted: from ``first`` to before ``last``."""


class Limit(NamedTuple):
    """An extrapolated f* and how far it may be off."""

    fmin: float
    error: float


def _aitken(a: float, b: float, c: float) -> float:
    """The limit of a sequence whose errors fall by one factor from a to b to c; nan where they do not."""
    first, second = b - a, c - b
    if abs(second) <= 8 * _EPS * abs(c):
        return c
    return c - second**2 / (second - first) if first < second < 0 else math.nan


def _limit(f: Vector, extrapolated: Callable[[Vector], float]) -> Limit:
    """f* by the whole run, and how much it differs from that without the last eighth."""
    fmin, before = extrapolated(f), extrapolated(f[: -max(1, len(f) // 8)])
    return Limit(fmin, abs(fmin - before) if math.isfinite(before) else abs(fmin - f[-1]))


def _by_distance(f: Vector) -> float:
    """f* by equally spaced rows, as near to the end as shows the error shrink to a quarter, or n/4 apart.

    Even distances, where the run is long enough: steps of steepest descent come in pairs. Where values rise and fall on the way to
    a minimum that they have reached, f* is the least of them.
    """
    last = len(f) - 1
    widest = max(1, last // 4 - last // 4 % 2)
    for apart in sorted({min(2**i, widest) for i in range(last.bit_length())}):
        a, b, c = f[[last - 2 * apart, last - apart, last]]
        fmin = _aitken(a, b, c)
        if math.isfinite(fmin) and (apart == widest or abs(c - b) <= 0.25 * abs(b - a)):
            return fmin
    least = float(f.min())
    reached = f[3 * last // 4] - least <= 1e-6 * (f[0] - least)
    return least if reached else math.nan


def _by_doubling(f: Vector) -> float:
    """f* by the rows n/4, n/2 and n."""
    last = len(f) - 1
    return _aitken(*f[[last // 4, last // 2, last]])


def fits(f: Vector, fmin: float | None) -> tuple[Fit, Fit]:
    """The fits of ρ^k and of k^-p."""
    fits = []
    for extrapolated, law in ((_by_distance, np.asarray), (_by_doubling, np.log)):
        usable = len(f) > _FEWEST and bool(np.isfinite(f).all())
        known = Limit(math.nan, 0.0) if not usable else _limit(f, extrapolated)
        limit = known if fmin is None else Limit(fmin, 0.0)
        e = visible(f, limit.fmin, limit.error) if usable else f[:0]
        fits.append(_fit(e, law, limit.fmin))
    linear, power = fits
    return linear._replace(value=math.exp(linear.value)), power._replace(value=-power.value)


def visible(f: Vector, fmin: float, error: float) -> Vector:
    """The errors f − f* of the rows before the first that f*'s own error or rounding hides."""
    e = f - fmin
    hidden = ~(e > max(5 * error, 64 * _EPS * abs(fmin)))
    return e[: int(hidden.argmax())] if hidden.any() else e


def _fit(e: Vector, law: Callable[[Vector], Vector], fmin: float) -> Fit:
    first, last = max(1, len(e) // 4), len(e)
    if last - first < _FEWEST - 1:
        return Fit(math.nan, math.nan, fmin, first, last)
    t, y = law(np.arange(first, last, dtype=np.float64)), np.log(e[first:])
    t, y = t - t.mean(), y - y.mean()
    slope = float(t @ y / (t @ t))
    rest = y - slope * t
    return Fit(slope, float(1 - rest @ rest / (y @ y)) if y.any() else 0.0, fmin, first, last)


def better(a: Fit, b: Fit) -> bool:
    """Whether ``a`` leaves less than half of the scatter that ``b`` leaves."""
    return math.isfinite(a.r2) and not 1 - a.r2 >= 0.5 * (1 - b.r2)


def order_of(e: Vector) -> tuple[float, str]:
    """The ratio of the last falls of log e, and "quadratic", "superlinear" or nothing.

    Where log e = C qᵏ, the ratios log eₖ₊₁ / log eₖ of Nocedal & Wright's definition tend to q only as e nears 0; those of the
    differences are q from the start, in every unit of f.
    """
    falls = -np.diff(np.log(e))
    if len(falls) < _FEWEST - 1:
        return math.nan, ""
    orders = falls[-2:] / falls[-3:-1]
    order = float(orders.mean())
    if falls[-1] > math.log(100) and falls[-3] > 0 and orders.min() > 1.5 and orders.max() < 3:
        return order, "quadratic"
    part = max(2, len(falls) // 4)
    late, early = falls[-part:].mean(), falls[-2 * part : -part].mean()
    return order, "superlinear" if late > 1.0 and late > 1.5 * early else ""
