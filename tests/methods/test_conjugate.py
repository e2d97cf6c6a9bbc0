"""Conjugate gradients: finite termination, descent, cost beside SciPy's."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from descend.methods._status import Status
from descend.methods.conjugate import CG, CGHZ, hager_zhang, polak_ribiere
from descend.methods.hager_zhang import HagerZhang
from descend.methods.searches import Exact

METHODS = [CG(), CG(search=Exact()), CGHZ()]
SCALES = np.geomspace(1.0, 1e3, 50)
CHAIN = np.tile([-1.2, 1.0], 50)


def quadratic(x):
    return 0.5 * x @ (SCALES * x)


def slope(x):
    return SCALES * x


@pytest.mark.parametrize("n", [2, 5, 10])
def test_a_quadratic_of_n_variables_takes_n_iterations_with_exact_steps(counted, walk, n):
    rng = np.random.default_rng(n)
    root = rng.standard_normal((n, n))
    hessian, centre = root @ root.T + np.eye(n), rng.standard_normal(n)
    oracle = counted(
        lambda x: 0.5 * (x - centre) @ hessian @ (x - centre), lambda x: hessian @ (x - centre)
    )
    start = np.abs(oracle.at(np.zeros(n)).g).max()
    steps = walk(CG(search=Exact()), oracle, np.zeros(n), maxiter=n)
    # lost conjugacy: for n = 10, conjugate gradients written out for quadratics leave 1e-10 of the first gradient as well
    assert np.abs(steps[-1].point.g).max() < 2e-9 * start
    if n > 2:
        assert np.abs(steps[n - 3].point.g).max() > 1e-4 * start  # and not by chance earlier


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_small_gradients_are_reached_although_f_rounds(counted, walk, method, shift):
    # beside 1, f cannot show the last 1e-16 and gradients below 1e-7 live there
    oracle = counted(lambda x: shift + quadratic(x), slope)
    steps = walk(method, oracle, np.ones(50), maxiter=3000, gtol=1e-9)
    assert np.abs(steps[-1].point.g).max() <= 1e-9
    assert steps[-1].ended is None


@pytest.mark.parametrize("method", METHODS, ids=repr)
@pytest.mark.parametrize(
    ("fun", "grad", "x0"),
    [
        (quadratic, slope, np.ones(50)),
        (rosen, rosen_der, np.array([-1.2, 1.0])),
        (rosen, rosen_der, CHAIN),
    ],
    ids=["quadratic", "rosenbrock", "rosenbrock 100"],
)
def test_conjugate_gradients_cost_about_what_scipys_do(counted, walk, method, fun, grad, x0):
    oracle = counted(fun, grad)
    steps = walk(method, oracle, x0, maxiter=5000, gtol=1e-5)
    best = minimize(fun, x0, jac=grad, method="CG", options={"gtol": 1e-5, "maxiter": 5000})
    assert np.abs(steps[-1].point.g).max() <= 1e-5
    # measured: 0.3 to 1 of SciPy's gradients, and for CGHZ 0.7 to 1.4 of its values
    assert oracle.gradients <= 1.1 * best.njev
    assert oracle.values <= 1.5 * best.nfev


@pytest.mark.parametrize("method", [CG(), CGHZ(), CG(search=HagerZhang())], ids=repr)
def test_every_direction_leads_down_enough(counted, walk, method):
    oracle = counted(rosen, rosen_der)
    share = 7 / 8 if method.name == "cg_hz" else 0.01
    for step in walk(method, oracle, np.array([-1.2, 1.0, 0.5, 2.0]), maxiter=200, gtol=1e-9):
        g = step.point.g
        assert g @ step.state.direction <= -share * (1 - 1e-9) * (g @ g)


def test_the_factors_follow_their_papers():
    old, new, d = np.array([2.0, 0.0]), np.array([1.0, 1.0]), np.array([-2.0, 0.0])
    # g·(g − g_old) = −1 + 1 = 0; with g = (0, 1): 1 / 4
    assert polak_ribiere(old, new, d) == 0.0
    assert polak_ribiere(old, np.array([0.0, 1.0]), d) == 0.25
    assert polak_ribiere(old, np.array([1.0, 0.5]), d) == 0.0  # −3/16, cut
    # y = (−1, 1), d·y = 2, |y|² = 2, g·d = −2: (0 + 2·2·2/2) / 2 = 2
    assert hager_zhang(old, new, d) == pytest.approx(2.0)
    # g = (−1, 3): y = (−3, 3), d·y = 6, |y|² = 18, g·y = 12, d·g = 2: (12 − 12) / 6 = 0
    assert hager_zhang(old, np.array([-1.0, 3.0]), d) == pytest.approx(0.0)
    # g = (−8, 1): y = (−10, 1), d·y = 20, g·y = 81, |y|² = 101, d·g = 16: (81 − 161.6) / 20
    assert hager_zhang(old, np.array([-8.0, 1.0]), d) == pytest.approx(-4.03)
    # scaled so that η = −1 / (200 · 0.01) = −0.5 is the larger
    assert hager_zhang(100 * old, 100 * np.array([-8.0, 1.0]), 100 * d) == pytest.approx(-0.5)


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_copied_state_continues_bit_for_bit(continues_bit_for_bit, method):
    continues_bit_for_bit(method, rosen, rosen_der, [-1.2, 1.0, 0.7])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_step_that_a_call_ended_is_the_same_when_taken_again(survives_an_end_at_any_call, method):
    survives_an_end_at_any_call(method, rosen, rosen_der, [-1.2, 1.0, 0.7])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_no_failure_of_the_function_keeps_a_method_busy(stays_bounded, method):
    stays_bounded(method, rosen, rosen_der, [-1.2, 1.0])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_method_that_can_go_no_lower_says_why(counted, walk, method):
    steps = walk(method, counted(lambda x: 1 + rosen(x), rosen_der), [-1.2, 1.0], maxiter=500)
    assert not steps[-1].point.g.any() or steps[-1].ended in {Status.ROUNDOFF, Status.LINE_SEARCH}
