"""Functions whose terms couple neighbours, or every variable with one: chains, trees and arrowheads."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.collection.problem import Vector, cutest, mgh, numbers, problem

Value = tuple[Any, Vector]

ALPHA = numbers(
    """
    1.25 1.40 2.40 1.40 1.75 1.20 2.25 1.20 1.00 1.10 1.50 1.60 1.25 1.25 1.20 1.20 1.40 0.50
    0.50 1.25 1.80 0.75 1.25 1.40 1.60 2.00 1.00 1.60 1.25 2.75 1.25 1.25 1.25 3.00 1.50 2.00
    1.25 1.40 1.80 1.50 2.20 1.40 1.50 1.25 2.00 1.50 1.25 1.40 0.60 1.50
    """
)
"""The factors of Toint's chained Rosenbrock function, Mathematics of Computation 32 (1978)."""


@problem("extended_rosenbrock_100", np.tile([-1.2, 1], 50), 0.0, mgh(21))
@problem("extended_rosenbrock_1000", np.tile([-1.2, 1], 500), 0.0, cutest("SROSENBR"))
def extended_rosenbrock(x: Vector) -> Value:
    a, b = x[::2], x[1::2]
    p, q = b - a**2, 1 - a
    g = np.empty_like(x)
    g[::2], g[1::2] = -400 * a * p - 2 * q, 200 * p
    return 100 * (p @ p) + q @ q, g


@problem("extended_powell_100", np.tile([3, -1, 0, 1], 25), 0.0, mgh(22))
@problem("extended_powell_1000", np.tile([3, -1, 0, 1], 250), 0.0, cutest("POWELLSG"))
def extended_powell(x: Vector) -> Value:
    a, b, c, d = x.reshape(-1, 4).T
    p, q, r, s = a + 10 * b, c - d, b - 2 * c, a - d
    g = [2 * p + 40 * s**3, 20 * p + 4 * r**3, 10 * q - 8 * r**3, -10 * q - 40 * s**3]
    return p @ p + 5 * (q @ q) + (r**4).sum() + 10 * (s**4).sum(), np.stack(g, axis=1).ravel()


@problem("woods_100", np.tile([-3, -1, -3, -1], 25), 0.0, cutest("WOODS"))
def woods(x: Vector) -> Value:
    a, b, c, d = x.reshape(-1, 4).T
    p, q, s, t = b - a**2, d - c**2, b + d - 2, b - d
    f = 100 * p @ p + (1 - a) @ (1 - a) + 90 * q @ q + (1 - c) @ (1 - c) + 10 * s @ s + t @ t / 10
    g = [
        -400 * a * p - 2 * (1 - a),
        200 * p + 20 * s + t / 5,
        -360 * c * q - 2 * (1 - c),
        180 * q + 20 * s - t / 5,
    ]
    return f, np.stack(g, axis=1).ravel()


@problem("chnrosnb_50", -np.ones(50), 0.0, cutest("CHNROSNB"))
def chnrosnb(x: Vector) -> Value:
    weight = 16 * ALPHA[1:] ** 2
    p, q = x[:-1] - x[1:] ** 2, x[1:] - 1
    g = np.zeros_like(x)
    g[:-1] = 2 * weight * p
    g[1:] += 2 * q - 4 * weight * p * x[1:]
    return weight @ p**2 + q @ q, g


@problem("errinros_50", -np.ones(50), (39.904153920, 40.404490728535), cutest("ERRINROS"))
def errinros(x: Vector) -> Value:
    weight = 16 * ALPHA[1:] ** 2
    p, q = x[:-1] - weight * x[1:] ** 2, x[1:] - 1
    g = np.zeros_like(x)
    g[:-1] = 2 * p
    g[1:] += 2 * q - 4 * weight * p * x[1:]
    return p @ p + q @ q, g


@problem("extrosnb_10", -np.ones(10), 0.0, cutest("EXTROSNB"))
@problem("extrosnb_100", -np.ones(100), 0.0, cutest("EXTROSNB"))
def extrosnb(x: Vector) -> Value:
    p = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[1:] = 200 * p
    g[:-1] -= 400 * p * x[:-1]
    g[0] += 2 * (x[0] - 1)
    return 100 * (p @ p) + (x[0] - 1) ** 2, g


@problem("genrose_100", np.arange(1, 101) / 101, 1.0, cutest("GENROSE"))
def genrose(x: Vector) -> Value:
    p, q = x[1:] - x[:-1] ** 2, x[1:] - 1
    g = np.zeros_like(x)
    g[1:] = 200 * p + 2 * q
    g[:-1] -= 400 * p * x[:-1]
    return 1 + 100 * (p @ p) + q @ q, g


@problem("fletchcr_100", np.zeros(100), 0.0, cutest("FLETCHCR"))
def fletchcr(x: Vector) -> Value:
    p = x[1:] - x[:-1] + 1 - x[:-1] ** 2
    g = np.zeros_like(x)
    g[1:] = 200 * p
    g[:-1] -= 200 * p * (1 + 2 * x[:-1])
    return 100 * (p @ p), g


@problem("freuroth_100", np.append([0.5, -2], np.zeros(98)), 11964.577348654, cutest("FREUROTH"))
def freuroth(x: Vector) -> Value:
    a, b = x[:-1], x[1:]
    p, q = a - 13 + ((5 - b) * b - 2) * b, a - 29 + ((b + 1) * b - 14) * b
    g = np.zeros_like(x)
    g[:-1] = 2 * (p + q)
    g[1:] += 2 * p * (10 * b - 3 * b**2 - 2) + 2 * q * (3 * b**2 + 2 * b - 14)
    return p @ p + q @ q, g


@problem("engval1_100", np.full(100, 2.0), 109.08813614309, cutest("ENGVAL1"), established=True)
@problem("engval1_1000", np.full(1000, 2.0), 1108.194718785, cutest("ENGVAL1"), established=True)
def engval1(x: Vector) -> Value:
    a, b = x[:-1], x[1:]
    s = a**2 + b**2
    g = np.zeros_like(x)
    g[:-1] = 4 * s * a - 4
    g[1:] += 4 * s * b
    return (s**2 - 4 * a + 3).sum(), g


@problem("edensch_36", np.full(36, 8.0), 219.284592020765, cutest("EDENSCH"))
@problem("edensch_1000", np.full(1000, 8.0), 6003.284592020765, cutest("EDENSCH"), established=True)
def edensch(x: Vector) -> Value:
    a, b = x[:-1], x[1:]
    d = a - 2
    g = np.zeros_like(x)
    g[:-1] = 4 * d**3 + 2 * d * b**2
    g[1:] += 2 * d**2 * b + 2 * (b + 1)
    return 16 + (d**4 + d**2 * b**2 + (b + 1) ** 2).sum(), g


@problem("tridia_100", np.ones(100), 0.0, cutest("TRIDIA"))
def tridia(x: Vector) -> Value:
    i = np.arange(2, x.size + 1)
    p = 2 * x[1:] - x[:-1]
    g = np.zeros_like(x)
    g[1:] = 4 * i * p
    g[:-1] -= 2 * i * p
    g[0] += 2 * (x[0] - 1)
    return (x[0] - 1) ** 2 + i @ p**2, g


@problem("dqdrtic_1000", np.full(1000, 3.0), 0.0, cutest("DQDRTIC"))
def dqdrtic(x: Vector) -> Value:
    weights = np.full(x.size, 201.0)
    weights[[0, -1]] = 1, 100
    weights[[1, -2]] = 101, 200
    return weights @ x**2, 2 * weights * x


@problem("cosine_100", np.ones(100), -99.0, cutest("COSINE"))
def cosine(x: Vector) -> Value:
    angle = x[:-1] ** 2 - x[1:] / 2
    sine = np.sin(angle)
    g = np.zeros_like(x)
    g[:-1] = -2 * x[:-1] * sine
    g[1:] += sine / 2
    return np.cos(angle).sum(), g


@problem("scosine_10", np.exp(-12 * np.arange(10) / 9), -9.0, cutest("SCOSINE"))
@problem("scosine_100", np.exp(-12 * np.arange(100) / 99), -99.0, cutest("SCOSINE"))
def scosine(x: Vector) -> Value:
    scale = np.exp(12 * np.arange(x.size) / (x.size - 1))
    f, g = cosine(scale * x)
    return f, scale * g


@problem("morebv_10", np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1), 0.0, mgh(28))
@problem("morebv_50", np.arange(1, 51) / 51 * (np.arange(1, 51) / 51 - 1), 0.0, mgh(28))
def discrete_boundary_value(x: Vector) -> Value:
    n = x.size
    h = 1 / (n + 1)
    s = x + h * np.arange(1, n + 1) + 1
    r = 2 * x + h**2 * s**3 / 2
    r[1:] -= x[:-1]
    r[:-1] -= x[1:]
    g = r * (2 + 1.5 * h**2 * s**2)
    g[1:] -= r[:-1]
    g[:-1] -= r[1:]
    return r @ r, 2 * g
