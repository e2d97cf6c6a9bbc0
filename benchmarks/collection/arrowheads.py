"""Functions in which one variable meets all others, or a few meet at fixed distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.collection.problem import Vector, cutest, problem

Value = tuple[Any, Vector]


@problem("arwhead_1000", np.ones(1000), 0.0, cutest("ARWHEAD"))
def arwhead(x: Vector) -> Value:
    s = x[:-1] ** 2 + x[-1] ** 2
    g = np.empty_like(x)
    g[:-1] = 4 * s * x[:-1] - 4
    g[-1] = 4 * x[-1] * s.sum()
    return (s**2 - 4 * x[:-1] + 3).sum(), g


@problem("bdqrtic_100", np.ones(100), 378.76919180868, cutest("BDQRTIC"))
@problem("bdqrtic_1000", np.ones(1000), 3983.8179505765, cutest("BDQRTIC"))
def bdqrtic(x: Vector) -> Value:
    p, y = 3 - 4 * x[:-4], x**2
    q = y[:-4] + 2 * y[1:-3] + 3 * y[2:-2] + 4 * y[3:-1] + 5 * y[-1]
    g = np.zeros_like(x)
    for k in range(4):
        g[k : x.size - 4 + k] += 4 * (k + 1) * q * x[k : x.size - 4 + k]
    g[:-4] -= 8 * p
    g[-1] += 20 * x[-1] * q.sum()
    return p @ p + q @ q, g


@problem("liarwhd_1000", np.full(1000, 4.0), 0.0, cutest("LIARWHD"))
def liarwhd(x: Vector) -> Value:
    p, q = x**2 - x[0], x - 1
    g = 16 * p * x + 2 * q
    g[0] -= 8 * p.sum()
    return 4 * (p @ p) + q @ q, g


@problem("nondia_100", -np.ones(100), 0.0, cutest("NONDIA"))
def nondia(x: Vector) -> Value:
    p = x[0] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] = -400 * p * x[:-1]
    g[0] += 2 * (x[0] - 1) + 200 * p.sum()
    return (x[0] - 1) ** 2 + 100 * (p @ p), g


@problem("nondquar_100", np.tile([1, -1], 50), 0.0, cutest("NONDQUAR"))
def nondquar(x: Vector) -> Value:
    s = x[:-2] + x[1:-1] + x[-1]
    first, last = x[0] - x[1], x[-2] - x[-1]
    cubes = 4 * s**3
    g = np.zeros_like(x)
    g[:-2] = cubes
    g[1:-1] += cubes
    g[-1] += cubes.sum()
    g[:2] += [2 * first, -2 * first]
    g[-2:] += [2 * last, -2 * last]
    return (s**4).sum() + first**2 + last**2, g


@problem("sinquad2_50", np.full(50, 0.1), 0.0, cutest("SINQUAD2"))
def sinquad2(x: Vector) -> Value:
    middle = x[1:-1]
    s = np.sin(middle - x[-1]) + middle**2 - x[0] ** 2
    slope = np.cos(middle - x[-1])
    last = x[-1] ** 2 - x[0] ** 2
    g = np.empty_like(x)
    g[0] = 4 * (x[0] - 1) ** 3 - 4 * x[0] * (s.sum() + last)
    g[1:-1] = 2 * s * (slope + 2 * middle)
    g[-1] = 4 * x[-1] * last - 2 * (s @ slope)
    return (x[0] - 1) ** 4 + s @ s + last**2, g


@problem("tquartic_100", np.full(100, 0.1), 0.0, cutest("TQUARTIC"))
def tquartic(x: Vector) -> Value:
    p = x[0] ** 2 - x[1:] ** 2
    g = np.empty_like(x)
    g[0] = 2 * (x[0] - 1) + 4 * x[0] * p.sum()
    g[1:] = -4 * p * x[1:]
    return (x[0] - 1) ** 2 + p @ p, g


@problem("eg2_1000", np.zeros(1000), -998.94739330097, cutest("EG2"), established=True)
def eg2(x: Vector) -> Value:
    angle = x[0] + x[:-1] ** 2 - 1
    slope = np.cos(angle)
    g = np.empty_like(x)
    g[:-1] = 2 * x[:-1] * slope
    g[0] += slope.sum()
    g[-1] = x[-1] * np.cos(x[-1] ** 2)
    return np.sin(angle).sum() + np.sin(x[-1] ** 2) / 2, g


@problem("tointgss_100", np.full(100, 3.0), (10.0, 990 / 98, 1000 / 98), cutest("TOINTGSS"))
def tointgss(x: Vector) -> Value:
    d, c = x[:-2] - x[1:-1], x[2:]
    below = 0.1 + c**2
    e = np.exp(-(d**2) / below)
    a, b = 10 / (x.size - 2) + c**2, 2 - e
    by_d = 2 * a * d * e / below
    g = np.zeros_like(x)
    g[:-2] = by_d
    g[1:-1] -= by_d
    g[2:] += 2 * c * (b - a * e * (d / below) ** 2)
    return a @ b, g


@problem("schmvett_100", np.full(100, 0.5), -294.0, cutest("SCHMVETT"))
def schmvett(x: Vector) -> Value:
    a, b, c = x[:-2], x[1:-1], x[2:]
    d, angle, ratio = a - b, (np.pi * b + c) / 2, (a + c) / b - 2
    share, cosine, e = 1 / (1 + d**2), np.cos(angle) / 2, np.exp(-(ratio**2))
    by_d, by_ratio = 2 * d * share**2, 2 * ratio * e
    g = np.zeros_like(x)
    g[:-2] = by_d + by_ratio / b
    g[1:-1] += -by_d - np.pi * cosine - by_ratio * (a + c) / b**2
    g[2:] += -cosine + by_ratio / b
    return -(share + np.sin(angle) + e).sum(), g


@problem("cragglvy_100", np.append(1.0, np.full(99, 2.0)), 32.269911458582, cutest("CRAGGLVY"))
def cragglvy(x: Vector) -> Value:
    a, b, c, d = x[:-2:2], x[1:-2:2], x[2::2], x[3::2]
    e = np.exp(a)
    p, q, u = e - b, b - c, c - d
    t = np.tan(u)
    s = t + u
    by_u, by_q = 4 * s**3 * (2 + t**2), 600 * q**5
    g = np.zeros_like(x)
    g[:-2:2] = 4 * p**3 * e + 8 * a**7
    g[1:-2:2] = -4 * p**3 + by_q
    g[2::2] += by_u - by_q
    g[3::2] += 2 * (d - 1) - by_u
    return (p**4 + 100 * q**6 + s**4 + a**8 + (d - 1) ** 2).sum(), g
