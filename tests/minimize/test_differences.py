"""Differences are as accurate as rounding lets them be, inside bounds, beside holes, for x of any size."""

import numpy as np
import pytest

from descend._minimize.differences import (
    SCHEMES,
    Steps,
    central,
    complex_step,
    derivative_along,
    forward,
    typical_sizes,
)

EPS = 2.0**-52
ACCURACY = {"2-point": 10 * EPS ** (1 / 2), "3-point": 10 * EPS ** (2 / 3), "cs": 10 * EPS}
"""What theory promises where f, f' x, f'' x² … are of one size: ε^(1/2), ε^(2/3) and ε, with a factor for that size."""


def steps(x, **given):
    free = np.full(x.size, np.inf)
    return Steps(**{"sizes": typical_sizes(x), "lower": -free, "upper": free, **given})


def visited(scheme, f, x, **given):
    seen = []

    def watched(z):
        seen.append(z.copy())
        return f(z)

    g = scheme(watched, x, f(x), steps(x, **given))
    return g, np.array(seen)


def exponentials(x):
    return np.exp(x).sum()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_gradient_is_as_accurate_as_theory_promises(scheme):
    x = np.linspace(-1, 1, 7)
    g = SCHEMES[scheme](exponentials, x, exponentials(x), steps(x))
    # f is 9 here where g is 0.4 to 2.7, which costs a factor of 25 in rounding at most
    np.testing.assert_allclose(g, np.exp(x), rtol=3 * ACCURACY[scheme])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("spread", [1e-8, 1.0, 1e8])
def test_badly_scaled_x_costs_no_accuracy(scheme, spread):
    x = np.array([3e-9, 0.02, -5.0, 7e6]) * spread

    def f(z):
        return np.exp(z / np.abs(x)).sum()

    g = SCHEMES[scheme](f, x, f(x), steps(x))
    np.testing.assert_allclose(g * np.abs(x), np.exp(np.sign(x)), rtol=3 * ACCURACY[scheme])


def test_a_start_that_is_small_all_over_is_its_own_size():
    x = np.array([2e-9, 0.0, -1e-9])
    g, points = visited(forward, lambda z: np.exp(z / 1e-9).sum(), x)
    # the size 1.5e-9 of the zero is 1.5 of what f varies over
    np.testing.assert_allclose(g * 1e-9, np.exp(x / 1e-9), rtol=10 * EPS**0.5)
    assert np.abs(points - x).max() < 1e-16


def test_forward_differences_are_scipys_where_x_is_not_small():
    from scipy.optimize._numdiff import approx_derivative

    x = np.array([0.3, -1.7, 12.0, 0.0])

    def f(z):
        return np.sin(z).sum()

    expected = approx_derivative(f, x, method="2-point")
    assert forward(f, x, f(x), steps(x)).tolist() == expected.tolist()


@pytest.mark.parametrize(("scheme", "calls"), [("2-point", 5), ("3-point", 10), ("cs", 5)])
def test_the_number_of_calls_is_scipys(scheme, calls):
    x = np.linspace(1, 2, 5)
    _, points = visited(SCHEMES[scheme], exponentials, x)
    assert len(points) == calls


def test_a_straight_line_has_its_slope_exactly():
    # steps are what they are after rounding, and these products are exact
    x = np.array([1.0, 3.0, -0.7])
    slopes = np.array([2.0, 0.0, -4.0])
    for scheme in (forward, central):
        g = [
            scheme(lambda z, k=k: slopes[k] * z[k], x, slopes[k] * x[k], steps(x))[k]
            for k in range(3)
        ]
        assert g == slopes.tolist()


def test_steps_of_the_users_own_are_taken():
    x = np.array([2.0, -4.0])
    _, points = visited(forward, exponentials, x, absolute=0.25)
    assert points.tolist() == [[2.25, -4.0], [2.0, -4.25]]
    _, points = visited(forward, exponentials, x, relative=0.25)
    assert points.tolist() == [[2.5, -4.0], [2.0, -5.0]]
    _, points = visited(central, exponentials, x, absolute=np.array([0.5, 1.0]))
    assert points.tolist() == [[1.5, -4.0], [2.5, -4.0], [2.0, -5.0], [2.0, -3.0]]


@pytest.mark.parametrize("scheme", [forward, central])
@pytest.mark.parametrize("room", [0.0, 1e-12, 1e-9, 1e-7, 1e-3])
@pytest.mark.parametrize("side", ["lower", "upper", "both"])
def test_no_point_leaves_the_bounds(scheme, room, side):
    x = np.array([0.1, 0.3, -0.7, 1e5])
    free = np.full(4, np.inf)
    lower = x - room * np.abs(x) if side != "upper" else -free
    upper = x + room * np.abs(x) if side != "lower" else free
    size = np.maximum(np.abs(x), 1)
    g, points = visited(scheme, lambda z: np.sin(z / size).sum(), x, lower=lower, upper=upper)
    for point in points:
        assert ((point >= lower) & (point <= upper)).all()
    if side == "both" and room == 0:
        assert len(points) == 0
        assert not g.any()
    else:
        # a difference of values near 2, rounded at 4e-16, is divided by the box's width where that is less than a step
        width = 2 * np.abs(x / size) * room if side == "both" else np.ones(4)
        order = 10 * EPS**0.5 if scheme is forward else 100 * EPS ** (2 / 3)
        assert (np.abs(g * size - np.cos(x / size)) <= order + 8 * EPS / width).all()


def test_central_differences_at_a_bound_take_three_points_and_keep_their_order():
    x = np.array([1.0])
    g, points = visited(central, lambda z: np.exp(3 * z[0]), x, lower=x)
    h = points[0, 0] - 1
    np.testing.assert_allclose(
        points[:, 0] - 1, [h, 2 * h], rtol=1e-10
    )  # 1e-16 of rounding in 1e-5
    np.testing.assert_allclose(g, 3 * np.exp(3.0), rtol=100 * EPS ** (2 / 3))  # f''' is 27 f


@pytest.mark.parametrize("scheme", [forward, central])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_beside_a_hole_of_the_domain_the_other_side_is_used(scheme, sign, hole):
    def f(z):  # defined on one side of 1 only
        return float(np.exp(z[0])) if sign * (z[0] - 1) >= 0 else hole

    x = np.array([1.0])
    g = scheme(f, x, f(x), steps(x))
    order = 10 * EPS**0.5 if scheme is forward else 100 * EPS ** (2 / 3)
    np.testing.assert_allclose(g, np.e, rtol=order)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_where_f_is_not_finite_nothing_is_called(scheme):
    x = np.ones(3)
    for value in (np.nan, np.inf):
        g = SCHEMES[scheme](lambda z: pytest.fail("called"), x, value, steps(x))
        assert np.isnan(g).all()


@pytest.mark.parametrize("x", [1e308, -1.7e308, 5e-324, -0.0])
def test_the_ends_of_the_range_of_floats_raise_no_warning(x):
    x = np.array([x, 1.0])
    for scheme in (forward, central):
        scheme(lambda z: z[1], x, 1.0, steps(x))


def test_a_function_that_rounds_x_to_float32_gets_steps_that_it_can_see():
    def seen(z):
        return z.astype(np.float32).astype(np.float64)

    x = np.array([0.1, 1.3])
    single = 2.0**-23
    for scheme, power in ((forward, 1 / 2), (central, 2 / 3)):
        g = scheme(
            lambda z: float(np.exp(z.astype(np.float32)).sum()),
            x,
            float(np.exp(x.astype(np.float32)).sum()),
            steps(x, precision=single, seen=seen),
        )
        # the same theory with the precision of float32; the sum 4.8 rounds more coarsely than g
        np.testing.assert_allclose(g, np.exp(x), rtol=20 * single**power)


def test_rows_of_a_vector_function_are_its_derivatives():
    a = np.array([[2.0, 1.0], [-1.0, 3.0]])
    x = np.array([1.0, -2.0])
    for scheme in SCHEMES.values():
        rows = scheme(lambda z: a @ z, x, a @ x, steps(x))
        np.testing.assert_allclose(rows, a.T, rtol=1e-7)  # a difference of two roundings over 1e-8


class TestAlong:
    """A Hessian times a vector, from two gradients."""

    H = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 5.0]])

    def product(self, x, v, gradient=None, **given):
        gradient = gradient or (lambda z: self.H @ z)
        return derivative_along(gradient, x, gradient(x), v, steps(x, **given))

    def test_is_the_product(self):
        x, v = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1e-3, -2.0])
        # gradients of 10 that round at 1e-15 are divided by a step of 1e-8
        np.testing.assert_allclose(self.product(x, v), self.H @ v, rtol=1e-6)

    def test_scales_with_the_vector(self):
        x, v = np.array([1.0, -2.0, 0.5]), np.array([1.0, 2.0, -2.0])
        for size in (1e-12, 1e12):
            np.testing.assert_allclose(self.product(x, size * v), self.H @ v * size, rtol=1e-6)

    def test_is_accurate_for_badly_scaled_x(self):
        d = np.array([1e-6, 1.0, 1e6])
        x, v = d * np.array([1.0, -2.0, 0.5]), d * np.array([1.0, 1.0, -2.0])

        def gradient(z):
            return self.H @ (z / d) / d

        np.testing.assert_allclose(self.product(x, v, gradient), self.H @ (v / d) / d, rtol=1e-6)

    def test_of_zero_is_zero_without_a_call(self):
        x = np.ones(3)
        product = derivative_along(lambda z: pytest.fail("called"), x, x, np.zeros(3), steps(x))
        assert not product.any()

    def test_stays_inside_a_corner(self):
        x, seen = np.array([1.0, -2.0, 0.5]), []

        def gradient(z):
            seen.append(z.copy())
            return self.H @ z

        lower, upper = np.array([1.0, -5.0, -5.0]), np.array([5.0, -2.0, 5.0])
        v = np.array([1.0, 1.0, -2.0])  # the first is stopped below, the second above
        product = self.product(x, v, gradient, lower=lower, upper=upper)
        assert all(((z >= lower) & (z <= upper)).all() for z in seen)
        np.testing.assert_allclose(product, self.H @ v, rtol=1e-6)

    def test_beside_a_hole_goes_the_other_way(self):
        x, v = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1.0, -2.0])

        def gradient(z):
            return self.H @ z if z[0] <= 1 else np.full(3, np.nan)

        np.testing.assert_allclose(self.product(x, v, gradient), self.H @ v, rtol=1e-6)

    def test_of_a_nan_is_nan(self):
        assert np.isnan(self.product(np.ones(3), np.array([np.nan, 1, 1]))).all()


def test_complex_steps_are_exact_where_differences_cancel():
    x = np.array([1e-3])

    def f(z):  # 1e8 hides the slope from real differences
        return 1e8 + np.sin(z[0])

    g = complex_step(f, x, f(x), steps(x))
    np.testing.assert_allclose(g, np.cos(x), rtol=2 * EPS)
