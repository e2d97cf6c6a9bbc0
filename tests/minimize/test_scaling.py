"""Units are exact: the same f at the same x, bit for bit, whatever the units."""

import numpy as np
import pytest

from descend._minimize.driver import minimize
from descend._minimize.objective import Objective
from descend._minimize.scaling import Scaled, differ, powers_of_two, units_at, units_of
from descend.methods._method import Point

X = np.array([3.1e-7, -2.5, 8.8e6, 1.7e-3])


def bowl(x):
    return float(np.sum((x / X - 1.3) ** 2 + np.cos(x / X)))


def bowl_gradient(x):
    return (2 * (x / X - 1.3) - np.sin(x / X)) / X


def bowl_hessian(x):
    return np.diag((2 - np.cos(x / X)) / X**2)


@pytest.fixture
def oracle():
    return Objective(
        bowl, X, jac=bowl_gradient, hess=bowl_hessian, lower=X - np.abs(X), upper=X + 2 * np.abs(X)
    )


@pytest.fixture
def scaled(oracle):
    return Scaled(oracle, units_of(X))


def test_units_are_powers_of_two_within_a_factor_of_root_two_of_the_sizes():
    units = powers_of_two(np.abs(X))
    mantissas, _ = np.frexp(units)
    assert (mantissas == 0.5).all()
    # rounding log2 to the nearest whole number is off by 1/2 at most
    assert (np.abs(np.log2(np.abs(X) / units)) <= 0.5).all()


def test_sizes_about_the_middle_one_need_no_units():
    assert (units_of(np.array([1.0, -100.0, 0.0])) == 1).all()
    assert (units_of(np.arange(900) + 1.0) == 1).all()
    assert (units_of(np.array([1.2, -0.3, 0.4, 1.8, 1.7, 3e-4])) == 1).all()  # near 0 by chance
    assert (units_of(np.zeros(3)) == 1).all()


def test_sizes_far_above_or_below_the_middle_one_need_units():
    assert (units_of(np.r_[np.ones(99), 11.0]) == np.r_[np.ones(99), 8.0]).all()
    spread = np.geomspace(1e-3, 1e3, 200)
    assert (units_of(spread) == powers_of_two(spread)).all()
    assert (units_of(np.array([100.0, 10.0, 1.0, 1.0])) == [128, 8, 1, 1]).all()
    assert (units_of(np.array([2.0, 1.0, 9e-5])) == [2, 1, 2.0**-13]).all()


@pytest.mark.parametrize("n", [100, 1000, 30_000])
def test_many_variables_of_which_some_are_near_0_by_chance_need_no_units(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        x = rng.normal(size=n)
        assert (units_of(x) == 1).all()
        assert not differ(np.ones(n), x)
        x[0] = 1000.0
        units = units_of(x)
        assert units[0] == 1024
        assert np.unique(units[1:]).size == 1  # the others share theirs


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
@pytest.mark.parametrize("n", [11, 20, 60])
@pytest.mark.parametrize("size", [1e-6, 1e5])
def test_one_variable_of_another_size_is_told_among_any_number(n, size, method):
    sizes = np.ones(n)
    sizes[-1] = size

    def chained(x):  # Rosenbrock's function
        z = x / sizes
        r, s = 10 * (z[1:] - z[:-1] ** 2), 1 - z
        g = -2 * s
        g[1:] += 20 * r
        g[:-1] -= 40 * z[:-1] * r
        return float(r @ r + s @ s), g / sizes

    x0 = sizes * np.random.default_rng(n).uniform(0.5, 1.5, n)
    r = minimize(chained, x0, jac=True, method=method)
    assert r.fun < 1e-5


def test_a_start_with_noise_about_0_does_not_crawl():
    # Freudenstein & Roth's function chained (CUTEst FREUROTH), 2 of 100 entries far from 0
    x0 = np.zeros(100)
    x0[:2] = 0.5, -2.0
    x0 += 0.01 * np.random.default_rng(0).normal(size=100)

    def freuroth(x):
        a, b = x[:-1], x[1:]
        r = a - 13 + ((5 - b) * b - 2) * b
        s = a - 29 + ((b + 1) * b - 14) * b
        g = np.zeros(100)
        g[:-1] += 2 * (r + s)
        g[1:] += 2 * r * (10 * b - 3 * b**2 - 2) + 2 * s * (3 * b**2 + 2 * b - 14)
        return float(r @ r + s @ s), g

    auto = minimize(freuroth, x0, jac=True)
    plain = minimize(freuroth, x0, jac=True, scale=None)
    assert auto.fun <= plain.fun * (1 + 1e-6)
    assert auto.nfev <= 3 * plain.nfev  # with units by the noise: 100 times


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_a_fit_whose_parameters_differ_a_hundredfold_does_not_slide_away(method):
    # Box, Hunter & Hunter's BOD data (NIST StRD, BoxBOD), from the start nearer to the answer
    x = np.array([1, 2, 3, 5, 7, 10.0])
    y = np.array([109, 149, 149, 191, 213, 224.0])

    def sum_of_squares(b):
        return float(np.sum((y - b[0] * (1 - np.exp(-b[1] * x))) ** 2))

    r = minimize(sum_of_squares, [100.0, 0.75], method=method)
    np.testing.assert_allclose(r.x, [213.80940889, 0.54723748542], rtol=1e-4)
    plain = minimize(sum_of_squares, [100.0, 0.75], method=method, scale=None)
    assert plain.fun > 5 * r.fun


def test_a_zero_takes_the_median_of_the_sizes():
    assert units_of(np.array([0.0, 1.0, 64.0, 2.0**20]))[0] == 64


def test_a_start_that_is_not_finite_has_units_all_the_same():
    assert (units_of(np.array([np.nan, np.inf, 2.0])) == 1).all()


def test_a_vector_comes_back_bit_for_bit():
    rng = np.random.default_rng(0)
    for _ in range(100):
        x = rng.standard_normal(6) * 10.0 ** rng.integers(-9, 9, 6)
        units = units_at(x * rng.uniform(0.1, 10, 6), np.ones(6))
        assert ((x / units) * units).tobytes() == x.tobytes()


def test_f_is_the_same_number_and_x_the_very_one_it_was_evaluated_at(oracle, scaled):
    asked = []
    plain = Objective(lambda x: asked.append(x) or bowl(x), X, jac=bowl_gradient)
    other = Scaled(plain, scaled.units)
    for u in np.random.default_rng(1).standard_normal((20, 4)):
        assert other.value(u) == bowl(u * scaled.units)
        assert other.there(u).tobytes() == asked[-1].tobytes()


def test_the_gradient_after_the_value_calls_the_function_once(oracle, scaled):
    u = X / scaled.units
    scaled.value(u)
    scaled.gradient(u)
    assert (oracle.nfev, oracle.njev) == (1, 1)


def test_derivatives_follow_the_chain_rule(scaled):
    u, d = 0.9 * X / scaled.units, scaled.units
    x, v = u * d, np.array([1.0, -2.0, 0.5, 3.0])
    f, g = scaled.value_and_gradient(u)
    # products by powers of two are exact: so equal, not close
    assert f == bowl(x)
    assert (g == bowl_gradient(x) * d).all()
    assert (scaled.hessian(u) == d[:, None] * bowl_hessian(x) * d).all()
    # one rounding of each product of the diagonal matrix with a vector
    np.testing.assert_allclose(scaled.hessian_product(u, v), scaled.hessian(u) @ v, rtol=1e-15)


def test_points_go_there_and_back(scaled):
    point = Point(X, bowl(X), bowl_gradient(X))
    there = scaled.point(point)
    back = scaled.point_back(there)
    assert (there.g == scaled.gradient(there.x)).all()
    assert back.x.tobytes() == X.tobytes()
    assert back.f == point.f
    assert back.g.tobytes() == point.g.tobytes()


def test_bounds_are_the_same_bounds(oracle, scaled):
    assert (scaled.lower * scaled.units == oracle.lower).all()
    assert (scaled.upper * scaled.units == oracle.upper).all()
    assert scaled.has_hessian
    assert Scaled(Objective(bowl, X), scaled.units).lower is None


def test_a_restart_is_worth_it_from_a_spread_of_a_hundred():
    ones = np.ones(3)
    assert not differ(ones, np.array([1.0, 60.0, 0.0]))
    assert differ(ones, np.array([1.0, 300.0, 0.0]))
    assert not differ(np.array([1.0, 256.0, 1.0]), np.array([1.0, 300.0, 1.0]))
    # in proportion is no difference: methods do not see a common factor
    assert not differ(ones, np.array([1e6, 2e6, 1e6]))
    assert not differ(ones, np.array([np.nan, 1e6, 1.0]))


def test_a_coordinate_that_goes_to_zero_does_not_get_a_vanishing_unit():
    assert units_at(np.array([1.0, 1e-30]), np.ones(2))[1] == 2.0**-26
    assert units_at(np.array([1.0, 0.0]), np.array([1.0, 8.0]))[1] == 8


def test_extreme_units_overflow_without_a_warning():
    units = powers_of_two(np.array([1e-308, 1e308]))
    scaled = Scaled(Objective(lambda x: 0.0, np.ones(2), jac=lambda x: np.full(2, 1e300)), units)
    scaled.value_and_gradient(np.array([1e300, 1e300]))
    assert units.tolist() == [2.0**-300, 2.0**300]


@pytest.mark.parametrize("scale", [None, [1.0, 8.0, 0.5]])
def test_bfgs_hands_out_the_inverse_hessian_in_units_of_x(scale):
    a = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]])
    r = minimize(
        lambda x: (x @ a @ x / 2, a @ x),
        np.ones(3),
        method="bfgs",
        jac=True,
        scale=scale,
        gtol=1e-10,
    )
    # learned from inexact steps: a tenth is what a quasi-Newton matrix owes
    np.testing.assert_allclose(r.hess_inv @ a, np.eye(3), atol=0.1)
