"""Rules as methods: the stepper's own iterates, schedules, averages, bounds, copies."""

import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import descend as dd
from descend.errors import DescendError, RuleError
from descend.methods._status import Status
from descend.methods.by_rule import ByRule

SCALES = np.geomspace(1.0, 10.0, 6)
X0 = np.array([1.0, -2.0, 0.5, 1.5, -1.0, 2.0])
UPDATES = [
    "adam:lr=0.1",
    "momentum:lr=0.01",
    "polyak_sgd",
    "schedule_free_sgd:lr=0.1",
    "clip_norm:max_norm=1 > decay:weight_decay=0.01 > adam:lr=0.05 > ema",
    "shampoo:lr=0.1",
    "sgd:lr=cosine(0.1, steps=50)",
]


def quadratic(x):
    return 0.5 * x @ (SCALES * x)


def slope(x):
    return SCALES * x


@pytest.mark.parametrize("update", UPDATES)
def test_the_points_are_the_steppers_own(counted, walk, update):
    stepper = dd.Stepper(dd.get_rule(update), X0.copy())
    for step in walk(ByRule(update), counted(quadratic, slope), X0, maxiter=40):
        stepper.step(slope(stepper.x), quadratic(stepper.x))
        np.testing.assert_array_equal(step.point.x, stepper.solution)
        assert step.point.f == quadratic(stepper.solution)
        np.testing.assert_array_equal(step.point.g, slope(stepper.solution))


@pytest.mark.parametrize("update", [dd.adam, dd.adam(), "adam", dd.get_rule("adam")], ids=repr)
def test_a_rule_may_be_given_in_any_of_its_forms(update):
    assert ByRule(update) == ByRule(dd.adam())


def test_the_lr_of_a_step_is_the_rules_at_that_step(counted, walk):
    schedule = lambda t: 0.1 / t
    oracle = counted(quadratic, slope)
    lrs = [s.lr for s in walk(ByRule(dd.sgd(lr=schedule)), oracle, X0, maxiter=4)]
    assert lrs == [0.1, 0.05, 0.1 / 3, 0.025]
    lrs = [s.lr for s in walk(ByRule("adadelta:lr=1.0"), oracle, X0, maxiter=2)]
    assert lrs == [1.0, 1.0]


def test_a_rule_without_an_lr_reports_nan(counted, walk):
    assert "lr" not in dd.get_rule("cocob").core.settings
    steps = walk(ByRule("cocob"), counted(quadratic, slope), X0, maxiter=2)
    assert all(math.isnan(s.lr) for s in steps)


def test_an_average_is_reported_with_its_own_value_and_gradients_are_taken_at_x(counted, walk):
    asked = []
    oracle = counted(quadratic, lambda x: asked.append(x) or slope(x))
    steps = walk(ByRule("sgd:lr=0.1 > ema"), oracle, X0, maxiter=20)
    x = X0
    for k, step in enumerate(steps):
        x = x - 0.1 * slope(x)
        np.testing.assert_allclose(asked[1 + 2 * k], x, rtol=1e-14)  # asked[0]: x0's
        assert step.point.f == quadratic(step.point.x)
        assert np.abs(step.point.x).max() > np.abs(x).max()  # the average trails behind


@pytest.mark.parametrize("update", ["adam:lr=0.3", "sgd:lr=0.05", "schedule_free_sgd:lr=0.1"])
def test_bounds_hold_at_every_call(counted, walk, update):
    lower = np.where(np.arange(6) % 2, 0.25, -np.inf)
    oracle = counted(quadratic, slope, lower=lower, upper=np.full(6, 3.0))
    x0 = np.clip(X0, lower, 3.0)
    point = walk(ByRule(update), oracle, x0, maxiter=1500)[-1].point
    np.testing.assert_allclose(
        point.x, np.maximum(lower, 0.0), atol=2e-2
    )  # adam's lr keeps it busy


def test_rosenbrock_is_solved_by_adam(counted, walk):
    point = walk(ByRule("adam:lr=0.02"), counted(rosen, rosen_der), [-1.2, 1.0], 5000, 1e-5)[
        -1
    ].point
    np.testing.assert_allclose(point.x, 1.0, atol=1e-4)


@pytest.mark.parametrize("update", UPDATES)
def test_a_copied_state_continues_bit_for_bit(continues_bit_for_bit, update):
    continues_bit_for_bit(ByRule(update), quadratic, slope, X0, steps=20)


@pytest.mark.parametrize("update", UPDATES)
def test_a_step_that_a_call_ended_is_the_same_when_taken_again(survives_an_end_at_any_call, update):
    survives_an_end_at_any_call(ByRule(update), quadratic, slope, X0)


@pytest.mark.parametrize("update", ["adam:lr=0.1", "polyak_sgd", "sgd:lr=0.001 > ema"])
def test_no_failure_of_the_function_keeps_a_method_busy(stays_bounded, update):
    stays_bounded(ByRule(update), rosen, rosen_der, [-1.2, 1.0])


def test_a_rule_that_runs_away_ends_as_not_finite(counted, walk):
    with np.errstate(over="ignore", invalid="ignore"):  # of the function
        steps = walk(ByRule("sgd:lr=1.0"), counted(rosen, rosen_der), [-1.2, 1.0])
    assert steps[-1].ended is Status.NON_FINITE


def test_a_link_that_declines_to_step_leaves_the_point_where_it_is(counted, walk):
    update = "accumulate:steps=3 > sgd:lr=0.1"
    try:
        dd.get_rule(update)
    except DescendError:
        pytest.skip("there is no such link")
    steps = walk(ByRule(update), counted(quadratic, slope), X0, maxiter=9)
    assert [math.isnan(s.lr) for s in steps] == [True, True, False] * 3
    for k, step in enumerate(steps, 1):
        np.testing.assert_allclose(step.point.x, X0 * (1 - 0.1 * SCALES) ** (k // 3), rtol=1e-13)


def test_a_rule_runs_in_the_units_it_is_given_for_1000_iterations_at_least():
    assert not ByRule("adam").scales
    assert ByRule("adam").iterations(1) == 1000
    assert ByRule("adam").iterations(100) == 20_000


def test_what_is_no_rule_is_refused():
    with pytest.raises(RuleError, match="clip_norm is not a rule alone"):
        ByRule(dd.clip_norm)
    with pytest.raises(DescendError, match="Did you mean 'adam'"):
        ByRule("adma")
