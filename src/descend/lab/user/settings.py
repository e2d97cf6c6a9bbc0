"""What a user says about a function beside it: its start, gradient, box, minimum."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.errors import ProblemError
from descend.lab.contract import Vector
from descend.lab.objective import Starts
from descend.lab.user.values import as_real, shown, what_is

PERTURB = 0.1


@dataclass(frozen=True)
class Said:
    """The user's words, as they were written."""

    x0: Any
    grad: Any = None
    box: Any = None
    minimum: Any = None
    perturb: Any = None


def read_settings(fun: Any, scope: dict[str, Any]) -> Said:
    """Return what the attributes of ``fun`` and the names of its module say.

    ``fun.x0`` comes first, then ``x0_fun`` and ``fun_x0`` of its module, then plain ``x0``, then
    the default of a parameter. Plain names other than ``x0`` are the file's own business.
    """
    x0 = _setting(fun, scope, "x0")
    if x0 is None:
        x0 = scope.get("x0")
    defaults = [p.default for p in parameters(fun) or () if p.default is not p.empty]
    return Said(
        x0=defaults[0] if x0 is None and defaults else x0,
        grad=read_gradient(fun, scope),
        box=_setting(fun, scope, "box", "bounds"),
        minimum=_setting(fun, scope, "minimum"),
        perturb=_setting(fun, scope, "perturb"),
    )


def parameters(fun: Any) -> list[inspect.Parameter] | None:
    """Return the parameters of ``fun``, or None where it does not tell them."""
    try:
        return list(inspect.signature(fun).parameters.values())
    except (ValueError, TypeError):
        return None


def _setting(fun: Any, scope: dict[str, Any], what: str, *aliases: str) -> Any:
    names = (what, *aliases)
    for name in names:
        if hasattr(fun, name):
            return getattr(fun, name)
    own = getattr(fun, "__name__", "")
    for name in names:
        for key in (f"{name}_{own}", f"{own}_{name}"):
            if key in scope:
                return scope[key]
    return None


def read_gradient(fun: Any, scope: dict[str, Any]) -> Callable[[Vector], Any] | None:
    """Return the gradient that goes with ``fun``, or None.

    Raises
    ------
    ProblemError
        It is there and is not callable.
    """
    grad = _setting(fun, scope, "grad", "gradient")
    if grad is not None and not callable(grad):
        name = getattr(fun, "__name__", "f")
        raise ProblemError(f"gradient of {name} must be a function; got {what_is(grad)}.")
    return grad  # type: ignore[no-any-return]


def read_x0(given: Any, owner: str) -> Vector:
    """Return the user's start as an array of shape (n,).

    Raises
    ------
    ProblemError
        It is missing, or is not made of finite numbers.
    """
    if given is None:
        name = owner.partition(" ")[0]
        raise ProblemError(
            f"{owner} must have a start; got none. Hint: write {name}.x0 = [1.0, 2.0] below it."
        )
    x0 = as_real(given)
    if x0 is None or x0.ndim > 1 or x0.size == 0 or not np.isfinite(x0).all():
        got = what_is(given) if x0 is None or x0.ndim > 1 else repr(given)
        raise ProblemError(f"x0 of {owner} must be a list of finite numbers; got {got}.")
    return x0.reshape(-1)


def read_starts(said: Said, x0: Vector, owner: str) -> tuple[Starts, tuple[str, ...]]:
    """Return where runs start, in the box or around x0, and a note where that is assumed.

    Raises
    ------
    ProblemError
        ``box`` or ``perturb`` is no such thing.
    """
    if said.box is not None:
        return _read_box(said.box, x0, owner), ()
    reach = PERTURB if said.perturb is None else _read_number(said.perturb)
    if not 0 <= reach < np.inf:
        raise ProblemError(
            f"perturb of {owner} must be a number of at least 0; got {what_is(said.perturb)}."
        )
    note = (
        f"Starts are drawn around x0 = {shown(x0)}, within ±{100 * reach:g} % of each coordinate"
        f" (±{reach:g} where it is 0)."
    )
    return Starts.around(x0, reach), (note,) if reach > 0 else ()


def read_minimum(said: Said, value: float, owner: str) -> float | None:
    """Return f*, or None; ``value`` is f(x0), which cannot be below it.

    Raises
    ------
    ProblemError
        ``minimum`` is no number, or above ``value``.
    """
    if said.minimum is None:
        return None
    minimum = _read_number(said.minimum)
    if not np.isfinite(minimum):
        raise ProblemError(
            f"minimum of {owner} must be a finite number; got {what_is(said.minimum)}."
        )
    if minimum > value:
        raise ProblemError(
            f"minimum of {owner} must not be above f(x0) = {value:.6g}; got {minimum:.6g}."
        )
    return minimum


def _read_box(given: Any, x0: Vector, owner: str) -> Starts:
    box = as_real(given)
    if box is not None and box.shape == (2,):
        box = np.tile(box, (x0.size, 1))
    if box is None or box.shape != (x0.size, 2) or not np.isfinite(box).all():
        raise ProblemError(
            f"box of {owner} must be a pair (low, high) of finite numbers, or {x0.size} of them;"
            f" got {what_is(given)}."
        )
    low, high = box.T
    if not (low <= high).all():
        raise ProblemError(f"box of {owner} must have low <= high; got {box.tolist()}.")
    return Starts(tuple(low.tolist()), tuple(high.tolist()), tuple(x0.tolist()))


def _read_number(given: Any) -> float:
    number = as_real(given)
    return float(number.item()) if number is not None and number.size == 1 else float("nan")
