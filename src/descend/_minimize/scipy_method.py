"""Every method and rule as SciPy takes methods of one's own: a callable."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend._minimize.driver import minimize
from descend._minimize.inputs import KNOWN_OPTIONS, read_method
from descend._minimize.result import Result
from descend.methods._method import Method

_ARGUMENTS = frozenset({"jac", "hess", "hessp", "bounds", "callback", "tol"})


@dataclass(frozen=True)
class ScipyMethod:
    """A method in the shape of SciPy's: ``method(fun, x0, args=(), **kwargs, **options)``."""

    method: Method
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return self.method.name

    def __call__(self, fun: Callable[..., Any], x0: Any, args: Any = (), **given: Any) -> Result:
        """Minimize; what it does not know, such as another method's options, is left aside."""
        arguments = {k: v for k, v in given.items() if k in _ARGUMENTS}
        if np.any(given.get("constraints", ())):
            warnings.warn(
                f"Method {self.method.name} cannot handle constraints.",
                RuntimeWarning,
                stacklevel=3,
            )
        options = dict(self.options)
        options |= {k: v for k, v in given.items() if k in KNOWN_OPTIONS}
        return minimize(fun, x0, args, self.method, options=options, **arguments)


def scipy_method(method: Any, options: Mapping[str, Any] | None = None) -> ScipyMethod:
    """Return ``method`` as `scipy.optimize.minimize` takes it, and with it ``basinhopping`` and ``dual_annealing``.

    Parameters
    ----------
    method : rule, chain or method, as an object or text: ``"adam:lr=0.1"``, ``dd.adam(lr=0.1)``, ``"lbfgs"``
    options : options of every call, as `minimize` has them; those that come with a call win

    Returns
    -------
    callable
        ``minimizer(fun, x0, args=(), **kwargs)``, which returns a `Result`; arguments that are of no use to it are left aside.

    Examples
    --------
    >>> import scipy.optimize, descend as dd
    >>> r = scipy.optimize.minimize(lambda x: (x @ x), [1.0, 2.0], method=scipy_method("bfgs"))
    >>> r.success
    True
    """
    return ScipyMethod(read_method(method), tuple((options or {}).items()))
