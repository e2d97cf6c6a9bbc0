"""The test functions: gradients, minima, text, and behaviour far away."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from descend.errors import ProblemError, UnknownNameError
from descend.lab.functions import TestFunction, get_function, list_functions

LARGER = ["paraboloid:n=5", "quadratic:kappa=1000,n=3", "rosenbrock:n=6", "rastrigin:n=4"]
LARGER += ["ackley:n=5", "styblinski_tang:n=3", "plateau:n=1"]
TEXTS = list_functions() + LARGER


def starts(f: TestFunction, count: int = 20) -> np.ndarray:
    return np.random.default_rng(0).uniform(*f.box, size=(count, f.n))


def central_differences(f: TestFunction, x: np.ndarray) -> np.ndarray:
    g = np.empty(f.n)
    for i in range(f.n):
        h = np.zeros(f.n)
        h[i] = 6e-6 * max(1.0, abs(x[i]))
        g[i] = (f.fun(x + h) - f.fun(x - h)) / (2 * h[i])
    return g


@pytest.mark.parametrize("text", TEXTS)
def test_gradients_agree_with_central_differences(text: str) -> None:
    f = get_function(text)
    for x in starts(f):
        expected = central_differences(f, x)
        # differences lose about eps**(2/3) of the values and of the third derivative
        slack = 1e-7 * (1 + abs(f.fun(x)) + np.abs(expected).max())
        np.testing.assert_allclose(f.grad(x), expected, rtol=1e-6, atol=slack)


@pytest.mark.parametrize("text", TEXTS)
def test_the_minimum_is_the_value_at_every_minimiser(text: str) -> None:
    f = get_function(text)
    for point in f.minima:
        # the points are rounded to doubles: the value is off by rounding alone
        assert f.fun(np.array(point)) == pytest.approx(f.minimum, rel=1e-15, abs=1e-14)


@pytest.mark.parametrize("text", TEXTS)
def test_gradients_vanish_at_the_minima(text: str) -> None:
    f = get_function(text)
    for point in f.minima + f.local_minima:
        # rounding of a coordinate times the largest curvature here, below 1000
        np.testing.assert_allclose(f.grad(np.array(point)), 0, atol=1e-12)


@pytest.mark.parametrize("text", TEXTS)
def test_values_around_a_minimiser_are_greater(text: str) -> None:
    f = get_function(text)
    rng = np.random.default_rng(1)
    for point in f.minima + f.local_minima:
        for _ in range(50):
            step = rng.standard_normal(f.n)
            near = np.array(point) + 1e-3 * step / np.linalg.norm(step)
            assert f.fun(near) > f.fun(np.array(point))


@pytest.mark.parametrize("text", TEXTS)
def test_no_value_in_the_box_is_below_the_minimum(text: str) -> None:
    f = get_function(text)
    assert min(f.fun(x) for x in starts(f, 2000)) > f.minimum
    assert all(f.fun(np.array(point)) > f.minimum for point in f.local_minima)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("far", [1e80, -1e200, np.inf, np.nan])
def test_far_points_overflow_without_a_warning(text: str, far: float) -> None:
    f = get_function(text)
    x = np.full(f.n, far)
    value, gradient = f.value_and_gradient(x)
    assert isinstance(value, float)
    assert gradient.shape == (f.n,)
    if np.isnan(far):
        assert np.isnan(value)


@pytest.mark.parametrize("text", TEXTS)
def test_points_are_left_as_they_were(text: str) -> None:
    f = get_function(text)
    x = starts(f, 1)[0]
    before = x.copy()
    f.value_and_gradient(x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("text", TEXTS)
def test_a_function_survives_pickling_and_its_name_makes_it_again(text: str) -> None:
    f = get_function(text)
    x = starts(f, 1)[0]
    for twin in (pickle.loads(pickle.dumps(f)), get_function(f.name)):
        assert twin == f
        assert twin.identity() == f.identity()
        np.testing.assert_array_equal(twin.grad(x), f.grad(x))


def test_the_minima_of_the_quartic_are_the_roots_of_its_derivative() -> None:
    f = get_function("quartic")
    roots = np.sort(np.roots([4, -15, 8, 3]))  # -1/4, 1, 3: the middle one is a maximum
    np.testing.assert_allclose([f.local_minima[0][0], f.minima[0][0]], roots[[0, 2]], rtol=1e-12)
    assert f.fun(np.array([3.0])) == -9.0
    assert f.fun(np.array([-0.25])) == -0.41796875
    assert f.minimum == -9.0


def test_values_worked_by_hand() -> None:
    at = {
        "square": ([3.0], 14.0),
        "paraboloid": ([1.0, 2.0], 5.0),
        "quartic": ([1.0], 3.0),
        "rosenbrock": ([-1.0, 2.0], 104.0),
        "rosenbrock:n=3": ([0.0, 1.0, 1.0], 101.0),
        "beale": ([0.0, 0.0], 14.203125),
        "himmelblau": ([0.0, 0.0], 170.0),
        "rastrigin": ([0.5, 1.0], 21.25),
        "styblinski_tang": ([1.0, -1.0], -15.0),
        "booth": ([0.0, 0.0], 74.0),
        "saddle": ([0.0, 2.0], 2.25),
        "ravine": ([10.0, 1.0], 12.0),
        "plateau": ([3.0, 0.0], 0.9),
    }
    for text, (x, value) in at.items():
        assert get_function(text).fun(np.array(x)) == pytest.approx(value, rel=1e-14), text
    one = 20 * (1 - np.exp(-0.2))  # the cosines are at their crest at integers
    assert get_function("ackley").fun(np.array([1.0, 1.0])) == pytest.approx(one, rel=1e-14)


def test_a_quadratic_has_the_eigenvalues_that_its_text_asks_for() -> None:
    f = get_function("quadratic:kappa=10000,n=5")
    matrix = np.column_stack([f.grad(e) for e in np.eye(5)])
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), 10.0 ** np.arange(5), rtol=1e-10)
    assert np.abs(matrix - np.diag(np.diag(matrix))).max() > 1  # rotated


def test_the_saddle_is_neither_minimum_nor_maximum_at_the_origin() -> None:
    f = get_function("saddle")
    np.testing.assert_array_equal(f.grad(np.zeros(2)), 0)
    assert f.fun(np.array([0.1, 0.0])) < f.fun(np.zeros(2)) < f.fun(np.array([0.0, 0.1]))


def test_the_gradient_of_ackley_is_zero_at_its_tip_and_four_beside_it() -> None:
    f = get_function("ackley:n=1")
    assert f.grad(np.zeros(1)) == 0
    assert f.grad(np.array([1e-9])) == pytest.approx(4, rel=1e-6)  # the cone's slope, 20 · 0.2


def test_names_leave_out_parameters_at_their_defaults() -> None:
    assert get_function("rosenbrock:n=2").name == "rosenbrock"
    assert get_function("quadratic: n=4, kappa=1e3").name == "quadratic:kappa=1000,n=4"


def test_an_unknown_function_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rosenbrock'"):
        get_function("rosenbrok")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("beale:n=3", "beale has no parameters; got 'n=3'"),
        ("booth:", "booth has no parameters"),
        ("rosenbrock:n=1", r"n of rosenbrock must be an integer in \[2, 100000\]; got 1"),
        ("rosenbrock:n=2.5", "got 2.5"),
        ("rosenbrock:n", "must be written once each, as n=2; got 'n'"),
        ("rosenbrock:", "must be written once each"),
        ("rosenbrock:n=2,n=3", "must be written once each"),
        ("quadratic:kapa=3", "no parameter 'kapa'. Did you mean 'kappa'?"),
        ("quadratic:kappa=0.5", r"kappa of quadratic must be a number in \[1, 1e12\]; got 0.5"),
        ("quadratic:kappa=nan", "got nan"),
        ("quadratic:n=5000", "got 5000"),
    ],
)
def test_bad_parameters_are_named(text: str, words: str) -> None:
    with pytest.raises(ProblemError, match=words):
        get_function(text)
