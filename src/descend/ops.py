"""The words a rule may use, on arrays and on the symbols that trace it.

On NumPy arrays (and on torch or JAX arrays, when their library is loaded) a word computes; on a `Symbol`
it records itself. A rule written with these words and with ``+ - * / **``, ``abs`` and comparisons runs in both ways.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from descend.errors import RuleError


class Symbol:
    """One node of a traced rule: an operation on other nodes and literals, or a named leaf.

    ``per_element`` tells values that differ between elements from scalars, which the host computes once a step.
    """

    __slots__ = ("args", "op", "per_element")
    op: str
    args: tuple[Any, ...]
    per_element: bool
    __array_ufunc__ = None  # numpy scalars must leave `scalar * symbol` to us

    def __init__(self, op: str, *args: Any, per_element: bool | None = None) -> None:
        self.op = op
        self.args = args
        if per_element is None:
            per_element = any(isinstance(a, Symbol) and a.per_element for a in args)
        self.per_element = per_element

    def __bool__(self) -> bool:
        raise RuleError(
            "a rule branched on a value; write where(condition, a, b), which every backend can fuse."
        )

    def __add__(self, other: Any) -> Symbol:
        return Symbol("+", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return Symbol("+", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return Symbol("-", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return Symbol("-", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return Symbol("*", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return Symbol("*", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return Symbol("/", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return Symbol("/", other, self)

    def __pow__(self, other: Any) -> Symbol:
        return Symbol("**", self, other)

    def __rpow__(self, other: Any) -> Symbol:
        return Symbol("**", other, self)

    def __mod__(self, other: Any) -> Symbol:
        return Symbol("%", self, other)

    def __floordiv__(self, other: Any) -> Symbol:
        return Symbol("//", self, other)

    def __neg__(self) -> Symbol:
        return Symbol("neg", self)

    def __abs__(self) -> Symbol:
        return Symbol("abs", self)

    def __lt__(self, other: Any) -> Symbol:
        return Symbol("<", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return Symbol(">", self, other)

    def __eq__(self, other: object) -> Symbol:  # type: ignore[override]
        return Symbol("==", self, other)

    def __ne__(self, other: object) -> Symbol:  # type: ignore[override]
        return Symbol("!=", self, other)

    __hash__ = object.__hash__

    def __le__(self, other: Any) -> Symbol:
        return Symbol("<=", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return Symbol(">=", self, other)


def _space(*values: Any) -> Any:
    """The module whose functions fit ``values``: torch or jax.numpy if one of them comes from there, else numpy."""
    for value in values:
        root = type(value).__module__.partition(".")[0]
        if root == "torch":
            return sys.modules["torch"]
        if root in ("jax", "jaxlib"):
            return sys.modules["jax"].numpy
    return np


def _traced(*values: Any) -> bool:
    return any(isinstance(v, Symbol) for v in values)


def _word(name: str, x: Any) -> Any:
    """The function called ``name`` of x; of a Python number it is one, which does not promote float32 arrays."""
    if isinstance(x, Symbol):
        return Symbol(name, x)
    if isinstance(x, int | float):
        with np.errstate(all="ignore"):
            return float(getattr(np, name)(x))
    return getattr(_space(x), name)(x)


def sqrt(x: Any) -> Any:
    """The square root, element by element."""
    return _word("sqrt", x)


def exp(x: Any) -> Any:
    """The exponential, element by element."""
    return _word("exp", x)


def log(x: Any) -> Any:
    """The natural logarithm, element by element."""
    return _word("log", x)


def sign(x: Any) -> Any:
    """-1, 0 or 1, element by element; nan stays nan."""
    return _word("sign", x)


def where(condition: Any, a: Any, b: Any) -> Any:
    """``a`` where the condition holds, else ``b``."""
    if _traced(condition, a, b):
        return Symbol("where", condition, a, b)
    if isinstance(condition, bool | np.bool_):
        return a if condition else b
    return _space(condition, a, b).where(condition, a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two values, element by element; nan wins."""
    if _traced(a, b):
        return Symbol("minimum", a, b)
    return where((a < b) | (a != a), a, b)  # noqa: PLR0124 - true of nan


def maximum(a: Any, b: Any) -> Any:
    """The larger of two values, element by element; nan wins."""
    if _traced(a, b):
        return Symbol("maximum", a, b)
    return where((a > b) | (a != a), a, b)  # noqa: PLR0124 - true of nan


def quotient(a: Any, b: Any, otherwise: Any) -> Any:
    """``a / b`` where b is positive, ``otherwise`` elsewhere; nothing is divided by 0."""
    return where(b > 0, a / where(b > 0, b, 1.0), otherwise)


def total(x: Any) -> Any:
    """The sum over all elements of all arrays: a measured scalar, known before the update runs."""
    if isinstance(x, Symbol):
        return Symbol("total", x, per_element=False)
    return x.sum()


def norm(x: Any) -> Any:
    """The Euclidean norm over all elements of all arrays: a measured scalar."""
    return sqrt(total(x * x))


def array_total(x: Any) -> Any:
    """The sum over the elements of each array alone: a measured scalar, another one for every array."""
    return Symbol("array_total", x, per_element=False) if isinstance(x, Symbol) else x.sum()


def array_norm(x: Any) -> Any:
    """The Euclidean norm of each array alone: a measured scalar, another one for every array."""
    return sqrt(array_total(x * x))


def array_size(x: Any) -> Any:
    """The number of elements of each array alone."""
    return array_total(where(x == x, 1.0, 1.0)) if isinstance(x, Symbol) else x.size  # noqa: PLR0124 - any condition will do
