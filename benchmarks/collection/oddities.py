"""Small functions of two or three variables with a cliff, a curved valley or a flat: CUTEst."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.collection.problem import Vector, columns, cutest, problem, sum_of_squares

Value = tuple[Any, Vector]


@problem("cube", [-1.2, 1], 0.0, cutest("CUBE"))
@sum_of_squares
def cube(x: Vector) -> tuple[Vector, Vector]:
    r = np.array([x[0] - 1, 10 * (x[1] - x[0] ** 3)])
    return r, np.array([[1, 0], [-30 * x[0] ** 2, 10]])


@problem("cliff", [0, -1], 0.1997866136777, cutest("CLIFF"))
def cliff(x: Vector) -> Value:
    d, a = x[0] - x[1], (x[0] - 3) / 100
    e = np.exp(20 * d)
    return a**2 - d + e, np.array([a / 50 - 1 + 20 * e, 1 - 20 * e])


@problem("brkmcc", [2, 2], 0.16904267919645, cutest("BRKMCC"))
def brkmcc(x: Vector) -> Value:
    a, b = x
    d, e = 1 - a**2 / 4 - b**2, a - 2 * b + 1
    f = (a - 2) ** 2 + (b - 1) ** 2 + 0.04 / d + 5 * e**2
    by_d = -0.04 / d**2
    return f, np.array([2 * (a - 2) - by_d * a / 2 + 10 * e, 2 * (b - 1) - 2 * by_d * b - 20 * e])


@problem("denschna", [1, 1], 0.0, cutest("DENSCHNA"))
@sum_of_squares
def denschna(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([a**2, a + b, np.exp(b) - 1])
    return r, np.array([[2 * a, 0], [1, 1], [0, np.exp(b)]])


@problem("denschnc", [2, 3], (0.0, 0.1833617), cutest("DENSCHNC"))
@sum_of_squares
def denschnc(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([a**2 + b**2 - 2, np.exp(a - 1) + b**3 - 2])
    return r, np.array([[2 * a, 2 * b], [np.exp(a - 1), 3 * b**2]])


@problem("denschnf", [2, 0], 0.0, cutest("DENSCHNF"))
@sum_of_squares
def denschnf(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([2 * (a + b) ** 2 + (a - b) ** 2 - 8, 5 * a**2 + (b - 3) ** 2 - 9])
    return r, np.array([[6 * a + 2 * b, 2 * a + 6 * b], [10 * a, 2 * (b - 3)]])


@problem("engval2", [1, 2, 0], 0.0, cutest("ENGVAL2"))
@sum_of_squares
def engval2(x: Vector) -> tuple[Vector, Vector]:
    a, b, c = x
    d = 5 * c - a + 1
    square = a**2 + b**2
    r = [square + c**2 - 1, square + (c - 2) ** 2 - 1, a + b + c - 1, a + b - c + 1]
    r.append(a**3 + 3 * b**2 + d**2 - 36)
    j = columns(
        [2 * a, 2 * a, 1, 1, 3 * a**2 - 2 * d],
        [2 * b, 2 * b, 1, 1, 6 * b],
        [2 * c, 2 * c - 4, 1, -1, 10 * d],
    )
    return np.array(r), j


@problem("himmelbg", [0.5, 0.5], 0.0, cutest("HIMMELBG"))
def himmelbg(x: Vector) -> Value:
    e, s = np.exp(-x[0] - x[1]), 2 * x[0] ** 2 + 3 * x[1] ** 2
    return e * s, e * (np.array([4 * x[0], 6 * x[1]]) - s)


@problem("himmelbh", [0, 2], -1.0, cutest("HIMMELBH"))
def himmelbh(x: Vector) -> Value:
    a, b = x
    return a**3 + b**2 - 3 * a - 2 * b + 2, np.array([3 * a**2 - 3, 2 * b - 2])


@problem("sisser", [1, 0.1], 0.0, cutest("SISSER"))
def sisser(x: Vector) -> Value:
    a, b = x
    f = 3 * a**4 - 2 * (a * b) ** 2 + 3 * b**4
    return f, np.array([12 * a**3 - 4 * a * b**2, 12 * b**3 - 4 * a**2 * b])
