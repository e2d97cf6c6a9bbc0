"""The functions that fit a model to a table or a curve: Moré, Garbow & Hillstrom 8-12, 15, 17-20."""

from __future__ import annotations

import numpy as np

from benchmarks.collection.problem import Vector, columns, mgh, numbers, problem, sum_of_squares

BARD = numbers(
    """
    0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39
    """
)
BELL = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989])
MEYER = numbers(
    """
    34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872
    """
)
KOWALIK_Y = numbers(
    """
    0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246
    """
)
KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
OSBORNE1 = numbers(
    """
    0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628
    0.603 0.580 0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420
    0.414 0.411 0.406
    """
)
OSBORNE2 = numbers(
    """
    1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616
    0.606 0.602 0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495
    0.500 0.423 0.395 0.375 0.372 0.391 0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672
    0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625 0.739 0.710 0.729 0.720 0.636 0.581
    0.428 0.292 0.162 0.098 0.054
    """
)


@problem("bard", [1, 1, 1], (8.214877306578e-3, 17.42869333), mgh(8))
@sum_of_squares
def bard(x: Vector) -> tuple[Vector, Vector]:
    u = np.arange(1, 16)
    v = 16 - u
    w = np.minimum(u, v)
    below = v * x[1] + w * x[2]
    return BARD - (x[0] + u / below), columns(-1, u * v / below**2, u * w / below**2)


@problem("gaussian", [0.4, 1, 0], 1.127932769619e-8, mgh(9))
@sum_of_squares
def gaussian(x: Vector) -> tuple[Vector, Vector]:
    d = (8 - np.arange(1, 16)) / 2 - x[2]
    e = np.exp(-x[1] * d**2 / 2)
    y = np.concatenate((BELL, BELL[-2::-1]))
    return x[0] * e - y, columns(e, -x[0] * e * d**2 / 2, x[0] * e * x[1] * d)


@problem("meyer", [0.02, 4000, 250], 87.94585517054, mgh(10))
@sum_of_squares
def meyer(x: Vector) -> tuple[Vector, Vector]:
    below = 45 + 5 * np.arange(1, 17) + x[2]
    e = np.exp(x[1] / below)
    return x[0] * e - MEYER, columns(e, x[0] * e / below, -x[0] * e * x[1] / below**2)


@problem("gulf", [5, 2.5, 0.15], 0.0, mgh(11))
@sum_of_squares
def gulf(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 100) / 100
    d = 25 + (-50 * np.log(t)) ** (2 / 3) - x[1]
    log = np.log(d * d) / 2  # of |d|, for complex d too
    power = np.exp(x[2] * log)
    e = np.exp(-power / x[0])
    slope = -e * power / x[0]
    return e - t, columns(-slope / x[0], -slope * x[2] / d, slope * log)


@problem("box_3d", [0, 10, 20], 0.0, mgh(12))
@sum_of_squares
def box_3d(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 11) / 10
    a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t) - np.exp(-10 * t)
    return a - b - x[2] * c, columns(-t * a, t * b, -c)


@problem("kowalik_osborne", [0.25, 0.39, 0.415, 0.39], (3.075056038492e-4, 1.0273438e-3), mgh(15))
@sum_of_squares
def kowalik_osborne(x: Vector) -> tuple[Vector, Vector]:
    u = KOWALIK_U
    above, below = u**2 + u * x[1], u**2 + u * x[2] + x[3]
    share = above / below
    by_below = x[0] * share / below
    return KOWALIK_Y - x[0] * share, columns(-share, -x[0] * u / below, by_below * u, by_below)


@problem("osborne_1", [0.5, 1.5, -1, 0.01, 0.02], 5.464894697483e-5, mgh(17))
@sum_of_squares
def osborne_1(x: Vector) -> tuple[Vector, Vector]:
    t = 10 * np.arange(33)
    a, b = np.exp(-t * x[3]), np.exp(-t * x[4])
    r = OSBORNE1 - (x[0] + x[1] * a + x[2] * b)
    return r, columns(-1, -a, -b, x[1] * t * a, x[2] * t * b)


@problem("biggs_exp6", [1, 2, 1, 1, 1, 1], (0.0, 5.655649925e-3), mgh(18))
@sum_of_squares
def biggs_exp6(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(1, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t * x[4])
    r = x[2] * a - x[3] * b + x[5] * c - y
    return r, columns(-x[2] * t * a, x[3] * t * b, a, -b, -x[5] * t * c, c)


@problem(
    "osborne_2",
    [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
    (4.0137736e-2, 1.789813582),
    mgh(19),
)
@sum_of_squares
def osborne_2(x: Vector) -> tuple[Vector, Vector]:
    t = np.arange(65) / 10
    decay = np.exp(-t * x[4])
    d = t[:, None] - x[8:]
    bells = np.exp(-(d**2) * x[5:8])
    r = OSBORNE2 - x[0] * decay - bells @ x[1:4]
    weighted = x[1:4] * bells
    blocks = (-bells, (x[0] * t * decay)[:, None], weighted * d**2, -2 * weighted * d * x[5:8])
    return r, np.concatenate((-decay[:, None], *blocks), axis=1)


@problem("watson_6", np.zeros(6), 2.287670053552e-3, mgh(20))
@problem("watson_9", np.zeros(9), 1.399760138e-6, mgh(20))
@problem("watson_12", np.zeros(12), 4.722381e-10, mgh(20))
@sum_of_squares
def watson(x: Vector) -> tuple[Vector, Vector]:
    j = np.arange(x.size)
    powers = (np.arange(1, 30) / 29)[:, None] ** j
    slopes = np.zeros_like(powers)
    slopes[:, 1:] = j[1:] * powers[:, :-1]
    value = powers @ x
    jacobian = np.zeros((31, x.size), dtype=x.dtype)
    jacobian[:29] = slopes - 2 * value[:, None] * powers
    jacobian[29, 0] = 1
    jacobian[30, :2] = -2 * x[0], 1
    return np.concatenate((slopes @ x - value**2 - 1, [x[0], x[1] - x[0] ** 2 - 1])), jacobian
