"""The user's own callables: given fresh copies of x, counted, held to budgets, their results checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NoReturn

from descend._minimize import returned
from descend.errors import ProblemError
from descend.methods._method import Vector
from descend.methods._status import Status


class Ended(Exception):  # noqa: N818 - an end, expected or not
    """A run ends in the middle of an iteration; only the driver catches it."""

    def __init__(self, status: Status, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class UserCalls:
    """Calls ``fun``, ``jac``, ``hess`` and ``hessp``; what they raise ends the run.

    A callable that fails at its very first call, or at its first with complex numbers, makes the problem unusable:
    ``ProblemError``. Later the run ends with ``Status.FAILED``, so that what was reached before is kept.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        own: Callable[[Vector], Any],
        shape: tuple[int, ...],
        args: tuple[Any, ...],
    ) -> None:
        self.nfev = self.njev = self.nhev = 0
        self.shape = shape
        self.n = math.prod(shape)
        self.precision = 2.0**-52
        self.maxfev = self.deadline = math.inf
        self._complex = False
        """Whether any complex point was ever answered."""
        self._fun = fun
        self._own = own
        self._args = args

    def check_clock(self) -> None:
        """End the run when its time is over."""
        if perf_counter() >= self.deadline:
            raise Ended(Status.MAXTIME, "")

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        result = self._evaluate(self._fun, self._own(x))
        return float(result) if isinstance(result, float) else self._number(result)

    def pair(self, both: Callable[..., Any], x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient of ``both``, which computes them together."""
        if self.nfev >= self.maxfev or perf_counter() >= self.deadline:
            self._check_budgets()
        self.njev += 1
        self.nfev += 1
        try:
            result = both(self._own(x), *self._args)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises
            self._fail("fun", self.nfev, error)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            self._refuse(
                "fun",
                self.nfev,
                f"fun must return the pair (f, gradient) where jac is True; got {_words(result)}.",
            )
        f, g = result
        f = float(f) if isinstance(f, float) else self._number(f)
        own = returned.vector(g, self.shape, self.n)
        return f, self._gradient(g) if own is None else own

    def gradient(self, jac: Callable[..., Any], x: Vector) -> Vector:
        """Return what ``jac`` gives, a fresh array of shape (n,)."""
        self.check_clock()
        self.njev += 1
        try:
            result = jac(self._own(x), *self._args)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises
            self._fail("jac", self.njev, error)
        return self._gradient(result)

    def hessian(self, hess: Callable[..., Any], x: Vector) -> Vector:
        """Return what ``hess`` gives, symmetric, shape (n, n)."""
        result = self._curvature("hess", hess, self._own(x))
        h = returned.matrix(result, self.n)
        if h is None:
            self._refuse(
                "hess",
                self.nhev,
                f"hess must return real numbers of shape ({self.n}, {self.n}); got {_words(result)}.",
            )
        return h

    def product(self, hessp: Callable[..., Any], x: Vector, v: Vector) -> Vector:
        """Return what ``hessp`` gives for the direction ``v``, shape (n,)."""
        result = self._curvature("hessp", hessp, self._own(x), self._own(v))
        return self._vector("hessp", self.nhev, result)

    def complex_value(self, z: Any) -> complex:
        """Return f at a complex point."""
        with self._fit_for_complex():
            result = self._evaluate(self._fun, z.reshape(self.shape).copy())
            f = returned.complex_number(result)
            if f is None:
                self._refuse_real("fun", result)
        self._complex = True
        return f

    def complex_gradient(self, jac: Callable[..., Any], z: Any) -> Any:
        """Return the gradient at a complex point, shape (n,)."""
        self.check_clock()
        self.njev += 1
        with self._fit_for_complex():
            try:
                result = jac(z.reshape(self.shape).copy(), *self._args)
            except Exception as error:  # noqa: BLE001
                self._fail("jac", self.njev, error)
            g = returned.complex_vector(result, self.shape, self.n)
            if g is None:
                self._refuse_real("jac", result)
        self._complex = True
        return g

    @contextmanager
    def _fit_for_complex(self) -> Iterator[None]:
        """Make of a failure at the first complex point of all a ``ProblemError``: it is as useless as one at x0."""
        try:
            yield
        except Ended as end:
            if end.status is Status.FAILED and not self._complex:
                raise ProblemError(end.why) from end.__cause__
            raise

    def _check_budgets(self) -> None:
        if self.nfev >= self.maxfev:
            raise Ended(Status.MAXFEV, "")
        self.check_clock()

    def _evaluate(self, fun: Callable[..., Any], x: Any) -> Any:
        self._check_budgets()
        self.nfev += 1
        try:
            return fun(x, *self._args)
        except Exception as error:  # noqa: BLE001
            self._fail("fun", self.nfev, error)

    def _curvature(self, name: str, function: Callable[..., Any], *given: Any) -> Any:
        self.check_clock()
        self.nhev += 1
        try:
            return function(*given, *self._args)
        except Exception as error:  # noqa: BLE001
            self._fail(name, self.nhev, error)

    def _number(self, result: Any) -> float:
        f = returned.number(result)
        if f is None:
            pair = isinstance(result, (tuple, list)) and len(result) == 2
            hint = " Hint: jac=True where it returns (f, gradient)." if pair else ""
            self._refuse(
                "fun", self.nfev, f"fun must return a real number; got {_words(result)}.{hint}"
            )
        self.precision = max(self.precision, returned.precision(result))
        return f

    def _gradient(self, result: Any) -> Vector:
        return self._vector("jac", self.njev, result)

    def _vector(self, name: str, call: int, result: Any) -> Vector:
        g = returned.vector(result, self.shape, self.n)
        if g is None:
            what = f"{name} must return real numbers of the shape of x0, {self.shape}"
            self._refuse(name, call, f"{what}; got {_words(result)}.")
        return g

    def _fail(self, name: str, call: int, error: Exception) -> NoReturn:
        told = f"{type(error).__name__}: {error}".removesuffix(".").removesuffix(": ")
        if isinstance(error, ProblemError) and call == 1:
            raise error
        self._refuse(name, call, f"{name} raised {told}.", error)

    def _refuse_real(self, name: str, result: Any) -> NoReturn:
        call = self.nfev if name == "fun" else self.njev
        sentence = f"{name} must compute in complex numbers for 'cs'; got {_words(result)}."
        self._refuse(name, call, f"{sentence} Hint: '3-point' does without.")

    def _refuse(
        self, name: str, call: int, sentence: str, error: Exception | None = None
    ) -> NoReturn:
        if call == 1:
            raise ProblemError(sentence) from error
        raise Ended(Status.FAILED, f"At call {call} of {name}: {sentence}") from error


def _words(result: Any) -> str:
    return returned.in_words(result)
