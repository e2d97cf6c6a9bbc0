"""Where derivatives come from: the user, a framework, or differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import HessianUpdateStrategy

from descend._minimize.autodiff import FRAMEWORKS
from descend._minimize.differences import SCHEMES
from descend._minimize.returned import in_words
from descend.errors import HyperparameterError, nearest
from descend.methods._method import Vector

Callback = Callable[..., Any]


@dataclass(frozen=True)
class Sources:
    """At most one of ``jac``, ``both`` and ``scheme`` gives gradients; where neither ``hess`` nor ``hessp`` is, differences of them."""

    own: Callable[[Vector], Any]
    """From a vector to a fresh x as the user's callables see it."""
    jac: Callback | None = None
    both: Callback | None = None
    """f and its gradient in one call."""
    scheme: str | None = None
    """How f is differenced."""
    hess: Callback | None = None
    hessp: Callback | None = None
    curves: str = "2-point"
    """How gradients are differenced."""


def choose(
    fun: Callback,
    own: Callable[[Vector], Any],
    shape: tuple[int, ...],
    kind: str,
    jac: Any,
    hess: Any,
    hessp: Callback | None,
) -> Sources:
    """Return the sources that SciPy's arguments name; see `Objective` for them."""
    if kind == "numpy" and len(shape) == 1:
        own = np.ndarray.copy  # what np.copy does, in a third of its time
    _check_second(hess, hessp)
    if jac is None or jac is False:
        jac = kind if kind in FRAMEWORKS else "2-point"
    chosen = Sources(
        own,
        both=fun if jac is True else None,
        hess=hess if callable(hess) else None,
        hessp=hessp,
        curves=hess if isinstance(hess, str) and hess in SCHEMES else "2-point",
    )
    if jac is True:
        return chosen
    if callable(jac):
        return replace(chosen, jac=jac)
    if not isinstance(jac, str) or jac not in (*SCHEMES, *FRAMEWORKS):
        raise _unknown("jac", jac, "a callable, True", (*SCHEMES, *FRAMEWORKS))
    if jac in SCHEMES:
        return replace(chosen, scheme=jac)
    return _by_framework(chosen, fun, own if kind == jac else None, shape, jac)


def _check_second(hess: Any, hessp: Any) -> None:
    if not (hess is None or callable(hess) or (isinstance(hess, str) and hess in SCHEMES)):
        raise _unknown("hess", hess, "a callable", tuple(SCHEMES))
    if not (hessp is None or callable(hessp)):
        raise HyperparameterError(
            f"hessp of minimize must be a callable or None; got {in_words(hessp)}."
        )


def _unknown(name: str, given: Any, what: str, known: tuple[str, ...]) -> HyperparameterError:
    """The error for a source of derivatives that is none."""
    hint = nearest(given.lower(), known) if isinstance(given, str) else ""
    if isinstance(given, HessianUpdateStrategy):
        hint = " Hint: method='bfgs' updates an approximation of its own; SciPy's strategies are not used."
    wanted = ", ".join([what, *map(repr, known)])
    return HyperparameterError(
        f"{name} of minimize must be one of {wanted} or None; got {in_words(given)}.{hint}"
    )


def read_steps(name: str, given: Any, n: int) -> Vector | None:
    """The user's own steps of differences, one or n positive numbers; None where there are none.

    Raises
    ------
    HyperparameterError
        They are not positive and finite, or of another size.
    """
    if given is None:
        return None
    try:
        steps = np.asarray(given, dtype=np.float64).ravel()
    except (ValueError, TypeError):
        steps = np.empty(0)
    if steps.size not in {1, n} or not (np.isfinite(steps) & (steps > 0)).all():
        size = "" if n == 1 else f" or {n} of them"
        raise HyperparameterError(
            f"{name} of minimize must be a positive number{size}; got {in_words(given)}."
        )
    return steps


def _by_framework(
    chosen: Sources,
    fun: Callback,
    own: Callable[[Vector], Any] | None,
    shape: tuple[int, ...],
    name: str,
) -> Sources:
    derived = FRAMEWORKS[name](fun, own, shape)
    chosen = replace(chosen, own=derived.own, both=derived.value_and_gradient)
    if chosen.hess or chosen.hessp:
        return chosen
    return replace(chosen, hess=derived.hessian, hessp=derived.hessian_product)
