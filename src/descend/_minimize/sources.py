"""Where derivatives come from: the user, a framework, or differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from descend._minimize.autodiff import FRAMEWORKS
from descend._minimize.differences import SCHEMES
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
    if jac in SCHEMES:
        return replace(chosen, scheme=jac)
    return _by_framework(chosen, fun, own if kind == jac else None, shape, jac)


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
