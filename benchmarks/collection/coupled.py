"""Separable functions, dense ones, and those whose terms meet at scattered variables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from benchmarks.collection.problem import Vector, cutest, problem

Value = tuple[Any, Vector]

DIXON_MAANY = {
    "a": (0, 0.125, 0.125, (0, 0, 0, 0)),
    "b": (0.0625, 0.0625, 0.0625, (0, 0, 0, 0)),
    "c": (0.125, 0.125, 0.125, (0, 0, 0, 0)),
    "d": (0.26, 0.26, 0.26, (0, 0, 0, 0)),
    "e": (0, 0.125, 0.125, (1, 0, 0, 1)),
    "f": (0.0625, 0.0625, 0.0625, (1, 0, 0, 1)),
    "g": (0.125, 0.125, 0.125, (1, 0, 0, 1)),
    "h": (0.26, 0.26, 0.26, (1, 0, 0, 1)),
    "i": (0, 0.125, 0.125, (2, 0, 0, 2)),
    "j": (0.0625, 0.0625, 0.0625, (2, 0, 0, 2)),
    "k": (0.125, 0.125, 0.125, (2, 0, 0, 2)),
    "l": (0.26, 0.26, 0.26, (2, 0, 0, 2)),
    "m": (0, 0.125, 0.125, (2, 1, 1, 2)),
    "n": (0.0625, 0.0625, 0.0625, (2, 1, 1, 2)),
    "o": (0.125, 0.125, 0.125, (2, 1, 1, 2)),
    "p": (0.26, 0.26, 0.26, (2, 1, 1, 2)),
}
"""β, γ, δ and the powers of i/n; α is 1."""


def _dixon_maany(
    beta: float, gamma: float, delta: float, powers: tuple[int, ...]
) -> Callable[[Vector], Value]:
    def fun_and_grad(x: Vector) -> Value:
        n, m = x.size, x.size // 3
        share = np.arange(1, n + 1) / n
        one, two, three, four = (share**k for k in powers)
        two, three, four = beta * two[:-1], gamma * three[: 2 * m], delta * four[:m]
        a, b = x[:-1], x[1:] + x[1:] ** 2
        c, d = x[: 2 * m], x[m:]
        f = 1 + one @ x**2 + two @ (a * b) ** 2 + three @ (c**2 * d**4)
        g = 2 * one * x
        g[:-1] += 2 * two * a * b**2
        g[1:] += 2 * two * a**2 * b * (1 + 2 * x[1:])
        g[: 2 * m] += 2 * three * c * d**4
        g[m:] += 4 * three * c**2 * d**3
        g[:m] += four * x[2 * m :]
        g[2 * m :] += four * x[:m]
        return f + four @ (x[:m] * x[2 * m :]), g

    return fun_and_grad


for _letter, _settings in DIXON_MAANY.items():
    _name = f"dixmaan{_letter}_90"
    problem(_name, np.full(90, 2.0), 1.0, cutest(f"DIXMAAN{_letter.upper()}"))(
        _dixon_maany(*_settings)
    )


@problem("quartc_100", np.full(100, 2.0), 0.0, cutest("QUARTC"))
@problem("dqrtic_1000", np.full(1000, 2.0), 0.0, cutest("DQRTIC"))
def quartic(x: Vector) -> Value:
    d = x - np.arange(1, x.size + 1)
    return (d**4).sum(), 4 * d**3


@problem("power_100", np.ones(100), 0.0, cutest("POWER"))
def power(x: Vector) -> Value:
    weighted = np.arange(1, x.size + 1) * x
    s = weighted @ x
    return s**2, 4 * s * weighted


@problem("vardim_100", 1 - np.arange(1, 101) / 100, 0.0, cutest("VARDIM"))
def vardim(x: Vector) -> Value:
    j, d = np.arange(1, x.size + 1), x - 1
    s = j @ d
    return d @ d + s**2 + s**4, 2 * d + (2 * s + 4 * s**3) * j


@problem("penalty1_100", np.arange(1, 101), 9.024909768043e-4, cutest("PENALTY1"), established=True)
def penalty1(x: Vector) -> Value:
    s, d = x @ x - 0.25, x - 1
    return 1e-5 * (d @ d) + s**2, 2e-5 * d + 4 * s * x


@problem("hilberta_10", np.full(10, -3.0), 0.0, cutest("HILBERTA"))
def hilberta(x: Vector) -> Value:
    i = np.arange(1, x.size + 1)
    product = (1 / (i[:, None] + i - 1)) @ x
    return x @ product / 2, product


@problem("hilbertb_10", np.full(10, -3.0), 0.0, cutest("HILBERTB"))
def hilbertb(x: Vector) -> Value:
    f, g = hilberta(x)
    return f + 5 * (x @ x), g + 10 * x


@problem("curly10_100", 1e-4 * np.arange(1, 101) / 101, -1.003162905e4, cutest("CURLY10"))
def curly10(x: Vector) -> Value:
    padded = np.concatenate(([0], np.cumsum(x), np.full(10, x.sum())))
    q = padded[11:] - padded[: x.size]
    slope = 4 * q**3 - 40 * q - 0.1
    before = np.concatenate((np.zeros(11), np.cumsum(slope)))
    return (q * (q * (q**2 - 20) - 0.1)).sum(), before[11:] - before[: x.size]


FIVE = ((2, 1), (3, 1), (5, 1), (7, 1), (11, 1))


@cache
def _scattered(n: int, multiples: tuple[tuple[int, int], ...]) -> Vector:
    """The matrix whose row i adds up x_i and x_{mod(a i - b, n) + 1} for each (a, b)."""
    i = np.arange(1, n + 1)
    matrix = np.eye(n)
    for a, b in multiples:
        np.add.at(matrix, (i - 1, (a * i - b) % n), 1)
    return matrix


@cache
def _banded(n: int) -> Vector:
    """The matrix of the variational eigenvalue problem, of bandwidth 9."""
    i = np.arange(1, n + 1)
    apart = i[:, None] - i
    return np.where(abs(apart) <= 4, np.sin(np.outer(i, i)) * np.exp(-(apart**2) / n**2), 0)


@problem("sparsine_50", np.full(50, 0.5), 0.0, cutest("SPARSINE"))
def sparsine(x: Vector) -> Value:
    matrix, i = _scattered(x.size, FIVE), np.arange(1, x.size + 1)
    s = matrix @ np.sin(x)
    return i @ s**2 / 2, (i * s) @ matrix * np.cos(x)


@problem("sparsqur_100", np.full(100, 0.5), 0.0, cutest("SPARSQUR"))
def sparsqur(x: Vector) -> Value:
    matrix, i = _scattered(x.size, FIVE), np.arange(1, x.size + 1)
    s = matrix @ x**2
    return i @ s**2 / 8, (i * s) @ matrix * x / 2


@problem(
    "noncvxu2_100",
    np.arange(1, 101),
    (231.6808419788, 231.82772738684),
    cutest("NONCVXU2"),
    established=True,
)
def noncvxu2(x: Vector) -> Value:
    matrix = _scattered(x.size, ((3, 2), (7, 3)))
    s = matrix @ x
    return (s**2 + 4 * np.cos(s)).sum(), (2 * s - 4 * np.sin(s)) @ matrix


@problem("vareigvl_50", np.append(np.ones(49), 0.0), 0.0, cutest("VAREIGVL"))
def vareigvl(x: Vector) -> Value:
    matrix, y, mu = _banded(x.size - 1), x[:-1], x[-1]
    r, square = matrix @ y - mu * y, y @ y
    root = np.sqrt(square)
    return r @ r / 2 + square * root / 1.5, np.append(r @ matrix - mu * r + 2 * root * y, -(r @ y))
