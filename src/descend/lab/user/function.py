"""A user's own function: called safely, and made out of what it returns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from descend.lab.contract import EvaluationFailed, Vector
from descend.lab.deadline import HangError, limited
from descend.lab.identity import identity
from descend.lab.user import file as user_file
from descend.lab.user.file import Origin
from descend.lab.user.settings import read_gradient
from descend.lab.user.values import as_real, is_pair, shown, what_is

STEP = float(np.cbrt(np.finfo(np.float64).eps))
"""Step of central differences, relative to ``max(1, |x|)``: truncation and rounding are equal."""


@dataclass(frozen=True, eq=False)
class UserFunction:
    """f with its gradient, given or by central differences.

    The user's code gets copies of x. What it raises, and a result that is no number, becomes
    ``EvaluationFailed``; an ``OverflowError`` is the value ``inf``.
    """

    name: str
    fun: Callable[[Vector], Any]
    grad: Callable[[Vector], Any] | None
    n: int
    pair: bool = False
    """Whether ``fun`` returns (f, g)."""
    origin: Origin | None = None
    code: str = ""
    """A hash of what ``fun`` and ``grad`` compute, taken before their first call."""

    @property
    def owner(self) -> str:
        """How messages call it: ``f of bowl.py``."""
        return f"{self.origin.name} of {self.origin.file}" if self.origin else self.name

    @property
    def has_gradient(self) -> bool:
        """Whether the user gives a gradient, either way."""
        return self.pair or self.grad is not None

    @property
    def cost(self) -> int:
        """Function evaluations behind one gradient that the user does not give."""
        return 2 * self.n + 1

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        result = self.call_on(self.fun, x.copy())
        return self._number(result[0] if self.pair and is_pair(result) else result)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient, a fresh array of shape (n,)."""
        if self.pair:
            result = self.call_on(self.fun, x.copy())
            if not is_pair(result):  # an overflow
                return self._number(result), np.full(self.n, np.nan)
            return self._number(result[0]), self._vector(result[1])
        value = self.value(x)
        if not np.isfinite(value):
            return value, np.full(self.n, np.nan)
        if self.grad is None:
            return value, self.differences(x)
        return value, self._vector(self.call_on(self.grad, x.copy()))

    def differences(self, x: Vector) -> Vector:
        """Return the gradient by central differences, 2n calls of f."""
        g = np.empty(self.n)
        for i in range(self.n):
            up, down, width = self.beside(x, i, STEP)
            g[i] = (up - down) / (2 * width)
        return g

    def beside(self, x: Vector, i: int, step: float) -> tuple[float, float, float]:
        """Return f a little above and below x along coordinate i, and how far that is."""
        width = step * max(1.0, abs(float(x[i])))
        point = x.copy()
        point[i] = x[i] + width
        up = self.value(point)
        point[i] = x[i] - width
        return up, self.value(point), width

    def identity(self) -> str:
        """Return a hash of the code, and of the file that it comes from."""
        code = self.code or identity(self.fun, self.grad)
        file = f"{self.origin.name} {self.origin.sha256}" if self.origin else ""
        return hashlib.sha256(f"{code} {file}".encode()).hexdigest()

    def watched(self) -> UserFunction:
        """The same function, for looking at it: a call that hangs becomes one sentence."""
        grad = self.grad and limited(f"gradient of {self.owner}", self.grad)
        return replace(self, fun=limited(self.owner, self.fun), grad=grad)

    def __reduce__(self) -> tuple[Any, ...]:
        # a module run from a file cannot be imported in another process: it is run again there
        if self.origin:
            return _reload, (self.name, self.n, self.pair, self.origin, self.code)
        parts = (self.name, self.fun, self.grad, self.n, self.pair, None, self.code)
        return UserFunction, parts

    def call_on(self, function: Callable[[Vector], Any], x: Vector) -> Any:
        """Return what ``function``, which is ``fun`` or ``grad``, makes of this very array."""
        try:
            with np.errstate(all="ignore"):
                return function(x)
        except HangError:
            raise
        except OverflowError:  # of Python's own floats, where arrays give inf
            return np.inf if function is self.fun else np.full(self.n, np.nan)
        except (Exception, SystemExit) as error:
            what = self.owner if function is self.fun else f"gradient of {self.owner}"
            told = user_file.describe(error, self.origin.path if self.origin else "")
            raise EvaluationFailed(f"{what} raised {told} at x = {shown(x)}.") from error

    def _number(self, result: Any) -> float:
        if type(result) is float:
            return result
        number = as_real(result)
        if number is None or number.size != 1:
            raise EvaluationFailed(
                f"{self.owner} must return a real number; got {what_is(result)}."
            )
        return float(number.item())

    def _vector(self, result: Any) -> Vector:
        g = as_real(result)
        if g is not None and self.n == g.size == 1:
            g = g.reshape(1)
        if g is None or g.shape != (self.n,):
            raise EvaluationFailed(
                f"gradient of {self.owner} must be an array of {self.n} real numbers, shape"
                f" ({self.n},); got {what_is(result)}."
            )
        return g.astype(np.float64)  # a copy: the user may fill one buffer again and again


def _reload(name: str, n: int, pair: bool, origin: Origin, code: str) -> UserFunction:
    module, fun = user_file.reload(origin)
    grad = None if pair else read_gradient(fun, vars(module))
    return UserFunction(name, fun, grad, n, pair, origin, code)
