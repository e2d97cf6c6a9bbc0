"""Read what the user hands to `minimize`: every argument is checked once, here, with one sentence."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import operator
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, OptimizeWarning

from descend._minimize.returned import in_words
from descend._minimize.stopping import Limits
from descend.errors import HyperparameterError, RuleError, UnknownNameError, nearest
from descend.methods import get_method, is_method, list_methods
from descend.methods._method import Method

_TOLERANCES = ("gtol", "ftol", "xtol")
_LIMITS = (*_TOLERANCES, "maxiter", "maxfev", "maxtime", "target", "patience")
_SCIPY_NAMES = {"maxfun": "maxfev", "xrtol": "xtol", "maxcor": "memory", "maxls": "max_steps"}
_ON_METHOD = frozenset({"memory", "c1", "c2", "max_steps"})
_ON_RUN = frozenset(
    {*_LIMITS, "hits", "disp", "eps", "finite_diff_rel_step", "norm", "return_all", "workers"}
)
KNOWN_OPTIONS = _ON_RUN | _ON_METHOD | frozenset(_SCIPY_NAMES)


def read_method(method: Any) -> Method:
    """A method from its name, a `Method`, or a rule or chain, as an object or text.

    Raises
    ------
    UnknownNameError
        If no method and no rule is called so.
    """
    if isinstance(method, Method):
        return method
    if method is None:
        method = "lbfgs"
    named = isinstance(method, str) and is_method(method)
    own = isinstance(method, type) and issubclass(method, Method)
    made: Method = _named(method) if named else method() if own else _by_rule(method)
    return made


def _no_method(given: Any) -> str:
    hint = ""
    if callable(given):
        hint = " Hint: a function in the shape of SciPy's methods goes to scipy.optimize.minimize(fun, x0, method=...)."
    wanted = "the name of a method or rule, a Method, a rule or a chain, such as 'lbfgs' or dd.adam(lr=0.1)"
    return f"method of minimize must be {wanted}; got {in_words(given)}.{hint}"


@functools.lru_cache(maxsize=64)  # methods are immutable
def _named(text: str) -> Method:
    made: Method = get_method(text)
    return made


def _by_rule(rule: Any) -> Method:
    from descend._catalogue import get_rule, list_rules
    from descend._chain import Update, bind
    from descend._rule import After, Rule, Transform
    from descend.methods.by_rule import ByRule

    if not isinstance(rule, str):
        if not isinstance(rule, Rule | Transform | After | Update):
            raise RuleError(_no_method(rule))
        return ByRule(bind(rule))
    try:
        return ByRule(get_rule(rule))
    except UnknownNameError as error:
        name = rule.partition(":")[0]
        if ">" in rule or name in list_rules():
            raise
        hint = nearest(name, [*list_methods(), *list_rules()])
        raise UnknownNameError(
            f"no method or rule is called {name!r}.{hint} Methods: {', '.join(list_methods())}; "
            "rules: see descend.list_rules()."
        ) from error


def refuse_constraints(constraints: Any, tol: Any = None) -> None:
    """Raise HyperparameterError where there are constraints, or where some stand at the place of ``tol``.

    >>> refuse_constraints(())
    """
    if isinstance(tol, (tuple, list, dict, LinearConstraint, NonlinearConstraint)):
        raise HyperparameterError(
            f"tol of minimize must be a number, at least 0; got {tol!r}. Hint: constraints have no place among the positions"
            " here; after bounds come tol, callback and options, best by name."
        )
    if constraints is None or (isinstance(constraints, (tuple, list)) and not constraints):
        return
    raise HyperparameterError(
        f"constraints of minimize must be none, as no method here takes any; got {in_words(constraints)}. Hint: bounds for"
        " limits of single variables, else scipy.optimize.minimize with method='SLSQP' or 'trust-constr'."
    )


def warn_unused(method: Method, given: Mapping[str, Any]) -> None:
    """Warn of arguments that the method cannot use, in SciPy's words."""
    unused = []
    if given["hess"] is not None and not method.takes_hessian:
        unused.append("does not use Hessian information (hess)")
    if given["hessp"] is not None and not method.takes_hessian:
        unused.append("does not use Hessian-vector product information (hessp)")
    if given["bounds"] is not None and not method.takes_bounds:
        unused.append("cannot handle bounds")
    for what in unused:
        warnings.warn(f"Method {method.name} {what}.", RuntimeWarning, stacklevel=4)


def read_options(
    options: Mapping[str, Any] | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the run and those of the method; arguments by name win over ``options``."""
    asked = {k: v for k, v in given.items() if v is not None}
    if options is None:
        return asked, {}
    if not isinstance(options, Mapping):
        raise HyperparameterError(
            f"options of minimize must be a dict of settings by name; got {options!r}."
        )
    named = {_SCIPY_NAMES.get(name, str(name)): value for name, value in options.items()}
    unknown = [name for name in named if name not in KNOWN_OPTIONS]
    if unknown:
        warnings.warn(
            f"Unknown solver options: {', '.join(unknown)}", OptimizeWarning, stacklevel=4
        )
    run = {k: v for k, v in named.items() if k in _ON_RUN} | asked
    return run, {k: v for k, v in named.items() if k in _ON_METHOD}


def with_settings(method: Method, settings: Mapping[str, Any]) -> Method:
    """The method with SciPy's options (``maxcor``, ``c1`` …) set on it or on its line search."""
    for name, value in settings.items():
        search = getattr(method, "search", None)
        if name in _fields(method):
            method = _changed(method, **{name: value})
        elif search is not None and name in _fields(search):
            changed = _changed(search, **{name: value})
            method = _changed(method, search=changed)
        else:
            warnings.warn(f"Unknown solver options: {name}", OptimizeWarning, stacklevel=4)
    return method


def _changed(settings: Any, **values: Any) -> Any:
    return dataclasses.replace(settings, **values)


def _fields(settings: Any) -> set[str]:
    return {f.name for f in dataclasses.fields(settings) if f.init}


def read_limits(run: Mapping[str, Any], tol: Any, method: Method, n: int) -> Limits:
    """The thresholds: the method's own tolerances, or ``tol`` for each, where none is named in their place; an ftol or xtol of 0 is none."""
    own = method.tolerances
    if tol is not None:
        own = dict.fromkeys(own, _number("tol", tol, 0.0))
    asked = {**own, **run}
    named = {k: asked[k] for k in _TOLERANCES if asked.get(k) is not None}
    tolerances = {
        k: _number(k, v, 0.0) or (0.0 if k == "gtol" else None) for k, v in (named or own).items()
    }
    maxiter = _whole("maxiter", run.get("maxiter", method.iterations(n)), 0)
    target, maxtime = run.get("target"), run.get("maxtime")
    patience, maxfev = run.get("patience"), run.get("maxfev")
    if run.get("norm", math.inf) != math.inf:
        warnings.warn(
            "The option norm is inf for every method: gtol is compared with the largest entry of the gradient",
            OptimizeWarning,
            stacklevel=4,
        )
    return Limits(
        maxiter,
        **tolerances,
        target=None if target is None else _number("target", target, -math.inf),
        patience=None if patience is None else _whole("patience", patience, 1),
        maxfev=None if maxfev is None else _whole("maxfev", maxfev, 1),
        maxtime=None if maxtime is None else _number("maxtime", maxtime, 0.0),
        hits=_whole("hits", run.get("hits", 1), 1),
    )


def _number(name: str, value: Any, least: float) -> float:
    if type(value) is float and value >= least:
        return value
    number = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    real = not isinstance(number, bool) and isinstance(number, numbers.Real)
    if real and float(number) >= least:
        return float(number)
    expected = "a number" if least == -math.inf else f"a number, at least {least:g}"
    raise HyperparameterError(f"{name} of minimize must be {expected}; got {value!r}.")


def _whole(name: str, value: Any, least: int) -> int:
    if type(value) is int and value >= least:
        return value
    try:
        number = math.inf if value == math.inf else operator.index(value)
    except TypeError:
        number = int(value) if isinstance(value, float) and value.is_integer() else -1
    if number == math.inf:
        return 2**62
    if isinstance(value, bool) or number < least:
        raise HyperparameterError(
            f"{name} of minimize must be a whole number, at least {least}; got {value!r}."
        )
    return int(number)
