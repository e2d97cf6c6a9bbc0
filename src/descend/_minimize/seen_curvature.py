"""The curvature that a recorded run met: a lower bound of the largest, an upper bound of the least, where noise leaves them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d

Vector = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_NEAR = 17  # steps among which noise is alike: of as many pairs of pure noise, all have s·y > 0 once in 1e5
_CLEAR = (
    100.0  # how far a difference must be above its doubt: 1e-2 is what may be left of it in a bound
)


class Steps(NamedTuple):
    """Per step, shape (n_rows - 1,): the products of s and y, its lr, and how wrong s·y may be."""

    ss: Vector
    sy: Vector
    yy: Vector
    lr: Vector
    doubt: Vector
    error: Vector
    """f before the step less the smallest f known, a lower bound of f − f*; nan for all but plain gradient steps."""
    bent: Vector
    """How far the curvature along s changed over the step, as a part of itself; nan where it cannot be told."""


def steps_of(history: Any, lr: float, name: str, fmin: float | None) -> Steps:
    """The steps of a run, with the doubt that its values leave of them.

    With g·s = −s·s / lr, as of plain gradient steps, the trapezoidal rule f' − f = g·s + s·y / 2 is exact on quadratics. What it
    leaves is the noise of the gradients along s, or −s³f''' / 12. Of others of constant lr, whose
    directions change little by little, the scatter of s·y / s·s is. Of line searches only the signs can be asked: near steps where
    s·y is negative, or f rises, nothing is known.
    """
    f, lrs = np.asarray(history.fun, dtype=np.float64), np.asarray(history.lr)[1:]
    ss, sy, yy = (np.asarray(a)[1:] for a in (history.ss, history.sy, history.yy))
    lrs = np.where(np.isfinite(lrs), lrs, lr)
    rounding = 16 * _EPS * np.maximum(np.abs(f[1:]), np.abs(f[:-1]))
    if name == "gd":
        rest = np.diff(f) + ss / lrs - 0.5 * sy
        beyond = np.maximum(np.abs(rest) - rounding, 0.0)
        # four times the largest of the neighbours: the errors of g and g' differ in sign in s·y, and tails are longer than 17 steps show
        noise = 4 * _widest(beyond / np.sqrt(ss)) * np.sqrt(ss)
        error = f[:-1] - (f.min() if fmin is None else fmin)
        bent = np.where(beyond > 0, -12 * rest / sy, 0.0)
        return Steps(ss, sy, yy, lrs, noise + rounding, error, bent)
    if math.isfinite(lr):
        noise = 4 * _widest(_scatter(sy / ss)) * ss
    else:
        noise = _widest(np.where((sy > 0) & (np.diff(f) <= 0), 0.0, math.inf))
    unknown = np.full_like(sy, math.nan)
    return Steps(ss, sy, yy, lrs, noise + rounding, unknown, unknown)


def _scatter(q: Vector) -> Vector:
    """How far each is from the mean of its neighbours."""
    found = np.zeros_like(q)
    found[1:-1] = np.abs(q[1:-1] - 0.5 * (q[2:] + q[:-2]))
    return found


def _widest(values: Vector) -> Vector:
    """The largest among the neighbours of each."""
    if not values.size:
        return values
    known = np.where(np.isnan(values), 0.0, values)  # steps of length 0 say nothing
    found: Vector = maximum_filter1d(known, _NEAR, mode="nearest")
    return found


def bounds(steps: Steps, rows: slice = slice(None)) -> tuple[float, float]:
    """An upper bound of mu from the last half of the steps and a lower one of L from all; nan where no step established them.

    s·y / s·s is within the spectrum of the mean Hessian between both ends, whatever the step.
    """
    steps = Steps(*(a[rows] for a in steps))
    ss, sy, doubt = steps.ss, steps.sy, steps.doubt
    seen = (sy > 3 * doubt) & (ss > 0) & np.isfinite(sy + ss)
    if not seen.any():
        return math.nan, math.nan
    least, most = (((sy + sign * doubt) / ss)[seen] for sign in (1, -1))
    lows, highs = [least[len(least) // 2 :].min()], [most.max()]
    plain = bool(np.isfinite(steps.error).any())
    for nodes, bounds_high in ((_by_next_step(steps), True), (_by_error(steps), False)):
        if plain and len(nodes):
            lows.append(np.median(nodes[len(nodes) // 2 :, 0]))  # curved functions scatter them
            highs.append(nodes[:, 1].max() if bounds_high else -math.inf)
    return float(min(lows)), float(max(highs))


def _by_next_step(steps: Steps) -> Vector:
    """Two curvatures per plain gradient step: bounds of mu from above, of L from below.

    For s = −lr g, the sums of s² λʲ over the eigenvalues λ are s·s, s·y and y·y for j = 0, 1, 2; the next step, whose gradient is
    g + y, gives that for j = 3. (s·y / s·s alone is 1 / lr at every exact step.)
    """
    doubt = np.abs(steps.doubt / steps.sy)
    m0, m1, m2, lr = (a[:-1] for a in (steps.ss, steps.sy, steps.yy, steps.lr))
    after = (lr / steps.lr[1:]) ** 2 * steps.sy[1:]  # lr² times the sum of (g + y)² λ
    m3 = (after - m1 + 2 * lr * m2) / lr**2
    lost = np.maximum(doubt[:-1], doubt[1:]) + 4 * _EPS
    grown = np.maximum((after + m1 + 2 * lr * m2) / (lr**2 * m3), 1.0)
    return _gauss(m0, m1, m2, m3, lost * grown)


def _by_error(steps: Steps) -> Vector:
    """Two curvatures per plain gradient step, of which the first bounds mu from above.

    The sum of s² / λ is 2 lr² (f − f*). Where f* is not known and f − f* is larger than told, both are too large.
    """
    inverse = 2 * steps.error * steps.lr**2
    lost = np.abs(steps.doubt) * (1 / steps.sy + 1 / steps.error) + 4 * _EPS
    return _gauss(inverse, steps.ss, steps.sy, steps.yy, lost)


def _gauss(m0: Vector, m1: Vector, m2: Vector, m3: Vector, lost: Vector) -> Vector:
    """The nodes of the Gauss rules with these four moments, shape (k, 2), where rounding and noise leave them.

    The nodes of a rule are inside the spectrum.
    """
    a, b, c = m1 / m0, m2 / m0, m3 / m0  # products of squares of short steps underflow
    spread, upper = b - a * a, a * c - b * b
    second = (
        c - a * b
    ) / spread - a  # the Jacobi matrix has a and this on its diagonal, √spread beside it
    high = 0.5 * (a + second + np.sqrt((a - second) ** 2 + 4 * spread))
    nodes = np.column_stack([upper / spread / high, high])
    clear = (spread > _CLEAR * lost * b) & (upper > _CLEAR * lost * a * c) & (a > 0)
    found: Vector = nodes[clear & (m0 > 0) & np.isfinite(nodes).all(axis=1)]
    return found


def is_quadratic(steps: Steps, first: int, last: int) -> bool:
    """Whether the curvature along the steps changed because their direction did, and not the Hessian."""
    bent, q = steps.bent[first:last], (steps.sy / steps.ss)[first:last]
    if not len(q) or not (q[0] > 0 and q[-1] > 0):
        return False
    return bool(abs(bent.sum()) < 0.5 * abs(math.log(q[-1] / q[0])))


def eigenvalues(curvature: ArrayLike) -> Vector:
    """The eigenvalues of a Hessian of shape (n, n); those given, where the shape is (k,)."""
    given = np.asarray(curvature, dtype=np.float64)
    return np.asarray(np.linalg.eigvalsh(given)) if given.ndim == 2 else given
