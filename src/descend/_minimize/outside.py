"""The user's callables as a run calls them: outside the run's own settings, the callback with copies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

from scipy.optimize import OptimizeResult

from descend._minimize.autodiff import FRAMEWORKS
from descend._minimize.objective import Objective
from descend._minimize.variables import Start
from descend.errors import HyperparameterError
from descend.methods._method import Point


def as_now(kind: str, jac: Any) -> Callable[[Any], Any]:
    """What makes the user's functions run under the settings of now (NumPy's treatment of overflow, above all), not the run's own.

    Frameworks look into a function, so theirs stays what it is.
    """
    if kind != "numpy" or (isinstance(jac, str) and jac in FRAMEWORKS):
        return lambda function: function
    run = copy_context().run
    return lambda function: partial(run, function) if callable(function) else function


def watcher(
    callback: Callable[..., Any] | None,
    outside: Callable[[Any], Any],
    start: Start,
    calls: Objective,
) -> Callable[[Point, int], None] | None:
    """The callback as the run calls it: with copies, in SciPy's two ways."""
    if callback is None:
        return None
    if not callable(callback):
        raise HyperparameterError(f"callback of minimize must be callable; got {callback!r}.")

    call = outside(callback)

    def show_result(point: Point, nit: int) -> None:
        call(
            intermediate_result=OptimizeResult(
                x=start.restore(point.x),
                fun=point.f,
                jac=start.restore(point.g),
                nit=nit,
                nfev=calls.nfev,
            )
        )

    def show_x(point: Point, nit: int) -> None:  # noqa: ARG001 - what the other takes
        call(start.restore(point.x))

    return show_result if _wants_result(callback) else show_x


def _wants_result(callback: Callable[..., Any]) -> bool:
    try:
        names = set(inspect.signature(callback).parameters)
    except (TypeError, ValueError):  # a callable without a signature
        return False
    return names == {"intermediate_result"}
