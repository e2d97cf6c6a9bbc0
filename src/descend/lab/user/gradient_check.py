"""Is the user's gradient the gradient of the user's function?"""

from __future__ import annotations

import math

import numpy as np

from descend.errors import ProblemError
from descend.lab.contract import EvaluationFailed, Vector
from descend.lab.user.function import UserFunction
from descend.lab.user.values import shown

WRONG = 1e-2
"""Relative error from which a gradient is refused."""
DOUBTFUL = 1e-4
"""Relative error from which a note says so."""

_SINGLE = float(np.finfo(np.float32).eps)


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
        The greatest relative error over the coordinates, or over some of them and along random directions where n is large.

    Raises
    ------
    ProblemError
        A relative error is above 1 %; the message names the coordinate.
    """

    def value(y: Vector) -> float:
        try:
            return function.value(y)
        except EvaluationFailed:  # the edge of the domain
            return math.nan

    from descend._minimize.check_grad import compare  # scipy is heavy, and workers check nothing

    f, g = function.value_and_gradient(x)
    if not np.isfinite(f):
        return 0.0
    check = compare(value, x, f, g)
    if not check.error <= WRONG:  # a function that computes in float32 needs a wider step
        check = min(check, compare(value, x, f, g, _SINGLE), key=lambda found: found.error)
    if not check.error <= WRONG:
        raise ProblemError(
            f"gradient of {function.owner} must agree with central differences; at x ="
            f" {shown(x)} its entry {check.index} is {check.analytic:.6g} where they give {check.numeric:.6g}."
        )
    return check.error
