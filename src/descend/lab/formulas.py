"""The formulas of the test functions: each has its value and gradient at an array of shape (n,).

Far away the values overflow to ``inf`` or ``nan``, without a warning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

quiet = np.errstate(all="ignore")


@quiet
def square(x: Vector) -> float:
    return float(x[0] ** 2 + 5)


@quiet
def sum_of_squares(x: Vector) -> float:
    return float(x @ x)


@quiet
def twice(x: Vector) -> Vector:
    return 2 * x


@quiet
def quartic(x: Vector) -> float:
    u = x[0]
    return float(u**4 - 5 * u**3 + 4 * u**2 + 3 * u)


@quiet
def quartic_grad(x: Vector) -> Vector:
    return 4 * x**3 - 15 * x**2 + 8 * x + 3


@dataclass(frozen=True, eq=False)
class Quadratic:
    """½ xᵀAx with a symmetric matrix A of shape (n, n)."""

    matrix: Vector

    @quiet
    def fun(self, x: Vector) -> float:
        return float(x @ (self.matrix @ x)) / 2

    @quiet
    def grad(self, x: Vector) -> Vector:
        return self.matrix @ x


@quiet
def rosenbrock(x: Vector) -> float:
    head, tail = x[:-1], x[1:]
    return float(np.sum(100 * (tail - head**2) ** 2 + (1 - head) ** 2))


@quiet
def rosenbrock_grad(x: Vector) -> Vector:
    head, tail = x[:-1], x[1:]
    gap = tail - head**2
    g = np.zeros_like(x)
    g[:-1] = -400 * head * gap - 2 * (1 - head)
    g[1:] += 200 * gap
    return g


def _beale_terms(x: Vector) -> tuple[float, float, float]:
    u, v = x
    return 1.5 - u + u * v, 2.25 - u + u * v**2, 2.625 - u + u * v**3


@quiet
def beale(x: Vector) -> float:
    a, b, c = _beale_terms(x)
    return float(a**2 + b**2 + c**2)


@quiet
def beale_grad(x: Vector) -> Vector:
    u, v = x
    a, b, c = _beale_terms(x)
    by_u = a * (v - 1) + b * (v**2 - 1) + c * (v**3 - 1)
    return 2 * np.array([by_u, u * (a + 2 * b * v + 3 * c * v**2)])


@quiet
def himmelblau(x: Vector) -> float:
    u, v = x
    return float((u**2 + v - 11) ** 2 + (u + v**2 - 7) ** 2)


@quiet
def himmelblau_grad(x: Vector) -> Vector:
    u, v = x
    a, b = u**2 + v - 11, u + v**2 - 7
    return np.array([4 * u * a + 2 * b, 2 * a + 4 * v * b])


@quiet
def rastrigin(x: Vector) -> float:
    return float(np.sum(x**2 + 10 * (1 - np.cos(2 * np.pi * x))))


@quiet
def rastrigin_grad(x: Vector) -> Vector:
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


@quiet
def ackley(x: Vector) -> float:
    # expm1 keeps f(0) = 0 exactly, where 20 + e − 20 − e leaves 4e-16
    radius = np.sqrt(np.mean(x**2))
    waves = np.mean(np.cos(2 * np.pi * x))
    return float(-20 * np.expm1(-0.2 * radius) - np.e * np.expm1(waves - 1))


@quiet
def ackley_grad(x: Vector) -> Vector:
    radius = np.sqrt(np.mean(x**2))
    if radius == 0:  # the tip of a cone: 0 is the subgradient that says "minimum"
        return np.zeros_like(x)
    crest = np.exp(np.mean(np.cos(2 * np.pi * x)))
    cone: Vector = 4 * np.exp(-0.2 * radius) / radius * x
    waves: Vector = 2 * np.pi * crest * np.sin(2 * np.pi * x)
    return (cone + waves) / x.size


@quiet
def styblinski_tang(x: Vector) -> float:
    return float(np.sum(x**4 - 16 * x**2 + 5 * x)) / 2


@quiet
def styblinski_tang_grad(x: Vector) -> Vector:
    return 2 * x**3 - 16 * x + 2.5


@quiet
def booth(x: Vector) -> float:
    u, v = x
    return float((u + 2 * v - 7) ** 2 + (2 * u + v - 5) ** 2)


@quiet
def booth_grad(x: Vector) -> Vector:
    u, v = x
    a, b = u + 2 * v - 7, 2 * u + v - 5
    return np.array([2 * a + 4 * b, 4 * a + 2 * b])


@quiet
def saddle(x: Vector) -> float:
    u, v = x
    return float((u**2 - 1) ** 2 / 4 + v**2 / 2)


@quiet
def saddle_grad(x: Vector) -> Vector:
    u, v = x
    return np.array([u * (u**2 - 1), v])


@quiet
def ravine(x: Vector) -> float:
    return float(0.1 * x[0] ** 2 + 2 * x[1] ** 2)


@quiet
def ravine_grad(x: Vector) -> Vector:
    return np.array([0.2, 4.0]) * x


@quiet
def plateau(x: Vector) -> float:
    square = float(x @ x)
    return 1.0 if square == np.inf else square / (1 + square)


@quiet
def plateau_grad(x: Vector) -> Vector:
    return 2 * x / (1 + x @ x) ** 2
