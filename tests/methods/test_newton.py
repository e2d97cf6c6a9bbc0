"""Newton's method: its first steps by hand, its rate, saddles, and what is not finite."""

import copy
import math
import pickle

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess

import descend as dd
from descend.errors import HyperparameterError
from descend.methods._status import Status
from descend.methods.newton import Curvature, Memory, Newton, why_no_better
from descend.methods.searches import Armijo, StrongWolfe


def logarithm(x):
    """f(x) = x − log x: with f'' = 1/x², Newton's step makes the error e = x − 1 into exactly −e²."""
    return float(x[0] - np.log(x[0])) if x[0] > 0 else math.inf


@pytest.fixture(name="rosenbrock")
def rosenbrock_fixture(counted):
    return counted(rosen, rosen_der, rosen_hess)


@pytest.fixture(name="saddle")
def saddle_fixture(counted):
    """f = x² − y² + y⁴/2: a saddle at 0, minima of −1/2 at y = ±1."""
    return counted(
        lambda x: x[0] ** 2 - x[1] ** 2 + 0.5 * x[1] ** 4,
        lambda x: np.array([2 * x[0], -2 * x[1] + 2 * x[1] ** 3]),
        lambda x: np.diag([2.0, -2 + 6 * x[1] ** 2]),
    )


def test_one_step_solves_a_quadratic(counted, walk):
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    oracle = counted(
        lambda x: 0.5 * x @ a @ x - x[0] - 2 * x[1], lambda x: a @ x - [1, 2], lambda x: a
    )
    (step,) = walk(Newton(), oracle, [7.0, -5.0], maxiter=1)
    # A x = (1, 2): x = (1/11, 7/11); a few roundings of numbers near 7
    np.testing.assert_allclose(step.point.x, [1 / 11, 7 / 11], rtol=0, atol=1e-14)
    assert step.lr == 1.0
    assert (oracle.values, oracle.hessians) == (1, 1)


def test_digits_double_with_every_step(counted, walk):
    oracle = counted(logarithm, lambda x: 1 - 1 / x, lambda x: np.diag(1 / x**2))
    errors = [float(s.point.x[0] - 1) for s in walk(Newton(Armijo()), oracle, [1.5], maxiter=5)]
    # −1/4, −1/16, −1/256, −1/65536: 0.6, 1.2, 2.4, 4.8 digits; the rounding of x near 1 is 1e-16
    expected = [-(0.5 ** (2**k)) for k in range(1, 6)]
    np.testing.assert_allclose(errors, expected, rtol=0, atol=2e-15)


@pytest.mark.parametrize("search", [None, Armijo()])
def test_rosenbrock_is_solved_to_the_last_digits(rosenbrock, walk, search):
    newton = Newton() if search is None else Newton(search)
    last = walk(newton, rosenbrock, [-1.2, 1.0], maxiter=100, gtol=1e-10)[-1]
    np.testing.assert_allclose(last.point.x, 1.0, rtol=1e-9)
    assert rosenbrock.hessians <= 25  # 22, and 21 with Armijo; SciPy's trust-exact takes 26


def test_indefinite_hessians_still_give_descent():
    rng = np.random.default_rng(1)
    for n in (1, 2, 5, 30):
        a = rng.normal(size=(n, n))
        h, g = a + a.T, rng.normal(size=n)
        curvature = Curvature.of(h)
        assert g @ curvature.newton_direction(g) < 0
        if curvature.negative:
            d = curvature.downward_direction()
            assert d @ h @ d < 0
            assert math.isclose(d @ d, 1.0, rel_tol=1e-12)


def test_a_positive_definite_hessian_is_not_modified():
    h, g = np.array([[2.0, 1.0], [1.0, 5.0]]), np.array([1.0, -4.0])
    # condition number 3: errors of a few ε
    np.testing.assert_allclose(
        Curvature.of(h).newton_direction(g), -np.linalg.solve(h, g), rtol=1e-14
    )


def test_it_leaves_a_saddle_and_finds_the_minimum(saddle):
    newton, point = Newton(), saddle.at([0.0, 0.0])
    for _ in range(8):
        step = newton.step(saddle, point, Memory(0, 1e3))
        point = step.point
        if step.ended is not None:
            break
    assert abs(point.x[1]) == pytest.approx(
        1.0, abs=1e-12
    )  # Newton's last step is exact to rounding
    assert point.f == pytest.approx(-0.5, abs=1e-15)


def test_it_leaves_a_saddle_where_the_first_length_is_too_long(counted):
    oracle = counted(
        lambda x: -(x[0] ** 2) + 1e8 * x[0] ** 4,
        lambda x: -2 * x + 4e8 * x**3,
        lambda x: np.diag(-2 + 12e8 * x**2),
    )
    step = Newton().step(oracle, oracle.at([0.0]), Memory(0, 1e3))
    assert step.ended is None
    assert step.point.f < 0


def test_negative_curvature_counts_by_its_size():
    # B = diag(2, |−4|): −B⁻¹ g = −(2/2, 4/4)
    direction = Curvature.of(np.diag([2.0, -4.0])).newton_direction(np.array([2.0, 4.0]))
    np.testing.assert_allclose(direction, [-1.0, -1.0], rtol=1e-15)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_it_leaves_a_saddle_on_the_side_where_the_gradient_leads_down(saddle, side):
    step = Newton().step(saddle, saddle.at([0.0, side * 1e-12]), Memory(0, 1e3))
    assert step.point.x[1] * side > 0.5


def test_no_better_point_is_rounding_only_where_the_model_promises_no_more(saddle):
    point, step = saddle.at([3.0, 1.0]), np.array([1e-3, 0.0])  # f = 8.5: rounding of some 1e-15
    assert why_no_better(point, step, 1e-3) is Status.LINE_SEARCH
    assert why_no_better(point, step, 1e-16) is Status.ROUNDOFF
    assert why_no_better(point, 1e-13 * step, 1e-3) is Status.ROUNDOFF  # 1e-16 does not change 3


def test_a_minimum_of_second_order_is_reported(counted):
    bowl = counted(lambda x: float(x @ x), lambda x: 2 * x, lambda x: 2 * np.eye(2))
    step = Newton().step(bowl, bowl.at([0.0, 0.0]), Memory(0, 1e3))
    assert step.ended is Status.GRADIENT
    assert "no negative eigenvalue" in step.why


def test_a_flat_hessian_falls_back_on_the_gradient(counted):
    slope = counted(lambda x: float(x.sum()), np.ones_like, lambda x: np.zeros((2, 2)))
    step = Newton(Armijo()).step(slope, slope.at([3.0, 4.0]), Memory(0, 1e3))
    assert step.ended is None
    np.testing.assert_array_equal(step.point.x, [2.0, 3.0])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_hessian_that_is_not_finite_gives_a_gradient_step(counted, bad):
    oracle = counted(lambda x: float(x @ x), lambda x: 2 * x, lambda x: np.full((2, 2), bad))
    step = Newton().step(oracle, oracle.at([3.0, 0.0]), Memory(0, 1e3))
    np.testing.assert_array_equal(step.point.x, [2.0, 0.0])  # down the gradient by 1


def test_without_a_finite_hessian_it_goes_on_for_two_steps_and_says_so(counted, walk):
    oracle = counted(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: np.full((1, 1), np.nan))
    steps = walk(Newton(), oracle, [30.0])
    assert [s.ended for s in steps] == [None, None, Status.NON_FINITE]
    assert "Hessian" in steps[-1].why


def test_a_finite_hessian_between_others_lets_it_go_on(counted, walk):
    calls = []

    def hessian(x):
        calls.append(1)
        return 12 * x.reshape(1, 1) ** 2 if len(calls) % 3 == 0 else np.full((1, 1), np.inf)

    steps = walk(Newton(), counted(lambda x: x[0] ** 4, lambda x: 4 * x**3, hessian), [30.0], 12)
    assert len(steps) == 12
    assert {s.ended for s in steps} == {None}


def test_a_gradient_of_the_wrong_sign_ends_the_run_at_once(counted, walk):
    wrong = lambda x: -2 * (x - 2)
    oracle = counted(lambda x: 1 + float((x - 2) @ (x - 2)), wrong, lambda x: 2 * np.eye(2))
    (step,) = walk(Newton(), oracle, [0.0, 0.5])
    assert step.ended is Status.LINE_SEARCH


def test_where_its_direction_leads_nowhere_it_goes_down_the_gradient(counted):
    # the Hessian is another function's: its direction is 1e12 times the gradient
    oracle = counted(
        lambda x: float(x @ x) if abs(x[0]) < 10 else np.nan,
        lambda x: 2 * x,
        lambda x: 1e-20 * np.eye(1),
    )
    step = Newton(search=Armijo(max_steps=20)).step(oracle, oracle.at([3.0]), Memory(0, 1e3))
    np.testing.assert_array_equal(step.point.x, [2.0])


def test_a_hessian_that_is_not_finite_where_nothing_is_lower_ends_cleanly(counted):
    oracle = counted(
        lambda x: 0.0 if x[0] == 1 else math.nan,
        lambda x: np.ones(1),
        lambda x: np.full((1, 1), math.nan),
    )
    step = Newton().step(oracle, oracle.at([1.0]), Memory(0, 1e3))
    assert step.ended is Status.NON_FINITE
    assert "Hessian" in step.why


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", ["_fun", "_grad", "_hess"])
def test_what_is_not_finite_at_any_call_never_loops(counted, walk, bad, which):
    for at in range(25):
        oracle = counted(rosen, rosen_der, rosen_hess)
        start = oracle.at([-1.2, 1.0])
        function, calls = getattr(oracle, which), iter(range(10**6))
        setattr(
            oracle,
            which,
            lambda x, f=function, c=calls, at=at: f(x) * (bad if next(c) >= at else 1.0),
        )
        newton, point = Newton(), start
        for _ in range(60):
            step = newton.step(oracle, point, Memory(0, 1e3))
            assert math.isfinite(step.point.f) and np.isfinite(step.point.g).all()
            point = step.point
            if step.ended is not None:
                break
        assert oracle.values < 5000  # 60 steps of at most 60 + 20 trials


def test_it_ends_by_rounding_and_not_by_a_failed_search(rosenbrock):
    # shifted by 1e6 the function cannot show the last 1e-9 of its fall
    rosenbrock._fun = lambda x: rosen(x) + 1e6
    newton, point, ended = Newton(), rosenbrock.at([-1.2, 1.0]), None
    for _ in range(100):
        step = newton.step(rosenbrock, point, Memory(0, 1e3))
        point, ended = step.point, step.ended
        if ended is not None:
            break
    assert ended in {Status.ROUNDOFF, Status.GRADIENT}
    assert np.abs(point.g).max() < 1e-9  # the approximate Wolfe condition goes on by the gradient


def test_settings_survive_copies_and_wrong_ones_are_refused():
    newton = Newton(StrongWolfe(c2=0.5))
    assert pickle.loads(pickle.dumps(newton)) == copy.deepcopy(newton) == newton
    with pytest.raises(HyperparameterError, match="search of newton must be a line search"):
        Newton("armijo")


def test_differences_of_gradients_do_for_a_hessian(counted, walk):
    def hess(x, h=6e-6):
        columns = [(rosen_der(x + h * e) - rosen_der(x - h * e)) / (2 * h) for e in np.eye(len(x))]
        return 0.5 * (np.array(columns) + np.array(columns).T)

    steps = walk(
        Newton(), counted(rosen, rosen_der, hess), [-1.2, 1.0, -1.2, 1.0], maxiter=60, gtol=1e-8
    )
    assert np.abs(steps[-1].point.g).max() <= 1e-8


@pytest.mark.parametrize("x0", [[1.0, 0.0], [0.0, 0.0]])
def test_a_saddle_is_left_for_a_minimum(x0):
    r = dd.minimize(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, x0, method="newton")
    assert r.success
    # f'' is 4 there and gtol 1e-5
    np.testing.assert_allclose(np.abs(r.x), [0, np.sqrt(0.5)], atol=1e-5)
    assert r.history.rate().verdict in {"quadratic", "superlinear"}
