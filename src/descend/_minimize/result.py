"""What a minimization gives back: SciPy's result with the history and the means to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy.optimize import OptimizeResult

from descend._minimize.history import History
from descend._minimize.objective import Spent
from descend._minimize.stopping import Tally
from descend.methods._method import Method, Point, Vector


@dataclass
class Saved:
    """Everything that the next iteration depends on, at the end of a run.

    ``point`` and ``state`` are the method's, in ``units`` of x.
    """

    method: Method
    point: Point
    shown: Point
    """The same as a point of x."""
    state: Any
    units: Vector | None
    sizes: Vector | None
    """The sizes of x for which differences were last made central."""
    nit: int
    spent: Spent
    best: Point
    tally: Tally
    anchor: float
    """The value at which the method was last started."""
    history: History


class Result(OptimizeResult):  # type: ignore[misc]
    """A `scipy.optimize.OptimizeResult`: the best point that was seen, why the run ended, and how it went.

    Attributes
    ----------
    x : the best point, of the kind and shape in which the function took it; ``fun == f(x)`` to the bit
    fun : float, the function there
    jac : the gradient there, nan where it was never needed
    success, status, message : whether it converged, the number of the reason, and every stopping measure beside its threshold
    nit, nfev, njev, nhev : int, iterations and calls
    history : History, a row per iteration

    Examples
    --------
    >>> import descend as dd
    >>> r = dd.minimize(lambda x: (x[0] - 3) ** 2, 0.0)
    >>> r.x.round(4), r.success
    (array([3.]), True)
    """

    _resume: Saved | None = None

    def keep(self, saved: Saved) -> None:
        """Remember how to go on, out of sight of ``keys`` and ``repr``."""
        object.__setattr__(self, "_resume", saved)
