"""Nonlinear fits of the NIST Statistical Reference Datasets, each with two starts and a certified answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.collection import nist_data as data
from benchmarks.collection.fitted import KOWALIK_U, KOWALIK_Y, MEYER, OSBORNE1
from benchmarks.collection.problem import Evaluate, Vector, columns, sum_of_squares

Model = Callable[[Vector, Vector], tuple[Vector, Vector]]
"""(parameters of shape (p,), x of shape (m,)) -> values of shape (m,), Jacobian of shape (m, p)."""


@dataclass(frozen=True)
class Fit:
    """A model, its data, the two starts of the archive and the certified parameters and sum of squares."""

    name: str
    model: Model
    x: Vector
    y: Vector
    starts: tuple[tuple[float, ...], tuple[float, ...]]
    certified: tuple[float, ...]
    rss: float

    @property
    def fun_and_grad(self) -> Evaluate:
        """The sum of squared residuals and its gradient."""

        def residuals(b: Vector) -> tuple[Vector, Vector]:
            value, jacobian = self.model(b, self.x)
            return value - self.y, jacobian

        return sum_of_squares(residuals)


def misra1a(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    e = np.exp(-b[1] * x)
    return b[0] * (1 - e), columns(1 - e, b[0] * x * e)


def misra1b(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    s = 1 + b[1] * x / 2
    return b[0] * (1 - s**-2.0), columns(1 - s**-2.0, b[0] * x * s**-3.0)


def misra1c(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    s = 1 + 2 * b[1] * x
    return b[0] * (1 - s**-0.5), columns(1 - s**-0.5, b[0] * x * s**-1.5)


def misra1d(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    s = 1 + b[1] * x
    return b[0] * b[1] * x / s, columns(b[1] * x / s, b[0] * x / s**2)


def danwood(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    power = x ** b[1]
    return b[0] * power, columns(power, b[0] * power * np.log(x))


def mgh09(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    above, below = x**2 + x * b[1], x**2 + x * b[2] + b[3]
    slope = -b[0] * above / below**2
    return b[0] * above / below, columns(above / below, b[0] * x / below, slope * x, slope)


def mgh10(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    below = x + b[2]
    e = np.exp(b[1] / below)
    return b[0] * e, columns(e, b[0] * e / below, -b[0] * e * b[1] / below**2)


def mgh17(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    p, q = np.exp(-x * b[3]), np.exp(-x * b[4])
    return b[0] + b[1] * p + b[2] * q, columns(1, p, q, -b[1] * x * p, -b[2] * x * q)


def rat42(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    e = np.exp(b[1] - b[2] * x)
    share = 1 / (1 + e)
    slope = -b[0] * e * share**2
    return b[0] * share, columns(share, slope, -slope * x)


def rat43(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    e = np.exp(b[1] - b[2] * x)
    power = (1 + e) ** (-1 / b[3])
    slope = -b[0] * power * e / (1 + e) / b[3]
    return b[0] * power, columns(power, slope, -slope * x, b[0] * power * np.log1p(e) / b[3] ** 2)


def thurber(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    up, down = x[:, None] ** np.arange(4), x[:, None] ** np.arange(1, 4)
    below = 1 + down @ b[4:]
    value = up @ b[:4] / below
    return value, np.concatenate((up, -value[:, None] * down), axis=1) / below[:, None]


def eckerle4(b: Vector, x: Vector) -> tuple[Vector, Vector]:
    z = (x - b[2]) / b[1]
    value = b[0] / b[1] * np.exp(-(z**2) / 2)
    return value, columns(value / b[0], value * (z**2 - 1) / b[1], value * z / b[1])


FITS = {
    fit.name: fit
    for fit in (
        Fit(
            "Misra1a", misra1a, data.MISRA_X, data.MISRA_Y, ((500, 1e-4), (250, 5e-4)),
            (2.3894212918e02, 5.5015643181e-04), 1.2455138894e-01,
        ),
        Fit(
            "Misra1b", misra1b, data.MISRA_X, data.MISRA_Y, ((500, 1e-4), (300, 2e-4)),
            (3.3799746163e02, 3.9039091287e-04), 7.5464681533e-02,
        ),
        Fit(
            "Misra1c", misra1c, data.MISRA_X, data.MISRA_Y, ((500, 1e-4), (600, 2e-4)),
            (6.3642725809e02, 2.0813627256e-04), 4.0966836971e-02,
        ),
        Fit(
            "Misra1d", misra1d, data.MISRA_X, data.MISRA_Y, ((500, 1e-4), (450, 3e-4)),
            (4.3736970754e02, 3.0227324449e-04), 5.6419295283e-02,
        ),
        Fit(
            "DanWood", danwood, data.DANWOOD_X, data.DANWOOD_Y, ((1, 5), (0.7, 4)),
            (7.6886226176e-01, 3.8604055871e00), 4.3173084083e-03,
        ),
        Fit(
            "BoxBOD", misra1a, data.BOXBOD_X, data.BOXBOD_Y, ((1, 1), (100, 0.75)),
            (2.1380940889e02, 5.4723748542e-01), 1.1680088766e03,
        ),
        Fit(
            "MGH09", mgh09, KOWALIK_U, KOWALIK_Y,
            ((25, 39, 41.5, 39), (0.25, 0.39, 0.415, 0.39)),
            (1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01),
            3.0750560385e-04,
        ),
        Fit(
            "MGH10", mgh10, np.arange(50.0, 126, 5), MEYER,
            ((2, 400000, 25000), (0.02, 4000, 250)),
            (5.6096364710e-03, 6.1813463463e03, 3.4522363462e02), 8.7945855171e01,
        ),
        Fit(
            "MGH17", mgh17, 10.0 * np.arange(33), OSBORNE1,
            ((50, 150, -100, 1, 2), (0.5, 1.5, -1, 0.01, 0.02)),
            (3.7541005211e-01, 1.9358469127e00, -1.4646871366e00, 1.2867534640e-02, 2.2122699662e-02),
            5.4648946975e-05,
        ),
        Fit(
            "Rat42", rat42, data.RAT42_X, data.RAT42_Y, ((100, 1, 0.1), (75, 2.5, 0.07)),
            (7.2462237576e01, 2.6180768402e00, 6.7359200066e-02), 8.0565229338e00,
        ),
        Fit(
            "Rat43", rat43, data.RAT43_X, data.RAT43_Y, ((100, 10, 1, 1), (700, 5, 0.75, 1.3)),
            (6.9964151270e02, 5.2771253025e00, 7.5962938329e-01, 1.2792483859e00),
            8.7864049080e03,
        ),
        Fit(
            "Thurber", thurber, data.THURBER_X, data.THURBER_Y,
            ((1000, 1000, 400, 40, 0.7, 0.3, 0.03), (1300, 1500, 500, 75, 1, 0.4, 0.05)),
            (
                1.2881396800e03, 1.4910792535e03, 5.8323836877e02, 7.5416644291e01,
                9.6629502864e-01, 3.9797285797e-01, 4.9727297349e-02,
            ),
            5.6427082397e03,
        ),
        Fit(
            "Eckerle4", eckerle4, data.ECKERLE4_X, data.ECKERLE4_Y, ((1, 10, 500), (1.5, 5, 450)),
            (1.5543827178e00, 4.0888321754e00, 4.5154121844e02), 1.4635887487e-03,
        ),
    )
}  # fmt: skip
