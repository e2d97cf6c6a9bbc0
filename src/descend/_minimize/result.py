"""What a minimization gives back: SciPy's result with the history and the means to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import OptimizeResult

from descend._minimize.history import History
from descend._minimize.objective import Spent
from descend._minimize.stopping import Tally
from descend.errors import HyperparameterError
from descend.methods._method import Method, Point, Vector

if TYPE_CHECKING:
    from descend._minimize.run import Run


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
    scales: bool
    """Whether the run may take other units."""
    bounds: tuple[Vector | None, Vector | None]
    sizes: Vector | None
    """The sizes of x for which differences were last made central."""
    nit: int
    spent: Spent
    best: Point
    tally: Tally
    anchor: float
    """The value at which the method was last started."""
    history: History

    @classmethod
    def of(cls, run: Run) -> Saved:
        """Everything that `Run.go_on` needs."""
        objective = run.objective
        return cls(
            method=run.method,
            point=run.point,
            shown=run.shown,
            state=run.state,
            units=run.units,
            scales=run.scales,
            bounds=(objective.lower, objective.upper),
            sizes=run.sizes,
            nit=run.nit,
            spent=objective.spent,
            best=run.best,
            tally=run.stopping.tally,
            anchor=run.anchor,
            history=run.recorder.history((objective.n,)),
        )

    def check_bounds(self, bounds: tuple[Vector | None, Vector | None]) -> None:
        """Raise HyperparameterError where a run between these would not be the same one."""
        if not all(map(_alike, bounds, self.bounds)):
            raise HyperparameterError(
                f"bounds of minimize must be those of the run to resume, {_in_words(self.bounds)};"
                f" got {_in_words(bounds)}."
            )

    def check_units(self, units: Vector | None, *, scales: bool) -> None:
        """Raise HyperparameterError where a run in these units, asked for, would not be the same one."""
        if scales != self.scales or not (scales or _alike(units, self.units)):
            raise HyperparameterError(
                "scale of minimize must be left out or be that of the run to resume; got another one."
            )


def _alike(a: Vector | None, b: Vector | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _in_words(bounds: tuple[Vector | None, Vector | None]) -> str:
    lower, upper = bounds
    return "none" if lower is None or upper is None else f"from {lower} to {upper}"


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
    hess_inv : what quasi-Newton methods learned of the inverse Hessian, as SciPy gives it: an array of shape (n, n), or for
        limited memory a `scipy.optimize.LbfgsInvHessProduct` of that shape

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
