"""Gradient methods: the rates that theory promises, bounds, and what they do when the function fails."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from descend.errors import HyperparameterError
from descend.methods import get_method
from descend.methods._status import Status
from descend.methods.gradient import GD, AdGD, BarzilaiBorwein, NesterovRestart
from descend.methods.hager_zhang import HagerZhang
from descend.methods.searches import Armijo, Exact, Fixed, StrongWolfe

METHODS = [
    GD(),
    GD(search=Exact()),
    GD(search=StrongWolfe()),
    GD(search=HagerZhang()),
    BarzilaiBorwein(),
    AdGD(),
    NesterovRestart(),
]
SCALES = np.geomspace(1.0, 1e3, 30)
L, MU = 1e3, 1.0
X0 = np.random.default_rng(0).standard_normal(30)


def quadratic(x):
    return 0.5 * x @ (SCALES * x)


def slope(x):
    return SCALES * x


def logistic(x):
    return np.logaddexp(0, -A @ x).sum() + 0.05 * x @ x


def logistic_slope(x):
    return -A.T @ (1 / (1 + np.exp(A @ x))) + 0.1 * x


A = np.random.default_rng(1).standard_normal((40, 5)) * [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_quadratic_of_condition_1000_is_solved(counted, walk, method):
    steps = walk(method, counted(quadratic, slope), X0, maxiter=12_000, gtol=1e-5)
    assert np.abs(steps[-1].point.g).max() <= 1e-5
    assert steps[-1].ended is None


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_logistic_regression_is_solved_to_the_digits_of_f(counted, walk, method):
    steps = walk(method, counted(logistic, logistic_slope), np.zeros(5), maxiter=5000, gtol=1e-9)
    best = minimize(logistic, np.zeros(5), jac=logistic_slope, method="BFGS", tol=1e-10)
    np.testing.assert_allclose(steps[-1].point.f, best.fun, rtol=1e-13)  # flat there: f to rounding


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_rosenbrock_is_solved(counted, walk, method):
    steps = walk(method, counted(rosen, rosen_der), [-1.2, 1.0], maxiter=20_000, gtol=1e-5)
    np.testing.assert_allclose(steps[-1].point.x, 1.0, atol=1e-4)  # curvature 0.4 there: 1e-5 / 0.4


@pytest.mark.parametrize("method", [BarzilaiBorwein(), NesterovRestart()], ids=repr)
def test_rosenbrock_in_100_dimensions_is_solved(counted, walk, method):
    steps = walk(method, counted(rosen, rosen_der), np.tile([-1.2, 1.0], 50), 4000, gtol=1e-5)
    assert np.abs(steps[-1].point.g).max() <= 1e-5
    assert steps[-1].point.f < 1e-8


def test_a_fixed_step_is_x_minus_lr_g_to_the_bit(counted, walk):
    steps = walk(GD(lr=1e-3), counted(rosen, rosen_der), [-1.2, 1.0], maxiter=50)
    x = np.array([-1.2, 1.0])
    for step in steps:
        x = x - 1e-3 * rosen_der(x)
        np.testing.assert_array_equal(step.point.x, x)
        assert step.lr == 1e-3


def test_gd_with_step_1_over_l_keeps_to_the_bound_for_convex_functions(counted, walk):
    steps = walk(GD(lr=1 / L), counted(quadratic, slope), X0, maxiter=300)
    for n, step in enumerate(steps, 1):
        assert step.point.f <= L / (4 * n + 2) * X0 @ X0


def test_gd_with_step_1_over_l_attains_the_bound_on_its_worst_function(counted, walk):
    # Drori & Teboulle 2014: a parabola of radius 1 / (2 n + 1) that goes on as a cone
    n = 10
    radius = 1 / (2 * n + 1)
    oracle = counted(
        lambda x: radius * abs(x[0]) - radius**2 / 2 if abs(x[0]) > radius else x[0] ** 2 / 2,
        lambda x: np.clip(x, -radius, radius),
    )
    steps = walk(GD(lr=1.0), oracle, [1.0], maxiter=n)
    assert steps[-1].point.f == pytest.approx(1 / (4 * n + 2), rel=1e-12)


def test_gd_with_the_best_fixed_step_contracts_by_the_condition_number(counted, walk):
    rate = (L / MU - 1) / (L / MU + 1)
    steps = walk(GD(lr=2 / (L + MU)), counted(quadratic, slope), X0, maxiter=200)
    for n, step in enumerate(steps, 1):
        bound = rate**n * np.linalg.norm(X0)
        assert np.linalg.norm(step.point.x) <= bound * (1 + 1e-12)
    ends = np.where(np.isin(SCALES, [SCALES[0], SCALES[-1]]), 1.0, 0.0)  # where it is attained
    last = walk(GD(lr=2 / (L + MU)), counted(quadratic, slope), ends, maxiter=200)[-1]
    assert np.linalg.norm(last.point.x) == pytest.approx(rate**200 * math.sqrt(2), rel=1e-11)


def test_exact_descent_attains_kantorovichs_rate_from_the_worst_start(counted, walk):
    oracle = counted(lambda x: 0.5 * (x[0] ** 2 + 50 * x[1] ** 2), lambda x: x * [1, 50])
    start = oracle.at([50.0, 1.0])
    steps = walk(GD(search=Exact()), oracle, start.x, maxiter=20)
    assert steps[-1].point.f == pytest.approx(start.f * (49 / 51) ** 40, rel=1e-9)


def test_gd_tries_twice_the_last_step_and_a_length_of_1_at_first(counted, walk):
    steps = walk(GD(), counted(lambda x: 0.5 * x @ x, lambda x: x), [8.0, 6.0], maxiter=3)
    assert [s.lr for s in steps[:3]] == pytest.approx([0.1, 0.2, 0.4])


def test_restarted_momentum_and_spectral_steps_need_far_fewer_gradients_than_gd(counted, walk):
    cost = {}
    for method in (GD(lr=1 / L), NesterovRestart(), BarzilaiBorwein()):
        oracle = counted(quadratic, slope)
        walk(method, oracle, X0, maxiter=20_000, gtol=1e-5)
        cost[method.name] = oracle.gradients
    # √κ = 32 against κ = 1000, both times a logarithm
    assert 8 * cost["nesterov_restart"] < cost["gd"]
    assert 20 * cost["bb"] < cost["gd"]


def test_nesterov_keeps_to_the_bound_of_fista_on_a_convex_function(counted, walk):
    # f(z) − f* ≤ 2 α L / (n + 1)² |x0 − x*|², where α ≤ 2 as L doubles from below
    steps = walk(NesterovRestart(), counted(quadratic, slope), X0, maxiter=100)
    for n, step in enumerate(steps, 1):
        assert quadratic(step.state.reached) <= 4 * L / (n + 1) ** 2 * X0 @ X0
        assert step.state.lipschitz <= 2 * L


def test_momentum_grows_as_the_estimate_of_the_curvature_lets_it(counted, walk):
    steps = walk(NesterovRestart(), counted(quadratic, slope), X0, maxiter=60)
    for one, two in zip(steps, steps[1:], strict=False):
        ratio = two.state.lipschitz / one.state.lipschitz
        assert math.log2(ratio / 0.9) == pytest.approx(round(math.log2(ratio / 0.9)), abs=1e-9)
        if two.state.t != 1.0:
            t = (1 + math.sqrt(1 + 4 * one.state.t**2 * ratio)) / 2
            assert two.state.t == pytest.approx(t, rel=1e-12)


def test_nesterov_follows_curvature_down_as_well_as_up(counted, walk):
    # cosh falls from a curvature of 1e13 to 1 on the way from 30; a constant L would take 1e13 steps
    oracle = counted(lambda x: np.cosh(x).sum(), np.sinh)
    assert len(walk(NesterovRestart(), oracle, [30.0, -1.0], 1000, gtol=1e-6)) < 500


def test_momentum_starts_again_where_it_leads_uphill(counted, walk):
    steps = walk(NesterovRestart(), counted(quadratic, slope), X0, maxiter=300)
    kinds = [step.state.t == 1.0 for step in steps]
    assert 2 <= sum(kinds) <= 10  # momentum turns about every π √κ = 100 iterations
    for step in steps:
        if step.state.t == 1.0:
            np.testing.assert_array_equal(step.point.x, step.state.reached)


def test_adgd_costs_one_gradient_an_iteration_and_a_few_for_the_first_step(counted, walk):
    oracle = counted(logistic, logistic_slope)
    steps = walk(AdGD(), oracle, np.zeros(5), maxiter=5000, gtol=1e-8)
    assert oracle.gradients <= len(steps) + 5


def test_adgd_follows_its_formula(counted, walk):
    steps = walk(AdGD(), counted(logistic, logistic_slope), np.zeros(5), maxiter=30)
    ratio = 1 / 3
    for one, two, three in zip(steps, steps[1:], steps[2:], strict=False):
        s, y = two.point.x - one.point.x, two.point.g - one.point.g
        bend = np.linalg.norm(y) / np.linalg.norm(s)
        ratio = two.lr / one.lr
        excess = 2 * (two.lr * bend) ** 2 - 1
        limit = two.lr / math.sqrt(excess) if excess > 0 else math.inf
        assert three.lr == pytest.approx(min(math.sqrt(2 / 3 + ratio) * two.lr, limit), rel=1e-12)


def test_spectral_steps_alternate_between_their_two_formulas(counted, walk):
    oracle = counted(quadratic, slope)
    steps = walk(BarzilaiBorwein(memory=100), oracle, X0, maxiter=30)
    points = [oracle.at(X0)] + [s.point for s in steps]
    for k, (one, two, step) in enumerate(zip(points, points[1:], steps[1:], strict=False)):
        s, y = two.x - one.x, two.g - one.g
        lr = s @ s / (s @ y) if k % 2 == 0 else s @ y / (y @ y)
        halvings = math.log2(lr / step.lr)
        assert halvings == pytest.approx(round(halvings), abs=1e-9)
        assert round(halvings) >= 0


def test_spectral_steps_never_rise_above_the_last_ten_values(counted, walk):
    oracle = counted(rosen, rosen_der)
    x0 = np.random.default_rng(3).uniform(-3, 3, 20)
    values = [oracle.at(x0).f] + [s.point.f for s in walk(BarzilaiBorwein(), oracle, x0, 500)]
    for k in range(1, len(values)):
        assert values[k] <= max(values[max(0, k - 10) : k])
    assert any(b > a for a, b in zip(values, values[1:], strict=False))  # it does rise at times


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_bounds_hold_at_every_call_and_the_solution_is_scipys(counted, walk, method):
    rng = np.random.default_rng(2)
    scales, centre = np.geomspace(1, 50, 8), rng.standard_normal(8)
    lower, upper = np.full(8, -0.3), np.where(np.arange(8) % 2, np.inf, 0.4)
    coupling = 0.5 * np.ones((8, 8)) + np.diag(scales)
    fun = lambda x: 0.5 * (x - centre) @ coupling @ (x - centre)
    grad = lambda x: coupling @ (x - centre)
    oracle = counted(fun, grad, lower=lower, upper=upper)  # it fails where a bound is broken
    steps = walk(method, oracle, np.full(8, 0.1), maxiter=3000, gtol=1e-8)
    best = minimize(
        fun, np.full(8, 0.1), jac=grad, bounds=list(zip(lower, upper, strict=True)), tol=1e-14
    )
    assert np.isin(best.x, [-0.3, 0.4]).sum() >= 2  # some bounds are active
    np.testing.assert_allclose(steps[-1].point.x, best.x, atol=1e-6)  # SciPy's gradient: 1e-5 / 1
    assert np.abs(method.criterion(oracle, steps[-1].point)).max() <= 1e-8


@pytest.mark.parametrize("method", [*METHODS, GD(lr=1e-3)], ids=repr)
def test_a_copied_state_continues_bit_for_bit(continues_bit_for_bit, method):
    continues_bit_for_bit(method, rosen, rosen_der, [-1.2, 1.0, 0.7])


@pytest.mark.parametrize("method", [*METHODS, GD(lr=1e-3)], ids=repr)
def test_a_step_that_a_call_ended_is_the_same_when_taken_again(survives_an_end_at_any_call, method):
    survives_an_end_at_any_call(method, rosen, rosen_der, [-1.2, 1.0, 0.7])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_no_failure_of_the_function_keeps_a_method_busy(stays_bounded, method):
    stays_bounded(method, rosen, rosen_der, [-1.2, 1.0])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_method_at_the_minimum_stays_there(counted, walk, method):
    (step,) = walk(method, counted(rosen, rosen_der), [1.0, 1.0], maxiter=1, gtol=-1.0)
    np.testing.assert_array_equal(step.point.x, [1.0, 1.0])


def test_a_fixed_step_that_is_too_long_ends_as_not_finite(counted, walk):
    with np.errstate(over="ignore", invalid="ignore"):  # of the function
        steps = walk(GD(lr=1.0), counted(rosen, rosen_der), [-1.2, 1.0])
    assert steps[-1].ended is Status.NON_FINITE


@pytest.mark.parametrize("search", [StrongWolfe(), HagerZhang(), Armijo(), Exact()], ids=repr)
def test_a_corner_that_is_the_solution_is_reached_from_inside(counted, walk, search):
    lower, upper = np.full(2, -1.0), np.full(2, 1.0)
    oracle = counted(
        lambda x: (x - 2) @ (x - 2), lambda x: 2 * (x - 2), lower=lower, upper=upper
    )  # it fails where a bound is broken
    steps = walk(GD(search=search), oracle, [0.0, 0.0], maxiter=20)
    np.testing.assert_array_equal(steps[-1].point.x, [1.0, 1.0])


WRONG = [m for m in METHODS if m.name != "adgd"]  # which takes steps unseen


@pytest.mark.parametrize("method", WRONG, ids=repr)
def test_a_gradient_of_the_wrong_sign_ends_the_run_at_once(counted, walk, method):
    oracle = counted(lambda x: 1 + (x - 2) @ (x - 2), lambda x: -2 * (x - 2))
    (step,) = walk(method, oracle, [0.0, 0.5])
    assert step.ended is Status.LINE_SEARCH
    assert "dd.check_grad" in step.ended.sentence


def test_gd_takes_no_search_beside_its_step_not_even_its_own():
    for text in ("gd:lr=0.1,search=armijo", "gd:search=exact,lr=0.1"):
        with pytest.raises(HyperparameterError, match="lr of gd must be left out beside a search"):
            get_method(text)


def test_gd_reads_its_step_and_its_search_from_text():
    assert get_method("gd:lr=0.1") == GD(search=Fixed(0.1))
    assert get_method("gd:search=armijo") == GD(search=Armijo())
    with pytest.raises(HyperparameterError, match="lr of gd must be left out beside a search"):
        GD(search=Exact(), lr=0.1)
    with pytest.raises(HyperparameterError, match="lr of fixed"):
        GD(lr=-1.0)
    with pytest.raises(HyperparameterError, match="memory of bb must be an int of at least 1"):
        BarzilaiBorwein(memory=0)
