"""Steps that bring nothing are counted, and end a run whose function is near 0 or loses digits."""

import numpy as np
import pytest

from descend._minimize.driver import minimize
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.idle import PATIENCE, ended, idle_steps, rests

ONE = np.array([1.0, -2.0])
UNIT = 2.0**-52


def point(x, f):
    return Point(x, f, np.zeros_like(x))


def test_a_step_of_a_unit_in_the_last_place_rests_however_f_falls_by_chance():
    step = ONE * (1 + UNIT)
    assert rests(point(ONE, 1e-11), point(step, 1e-11 * (1 - 1e-6)))
    assert not rests(point(ONE, 1e-11), point(step, 0.5e-11))
    assert not rests(point(ONE, 1e-11), point(ONE * (1 + 128 * UNIT), 1e-11 * (1 - 1e-6)))


def test_idle_steps_are_counted_in_a_row_and_end_the_method():
    here = point(ONE, 1.0)
    idle = 0
    for k in range(PATIENCE):
        assert ended(idle) is None
        idle = idle_steps(idle, here, point(ONE * (1 + 1e-9), 1.0))  # f does not fall
        assert idle == k + 1
    assert ended(idle) is Status.ROUNDOFF
    assert idle_steps(idle, here, point(ONE * (1 + 1e-9), 1.0 - 1e-9)) == 0


def rosenbrock(x):
    a, b = x[::2], x[1::2]
    return float((100 * (b - a * a) ** 2 + (1 - a) ** 2).sum())


@pytest.mark.parametrize("method", ["bfgs", "lbfgs", "cg", "cg_hz"])
@pytest.mark.parametrize(
    ("start", "factor"), [([-0.7, 1.2, -1.5, 1.3], 1.0), ([-1.2, 1.0], 1e12), ([-1.2, 1.0], 1e4)]
)
def test_one_sided_differences_near_a_minimum_do_not_crawl(method, start, factor):
    r = minimize(lambda x: factor * rosenbrock(x), start, method=method)
    # steps that rest took ten to fifty thousand calls; a restart with central differences takes some hundreds
    assert r.nfev < 3000
    assert r.fun < 1e-9 * factor
