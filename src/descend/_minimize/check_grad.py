"""Is the gradient that of the function? The wrong entry by name, also in gradients of thousands of entries and of very different sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from descend._minimize.differences import SCHEMES, typical_sizes
from descend._minimize.objective import Ended, Objective
from descend._minimize.variables import read_start
from descend.errors import ProblemError
from descend.methods._method import Vector

TOLERANCE = 1e-5
"""Relative error up to which a gradient is right."""

_ALL = 60
"""Up to so many entries each is checked; else that many are sampled, and random directions see the others."""
_DIRECTIONS = 8
_LADDER = (1.0, 1e-2, 10.0, 1e-4, 1e-6, 1e-8, 1e3, 1e5, 1e7, 1e9)
"""Steps tried, times ε^(1/4) of the size of x, until one is precise enough to judge by."""
_WIDE = 10.0
"""Longer steps than this may pass over whole waves of f: a slope of theirs is taken where a third step confirms it."""
_CONFIRMED = 1e-3
"""Part of a slope by which those of two wide pairs may differ: those of waves agree so well once in 1e3."""
_BENDS = 16.0
"""By how much the bend at a kink must shrink when the step does."""


@dataclass(frozen=True)
class GradientCheck:
    """The entry of a gradient that disagrees most with central differences."""

    error: float
    """Its relative error; differences that cannot be told from rounding count as at most `TOLERANCE`."""
    index: int
    """Which entry, of the gradient as a vector."""
    analytic: float
    numeric: float

    @property
    def ok(self) -> bool:
        """Whether the gradient is right, as far as differences can tell."""
        return self.error <= TOLERANCE

    def __str__(self) -> str:
        if self.ok:
            return (
                "the gradient agrees with central differences; the worst relative error is"
                f" {self.error:.1e}, of entry {self.index}"
            )
        return (
            f"entry {self.index} of the gradient is {_short(self.analytic)} where central differences"
            f" give {_short(self.numeric)} (relative error {self.error:.2g})"
        )


def check_grad(
    fun: Callable[..., Any],
    jac: Any,
    x: Any,
    args: Any = (),
    *,
    directions: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradient at ``x`` with central differences, extrapolated from two steps [1]_, of which many pairs are tried.

    Steps are relative to each entry of ``x`` (for 0, to 1 or to what the others tell), and shrink or grow until the two agree; else
    the pair with the least estimated error counts. Up to 60 entries each is compared. Of more, 60 are; then the slopes along random directions, and one that differs is halved until
    the entry is found.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``, a real number.
    jac : callable, True, 'jax', 'torch' or 'autograd'
        ``jac(x, *args)``, of the shape of ``x``; True where ``fun`` returns (f, gradient).
    x : array of any shape
        Where. A point where no entry of the gradient is 0 sees most.
    args : tuple, or one value that is not a tuple
        Further arguments of both.
    directions : int, optional
        How many random directions; 8 where not every entry is compared.
    seed : int
        Of the directions and of the sampled entries.

    Returns
    -------
    GradientCheck
        Its text is one sentence.

    Raises
    ------
    ProblemError
        The function or its gradient fails at ``x``, or f is not finite there.

    References
    ----------
    .. [1] L. F. Richardson, Phil. Trans. R. Soc. A 210 (1911) 307, section 1.2.

    Examples
    --------
    >>> import numpy as np
    >>> def f(x):  # x of shape (3,)
    ...     return x[0] ** 2 + 3 * x[1] + np.exp(x[2])
    >>> def g(x):
    ...     return np.array([x[0], 3.0, np.exp(x[2])])
    >>> print(check_grad(f, g, [2.0, 1.0, 0.5]))
    entry 0 of the gradient is 2.0 where central differences give 4.0 (relative error 0.5)
    >>> check_grad(f, lambda x: [2 * x[0], 3, np.exp(x[2])], [2.0, 1.0, 0.5]).ok
    True
    """
    if jac is None or jac is False or (isinstance(jac, str) and jac in SCHEMES):
        raise ProblemError(
            f"jac of check_grad must be a gradient to check, not differences; got {jac!r}."
        )
    args = args if isinstance(args, tuple) else (args,)
    start = read_start(x)
    function = Objective(fun, start.x, start.restore, start.shape, start.kind, args, jac=jac)
    try:
        f, g = function.value_and_gradient(start.x)
    except Ended as error:
        raise ProblemError(error.why) from error.__cause__
    if not math.isfinite(f):
        raise ProblemError(f"fun of check_grad must be finite at x; got {f}.")

    def value(at: Vector) -> float:
        try:
            return function.calls.value(at) if jac is not True else function.value(at)
        except Ended:  # outside of the domain
            return math.nan

    if function.calls.precision > 2.0**-52:
        return compare(value, start.x, f, g, function.calls.precision, directions, seed)
    return compare(value, start.x, f, g, directions=directions, seed=seed)


def compare(
    value: Callable[[Vector], float],
    x: Vector,
    f: float,
    g: Vector,
    precision: float = 2.0**-52,
    directions: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare ``g`` with differences of ``value`` around ``x``, where it is ``f``.

    Parameters
    ----------
    value : callable
        From an array of shape (n,) to a float; nan outside of the domain.
    x, g : array of shape (n,)
    f : float
    precision : float
        The relative error of ``value``.
    directions, seed : int
        See `check_grad`.
    """
    rng = np.random.default_rng(seed)
    judge = _Judge(value, x, f, g, precision)
    n = x.size
    entries = range(n) if n <= _ALL else np.sort(rng.choice(n, _ALL, replace=False)).tolist()
    found = [judge.entry(i) for i in {*entries, *np.flatnonzero(~np.isfinite(g))[:1].tolist()}]
    if directions is None:
        directions = _DIRECTIONS if n > _ALL else 0
    for weights in _weights(judge, directions):
        suspect = _halved(judge, weights * rng.choice([-1.0, 1.0], n))
        if suspect is not None:
            found.append(judge.entry(suspect))
    return max(found, key=lambda check: check.error)


def _weights(judge: _Judge, directions: int) -> Iterator[Vector]:
    """Yield as many kinds of directions: in the sizes of x, then so that each entry of g counts alike."""
    share = np.abs(judge.finite_g) * judge.sizes
    typical = float(np.median(share[share > 0])) if share.any() else 1.0
    alike = judge.sizes * np.minimum(1.0, typical / np.maximum(share, 1e-300))
    for k in range(directions):
        yield alike if k % 2 else judge.sizes


def _halved(judge: _Judge, v: Vector) -> int | None:
    """Return the entry because of which the slope along ``v`` is not that of g; None where it is."""
    if not judge.differs(v):
        return None
    suspects = np.flatnonzero(v)
    while suspects.size > 1:
        half = suspects[: suspects.size // 2]
        part = np.zeros(v.size)
        part[half] = v[half]
        suspects = half if judge.differs(part) else suspects[half.size :]
    return int(suspects[0])


@dataclass(frozen=True)
class _Slope:
    value: float
    doubt: float
    """How wrong it may be."""

    def better_than(self, other: _Slope) -> bool:
        """Whether its digits are more; where neither has one, whether its doubt is less.

        Differences over steps longer than the waves of f are small, and so is their doubt, but not as a part of them.
        """
        digits, others = (s.doubt <= 0.1 * abs(s.value) for s in (self, other))
        if digits and others:
            return self.doubt * abs(other.value) < other.doubt * abs(self.value)
        return digits or (not others and self.doubt < other.doubt)


class _Judge:
    """Slopes of f by differences, beside those that the gradient gives."""

    def __init__(
        self, value: Callable[[Vector], float], x: Vector, f: float, g: Vector, precision: float
    ) -> None:
        self.g = g
        self.finite_g = np.where(np.isfinite(g), g, 0.0)
        self.sizes = np.maximum(np.abs(x), typical_sizes(x))
        self._value, self._x, self._f = value, x, f
        self._precision = precision

    def entry(self, i: int) -> GradientCheck:
        """Compare one entry."""
        direction = np.zeros(self.g.size)
        direction[i] = size = float(self.sizes[i])
        a = float(self.g[i])
        slope = self._slope(direction, a * size)
        numeric = slope.value / size
        if not math.isfinite(a):
            return GradientCheck(math.inf, i, a, numeric)
        if not math.isfinite(slope.doubt):  # the edge of the domain: nothing can be said
            return GradientCheck(0.0, i, a, numeric)
        floor = max(slope.doubt / size / TOLERANCE, 1e-300)
        return GradientCheck(abs(a - numeric) / max(abs(a), abs(numeric), floor), i, a, numeric)

    def differs(self, v: Vector) -> bool:
        """Whether the slope along ``v`` is surely not that of the gradient."""
        with np.errstate(all="ignore"):
            expected = float(self.g @ v)
        slope = self._slope(v, expected)
        gap = abs(slope.value - expected)
        return math.isfinite(slope.doubt) and not gap <= 2 * slope.doubt

    def _slope(self, v: Vector, expected: float) -> _Slope:
        best = _Slope(math.nan, math.inf)
        for factor in _LADDER:
            h = factor * self._precision**0.25
            slope = self._extrapolated(v, h, expected)
            if slope.better_than(best):  # two pairs may agree by chance, three hardly
                finer = self._extrapolated(v, h / 4, expected)
                slope = _Slope(slope.value, max(slope.doubt, abs(slope.value - finer.value)))
            clear = factor <= _WIDE or slope.doubt <= _CONFIRMED * abs(slope.value)
            if clear and slope.better_than(best):
                best = slope
            if best.doubt <= 0.1 * TOLERANCE * abs(best.value):
                break
        return best

    def _extrapolated(self, v: Vector, h: float, expected: float) -> _Slope:
        """Return the slope by Richardson's extrapolation of central differences of steps h and h/2."""
        f = self._f
        (up, down), (above, below) = self._beside(v, h), self._beside(v, h / 2)
        rough, fine = (up - down) / (2 * h), (above - below) / h
        value = (4 * fine - rough) / 3
        if not math.isfinite(value):
            return _Slope(math.nan, math.inf)
        with np.errstate(all="ignore"):  # rounding of f, and of x + h where f sees it
            moved = float(np.abs(self.finite_g * self._x) @ (v != 0))
        noise = self._precision * (max(map(abs, (f, up, down))) + moved) / h
        bend, finer_bend = up - 2 * f + down, 2 * (above - 2 * f + below)
        noise += 2.0**-52 * max(abs(bend), 2 * abs(finer_bend)) / h**2  # x + h is rounded
        if abs(finer_bend) > 0.75 * abs(bend) and abs(finer_bend) / h > 8 * noise:
            # a kink at x: its jump does not shrink with h, and any slope between the two sides is a gradient
            if not self._is_kink(v, h, bend):
                return _Slope(value, abs(value - fine) + abs(finer_bend) / h + noise)
            left, right = sorted(((f - below) / (h / 2), (above - f) / (h / 2)))
            return _Slope(min(max(expected, left), right), noise)
        return _Slope(value, abs(value - fine) + noise)

    def _is_kink(self, v: Vector, h: float, bend: float) -> bool:
        """Whether the bend of a step is as many times smaller as the step: waves shorter than h look like kinks else."""
        up, down = self._beside(v, h / _BENDS)
        finest = (up - 2 * self._f + down) * _BENDS
        return 0.75 * abs(bend) < abs(finest) < abs(bend) / 0.75 and finest * bend > 0

    def _beside(self, v: Vector, h: float) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            return self._value(self._x + h * v), self._value(self._x - h * v)


def _short(number: float) -> float:
    return float(f"{number:.6g}")
