"""Is the user's gradient the gradient of the user's function?"""

from __future__ import annotations

import numpy as np

from descend.errors import ProblemError
from descend.lab.contract import Vector
from descend.lab.user.function import STEP, UserFunction
from descend.lab.user.values import shown

WRONG = 1e-2
"""Relative error from which a gradient is refused."""
DOUBTFUL = 1e-4
"""Relative error from which a note says so."""

_COORDINATES = 50
_WIDE = float(np.cbrt(np.finfo(np.float32).eps))


def check_gradient(function: UserFunction, x: Vector) -> float:
    """Compare the gradient at ``x`` with central differences.

    Parameters
    ----------
    function : UserFunction
        With a gradient of its own.
    x : array of shape (n,)

    Returns
    -------
    float
        The greatest relative error over the coordinates, or over 50 of them where n is larger.

    Raises
    ------
    ProblemError
        A relative error is above 1 %; the message names the coordinate.
    """
    value, g = function.value_and_gradient(x)
    if not np.isfinite(value):
        return 0.0
    worst = 0.0
    for i in _coordinates(x.size):
        error, difference = _error(function, x, i, value, float(g[i]), STEP)
        if not error <= WRONG:  # a function that computes in float32 needs a wider step
            error, difference = min(
                (error, difference), _error(function, x, i, value, float(g[i]), _WIDE)
            )
        if not error <= WRONG:
            raise ProblemError(
                f"gradient of {function.owner} must agree with central differences; at x ="
                f" {shown(x)} its entry {i} is {g[i]:.6g} where they give {difference:.6g}."
            )
        worst = max(worst, error)
    return worst


def _coordinates(n: int) -> list[int]:
    if n <= _COORDINATES:
        return list(range(n))
    chosen = np.random.default_rng(0).choice(n, _COORDINATES, replace=False)
    return sorted(chosen.tolist())


def _error(
    function: UserFunction, x: Vector, i: int, value: float, g: float, step: float
) -> tuple[float, float]:
    """Return the relative error of ``g``, entry i of the gradient, and the difference itself."""
    up, down, width = function.beside(x, i, step)
    central = (up - down) / (2 * width)
    if not np.isfinite(central):  # the edge of the domain: nothing can be said
        return 0.0, central
    sides = sorted(((up - value) / width, (value - down) / width))
    # a kink, or a point so flat that curvature is all there is
    if step == STEP and sides[0] <= g <= sides[1]:
        return 0.0, central
    noise = np.finfo(np.float64).eps * max(abs(value), abs(up), abs(down)) / width
    # differences cannot tell entries below 10⁴ times their own noise from zero
    return abs(g - central) / max(abs(g), abs(central), 1e4 * noise, 1e-300), central
