"""Problems from the user's own code: ``file.py:name``, or a function at hand.

In a file, ``name`` is a function f(x) of one array that returns a number, or (f, g) with its
gradient; a ``Problem``; or a function without parameters that returns a ``Problem``. What else is
known of f is an attribute of it (``f.x0 = [1, 2]``), or a name of the module with f's name in it
(``x0_f``, ``f_x0``, ``grad_f``, ``minimum_f``); ``x0`` alone may also stand there plain, for all
functions of the file:

``x0``       where to start; also the default of f's parameter. Required.
``grad``     its gradient, a function (or ``gradient``). Otherwise central differences.
``box``      (low, high) of starts, one pair or one for each coordinate (or ``bounds``).
``perturb``  how far starts are drawn from x0, relative to its coordinates: 0.1 unless given.
``minimum``  f*, if it is known.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from descend.errors import ProblemError
from descend.lab.contract import EvaluationFailed, Problem, Vector
from descend.lab.deadline import within_limit
from descend.lab.identity import identity
from descend.lab.objective import FUNCTION_STEPS, FunctionProblem, Starts
from descend.lab.user import file as user_file
from descend.lab.user.function import UserFunction
from descend.lab.user.gradient_check import DOUBTFUL, check_gradient
from descend.lab.user.problem import FileProblem, check_problem
from descend.lab.user.settings import (
    Said,
    parameters,
    read_minimum,
    read_settings,
    read_starts,
    read_x0,
)
from descend.lab.user.values import is_pair, shown, what_is


def load_problem(text: str, steps: int | None = None, x0: Any = None) -> Problem:
    """Return the problem that ``file.py:name`` holds.

    Parameters
    ----------
    text : str
        Path of a Python file, a colon and a name in it. The file is executed.
    steps : int, optional
        Gradient evaluations per run; 500, or the problem's own number.
    x0 : array-like of shape (n,), optional
        The start of a function that has none beside it.

    Raises
    ------
    ProblemError
        The file cannot be run, or what the name stands for cannot be minimised.
    """
    path, _, name = text.rpartition(":") if ".py:" in text else (text, "", "")
    origin, module, thing = user_file.load(path, name)
    owner = f"{name} of {origin.file}"
    called = f"{origin.file}:{name}"
    if _is_factory(thing):
        thing = _made(thing, owner, origin)
    if isinstance(thing, Problem):
        check_problem(thing, owner, origin.path)
        return FileProblem(called, thing, origin, steps)
    if not callable(thing):
        raise ProblemError(f"{owner} must be a function f(x) or a Problem; got {what_is(thing)}.")
    said = read_settings(thing, vars(module))
    if said.x0 is None:
        said = replace(said, x0=x0)
    return _build(called, thing, said, origin, steps or FUNCTION_STEPS)


def function_problem(
    fun: Callable[[Vector], Any],
    x0: Any,
    *,
    grad: Callable[[Vector], Any] | None = None,
    box: Any = None,
    minimum: float | None = None,
    perturb: float | None = None,
    name: str | None = None,
    steps: int = FUNCTION_STEPS,
) -> FunctionProblem:
    """Return the problem of minimising ``fun``, checked at ``x0``.

    Worker processes need ``fun`` and ``grad`` to be picklable.

    Parameters
    ----------
    fun : callable
        Maps an array of shape (n,) to a number, or to (f, g).
    x0 : array-like of shape (n,)
    grad : callable, optional
        Maps an array of shape (n,) to one; central differences otherwise.
    box : (low, high) or n such pairs, optional
        Starts are drawn in it, instead of around ``x0``.
    minimum : float, optional
        f*, if it is known.
    perturb : float, default 0.1
        Starts are drawn around ``x0`` within this share of each coordinate; 0 for x0 itself.
    name : str, optional
    steps : int, default 500
        Gradient evaluations per run.

    Raises
    ------
    ProblemError
        ``fun`` cannot be minimised, with the reason.

    Examples
    --------
    >>> problem = function_problem(lambda x: x @ x, [3.0, 4.0], perturb=0)
    >>> problem.open(seed=0).gradient(np.array([3.0, 4.0]))[0]
    25.0
    """
    called = name or str(getattr(fun, "__name__", "f"))
    return _build(called, fun, Said(x0, grad, box, minimum, perturb), None, steps)


def _is_factory(thing: Any) -> bool:
    """Whether ``thing`` is to be called for a Problem: a class of them, or without parameters."""
    if inspect.isclass(thing):
        return issubclass(thing, Problem)
    return not isinstance(thing, Problem) and callable(thing) and parameters(thing) == []


def _made(factory: Callable[[], Any], owner: str, origin: user_file.Origin) -> Problem:
    made = within_limit(owner, lambda: user_file.guarded(owner, factory, origin.path, ProblemError))
    if not isinstance(made, Problem):
        raise ProblemError(
            f"{owner} must be a function of x, or return a Problem; got {what_is(made)}."
        )
    return made


def _build(
    name: str, fun: Any, said: Said, origin: user_file.Origin | None, steps: int
) -> FunctionProblem:
    owner = f"{origin.name} of {origin.file}" if origin else name
    _check_parameters(fun, owner)
    x0 = read_x0(said.x0, owner)
    code = identity(fun, said.grad)  # before the first call, which may change what f refers to
    function = UserFunction(name, fun, said.grad, x0.size, False, origin, code)
    watched = _probe(function.watched(), x0)
    if watched.pair:
        function = replace(function, pair=True, grad=None)
    value = watched.value(x0)
    minimum = read_minimum(said, value, owner)
    starts, note = read_starts(said, x0, owner)
    steady = watched.value(x0) == value
    notes = (*note, *_noise(steady), *_gradient_notes(watched, x0, starts, steady))
    gradient = "given" if function.has_gradient else f"{function.cost} function evaluations each"
    facts = (("x0", shown(x0)), ("gradient", gradient))
    title = (inspect.getdoc(fun) or name).strip().partition("\n")[0].rstrip(".")
    return FunctionProblem(function, starts, minimum, title or name, facts, notes, steps, steady)


def _check_parameters(fun: Any, owner: str) -> None:
    known = parameters(fun)
    if known is None:
        return
    try:
        inspect.signature(fun).bind(None)
    except TypeError:
        words = ", ".join(str(p) for p in known)
        raise ProblemError(f"{owner} must be a function of x alone; got ({words}).") from None


def _probe(function: UserFunction, x0: Vector) -> UserFunction:
    """Call f and its gradient at x0; return the function, now known to return (f, g) or not."""
    result = _call_unchanged(function, function.fun, x0, function.owner)
    if is_pair(result):
        function = replace(function, pair=True, grad=None)
    elif function.grad is not None:
        _call_unchanged(function, function.grad, x0, f"gradient of {function.owner}")
    value, gradient = function.value_and_gradient(x0)
    if not np.isfinite(value):
        raise ProblemError(f"{function.owner} must be finite at x0 = {shown(x0)}; got {value}.")
    if not np.isfinite(gradient).all():
        raise ProblemError(
            f"gradient of {function.owner} must be finite at x0 = {shown(x0)};"
            f" got {shown(gradient)}."
        )
    return function


def _call_unchanged(function: UserFunction, part: Any, x0: Vector, owner: str) -> Any:
    given = x0.copy()
    result = function.call_on(part, given)
    if not np.array_equal(given, x0):
        raise ProblemError(
            f"{owner} must leave x as it is; it changes x in place. Hint: begin with x = x.copy()."
        )
    return result


def _noise(steady: bool) -> tuple[str, ...]:
    said = "f gives different values for the same x: every score is a single evaluation."
    return () if steady else (said,)


def _gradient_notes(
    function: UserFunction, x0: Vector, starts: Starts, steady: bool
) -> tuple[str, ...]:
    if not function.has_gradient:
        said = (
            "No gradient is given: it is taken by central differences, 2·n + 1 ="
            f" {function.cost} function evaluations that count as one gradient evaluation."
        )
        return (said,)
    if not steady:
        return ("The gradient is not checked against differences: f is noisy.",)
    worst = 0.0
    # x0 is often a round number, where a wrong gradient may look right: a drawn start is not
    for x in (x0, starts.draw(0, function)):
        with contextlib.suppress(EvaluationFailed):  # differences may leave the domain
            worst = max(worst, check_gradient(function, x))
    if worst < DOUBTFUL:
        return ("The gradient agrees with central differences.",)
    return (f"The gradient differs from central differences by up to {100 * worst:.2g} %.",)
