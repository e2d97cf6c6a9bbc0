"""What ``descend minimize`` is asked to minimize: a test function, a function of a user's file, or a typed formula."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend.errors import ProblemError, nearest, unknown_name
from descend.expressions import parse
from descend.lab.functions import get_function, list_functions
from descend.lab.objective import FunctionProblem
from descend.lab.user import load_problem
from descend.lab.user.function import UserFunction
from descend.lab.user.problem import FileProblem
from descend.methods._method import Vector

DIFFERENCES = ("2-point", "3-point")
_OF_THE_FUNCTION = ("cs", "torch", "jax")
"""Gradients for which a function must take complex numbers, or arrays of a framework."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN = 40

Bounds = tuple[Vector, Vector]


@dataclass(frozen=True)
class Asked:
    """A function to minimize and what is known of it."""

    title: str
    variables: tuple[str, ...]
    x0: Vector
    x0_said: str
    """Where ``x0`` comes from."""
    fun: Callable[..., Any]
    both: Callable[..., Any] | None
    """Value and gradient, where there is an exact one."""
    raw: Callable[..., Any] | None = None
    """The user's own function, without anything around it."""
    box: Bounds | None = None
    """Where many starts are drawn, unless there are limits."""
    limits: Bounds | None = None
    """The bounds of x."""

    def with_gradient(self, jac: str | None) -> tuple[Callable[..., Any], Any]:
        """Return ``fun`` and ``jac`` as ``minimize`` takes them."""
        if jac is None:
            return (self.fun, None) if self.both is None else (self.both, True)
        if jac in DIFFERENCES:
            return self.fun, jac
        if jac not in _OF_THE_FUNCTION:
            known = (*DIFFERENCES, *_OF_THE_FUNCTION)
            raise ProblemError(
                f"--jac must be one of {', '.join(known)}; got {brief(jac)}.{nearest(jac, known)}"
            )
        if self.raw is None:
            raise ProblemError(
                f"--jac={jac} must go with a function of a file that returns f alone;"
                f" got {brief(self.title)}."
            )
        return self.raw, jac


def read_problem(text: str, seed: int, x0: str | None = None) -> Asked:
    """Return what ``text`` stands for; ``x0`` is the start of a file's function that has none.

    Raises
    ------
    UnknownNameError
        It looks like a name, and no test function is called so.
    ProblemError
        It is no formula, or the file's function cannot be minimized.
    """
    if text.endswith(".py") or ".py:" in text:
        return _from_file(text, x0)
    name = text.partition(":")[0].strip()
    if name in list_functions():
        return _from_library(text.strip(), seed)
    if _is_misspelt(name, text):
        raise unknown_name("test function", name, list_functions())
    return _from_formula(text)


def _is_misspelt(name: str, text: str) -> bool:
    """Whether ``text`` is a name and not a formula: a formula has an operator, a parenthesis or a digit."""
    if not _NAME.fullmatch(name):
        return False
    without_digits = not any(c.isdigit() for c in text)
    return ":" in text or without_digits or bool(nearest(name, list_functions()))


def _from_formula(text: str) -> Asked:
    expression = parse(text)
    n = len(expression.variables)
    if n == 0:
        raise ProblemError(
            f"a formula must have a variable to minimize over; got {brief(text)}, which has none."
        )
    said = "0 for every variable, as --x0 is not given"
    title = f"f({', '.join(expression.variables)}) = {expression}"
    both = expression.value_and_gradient
    return Asked(title, expression.variables, np.zeros(n), said, expression.value, both)


def _from_library(text: str, seed: int) -> Asked:
    function = get_function(text)
    x0 = FunctionProblem.of(function).open(seed).x0
    low, high = (np.full(function.n, edge) for edge in function.box)
    said = f"drawn from its box with seed {seed}, as --x0 is not given"
    title = f"{function.name}: {function.formula}"
    both = function.value_and_gradient
    return Asked(title, _places(x0), x0, said, function.fun, both, box=(low, high))


def _from_file(text: str, start: str | None) -> Asked:
    problem = load_problem(text, x0=None if start is None else _unnamed(start))
    inner = problem.inner if isinstance(problem, FileProblem) else problem
    if not isinstance(inner, FunctionProblem) or not isinstance(inner.objective, UserFunction):
        raise ProblemError(
            f"{brief(text)} must be a function f(x); it is a Problem with batches or scores of its own."
            f" Hint: descend race {text}"
        )
    function, centre = inner.objective, inner.starts.centre
    x0 = np.array(centre)
    both = function.value_and_gradient if function.has_gradient else None
    raw = None if function.pair else function.fun
    title = inner.name if inner.title == inner.name else f"{inner.name}: {inner.title}"
    return Asked(title, _places(x0), x0, "as the file says", function.value, both, raw)


def _unnamed(start: str) -> Vector:
    """The start that ``text`` writes for as many variables as it has values."""
    return read_x0(start, _places(np.empty(start.count(",") + 1)))


def _places(x: Vector) -> tuple[str, ...]:
    return tuple(f"x[{i}]" for i in range(x.size))


def read_x0(text: str, variables: Sequence[str]) -> Vector:
    """Return the start that ``1,2`` or ``x=1,y=2`` writes.

    >>> read_x0("y=2,x=1", ("x", "y")).tolist()
    [1.0, 2.0]
    """
    x0 = np.array([read_number("--x0", word) for word in _words("--x0", text, variables)])
    if not np.isfinite(x0).all():
        raise ProblemError(f"--x0 must be made of finite numbers; got {brief(text)}.")
    return x0


def read_bounds(text: str, variables: Sequence[str]) -> Bounds:
    """Return the bounds that ``-5:5`` (for all), ``-5:5,0:inf`` or ``y=0:`` writes; no number is no bound.

    >>> read_bounds("y=0:", ("x", "y"))
    (array([-inf,   0.]), array([inf, inf]))
    """
    if "," not in text and "=" not in text:
        text = ",".join([text] * len(variables))
    pairs = [_pair(word) for word in _words("--bounds", text, variables, ":")]
    low, high = (np.array(side) for side in zip(*pairs, strict=True))
    return low, high


def _pair(word: str) -> tuple[float, float]:
    low, colon, high = (part.strip() for part in word.partition(":"))
    if not colon:
        raise ProblemError(f"--bounds must be written low:high; got {brief(word)}.")
    least = read_number("--bounds", low) if low else -math.inf
    greatest = read_number("--bounds", high) if high else math.inf
    if not least <= greatest or least == math.inf or greatest == -math.inf:
        raise ProblemError(f"--bounds must have low <= high; got {brief(word)}.")
    return least, greatest


def _words(
    option: str, text: str, variables: Sequence[str], missing: str | None = None
) -> list[str]:
    """One word for each variable, in their order; ``missing`` for those that ``name=…`` leaves out."""
    parts = [part.strip() for part in text.split(",")]
    if not any("=" in part for part in parts):
        if len(parts) != len(variables):
            raise ProblemError(
                f"{option} must have {_count(len(variables))} for {_listed(variables)};"
                f" got {_count(len(parts))}: {brief(text)}."
            )
        return parts
    given: dict[str, str] = {}
    for part in parts:
        name, equals, word = (side.strip() for side in part.partition("="))
        if not equals or name in given:
            raise ProblemError(
                f"{option} must be written as name=value once for each name; got {brief(text)}."
            )
        if name not in variables:
            raise ProblemError(
                f"{option} must name a variable, one of {_listed(variables)};"
                f" got {brief(name)}.{nearest(name, variables)}"
            )
        given[name] = word
    left = [name for name in variables if name not in given]
    if left and missing is None:
        raise ProblemError(f"{option} must have a value for each variable; {left[0]} has none.")
    return [given.get(name, missing or "") for name in variables]


def read_number(option: str, text: str) -> float:
    """Return the number that ``text`` writes; infinite ones are numbers here."""
    try:
        if not text.isascii() or "_" in text:
            raise ValueError
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ProblemError(f"{option} must be made of numbers; got {brief(text)}.")
    return number


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"


def _listed(variables: Sequence[str]) -> str:
    return ", ".join(variables) if len(variables) <= 6 else f"{variables[0]} … {variables[-1]}"


def brief(text: str) -> str:
    """A text in quotation marks, its beginning alone where it is long."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
