"""Rules that choose steps from what they measure, and rules with a proximal step: hand-worked branches and exact answers."""

import math

import numpy as np
import pytest

import descend as dd

PARAMETER_FREE = [
    "cocob",
    "dadapt_adam",
    "dadapt_adam_corrected",
    "dadapt_sgd",
    "dog",
    "dowg",
    "ldog",
    "prodigy",
]


def step_sizes(update, gradients, name="step"):
    """The state called ``name`` after each step from 0."""
    stepper = dd.Stepper(update, np.zeros(np.shape(gradients[0])))
    seen = []
    for g in gradients:
        stepper.step(np.array(g, float))
        seen.append(stepper.state[name])
    return seen


def walk(update, x, gradient, steps):
    stepper = dd.Stepper(update, x)
    for _ in range(steps):
        stepper.step(gradient(x))
    return stepper


# ---- polyak_sgd


def polyak_step(value, g=(3.0, 4.0), **settings):
    x = np.zeros(2)
    dd.Stepper(dd.polyak_sgd(**settings), x).step(np.array(g), value)
    return x.tolist()


def test_polyak_step_is_the_gap_over_the_squared_norm():
    assert polyak_step(12.5) == [-1.5, -2.0]  # 12.5 / 25
    assert polyak_step(12.5, f_min=6.25) == [-0.75, -1.0]
    assert polyak_step(2.5, c=0.4) == [-0.75, -1.0]
    assert polyak_step(1e9) == [-3.0, -4.0]  # lr = 1 is the most
    assert polyak_step(1e9, lr=0.5) == [-1.5, -2.0]


def test_polyak_step_is_none_at_the_minimum_and_below_it():
    assert polyak_step(0.0) == [0.0, 0.0]
    assert polyak_step(-1.0) == [0.0, 0.0]
    assert polyak_step(1.0, f_min=2.0) == [0.0, 0.0]
    assert polyak_step(1.0, g=(0.0, 0.0)) == [0.0, 0.0]


def test_polyak_minimum_may_be_negative():
    assert polyak_step(0.0, f_min=-12.5) == [-1.5, -2.0]


# ---- barzilai_borwein


def test_barzilai_borwein_is_newton_in_one_dimension():
    for rule in (dd.barzilai_borwein, dd.barzilai_borwein_short):
        x = np.array([5.0])
        stepper = walk(rule(lr=0.125), x, lambda x: 4 * (x - 1), 2)
        assert x.tolist() == [1.0]
        assert stepper.state["step"] == 0.25


def test_barzilai_borwein_keeps_its_step_where_curvature_is_not_positive():
    for rule in (dd.barzilai_borwein, dd.barzilai_borwein_short):
        # x: 0, -1/2; s = -1/2 and y = 2 - 1 have a negative product, then y = 0, then y < 0
        assert step_sizes(rule(lr=0.5), [[1], [2], [2], [1]]) == [0.5, 0.5, 0.5, 1.0]


def test_barzilai_borweins_short_step_is_not_longer_than_the_long_one():
    gradients = np.array([[1.0, 2.0, -1.0], [0.5, -1.0, 0.25]])
    long = step_sizes(dd.barzilai_borwein(lr=0.5), gradients)
    short = step_sizes(dd.barzilai_borwein_short(lr=0.5), gradients)
    # s = -g / 2 and y = (-1/2, -3, 5/4): <s, s> = 3/2, <s, y> = 31/8, <y, y> = 173/16
    assert long == [0.5, pytest.approx(12 / 31, rel=1e-15)]
    assert short == [0.5, pytest.approx(62 / 173, rel=1e-15)]


def test_barzilai_borwein_solves_a_quadratic_where_gradient_descent_crawls():
    curvature = np.logspace(0, 3, 10)
    for rule in (dd.barzilai_borwein, dd.barzilai_borwein_short):
        x = np.ones(10)
        walk(rule(lr=1e-4), x, lambda x: curvature * x, 300)
        assert abs(x).max() < 1e-6
    x = np.ones(10)
    walk(dd.sgd(lr=1e-3), x, lambda x: curvature * x, 300)
    assert abs(x).max() > 0.7


# ---- adgd


def test_adgd_grows_by_its_bound_where_gradients_agree():
    first, second, third, fourth = step_sizes(dd.adgd(lr=0.5), [[1.0]] * 4)
    assert first == second == 0.5  # no earlier ratio, no curvature: neither bound is finite
    assert third == pytest.approx(0.5 * math.sqrt(2), rel=1e-15)
    assert fourth == pytest.approx(third * math.sqrt(1 + math.sqrt(2)), rel=1e-15)


def test_adgd_takes_half_the_inverse_curvature():
    x = np.array([5.0])
    stepper = walk(dd.adgd(lr=1e-3), x, lambda x: 4 * x, 2)
    assert stepper.state["step"] == pytest.approx(0.125, rel=1e-12)  # 1 / (2 · 4)


def test_adgd_goes_on_after_it_stood_still():
    steps = step_sizes(dd.adgd(lr=0.5), [[1.0], [0.0], [1.0], [1.0]])
    assert min(steps) > 0


def test_adgd_needs_no_learning_rate():
    for scale in (1e-3, 1.0, 1e3):
        x = np.ones(5)
        walk(dd.adgd(), x, lambda x: scale * np.arange(1, 6) * x, 200)
        assert abs(x).max() < 1e-6


# ---- parameter-free rules


@pytest.mark.parametrize("name", PARAMETER_FREE)
def test_a_first_gradient_of_zero_delays_the_rule_and_breaks_nothing(name):
    gradients = np.random.default_rng(0).standard_normal((20, 4))
    x = np.ones(4)
    stepper = dd.Stepper(dd.find_rule(name)(), x)
    stepper.step(np.zeros(4))
    assert (x == 1).all()
    for g in gradients:
        stepper.step(g)
    assert np.isfinite(x).all()
    assert (x != 1).all()
    assert all(np.isfinite(v).all() for v in stepper.state.values())


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e2])
@pytest.mark.parametrize("name", PARAMETER_FREE)
def test_parameter_free_rules_find_the_scale_of_the_problem(name, scale):
    answer = scale * np.array([1.0, -2.0, 3.0])
    x = np.zeros(3)
    stepper = walk(dd.find_rule(name)(), x, lambda x: (x - answer) / scale, 2000)
    assert np.linalg.norm(stepper.solution - answer) < 0.1 * np.linalg.norm(answer)


def test_ldog_steps_each_array_as_dog_would_alone():
    tapes = np.random.default_rng(0).standard_normal((20, 2, 5)) * [[[1.0], [100.0]]]
    together = [np.ones(5), -np.ones(5)]
    stepper = dd.Stepper(dd.ldog(r_rel=0.1), together)
    alone = [x.copy() for x in together]
    steppers = [dd.Stepper(dd.dog(r_rel=0.1), x) for x in alone]
    for a, b in tapes:
        stepper.step([a, b])
        steppers[0].step(a)
        steppers[1].step(b)
    assert [x.tolist() for x in together] == [x.tolist() for x in alone]
    assert stepper.state["r"] == [s.state["r"] for s in steppers]
    assert stepper.state["r"][0] != stepper.state["r"][1]


@pytest.mark.parametrize("name", ["dadapt_sgd", "dadapt_adam", "dadapt_adam_corrected", "prodigy"])
def test_the_estimated_distance_never_falls(name):
    stepper = dd.Stepper(dd.find_rule(name)(), np.zeros(4))
    before = 0.0
    for g in np.random.default_rng(1).standard_normal((50, 4)):
        stepper.step(g)
        assert stepper.state["d"] >= before
        before = stepper.state["d"]


@pytest.mark.parametrize("name", ["dadapt_sgd", "dadapt_adam", "prodigy"])
def test_the_estimated_distance_is_one(name):
    """Without momentum the theory's bound is at most the distance, in Adam's scale the largest element's; the SGD form doubles it."""
    answer = np.array([3.0, -1.0, 2.0, 0.5])
    ours = {"momentum": 0.0} if name == "dadapt_sgd" else {"beta1": 0.0}
    most = 2 * np.linalg.norm(answer) if name == "dadapt_sgd" else abs(answer).max()
    stepper = walk(dd.find_rule(name)(**ours), np.zeros(4), lambda x: np.sign(x - answer), 500)
    assert 0.05 * most < stepper.state["d"] <= most


# ---- proximal steps

CURVATURE, CENTRE = np.array([1.0, 2.0, 4.0, 0.5]), np.array([2.0, -0.1, 0.05, -3.0])
LASSO = np.array([1.5, 0.0, 0.0, -2.0])  # centre - clip(centre, ± 0.5 / curvature)


@pytest.mark.parametrize("name", ["ista", "fista", "fista_restart"])
def test_proximal_rules_solve_the_lasso_with_exact_zeros(name):
    x = np.ones(4)
    rule = dd.find_rule(name)(lr=0.25, l1=0.5)
    stepper = walk(rule, x, lambda x: CURVATURE * (x - CENTRE), 400)
    # fista's error at least falls as 1 / t²; on this one it rings down by 0.94 a step
    np.testing.assert_allclose(stepper.solution, LASSO, atol=1e-6)
    assert stepper.solution[1] == stepper.solution[2] == 0.0


def test_fista_is_faster_than_ista_and_restarts_make_it_faster_still():
    curvature, errors = np.logspace(-4, 0, 20), {}
    for name in ("ista", "fista", "fista_restart"):
        x = np.ones(20)
        stepper = walk(dd.find_rule(name)(lr=1.0, l1=0.0), x, lambda x: curvature * x, 1000)
        errors[name] = 0.5 * (curvature * stepper.solution**2).sum()
    assert errors["fista_restart"] < errors["fista"] / 10 < errors["ista"] / 100


def test_ftrl_sets_what_its_penalty_holds_to_exact_zeros():
    x = np.zeros(3)
    stepper = dd.Stepper(dd.ftrl(lr=0.5, l1=1.0, beta=1.0, n0=1.0), x)
    stepper.step(np.array([0.5, -3.0, 1.0]))
    # z = g at x = 0, n = 1 + g²: (clip(z, -1, 1) - z) / ((1 + √n) / 0.5)
    assert x.tolist() == [0.0, pytest.approx(2 / (2 * (1 + math.sqrt(10))), rel=1e-15), 0.0]


# ---- the others


def test_rprop_bounds_its_first_step():
    for lr, first in ((0.0, 0.25), (0.5, 0.5), (8.0, 2.0)):
        x = np.zeros(1)
        dd.Stepper(dd.rprop(lr=lr, step_min=0.25, step_max=2.0), x).step(np.ones(1))
        assert x.tolist() == [-first]


def test_rprop_reads_only_signs():
    x, y = np.zeros(3), np.zeros(3)
    one, other = dd.Stepper(dd.rprop(), x), dd.Stepper(dd.rprop(), y)
    for g in np.random.default_rng(0).standard_normal((30, 3)):
        one.step(g)
        other.step(g * np.array([1e-200, 1.0, 1e200]))  # products of two would leave float64
    assert x.tolist() == y.tolist()


CENTERED = [name for name in dd.list_rules() if "_centered" in name]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CENTERED)
def test_a_variance_that_rounds_below_zero_counts_as_zero(name, dtype):
    x, below = np.zeros(9, dtype), 0
    stepper = dd.Stepper(dd.find_rule(name)(), x)
    for _ in range(8000):
        stepper.step(np.linspace(0.1, 1.0, 9))
        v, a = stepper.state["v"], stepper.state["a"]
        below += (v - a * a < 0).sum()
    assert below > 0
    assert np.isfinite(x).all()


def test_asgd_averages_from_t0_on():
    x = np.zeros(1)
    stepper = dd.Stepper(dd.asgd(lr=1.0, lambd=0.0, t0=2.0), x)
    answers = []
    for _ in range(6):
        stepper.step(np.array([-1.0]))
        answers.append(float(stepper.solution[0]))
    assert x.tolist() == [6.0]
    assert answers == [1.0, 2.0, 3.0, 4.0, 4.5, 5.0]  # the mean of 4, of 4 and 5, of 4, 5 and 6


def test_averaged_sgd_is_exact_where_gradients_are_noise_around_a_line():
    x = np.zeros(1)
    stepper = dd.Stepper(dd.averaged_sgd(lr=1.0), x)
    for g in (-1.0, 2.0, -4.0, 8.0):
        stepper.step(np.array([g]))
    assert stepper.solution.tolist() == [(1 - 1 + 3 - 5) / 4]


def test_qhm_between_gradient_descent_and_heavy_ball():
    gradients = np.random.default_rng(0).standard_normal((10, 3))

    def end(update):
        x = np.zeros(3)
        stepper = dd.Stepper(update, x)
        for g in gradients:
            stepper.step(g)
        return x

    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)
    close(end(dd.qhm(lr=0.5, nu=0.0)), end(dd.sgd(lr=0.5)))
    close(end(dd.qhm(lr=0.5, beta=0.75, nu=1.0)), end(dd.momentum(lr=0.125, momentum=0.75)))
    close(end(dd.qhm(lr=0.5, beta=0.75, nu=0.75)), end(dd.nesterov(lr=0.125, momentum=0.75)))
