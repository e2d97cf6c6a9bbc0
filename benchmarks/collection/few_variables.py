"""The functions of two to four variables without data: Moré, Garbow & Hillstrom 1-7, 13, 14, 16."""

from __future__ import annotations

import numpy as np

from benchmarks.collection.problem import Vector, columns, mgh, problem, sum_of_squares


@problem("rosenbrock", [-1.2, 1], 0.0, mgh(1))
@sum_of_squares
def rosenbrock(x: Vector) -> tuple[Vector, Vector]:
    r = np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])
    return r, np.array([[-20 * x[0], 10], [-1, 0]])


@problem("freudenstein_roth", [0.5, -2], (0.0, 48.98425367924), mgh(2))
@sum_of_squares
def freudenstein_roth(x: Vector) -> tuple[Vector, Vector]:
    a, b = x
    r = np.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])
    return r, np.array([[1, 10 * b - 3 * b**2 - 2], [1, 3 * b**2 + 2 * b - 14]])


@problem("powell_badly_scaled", [0, 1], 0.0, mgh(3))
@sum_of_squares
def powell_badly_scaled(x: Vector) -> tuple[Vector, Vector]:
    e = np.exp(-x)
    r = np.array([1e4 * x[0] * x[1] - 1, e[0] + e[1] - 1.0001])
    return r, np.array([[1e4 * x[1], 1e4 * x[0]], -e])


@problem("brown_badly_scaled", [1, 1], 0.0, mgh(4))
@sum_of_squares
def brown_badly_scaled(x: Vector) -> tuple[Vector, Vector]:
    r = np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])
    return r, np.array([[1, 0], [0, 1], [x[1], x[0]]])


@problem("beale", [1, 1], 0.0, mgh(5))
@sum_of_squares
def beale(x: Vector) -> tuple[Vector, Vector]:
    i = np.arange(1, 4)
    r = np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** i)
    return r, columns(x[1] ** i - 1, x[0] * i * x[1] ** (i - 1))


@problem("jennrich_sampson", [0.3, 0.4], 124.3621823556, mgh(6))
@sum_of_squares
def jennrich_sampson(x: Vector) -> tuple[Vector, Vector]:
    i = np.arange(1, 11)
    e = np.exp(np.outer(i, x))
    return 2 + 2 * i - e.sum(axis=1), -e * i[:, None]


@problem("helical_valley", [-1, 0, 0], 0.0, mgh(7))
@sum_of_squares
def helical_valley(x: Vector) -> tuple[Vector, Vector]:
    a, b, c = x
    square = a**2 + b**2
    theta = np.arctan(b / a) / (2 * np.pi) if a != 0 else 0.25 * np.sign(b.real)
    if a.real < 0:
        theta = theta + 0.5
    radius = np.sqrt(square)
    turn = 100 / (2 * np.pi * square)
    r = np.array([10 * (c - 10 * theta), 10 * (radius - 1), c])
    return r, np.array(
        [[turn * b, -turn * a, 10], [10 * a / radius, 10 * b / radius, 0], [0, 0, 1]]
    )


@problem("powell_singular", [3, -1, 0, 1], 0.0, mgh(13))
@sum_of_squares
def powell_singular(x: Vector) -> tuple[Vector, Vector]:
    a, b, c, d = x
    five, ten, p, q = np.sqrt(5), np.sqrt(10), b - 2 * c, a - d
    r = np.array([a + 10 * b, five * (c - d), p**2, ten * q**2])
    j = [
        [1, 10, 0, 0],
        [0, 0, five, -five],
        [0, 2 * p, -4 * p, 0],
        [2 * ten * q, 0, 0, -2 * ten * q],
    ]
    return r, np.array(j)


@problem("wood", [-3, -1, -3, -1], 0.0, mgh(14))
@sum_of_squares
def wood(x: Vector) -> tuple[Vector, Vector]:
    a, b, c, d = x
    ninety, ten = np.sqrt(90), np.sqrt(10)
    r = [10 * (b - a**2), 1 - a, ninety * (d - c**2), 1 - c, ten * (b + d - 2), (b - d) / ten]
    j = [
        [-20 * a, 10, 0, 0],
        [-1, 0, 0, 0],
        [0, 0, -2 * ninety * c, ninety],
        [0, 0, -1, 0],
        [0, ten, 0, ten],
        [0, 1 / ten, 0, -1 / ten],
    ]
    return np.array(r), np.array(j)


@problem("brown_dennis", [25, 5, -5, -1], 85822.20162636, mgh(16))
@sum_of_squares
def brown_dennis(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 21) / 5
    p = x[0] + t * x[1] - np.exp(t)
    q = x[2] + x[3] * np.sin(t) - np.cos(t)
    return p**2 + q**2, columns(2 * p, 2 * p * t, 2 * q, 2 * q * np.sin(t))
