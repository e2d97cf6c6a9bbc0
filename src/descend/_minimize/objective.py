"""The user's function as methods see it: called once for each point, inside budgets, the best point kept."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from descend._minimize import returned
from descend._minimize.coarse import COARSE, is_coarse, is_doubtful
from descend._minimize.differences import SCHEMES, Steps, derivative_along, typical_sizes
from descend._minimize.sizes import finite
from descend._minimize.sources import choose, read_steps
from descend._minimize.spent import Best, Seen, Spent, mark, seen_at
from descend._minimize.user_calls import Ended, UserCalls
from descend.methods._method import Oracle, Vector

__all__ = ["Best", "Ended", "Objective", "Spent"]

_REMEMBERED = 4
"""Points whose f and g are kept: a line search comes back to one of its last trials."""
_NOISE: dict[Any, float] = {"2-point": 1 / 2, "3-point": 2 / 3}
"""The relative error of a gradient by differences is this power of the precision."""


class Objective(Oracle):
    """The user's function, its arguments read already.

    A vector that was handed in must not be changed afterwards: it is known again by identity before its bytes are
    compared. Points that differences visit are counted, and neither remembered nor candidates for the best.

    Parameters
    ----------
    fun : callable
    x0 : array of shape (n,)
        Its sizes are those of the first differences.
    own : callable
        From a vector of shape (n,) to a fresh x as ``fun`` sees it.
    shape : tuple of int
        Of that x.
    kind : str
        Whose array that x is: ``numpy``, ``torch`` or ``jax``.
    args : tuple
        Further arguments of the four callables.
    jac : callable, bool, str or None
        ``jac(x, *args)``; True where ``fun`` returns (f, gradient); '2-point', '3-point', 'cs'; 'jax', 'torch',
        'autograd'. None: by the framework whose array x0 is, else '2-point'.
    hess, hessp : callable, str or None
        ``hess(x, *args)``, or how gradients are differenced; ``hessp(x, p, *args)``.
    lower, upper : array of shape (n,) or None
        Differences stay between them.
    maxfev, maxtime : float
        Calls of ``fun`` and seconds from now on.
    eps, rel_step : float, array of shape (n,) or None
        Steps of differences, absolute or relative to x.
    before : Spent
        Of the run that this one continues.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        x0: Vector,
        own: Callable[[Vector], Any] = np.ndarray.copy,
        shape: tuple[int, ...] | None = None,
        kind: str = "numpy",
        args: tuple[Any, ...] = (),
        *,
        jac: Any = None,
        hess: Any = None,
        hessp: Callable[..., Any] | None = None,
        lower: Vector | None = None,
        upper: Vector | None = None,
        maxfev: float = math.inf,
        maxtime: float = math.inf,
        eps: Any = None,
        rel_step: Any = None,
        before: Spent | None = None,
    ) -> None:
        self.n = x0.size
        self.lower, self.upper, self.has_hessian = lower, upper, callable(hess)
        shape = shape or x0.shape
        self._from = choose(fun, own, shape, kind, jac, hess, hessp)
        self.scheme = self._from.scheme or ""
        self._both, self._jac = self._from.both, self._from.jac
        self.calls = UserCalls(fun, self._from.own, shape, args)
        if kind != "numpy":  # NumPy's x is always of float64
            self.calls.precision = returned.precision(self._from.own(x0))
        self._absolute = read_steps("eps", eps, self.n)
        self._relative, self._x0 = read_steps("finite_diff_rel_step", rel_step, self.n), x0
        self._sizes: Vector | None = None  # made when the first difference asks for it
        self._central: Vector | None = None
        self._last = Seen(np.empty(0), b"")
        self._recent: deque[Seen] = deque(maxlen=_REMEMBERED)
        self._curved: Seen | None = None  # where self._h is the Hessian
        self._take_over(before or Spent(), maxfev, maxtime)

    def _take_over(self, before: Spent, maxfev: float, maxtime: float) -> None:
        calls = self.calls
        calls.nfev, calls.njev, calls.nhev = before.nfev, before.njev, before.nhev
        calls.maxfev = before.nfev + maxfev
        self._earlier, self._started = before.seconds, perf_counter()
        calls.deadline = self._started + maxtime
        calls.precision = max(calls.precision, before.precision)
        self._best, self._best_f = Seen(np.empty(0), b""), math.inf
        if before.central is not None:
            self.sharpen(before.central)
        self._recent.extend(seen_at(*known) for known in before.recent)
        if (best := before.best) is not None:
            found = (seen for seen in self._recent if seen.x.tobytes() == best.x.tobytes())
            self._best = next(found, None) or seen_at(best.x, best.f, best.g)
            self._best_f = best.f

    @property
    def nfev(self) -> int:
        """Calls of ``fun``."""
        return self.calls.nfev

    @property
    def njev(self) -> int:
        """Gradients."""
        return self.calls.njev

    @property
    def nhev(self) -> int:
        """Calls of ``hess`` and ``hessp``."""
        return self.calls.nhev

    @property
    def seconds(self) -> float:
        """Seconds since the start, earlier runs included."""
        return self._earlier + perf_counter() - self._started

    @property
    def best(self) -> Best | None:
        """The best finite point asked for, copied; None before there is one."""
        if self._best_f == math.inf:
            return None
        g = self._best.g
        return Best(self._best.x.copy(), self._best_f, None if g is None else g.copy())

    @property
    def spent(self) -> Spent:
        """Counts, seconds and the best point so far."""
        recent = tuple((seen.x, seen.f, seen.g) for seen in self._recent)
        counts = self.nfev, self.njev, self.nhev, self.seconds
        return Spent(*counts, self.best, recent, self._central, self.calls.precision)

    def check_clock(self) -> None:
        """Raise `Ended` when ``maxtime`` is over."""
        self.calls.check_clock()

    def seconds_left(self) -> float:
        """Return how much of ``maxtime`` is left."""
        return self.calls.deadline - perf_counter()

    def sharpen(self, sizes: Vector) -> bool:
        """Take central differences from now on, with steps for these sizes of x; whether there are differences."""
        if self.scheme not in ("2-point", "3-point"):
            return False
        if self._central is None or not np.array_equal(sizes, self._central):
            for seen in (*self._recent, self._best):
                seen.g = None
            self._curved = None
        self.scheme, self._sizes, self._central = "3-point", sizes, sizes
        return True

    def value(self, x: Vector) -> float:
        seen = self._last if self._last.x is x else self._at(x)
        return self._evaluate(seen) if seen.f is None else seen.f

    def gradient(self, x: Vector) -> Vector:
        seen = self._last if self._last.x is x else self._at(x)
        if seen.g is None:
            seen.g = self._differentiate(seen)
        return seen.g.copy()

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient, which is the remembered array itself: a `Point` is never changed."""
        seen = self._last if self._last.x is x else self._at(x)
        f = self._evaluate(seen) if seen.f is None else seen.f
        if seen.g is None:
            seen.g = self._differentiate(seen)
        return f, seen.g

    def hessian(self, x: Vector) -> Vector:
        seen = self._at(x)
        if self._curved is not seen:  # one only: Hessians are large
            self._h, self._curved = self._second(seen), seen
        return self._h.copy()

    def hessian_product(self, x: Vector, v: Vector) -> Vector:
        if self._from.hessp is not None:
            return self.calls.product(self._from.hessp, x, v)
        if self._from.hess is not None:
            with np.errstate(all="ignore"):
                return self.hessian(x) @ v
        seen = self._at(x)
        return derivative_along(self._gradient_anew, x, self.gradient(seen.x), v, self._coarse())

    def _at(self, x: Vector) -> Seen:
        bytes_of = mark(x)
        for seen in (*self._recent, self._best):
            if seen.mark == bytes_of and seen.is_at(x):
                break
        else:
            seen = Seen(x, bytes_of)
            self._recent.appendleft(seen)
        seen.x = x
        self._last = seen
        return seen

    def _evaluate(self, seen: Seen) -> float:
        if self._both is None:
            f = self.calls.value(seen.x)
        else:
            f, seen.g = self.calls.pair(self._both, seen.x)
        seen.f = f
        if -math.inf < f < self._best_f and finite(seen.x):
            self._best, self._best_f = seen, f
        return f

    def _differentiate(self, seen: Seen) -> Vector:
        if self._jac is not None:
            return self.calls.gradient(self._jac, seen.x)
        f = self._evaluate(seen) if seen.f is None or self._both else seen.f
        if self._both is not None and seen.g is not None:
            return seen.g
        return self._differences(seen.x, f)

    def _differences(self, x: Vector, f: float) -> Vector:
        self.calls.njev += 1
        ask: Any = self.calls.complex_value if self.scheme == "cs" else self.calls.value
        g = SCHEMES[self.scheme](ask, x, f, self._steps(self.calls.precision))
        if not g.all() and self._is_coarse(x, g):
            self.calls.precision = COARSE
            g = SCHEMES[self.scheme](ask, x, f, self._steps(COARSE))
        return g

    def _is_coarse(self, x: Vector, g: Vector) -> bool:
        """Whether zeros in one-sided differences come from steps too short for the digits in which f is computed."""
        own = self._absolute is not None or self._relative is not None
        if self.scheme != "2-point" or own or self.calls.precision >= COARSE:
            return False
        if not is_doubtful(g, first=self.njev == 1):
            return False
        return is_coarse(self.calls.value, x, g, self._steps(self.calls.precision))

    def _gradient_anew(self, x: Vector) -> Vector:
        """Return a gradient that is part of a difference, so that nothing is remembered of it."""
        if self._jac is not None:
            return self.calls.gradient(self._jac, x)
        if self._both is not None:
            return self.calls.pair(self._both, x)[1]
        return self._differences(x, self.calls.value(x))

    def _second(self, seen: Seen) -> Vector:
        if self._from.hess is not None:
            return self.calls.hessian(self._from.hess, seen.x)
        jac = self._jac
        if self._from.curves == "cs" and jac is not None:
            rows = SCHEMES["cs"](
                lambda z: self.calls.complex_gradient(jac, z), seen.x, 0.0, self._coarse()
            )
            return returned.symmetric(rows)
        scheme = "3-point" if self._from.curves == "3-point" else "2-point"
        g = self.gradient(seen.x)
        return returned.symmetric(SCHEMES[scheme](self._gradient_anew, seen.x, g, self._coarse()))

    def _coarse(self) -> Steps:
        """Steps for differences of gradients, which may be noisy themselves."""
        return self._steps(self.calls.precision ** _NOISE.get(self.scheme, 1.0), own=False)

    def _steps(self, precision: float, *, own: bool = True) -> Steps:
        none = np.full(self.n, math.inf)
        sizes = self._sizes = typical_sizes(self._x0) if self._sizes is None else self._sizes
        return Steps(
            sizes,
            -none if self.lower is None else self.lower,
            none if self.upper is None else self.upper,
            precision,
            self._seen_by_fun,
            self._absolute if own else None,
            self._relative if own else None,
        )

    def _seen_by_fun(self, x: Vector) -> Vector:
        seen = returned.vector(self._from.own(x), self.calls.shape, self.n)
        return x if seen is None else seen
