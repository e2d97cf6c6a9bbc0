"""Why a minimization ended: one enum for every method."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """A number as SciPy's results have one, whether it counts as success, and the sentence."""

    GRADIENT = 0, True, "The gradient is as small as gtol asks."
    MAXITER = 1, False, "The iterations allowed by maxiter are used up."
    LINE_SEARCH = (
        2,
        False,
        (
            "The line search found no better point along the direction. "
            "Hint: dd.check_grad tells whether jac is the gradient of fun."
        ),
    )
    NON_FINITE = (
        3,
        False,
        "The function or a derivative of it is not finite there; the best point is returned.",
    )
    FUNCTION = 4, True, "The function falls by less than ftol asks."
    STEP = 5, True, "The step is as short as xtol asks."
    TARGET = 6, True, "The function reached the target."
    MAXFEV = 7, False, "The evaluations allowed by maxfev are used up."
    MAXTIME = 8, False, "The seconds allowed by maxtime are used up."
    ROUNDOFF = 9, False, "Steps change the function by less than its rounding error."
    DIVERGED = 10, False, "The iterates run away; the best point is returned."
    STALLED = (
        11,
        False,
        "The best value has not improved for as many iterations as patience allows.",
    )
    FAILED = 12, False, "The function raised an error; the best point before it is returned."
    CALLBACK = 99, False, "The callback asked to stop."

    def __init__(self, number: int, success: bool, sentence: str) -> None:
        self.number = number
        self.success = success
        self.sentence = sentence
