"""Line searches: the conditions they promise, what they cost, and where they give up."""

import copy
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen, rosen_der

from descend.errors import HyperparameterError
from descend.methods._status import Status
from descend.methods.hager_zhang import HagerZhang, _Trials, continued, initial
from descend.methods.lines import Line, Trial, between, beyond, failure, falls, rounding
from descend.methods.searches import Armijo, Exact, Fixed, StrongWolfe

SEARCHES = [Armijo(), StrongWolfe(), StrongWolfe(c2=0.1), Exact(), HagerZhang()]
LINES = {  # f and f' of one variable
    "parabola": (lambda x: (x - 3) ** 2, lambda x: 2 * (x - 3)),
    "quartic": (lambda x: (x - 3) ** 4 + 0.1 * x, lambda x: 4 * (x - 3) ** 3 + 0.1),
    "flat": (lambda x: np.log1p((x - 3) ** 2), lambda x: 2 * (x - 3) / (1 + (x - 3) ** 2)),
    "waves": (lambda x: (x - 3) ** 2 + np.sin(5 * x), lambda x: 2 * (x - 3) + 5 * np.cos(5 * x)),
    "barrier": (
        lambda x: x - 3 * np.log(x) if x > 0 else np.nan,
        lambda x: 1 - 3 / x if x > 0 else np.nan,
    ),
}


@pytest.fixture
def on_line(counted):
    """An oracle of one variable, a point, and the direction in which f falls with slope −1."""

    def make(fun, slope, x0):
        oracle = counted(lambda x: fun(x[0]), lambda x: np.array([slope(x[0])]))
        point = oracle.at([x0])
        return oracle, point, -1 / point.g

    return make


@pytest.mark.parametrize("c2", [0.9, 0.1])
@pytest.mark.parametrize("name", LINES)
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # a class, the same for all
)
@given(exponent=st.floats(-6, 6), x0=st.floats(0.1, 10).filter(lambda x: abs(x - 3) > 0.1))
def test_strong_wolfe_finds_both_conditions_from_any_first_step(counted, name, c2, exponent, x0):
    fun, slope = LINES[name]
    oracle = counted(lambda x: fun(x[0]), lambda x: np.array([slope(x[0])]))
    point = oracle.at([x0])
    direction = -1 / point.g
    found = StrongWolfe(c2=c2, max_steps=60)(oracle, point, direction, 10.0**exponent)
    assert found.point.f <= point.f - 1e-4 * found.lr
    assert abs(found.point.g @ direction) <= c2
    assert found.point.x == point.x + found.lr * direction


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("first", [1e-5, 1e-2, 1.0, 30.0, 1e5])
@pytest.mark.parametrize("c2", [0.9, 0.1])
def test_hager_zhang_finds_one_of_its_pairs_of_conditions(on_line, name, first, c2):
    oracle, point, direction = on_line(*LINES[name], 0.5)
    found = HagerZhang(c2=c2)(oracle, point, direction, first)
    slope = found.point.g @ direction  # −1 at the start
    assert slope >= -c2
    below = found.point.f - point.f
    assert below <= -0.1 * found.lr or (slope <= 0.8 and below <= rounding(point.f))
    assert oracle.values < 50


def test_a_double_secant_step_moves_both_ends_of_the_bracket(on_line):
    # slope exp(x) − 3 along 1/2: the first secant from (0, 3) falls short at 6/19.1, the second, from there and 0, goes beyond
    oracle, point, direction = on_line(lambda x: np.exp(x) - 3 * x, lambda x: np.exp(x) - 3, 0.0)
    trials = _Trials(HagerZhang(c2=0.1), Line(oracle, point, direction))
    a, b = trials.narrow(trials.line.start, trials.at(6.0))
    c = 6 / (np.exp(3) - 1)
    assert a.point.x[0] == pytest.approx(c)
    assert b.point.x[0] == pytest.approx(
        2 * c / (np.exp(c) - 1)
    )  # where slopes −2 at 0 and exp(c) − 3 at c lead


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
@pytest.mark.parametrize("first", [1e-4, 1.0, 1e4])
def test_a_search_lowers_rosenbrock_and_reports_what_is_there(counted, search, first):
    oracle = counted(rosen, rosen_der)
    point = oracle.at([-1.2, 1.0, 0.3])
    found = search(oracle, point, -point.g, first)
    assert found.point.f < point.f
    np.testing.assert_array_equal(found.point.x, point.x - found.lr * point.g)
    assert found.point.f == rosen(found.point.x)
    np.testing.assert_array_equal(found.point.g, rosen_der(found.point.x))


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
def test_a_search_changes_nothing_of_the_point_it_starts_from(counted, search):
    oracle = counted(rosen, rosen_der)
    point = oracle.at([-1.2, 1.0])
    before, direction = copy.deepcopy(point), -point.g
    search(oracle, point, direction, 1.0)
    np.testing.assert_array_equal(point.x, before.x)
    np.testing.assert_array_equal(point.g, before.g)
    np.testing.assert_array_equal(direction, -before.g)


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
@pytest.mark.parametrize("direction", ["uphill", "level"])
def test_no_search_goes_where_the_slope_does_not_lead_down(counted, search, direction):
    oracle = counted(rosen, rosen_der)
    point = oracle.at([-1.2, 1.0])
    way = point.g if direction == "uphill" else np.array([-point.g[1], point.g[0]])
    assert search(oracle, point, way, 1e-3) is None


@pytest.mark.parametrize("search", [StrongWolfe(), HagerZhang()], ids=repr)
def test_a_first_step_that_is_good_costs_one_value_and_one_gradient(on_line, search):
    oracle, point, direction = on_line(*LINES["parabola"], 0.0)
    found = search(oracle, point, direction, 15.0)  # the minimum is at 18, the slope −1
    assert found.lr == 15.0
    assert (oracle.values, oracle.gradients) == (1, 1)


def test_armijo_halves_until_f_falls_by_its_share(on_line):
    # f = x² from 1 along −2: steps 3, 3/2, 3/4 lead to −5, −2, −1/2
    oracle, point, direction = on_line(lambda x: x * x, lambda x: 2 * x, 1.0)
    found = Armijo()(oracle, point, 4 * direction, 3.0)
    assert (found.lr, found.point.f) == (0.75, 0.25)
    assert (oracle.values, oracle.gradients) == (3, 1)


def test_armijo_bends_at_bounds_and_counts_the_decrease_along_the_bent_path(counted):
    # from (1, 1) along (−4, −1) with x ≥ (0.5, −1): step 1 goes to (0.5, 0), not to (−3, 0)
    oracle = counted(lambda x: x @ x, lambda x: 2 * x, lower=np.array([0.5, -1.0]))
    found = Armijo()(oracle, oracle.at([1.0, 1.0]), np.array([-4.0, -1.0]), 1.0)
    np.testing.assert_array_equal(found.point.x, [0.5, 0.0])
    assert found.lr == 1.0


def test_exact_finds_the_minimum_of_a_quadratic_by_one_more_gradient(counted):
    scales = np.array([1.0, 10.0, 100.0])
    oracle = counted(lambda x: 0.5 * x @ (scales * x), lambda x: scales * x)
    point = oracle.at([3.0, 2.0, 1.0])
    found = Exact()(oracle, point, -point.g, 0.7)
    assert found.lr == pytest.approx(point.g @ point.g / (point.g @ (scales * point.g)), rel=1e-14)
    assert (oracle.values, oracle.gradients) == (1, 2)


def test_exact_falls_back_where_the_parabola_has_no_minimum(on_line):
    # log(1 + x²) bends down beyond 1: from 4 the slopes at 0 and at the first trial show no minimum
    oracle, point, direction = on_line(
        lambda x: np.log1p(x * x), lambda x: 2 * x / (1 + x * x), 4.0
    )
    found = Exact()(oracle, point, direction, 1.0)
    assert found.lr == 1.0
    assert found.point.f < point.f


def test_fixed_takes_its_step_even_where_f_rises(counted):
    oracle = counted(rosen, rosen_der)
    point = oracle.at([-1.2, 1.0])
    found = Fixed(0.1)(oracle, point, -point.g, 5.0)
    np.testing.assert_array_equal(found.point.x, point.x - 0.1 * point.g)
    assert found.point.f > point.f


@pytest.mark.parametrize("search", SEARCHES, ids=repr)
def test_a_trial_that_is_not_finite_is_too_far(on_line, search):
    oracle, point, direction = on_line(*LINES["barrier"], 5.0)
    found = search(oracle, point, direction, 100.0)
    assert 0 < found.point.x[0] < 5
    assert found.point.f < point.f


@pytest.mark.parametrize("search", [StrongWolfe(max_steps=3), HagerZhang(max_steps=3)], ids=repr)
def test_without_an_acceptable_step_the_best_is_returned_or_none(on_line, search):
    oracle, point, direction = on_line(*LINES["parabola"], 0.0)
    found = search(oracle, point, direction, 1e-9)  # three trials do not reach the minimum at 18
    assert 1e-9 < found.lr < 1e-2
    assert oracle.values == 3
    oracle, point, direction = on_line(*LINES["quartic"], 0.0)
    assert type(search)(max_steps=1)(oracle, point, direction, 1e9) is None


@pytest.mark.parametrize("search", [Armijo(), StrongWolfe(), HagerZhang()], ids=repr)
def test_a_decrease_lost_in_rounding_does_not_stop_a_search(on_line, search):
    # 1 + x² is 1 in float64 for |x| < 1e-8: only slopes can tell
    oracle, point, direction = on_line(lambda x: 1 + x * x, lambda x: 2 * x, 1e-9)
    first = 0.8e-9 / abs(direction[0])
    found = search(oracle, point, direction, first)
    assert abs(found.point.g[0]) < abs(point.g[0])


@pytest.mark.parametrize("search", [Armijo(), StrongWolfe(), HagerZhang()], ids=repr)
def test_a_step_that_rounding_alone_calls_good_is_refused_by_its_slope(on_line, search):
    oracle, point, direction = on_line(lambda x: 1 + x * x, lambda x: 2 * x, 1e-9)
    found = search(oracle, point, direction, 3e-9 / abs(direction[0]))  # to −2e-9: f is 1 still
    assert abs(found.point.g[0]) < abs(point.g[0])


def test_falls_is_armijos_condition_but_where_the_change_may_be_rounding():
    assert falls(-1.0, 10.0, -2.0, 5.0, c1=0.4)
    assert not falls(-0.7, 10.0, -2.0, -1.0, c1=0.4)
    assert falls(1e-15, 1.0, -2e-15, 0.9e-15, c1=0.25)  # (2/4 − 1)·(−2e-15) = 1e-15
    assert not falls(1e-15, 1.0, -2e-15, 1.1e-15, c1=0.25)
    assert not falls(1e-14, 1.0, -2e-14, 0.9e-14, c1=0.25)  # more than rounding
    for bad in (math.nan, math.inf, -math.inf):
        assert not falls(bad, 1.0, -1.0, -1.0, c1=0.4)
        assert not falls(-1.0, 1.0, -1.0, bad, c1=0.4)
        assert not falls(0.0, 1.0, -1.0, bad, c1=0.4)


def test_failure_tells_a_step_below_rounding_from_one_that_should_show():
    assert failure(1.0, -1e-16) is Status.ROUNDOFF
    assert failure(1.0, -1e-6) is Status.LINE_SEARCH
    assert failure(1e200, -math.inf) is Status.NON_FINITE
    assert rounding(-2.0) == pytest.approx(64 * np.finfo(float).eps, rel=0.02)


def test_the_trial_inside_a_bracket_is_the_minimum_of_its_cubic():
    # x³ − 3x has f(0) = 0, f'(0) = −3, f(2) = 2, f'(2) = 9, its minimum at 1
    assert between(Trial(0.0, 0.0, -3.0, None), Trial(2.0, 2.0, 9.0, None)) == pytest.approx(1.0)
    assert between(Trial(2.0, 2.0, 9.0, None), Trial(0.0, 0.0, -3.0, None)) == pytest.approx(1.0)


def test_a_trial_keeps_a_tenth_of_the_bracket_from_its_ends():
    # the parabola with slopes −1 at 0 and 19 at 1 is lowest at 1/20
    assert between(Trial(0.0, 0.0, -1.0, None), Trial(1.0, 9.0, 19.0, None)) == pytest.approx(0.1)
    assert between(Trial(0.0, 0.0, -1.0, None), Trial(1.0, math.nan, math.nan, None)) == 0.1
    assert between(Trial(2.0, 0.0, -1.0, None), Trial(4.0, math.inf, math.nan, None)) == 3.0


def test_a_step_grows_to_the_minimum_of_the_cubic_within_limits():
    # (x − 3)² has f(0) = 9, f'(0) = −6, f(1) = 4, f'(1) = −4
    assert beyond(Trial(0.0, 9.0, -6.0, None), Trial(1.0, 4.0, -4.0, None)) == pytest.approx(3.0)
    assert beyond(Trial(0.0, 9.0, -6.0, None), Trial(1.0, 3.0, -6.0, None)) == 5.0
    # (x − 64)² is lowest at 64, (x − 2048)² farther than the search believes
    far = beyond(Trial(0.0, 4096.0, -128.0, None), Trial(1.0, 3969.0, -126.0, None))
    assert far == pytest.approx(64.0)
    assert (
        beyond(Trial(0.0, 4194304.0, -4096.0, None), Trial(1.0, 4190209.0, -4094.0, None)) == 1000
    )


def test_the_first_steps_of_cg_descent_follow_the_paper(counted):
    oracle = counted(lambda x: 0.5 * x @ x, lambda x: x)
    assert initial(oracle.at([3.0, -4.0])) == pytest.approx(0.01)  # 0.01 |x|∞ / |g|∞
    shifted = counted(lambda x: 0.5 * (x - 2) @ (x - 2), lambda x: x - 2)
    assert initial(shifted.at([0.0])) == pytest.approx(0.01 * 2 / 4)  # 0.01 |f| / |g|²
    point = oracle.at([3.0, -4.0])
    assert continued(oracle, point, -point.g, 0.7) == pytest.approx(1.0)  # the parabola's minimum
    assert continued(oracle, point, -point.g, 30.0) == 60.0  # f(3) > f(0): twice the last


@pytest.mark.parametrize("search", [*SEARCHES, Fixed(0.1)], ids=repr)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_search_ends_whatever_the_function_returns(counted, search, bad):
    for good in range(6):
        calls = iter(range(10_000))
        oracle = counted(lambda x: 1 / x[0] if next(calls) < good else bad, lambda x: -1 / x**2)
        point = type(oracle.at([1.0]))(np.array([1.0]), 1.0, np.array([-1.0]))
        search(oracle, point, np.array([1.0]), 1.0)
        assert oracle.values + oracle.gradients < 200


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Fixed(0.0), r"lr of fixed must be a float in \(0, inf\); got 0.0."),
        (lambda: Armijo(c1=0.5), r"c1 of armijo must be a float in \(0, 0.5\); got 0.5."),
        (lambda: Armijo(shrink=1.0), "shrink of armijo"),
        (lambda: Armijo(max_steps=0), "max_steps of armijo must be an int of at least 1; got 0."),
        (lambda: StrongWolfe(c1=0.2, c2=0.1), "c2 of strong_wolfe"),
        (lambda: StrongWolfe(c2=math.nan), "c2 of strong_wolfe"),
        (lambda: HagerZhang(max_steps=True), "max_steps of hager_zhang"),
    ],
)
def test_a_setting_outside_its_domain_is_named(make, message):
    with pytest.raises(HyperparameterError, match=message):
        make()
