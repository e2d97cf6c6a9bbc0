"""The functions of any number of variables with full Jacobians: Moré, Garbow & Hillstrom 23-35."""

from __future__ import annotations

import numpy as np

from benchmarks.collection.problem import Vector, mgh, problem, sum_of_squares


@problem("penalty_1_4", np.arange(1, 5), 2.249977500e-5, mgh(23))
@problem("penalty_1_10", np.arange(1, 11), 7.087651467e-5, mgh(23))
@sum_of_squares
def penalty_1(x: Vector) -> tuple[Vector, Vector]:
    small = np.sqrt(1e-5)
    r = np.concatenate((small * (x - 1), [x @ x - 0.25]))
    return r, np.vstack((small * np.eye(x.size), 2 * x))


@problem("penalty_2_4", np.full(4, 0.5), 9.376293e-6, mgh(24))
@problem("penalty_2_10", np.full(10, 0.5), 2.936605e-4, mgh(24))
@sum_of_squares
def penalty_2(x: Vector) -> tuple[Vector, Vector]:
    n, small = x.size, np.sqrt(1e-5)
    i = np.arange(1, n + 1)
    e, y = np.exp(x / 10), np.exp(i / 10)
    pairs = small * (e[1:] + e[:-1] - y[1:] - y[:-1])
    single = small * (e[1:] - np.exp(-0.1))
    weights = n - i + 1
    r = np.concatenate(([x[0] - 0.2], pairs, single, [weights @ x**2 - 1]))
    slopes = small / 10 * np.diag(e)
    return r, np.vstack((np.eye(n)[:1], slopes[1:] + slopes[:-1], slopes[1:], 2 * weights * x))


@problem("variably_dimensioned", 1 - np.arange(1, 11) / 10, 0.0, mgh(25))
@sum_of_squares
def variably_dimensioned(x: Vector) -> tuple[Vector, Vector]:
    j = np.arange(1, x.size + 1)
    s = j @ (x - 1)
    return np.concatenate((x - 1, [s, s**2])), np.vstack((np.eye(x.size), j, 2 * s * j))


@problem("trigonometric", np.full(10, 0.1), (0.0, 2.795056122e-5), mgh(26))
@sum_of_squares
def trigonometric(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    i, sine, cosine = np.arange(1, n + 1), np.sin(x), np.cos(x)
    r = n - cosine.sum() + i * (1 - cosine) - sine
    return r, np.tile(sine, (n, 1)) + np.diag(i * sine - cosine)


@problem("brown_almost_linear_10", np.full(10, 0.5), (0.0, 1.0), mgh(27))
@problem("brown_almost_linear_30", np.full(30, 0.5), (0.0, 1.0), mgh(27))
@problem("brown_almost_linear_40", np.full(40, 0.5), (0.0, 1.0), mgh(27))
@sum_of_squares
def brown_almost_linear(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    before = np.concatenate(([1], np.cumprod(x[:-1])))
    after = np.concatenate((np.cumprod(x[:0:-1])[::-1], [1]))
    r = np.append((x + x.sum() - (n + 1))[:-1], before[-1] * x[-1] - 1)
    return r, np.vstack(((np.eye(n) + 1)[:-1], before * after))


@problem("discrete_integral", np.arange(1, 11) / 11 * (np.arange(1, 11) / 11 - 1), 0.0, mgh(29))
@sum_of_squares
def discrete_integral(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    t = np.arange(1, n + 1) / (n + 1)
    s = x + t + 1
    kernel = np.minimum.outer(t, t) * (1 - np.maximum.outer(t, t)) / (2 * (n + 1))
    return x + kernel @ s**3, np.eye(n) + kernel * (3 * s**2)


@problem("broyden_tridiagonal", -np.ones(10), 0.0, mgh(30))
@sum_of_squares
def broyden_tridiagonal(x: Vector) -> tuple[Vector, Vector]:
    n = x.size
    neighbours = -np.eye(n, k=-1) - 2 * np.eye(n, k=1)
    return (3 - 2 * x) * x + neighbours @ x + 1, np.diag(3 - 4 * x) + neighbours


@problem("broyden_banded_10", -np.ones(10), 0.0, mgh(31))
@problem("broyden_banded_50", -np.ones(50), 0.0, mgh(31))
@sum_of_squares
def broyden_banded(x: Vector) -> tuple[Vector, Vector]:
    ones = np.ones((x.size, x.size))
    band = np.tril(np.triu(ones, -5), 1) - np.eye(x.size)
    r = x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x))
    return r, np.diag(2 + 15 * x**2) - band * (1 + 2 * x)


@problem("linear_full_rank", np.ones(10), 10.0, mgh(32))
@sum_of_squares
def linear_full_rank(x: Vector) -> tuple[Vector, Vector]:
    jacobian = np.eye(20, x.size) - 2 / 20
    return jacobian @ x - 1, jacobian


@problem("linear_rank_1", np.ones(10), 380 / 82, mgh(33))
@sum_of_squares
def linear_rank_1(x: Vector) -> tuple[Vector, Vector]:
    jacobian = np.outer(np.arange(1.0, 21), np.arange(1, x.size + 1))
    return jacobian @ x - 1, jacobian


@problem("linear_rank_1_with_zeros", np.ones(10), 454 / 74, mgh(34))
@sum_of_squares
def linear_rank_1_with_zeros(x: Vector) -> tuple[Vector, Vector]:
    i, j = np.arange(20.0), np.arange(1, x.size + 1)
    i[-1] = j[0] = j[-1] = 0
    jacobian = np.outer(i, j)
    return jacobian @ x - 1, jacobian


@problem("chebyquad_8", np.arange(1, 9) / 9, 3.516873725677e-3, mgh(35))
@problem("chebyquad_10", np.arange(1, 11) / 11, (4.77271369637e-3, 6.503954801e-3), mgh(35))
@sum_of_squares
def chebyquad(x: Vector) -> tuple[Vector, Vector]:
    n, y = x.size, 2 * x - 1
    values, slopes = [np.ones_like(y), y], [np.zeros_like(y), np.full_like(y, 2)]
    for _ in range(n - 1):
        slopes.append(4 * values[-1] + 2 * y * slopes[-1] - slopes[-2])
        values.append(2 * y * values[-1] - values[-2])
    i = np.arange(1, n + 1)
    integrals = np.where(i % 2 == 0, -1 / np.maximum(i**2 - 1, 1), 0)
    return np.mean(values[1:], axis=1) - integrals, np.array(slopes[1:]) / n
