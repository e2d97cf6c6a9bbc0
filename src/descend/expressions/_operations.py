"""What a formula can compute: each operation with its value and its partial derivatives, on floats.

Nothing here raises: where ``math`` refuses (a pole, an overflow, a point outside the domain), NumPy's inf or nan is the value.
"""

# ruff: noqa: ARG005 - every slope is told the inputs and the value, whatever it needs of them

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

Real = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of one or two numbers."""

    name: str
    inputs: int
    value: Real
    """Maps the inputs to the value."""
    slopes: Callable[..., tuple[float, ...]]
    """Maps the inputs and the value to the partial derivatives, one for each input."""


def _everywhere(fast: Real, reference: Callable[..., Any]) -> Real:
    """``fast``, with the value of NumPy's ``reference`` where ``fast`` raises."""

    @wraps(fast)
    def value(*inputs: float) -> float:
        try:
            return fast(*inputs)
        except (ValueError, ArithmeticError):
            with np.errstate(all="ignore"):
                return float(reference(*map(np.float64, inputs)))

    return value


_divide = _everywhere(operator.truediv, np.divide)
_power = _everywhere(math.pow, np.power)
_sqrt = _everywhere(math.sqrt, np.sqrt)
_log = _everywhere(math.log, np.log)
_exp = _everywhere(math.exp, np.exp)
_sin = _everywhere(math.sin, np.sin)
_cos = _everywhere(math.cos, np.cos)
_sinh = _everywhere(math.sinh, np.sinh)
_cosh = _everywhere(math.cosh, np.cosh)


def _sign(a: float) -> float:
    return float(np.sign(a))


def _power_slopes(a: float, b: float, value: float) -> tuple[float, float]:
    base = b * _power(a, b - 1) if b else 0.0
    if a == 0 and b > 0:  # 0**b is flat in b, though log(0) is not finite
        return base, 0.0
    return base, value * _log(a)


def _circle(a: float) -> float:
    """√(1 − a²), exact to rounding also near 1."""
    return _sqrt((1 - a) * (1 + a))


def _shares(first: bool, tie: bool) -> tuple[float, float]:
    """What each of two values adds to their minimum or maximum; half each where they are equal."""
    return (0.5, 0.5) if tie else (float(first), float(not first))


def _minimum(a: float, b: float) -> float:
    return a if a <= b or math.isnan(a) else b


def _maximum(a: float, b: float) -> float:
    return a if a >= b or math.isnan(a) else b


ADD = Operation("+", 2, operator.add, lambda a, b, v: (1.0, 1.0))
SUBTRACT = Operation("-", 2, operator.sub, lambda a, b, v: (1.0, -1.0))
MULTIPLY = Operation("*", 2, operator.mul, lambda a, b, v: (b, a))
DIVIDE = Operation("/", 2, _divide, lambda a, b, v: (_divide(1.0, b), _divide(-v, b)))
POWER = Operation("**", 2, _power, _power_slopes)
NEGATE = Operation("-", 1, operator.neg, lambda a, v: (-1.0,))

FUNCTIONS = {
    operation.name: operation
    for operation in (
        Operation("sqrt", 1, _sqrt, lambda a, v: (_divide(0.5, v),)),
        Operation("exp", 1, _exp, lambda a, v: (v,)),
        Operation("expm1", 1, _everywhere(math.expm1, np.expm1), lambda a, v: (_exp(a),)),
        Operation("log", 1, _log, lambda a, v: (_divide(1.0, a),)),
        Operation("log1p", 1, _everywhere(math.log1p, np.log1p), lambda a, v: (_divide(1.0, 1 + a),)),
        Operation("log2", 1, _everywhere(math.log2, np.log2), lambda a, v: (_divide(1 / math.log(2), a),)),
        Operation("log10", 1, _everywhere(math.log10, np.log10), lambda a, v: (_divide(1 / math.log(10), a),)),
        Operation("sin", 1, _sin, lambda a, v: (_cos(a),)),
        Operation("cos", 1, _cos, lambda a, v: (-_sin(a),)),
        Operation("tan", 1, _everywhere(math.tan, np.tan), lambda a, v: (1 + v * v,)),
        Operation("arcsin", 1, _everywhere(math.asin, np.arcsin), lambda a, v: (_divide(1.0, _circle(a)),)),
        Operation("arccos", 1, _everywhere(math.acos, np.arccos), lambda a, v: (_divide(-1.0, _circle(a)),)),
        Operation("arctan", 1, math.atan, lambda a, v: (1 / (1 + a * a),)),
        Operation("sinh", 1, _sinh, lambda a, v: (_cosh(a),)),
        Operation("cosh", 1, _cosh, lambda a, v: (_sinh(a),)),
        Operation("tanh", 1, math.tanh, lambda a, v: (_cosh(a) ** -2.0,)),
        Operation("abs", 1, math.fabs, lambda a, v: (_sign(a),)),
        Operation("sign", 1, _sign, lambda a, v: (0.0,)),
        Operation("minimum", 2, _minimum, lambda a, b, v: _shares(a < b, a == b)),
        Operation("maximum", 2, _maximum, lambda a, b, v: _shares(a > b, a == b)),
    )
}  # fmt: skip
"""What may be called in a formula, by its NumPy name; where two slopes meet, the derivative is their mean."""

CONSTANTS = {"pi": math.pi, "e": math.e}
