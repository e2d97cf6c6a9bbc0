"""A wrong entry of a gradient is named, a right gradient is not blamed, whatever the sizes."""

import math

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from descend._minimize.check_grad import TOLERANCE, check_grad, compare
from descend.errors import ProblemError


def problem(n):
    """Sizes of x over twelve orders, of the gradient too: entries from 1e-6 to 1e6."""
    rng = np.random.default_rng(1)
    size = np.logspace(-6, 6, n)
    rng.shuffle(size)
    return (
        (rng.standard_normal(n) + 2) / size,
        lambda x: float(np.cosh(size * x).sum()),
        lambda x: size * np.sinh(size * x),
    )


def spoilt(gradient, index, factor):
    def wrong(x):
        g = gradient(x)
        g[index] *= factor
        return g

    return wrong


@pytest.mark.parametrize("n", [5, 60, 61, 2000])
def test_a_badly_scaled_gradient_passes(n):
    x, f, g = problem(n)
    check = check_grad(f, g, x)
    assert check.ok, str(check)


@pytest.mark.parametrize("factor", [2.0, 0.0, -1.0, 1.001, math.nan, math.inf])
@pytest.mark.parametrize("n", [5, 2000])
def test_the_wrong_entry_is_named(n, factor):
    x, f, g = problem(n)
    for index in {0, 3, n // 2, n - 1}:
        check = check_grad(f, spoilt(g, index, factor), x)
        assert not check.ok
        assert check.index == index
        # sampled entries of 2000 differ by rounding: f is 1e3 times larger than most of its terms
        np.testing.assert_allclose(check.numeric, g(x)[index], rtol=1e-3)


@pytest.mark.parametrize("n", [5, 2000])
def test_an_entry_a_millionth_of_the_largest_is_found(n):
    largest = np.where(np.arange(n) == 1, 1.0, 1e-6)

    def f(x):
        return float((largest * np.sin(x)).sum())

    def g(x):
        return largest * np.cos(x)

    x = np.full(n, 0.5)
    assert check_grad(f, g, x).ok
    check = check_grad(f, spoilt(g, n - 2, 1.5), x)
    assert check.index == n - 2
    assert not check.ok


def test_the_sentence_names_entry_values_and_error():
    check = check_grad(
        lambda x: x @ x, lambda x: np.where(np.arange(4) == 3, x, 2 * x), np.full(4, 2.0)
    )
    assert str(check) == (
        "entry 3 of the gradient is 2.0 where central differences give 4.0 (relative error 0.5)"
    )
    assert (check.index, check.analytic) == (3, 2.0)
    assert "agrees" in str(check_grad(lambda x: x @ x, lambda x: 2 * x, np.full(4, 2.0)))


@pytest.mark.parametrize("n", [2, 7, 300])
def test_rosenbrock_passes_at_random_points(n):
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal(n)
        assert check_grad(rosen, rosen_der, x).ok


def test_a_minimum_passes_where_all_is_zero():
    assert check_grad(lambda x: x @ x, lambda x: 2 * x, np.zeros(4)).ok
    assert check_grad(lambda x: x @ x + 1e6, lambda x: 2 * x, np.zeros(4)).ok
    assert check_grad(rosen, rosen_der, np.ones(4)).ok


def test_at_a_kink_any_slope_between_the_sides_is_right():
    def f(x):
        return float(np.abs(x).sum())

    x = np.array([0.0, 1.0, -2.0])
    for slope, right in ((0.0, True), (-1.0, True), (0.3, True), (1.5, False)):
        assert check_grad(f, lambda z, s=slope: np.array([s, 1.0, -1.0]), x).ok == right


def test_functions_in_float32_are_judged_by_their_own_rounding():
    def f(x):
        return np.float32(np.cosh(x.astype(np.float32)).sum())

    x = np.linspace(0.1, 1, 6)
    assert check_grad(f, np.sinh, x).ok
    wrong = check_grad(f, lambda z: np.sinh(z) * np.where(np.arange(6) == 5, 1.1, 1), x)
    assert wrong.index == 5
    assert not wrong.ok


def test_the_edge_of_the_domain_says_nothing():
    assert (
        check_grad(lambda x: math.sqrt(x[0]) + x[1], lambda x: [math.inf, 1.0], [0.0, 1.0]).index
        == 0
    )
    assert check_grad(lambda x: math.sqrt(x[0]) + x[1], lambda x: [7.0, 1.0], [0.0, 1.0]).ok


def test_pairs_shapes_and_further_arguments_are_taken():
    def both(x, a):
        return a * (x**3).sum(), 3 * a * x**2

    x = np.linspace(1, 2, 6).reshape(2, 3)
    assert check_grad(both, True, x, (2.0,)).ok
    wrong = check_grad(
        lambda x, a: both(x, a)[0], lambda x, a: both(x, a)[1] * [[1, 1, 1], [1, 2, 1]], x, (2.0,)
    )
    assert wrong.index == 4


def test_a_bare_argument_is_taken_as_minimize_takes_it():
    x = np.linspace(1, 2, 3)
    assert check_grad(lambda x, a: a * x @ x, lambda x, a: 2 * a * x, x, 2.0).ok
    assert check_grad(lambda x, a: a @ x, lambda x, a: a, x, np.ones(3)).ok


@pytest.mark.parametrize("length", [1e-6, 1e-5, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("x", [[0.0], [0.3], [1.0, 2.0]])
def test_functions_of_any_length_scale_are_judged(length, x):
    def wave(z):
        return float(np.sin(z / length + 0.7).sum())

    def slope(z):
        return np.cos(z / length + 0.7) / length

    assert check_grad(wave, slope, np.array(x)).ok
    wrong = check_grad(wave, spoilt(slope, 0, 1 + 1e-4), np.array(x))
    assert (wrong.ok, wrong.index) == (False, 0)


def test_a_zero_slope_far_from_the_origin_passes():
    for w in (1e-4, 1.0, 50.0):
        x = np.array(
            [2.25, -13.1]
        )  # w x is not a round number: x + h is rounded, and the waves see it
        c = w * x
        f = lambda z, w=w, c=c: float(np.log1p((w * z - c) ** 2).sum())
        g = lambda z, w=w, c=c: 2 * w * (w * z - c) / (1 + (w * z - c) ** 2)
        assert check_grad(f, g, x).ok


def test_waves_at_a_kink_do_not_hide_it():
    def f(x):
        return float(np.abs(x[0]) + np.sin(1e3 * x[1]))

    for slope, right in ((0.3, True), (1.5, False)):
        g = lambda z, s=slope: np.array([s, 1e3 * np.cos(1e3 * z[1])])
        assert check_grad(f, g, np.array([0.0, 1.0])).ok == right


def test_the_same_seed_gives_the_same_check():
    x, f, g = problem(200)
    assert check_grad(f, g, x, seed=3) == check_grad(f, g, x, seed=3)


def test_directions_may_be_asked_for_or_left_out():
    x, f, g = problem(200)
    calls = []
    f_counted = lambda z: calls.append(0) or f(z)
    check_grad(f_counted, g, x, directions=0)
    without = len(calls)
    calls.clear()
    check_grad(f_counted, g, x, directions=3)
    assert len(calls) > without


def test_thousands_of_entries_cost_hundreds_of_calls():
    x, f, g = problem(2000)
    calls = []
    check_grad(lambda z: calls.append(0) or f(z), g, x)
    assert len(calls) < 1500


@pytest.mark.filterwarnings("ignore:jac='jax' computes in float32")
def test_frameworks_gradients_are_checked_too():
    jax_numpy = pytest.importorskip("jax.numpy")
    assert check_grad(lambda x: jax_numpy.sum(x**2), "jax", np.linspace(0.1, 1, 4)).ok


@pytest.mark.parametrize("jac", [None, False, "2-point", "cs"])
def test_differences_are_nothing_to_check(jac):
    with pytest.raises(ProblemError, match="not differences"):
        check_grad(rosen, jac, np.ones(2))


def test_a_function_that_fails_there_is_a_problem():
    with pytest.raises(ProblemError, match="ZeroDivisionError"):
        check_grad(lambda x: 1 / 0, rosen_der, np.ones(2))
    with pytest.raises(ProblemError, match="finite"):
        check_grad(lambda x: math.inf, rosen_der, np.ones(2))
    with pytest.raises(ProblemError, match="shape"):
        check_grad(rosen, lambda x: [1.0], np.ones(2))


def test_compare_takes_a_plain_function_and_a_gradient():
    x = np.array([1.0, 2.0])
    assert compare(lambda z: float(z @ z), x, 5.0, 2 * x).error <= TOLERANCE
    assert compare(lambda z: float(z @ z), x, 5.0, np.array([2.0, 5.0])).index == 1
