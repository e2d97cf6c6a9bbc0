"""Scalars of a rule on the host: printed as Python expressions, evaluated in float64 once a step."""

from __future__ import annotations

import ast
import functools
import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descend.errors import RuleError
from descend.ops import Symbol

Scalars = Callable[..., tuple[float, ...]]
_NUMBERS = (numbers.Real, np.bool_)
_INFIX = frozenset({"+", "-", "*", "/", "//", "%", "<", ">", "<=", ">=", "==", "!="})


def variable(name: str) -> str:
    """How a rule's own name reads in printed text: no word or temporary of ours ends so."""
    return f"{name}_"


def print_scalar(node: Any, sums: Mapping[int, str]) -> str:
    """The expression of a scalar, in Python on float64; ``sums`` names the measured ones by identity."""
    if not isinstance(node, Symbol):
        return _literal(node)
    if node.op == "leaf":
        return variable(node.args[0])
    if id(node) in sums:
        return sums[id(node)]
    if node.op == "-" and is_literal(node.args[0], 1) and _is_power(node.args[1]):
        # 1 − β^t loses its digits when β is near 1
        return f"one_minus_power({', '.join(print_scalar(a, sums) for a in node.args[1].args)})"
    parts = [print_scalar(a, sums) for a in node.args]
    if node.op in _INFIX:
        return f"({parts[0]} {node.op} {parts[1]})"
    return (
        f"(-{parts[0]})"
        if node.op == "neg"
        else f"{_WORDS.get(node.op, node.op)}({', '.join(parts)})"
    )


def is_literal(node: Any, value: int) -> bool:
    """Whether a node is the number ``value``: comparing a symbol would record a comparison."""
    return isinstance(node, int | float) and node == value


def _literal(value: Any) -> str:
    try:
        number = float(value) if isinstance(value, _NUMBERS) else None
    except OverflowError:  # an int beyond float64
        number = None
    if number is None:
        raise RuleError(
            f"a rule must compute with numbers and its arguments; got {type(value).__name__} {value!r}."
        )
    return f"({value!r})" if type(value) is int else f"({number!r})"


def _is_power(node: Any) -> bool:
    return isinstance(node, Symbol) and node.op == "**"


def _power(base: float, exponent: float) -> float:
    value = base**exponent
    return math.nan if isinstance(value, complex) else value


def one_minus_power(power: Callable[..., float]) -> Callable[..., float]:
    """1 − baseᵉ as a function of base and e, with that ``power`` where the base has no logarithm."""

    def computed(base: float, exponent: float) -> float:
        return -math.expm1(exponent * math.log(base)) if base > 0 else 1.0 - power(base, exponent)

    return computed


def _one_minus_power_ieee(base: Any, exponent: Any) -> Any:
    return -np.expm1(exponent * np.log(base)) if base > 0 else 1.0 - base**exponent


_WORDS = {"**": "power"}
CHOICES: dict[str, Callable[..., float]] = {
    "sign": lambda v: math.copysign(1.0, v) if v < 0 or v > 0 else v,
    "where": lambda c, a, b: a if c else b,
    "minimum": lambda a, b: a if a < b or a != a else b,  # noqa: PLR0124 - nan wins
    "maximum": lambda a, b: a if a > b or a != a else b,  # noqa: PLR0124
}
"""Words that mean the same in every arithmetic; a compiler takes them from here."""
_PYTHON: dict[str, Any] = {
    **CHOICES,
    "inf": math.inf,
    "nan": math.nan,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
    "expm1": math.expm1,
    "abs": abs,
    "power": _power,
    "one_minus_power": one_minus_power(_power),
}
_IEEE: dict[str, Any] = {
    **_PYTHON,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "power": np.float_power,
    "one_minus_power": _one_minus_power_ieee,
}


class _InLine(ast.NodeTransformer):
    """Writes `one_minus_power` out: a step of small arrays feels the calls."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id == "one_minus_power"):
            return node
        base, exponent = map(ast.unparse, node.args)
        text = (
            f"-expm1(({exponent}) * log({base})) if {base} > 0 else 1.0 - power({base}, {exponent})"
        )
        return ast.parse(text, mode="eval").body


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> tuple[Scalars, Scalars]:
    """The function in Python's arithmetic, and in that of NumPy's float64."""
    try:
        quick = compile(_InLine().visit(ast.parse(text, mode="eval")), "<scalars>", "eval")
        return eval(quick, dict(_PYTHON)), eval(text, dict(_IEEE))  # noqa: S307 - our own text
    except (SyntaxError, MemoryError, RecursionError):  # the parser's limit, about 200 parentheses
        raise RuleError(
            "a rule's scalars must be shorter; an expression of them is nested too deep."
        ) from None


class HostFunction:
    """Scalars of one stage from t, hyperparameters, scalar states and sums, in float64.

    Python raises where IEEE arithmetic gives inf or nan; then the same text runs on NumPy's float64.
    """

    def __init__(self, arguments: tuple[str, ...], expressions: tuple[str, ...]) -> None:
        text = f"lambda {', '.join(arguments)}: ({''.join(e + ', ' for e in expressions)})"
        self._python, self._ieee = _compiled(text)

    def __call__(self, *values: float) -> tuple[float, ...]:
        try:
            return self._python(*values)
        except (ZeroDivisionError, OverflowError, ValueError):
            with np.errstate(all="ignore"):
                return tuple(map(float, self._ieee(*map(np.float64, values))))
