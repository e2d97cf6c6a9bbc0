"""The curvature that a recorded run met: a lower bound of the largest, an upper bound of the least."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend._minimize.laws import Fit

Vector = NDArray[np.float64]


def largest(history: Any, rows: slice) -> float:
    """The largest y·y / s·y, at most L on quadratics; nan where no step met positive curvature."""
    sy, yy = np.asarray(history.sy)[rows], np.asarray(history.yy)[rows]
    seen = (yy / sy)[(sy > 0) & np.isfinite(yy)]
    return float(seen.max()) if seen.size else math.nan


def smallest_and_largest(history: Any, fit: Fit, lr: float, name: str) -> tuple[float, float]:
    """The bound of mu from the last half of the steps and of L from all; of plain gradient steps, the sharper of two for each."""
    ss, sy = np.asarray(history.ss), np.asarray(history.sy)
    least = (sy / ss)[(sy > 0) & (ss > 0)]
    low = float(least[len(least) // 2 :].min()) if least.size else math.nan
    high = largest(history, slice(None))
    nodes = _nodes(history, fit, lr) if name == "gd" else np.empty((0, 2))
    if len(nodes):
        inner, outer = np.median(nodes, axis=0)  # the error of f* scatters them
        low, high = min(low, float(inner)), max(high, float(outer))
    return low, high


def _nodes(history: Any, fit: Fit, lr: float) -> Vector:
    """Two curvatures per plain gradient step in the last half of the fit, shape (k, 2): bounds of mu from above, of L from below.

    For s = −lr g, the sums of s² λʲ over the eigenvalues λ are 2 lr² e, s·s, s·y and y·y for j = −1, 0, 1, 2. The Gauss rule
    with these four moments has its two nodes inside the spectrum. (s·y / s·s alone is 1 / lr at every exact step.)
    """
    rows = slice((fit.first + fit.last) // 2, max(fit.last - 1, 0))
    after = slice(rows.start + 1, rows.stop + 1)
    ss, sy, yy, lrs = (
        np.asarray(a)[after] for a in (history.ss, history.sy, history.yy, history.lr)
    )
    inverse = (
        2 * (np.asarray(history.fun)[rows] - fit.fmin) * np.where(np.isfinite(lrs), lrs, lr) ** 2
    )
    gram = inverse * sy - ss * ss
    total, product = (yy * inverse - ss * sy) / gram, (yy * ss - sy * sy) / gram
    high = 0.5 * (total + np.sqrt(total * total - 4 * product))
    nodes = np.column_stack([product / high, high])
    clear = (gram > 1e-8 * ss * ss) & (nodes > 0).all(axis=1) & np.isfinite(nodes).all(axis=1)
    found: Vector = nodes[clear]
    return found


def eigenvalues(curvature: ArrayLike) -> Vector:
    """The eigenvalues of a Hessian of shape (n, n); those given, where the shape is (k,)."""
    given = np.asarray(curvature, dtype=np.float64)
    return np.asarray(np.linalg.eigvalsh(given)) if given.ndim == 2 else given
