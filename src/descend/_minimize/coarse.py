"""Whether a function computes in fewer digits than the float that it returns."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from descend._minimize.differences import Steps
from descend.methods._method import Vector

COARSE = 2.0**-23
"""The precision of float32."""
_GOLDEN = 0.6180339887498949


def is_doubtful(g: Vector, *, first: bool) -> bool:
    """Whether one-sided differences may be zeros because the steps are lost in rounding.

    In float32 nearly all of them are. They are not where a step, by chance, crosses to the next float32.

    >>> is_doubtful(np.zeros(2), first=False), is_doubtful(np.array([1.0, 0.0, 0.0]), first=True)
    (True, True)
    """
    zeros = g.size - np.count_nonzero(g)
    return bool(zeros == g.size or (first and 2 * zeros >= g.size))


def is_coarse(f: Callable[[Vector], float], x: Vector, g: Vector, steps: Steps) -> bool:
    """Whether steps for float32 show a slope where those for float64 showed none: two calls.

    The coordinates whose difference is 0 are moved together, those that bounds stop left out, each by another length so
    that slopes do not cancel. The two points are opposite ones, so that a minimum at x, whose offset hides its
    curvature, shows nothing; and less than one rounding in float32 counts for nothing.
    """
    shares = 0.5 + 0.5 * (_GOLDEN * np.arange(x.size) % 1.0)
    h = COARSE**0.5 * np.maximum(np.abs(x), steps.sizes) * shares
    h[(g != 0) | ~(steps.hold(x - h) & steps.hold(x + h))] = 0.0
    if not h.any():
        return False
    below, above = f(x - h), f(x + h)
    change = abs(above - below)
    return change > 0 and COARSE / 2 * max(abs(above), abs(below)) <= change < math.inf
