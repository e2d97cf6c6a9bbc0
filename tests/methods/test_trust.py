"""Newton's method in a trust region: the inner solver by hand, its rate, large n, rounding, and what is not finite."""

import copy
import math
import pickle

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess, rosen_hess_prod

from descend.errors import HyperparameterError
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.trust import NewtonCG, Region, _ratio, _taken, truncated_cg


def wood(x):
    a, b, c, d = x
    squares = 100 * (a * a - b) ** 2 + (a - 1) ** 2 + (c - 1) ** 2 + 90 * (c * c - d) ** 2
    return squares + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1)


def wood_der(x):
    a, b, c, d = x
    return np.array(
        [
            400 * a * (a * a - b) + 2 * (a - 1),
            -200 * (a * a - b) + 20.2 * (b - 1) + 19.8 * (d - 1),
            2 * (c - 1) + 360 * c * (c * c - d),
            -180 * (c * c - d) + 20.2 * (d - 1) + 19.8 * (b - 1),
        ]
    )


def wood_hess(x):
    a, b, c, d = x
    h = np.zeros((4, 4))
    h[0, 0], h[0, 1], h[1, 1], h[1, 3] = 1200 * a * a - 400 * b + 2, -400 * a, 220.2, 19.8
    h[2, 2], h[2, 3], h[3, 3] = 1080 * c * c - 360 * d + 2, -360 * c, 200.2
    return h + np.triu(h, 1).T


def powell(x):
    return (
        (x[0] + 10 * x[1]) ** 2
        + 5 * (x[2] - x[3]) ** 2
        + (x[1] - 2 * x[2]) ** 4
        + 10 * (x[0] - x[3]) ** 4
    )


def powell_der(x):
    p, q = 2 * (x[0] + 10 * x[1]), 10 * (x[2] - x[3])
    r, s = 4 * (x[1] - 2 * x[2]) ** 3, 40 * (x[0] - x[3]) ** 3
    return np.array([p + s, 10 * p + r, q - 2 * r, -q - s])


def powell_hess(x):
    r, s = 12 * (x[1] - 2 * x[2]) ** 2, 120 * (x[0] - x[3]) ** 2
    return np.array(
        [
            [2 + s, 20, 0, -s],
            [20, 200 + r, -2 * r, 0],
            [0, -2 * r, 10 + 4 * r, -10],
            [-s, 0, -10, 10 + s],
        ]
    )


def test_the_inner_solver_inside_the_region_solves_the_system():
    h, g = (
        np.diag([1.0, 2.0]),
        np.array([1e-12, 2e-12]),
    )  # √‖g‖ asks for 6 digits, so for both steps
    inside = truncated_cg(lambda v: h @ v, g, 1.0)
    assert not inside.at_boundary
    np.testing.assert_allclose(inside.p, [-1e-12, -1e-12], rtol=1e-9)
    # ½ gᵀH⁻¹g = ½ (1 + 4/2) 1e-24
    assert inside.promised(1.0) == pytest.approx(1.5e-24, rel=1e-9)


def test_the_inner_solver_stops_at_the_boundary():
    edge = truncated_cg(lambda v: v, np.array([3.0, 4.0]), 2.0)  # the minimum lies 5 away
    assert edge.at_boundary
    np.testing.assert_allclose(edge.p, [-1.2, -1.6], rtol=1e-15)
    # g·p = −10, p·p = 4
    assert edge.promised(1.0) == pytest.approx(8.0, rel=1e-15)


def test_the_inner_solver_follows_negative_curvature_to_the_boundary():
    h, g = np.diag([1.0, -1.0]), np.array([1.0, 2.0])  # dᵀHd = −3 for d = −g
    down = truncated_cg(lambda v: h @ v, g, 10.0)
    assert down.at_boundary
    assert math.isclose(np.linalg.norm(down.p), 10.0, rel_tol=1e-14)
    assert down.bend < 0


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_gradients_whose_squares_leave_float64_are_no_obstacle(size):
    step = truncated_cg(lambda v: size * v, np.array([3 * size, 4 * size]), 2.0)
    np.testing.assert_allclose(step.p, [-1.2, -1.6], rtol=1e-15)


CASES = {
    "rosenbrock 2": (rosen, rosen_der, rosen_hess, [-1.2, 1.0]),
    "rosenbrock 10": (rosen, rosen_der, rosen_hess, [-1.2, 1.0] * 5),
    "rosenbrock 100": (rosen, rosen_der, rosen_hess, [-1.2, 1.0] * 50),
    "wood": (wood, wood_der, wood_hess, [-3.0, -1.0, -3.0, -1.0]),
    "powell": (powell, powell_der, powell_hess, [3.0, -1.0, 0.0, 1.0]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_needs_no_more_products_than_scipys_trust_ncg(counted, walk, case):
    fun, der, hess, x0 = CASES[case]
    oracle, products = counted(fun, der, hess), [0]
    last = walk(NewtonCG(), oracle, x0, maxiter=1000, gtol=1e-5)[-1]
    assert np.abs(last.point.g).max() <= 1e-5

    def product(x, v):
        products[0] += 1
        return hess(x) @ v

    theirs = minimize(
        fun, x0, jac=der, hessp=product, method="trust-ncg", options={"gtol": 1e-5, "maxiter": 5000}
    )
    assert theirs.success
    assert (
        oracle.products <= products[0]
    )  # 55 to 81, 234 to 369, 1788 to 2343, 211 to 362, 54 to 80 measured


def test_near_the_minimum_digits_come_superlinearly(counted, walk):
    oracle = counted(rosen, rosen_der, rosen_hess)
    norms = [
        np.linalg.norm(s.point.g)
        for s in walk(NewtonCG(), oracle, [0.9, 0.8], maxiter=60, gtol=1e-9)
    ]
    assert norms[-1] <= 1e-9
    # the forcing sequence √‖g‖ makes ‖g‖ into at most a constant times ‖g‖^1.5: the last step gains more than 4 digits
    assert norms[-1] < 1e-4 * norms[-2]


def test_ten_thousand_variables_need_no_matrix(counted, walk):
    d = np.geomspace(1.0, 100.0, 10_000)
    oracle = counted(lambda x: 0.5 * float(x @ (d * x)) - float(x.sum()), lambda x: d * x - 1)
    oracle.hessian_product = lambda x, v: d * v
    last = walk(NewtonCG(), oracle, np.zeros(10_000), maxiter=60, gtol=1e-8)[-1]
    # errors of x are at most ‖g‖∞ / μ with μ = 1
    np.testing.assert_allclose(last.point.x, 1 / d, rtol=0, atol=1e-8)


def test_products_by_differences_do(counted, walk):
    oracle = counted(rosen, rosen_der)
    last = walk(NewtonCG(), oracle, [-1.2, 1.0] * 3, maxiter=300, gtol=1e-7)[-1]
    np.testing.assert_allclose(last.point.x, 1.0, atol=1e-5)  # ‖g‖∞ / μ with μ = 0.1


def test_a_copied_state_goes_on_bit_for_bit(counted, walk):
    oracle, method = counted(rosen, rosen_der, rosen_hess), NewtonCG()
    whole = walk(method, oracle, [-1.2, 1.0] * 5, maxiter=40)
    point, state = whole[19].point, pickle.loads(pickle.dumps(copy.deepcopy(whole[19].state)))
    for step in whole[20:]:
        again = method.step(oracle, point, state)
        point, state = again.point, again.state
        assert point.x.tobytes() == step.point.x.tobytes()
        assert state == step.state


def test_every_iteration_moves_and_none_rises(counted, walk):
    steps = walk(
        NewtonCG(), counted(rosen, rosen_der, rosen_hess), [-1.2, 1.0], maxiter=100, gtol=1e-6
    )
    values = [rosen([-1.2, 1.0])] + [s.point.f for s in steps]
    assert np.all(np.diff(values) < 0)


def test_a_first_radius_far_too_long_is_cut(counted, walk):
    oracle = counted(
        lambda x: float(np.cosh(x).sum()) if np.abs(x).max() < 700 else math.inf, np.sinh
    )
    oracle.hessian_product = lambda x, v: (
        np.cosh(x) * v * 1e-3
    )  # a model that promises far too much
    last = walk(NewtonCG(radius=1e6), oracle, [2.0, -3.0], maxiter=300, gtol=1e-6)[-1]
    assert np.abs(last.point.x).max() < 1e-6


def test_rounding_ends_it_with_the_gradient_small(counted):
    oracle = counted(lambda x: rosen(x) + 1e6, rosen_der, rosen_hess)
    method, point, state, ended = NewtonCG(), oracle.at([-1.2, 1.0]), Region(1.0), None
    for _ in range(200):
        step = method.step(oracle, point, state)
        point, state, ended = step.point, step.state, step.ended
        if ended is not None:
            break
    assert ended in {Status.ROUNDOFF, Status.GRADIENT}
    assert np.abs(point.g).max() < 1e-8  # f itself cannot show falls below 1e-9


def test_where_rounding_rules_the_ratio_is_1():
    assert _ratio(1.0, 1.0 + 2.2e-16, 1e-20) == pytest.approx(1.0, abs=0.05)  # one unit of 32
    assert _ratio(1.0, 1.0 + 2.2e-16, 1e-3) < 1e-10
    assert _ratio(4.0, 2.0, 4.0) == pytest.approx(0.5, rel=1e-12)
    # max(1, |f|) would take a rise from 1e-30 to 1e-16 for rounding
    assert _ratio(1e-30, 1e-16, 1e-31) < 0


def test_a_fall_that_f_cannot_show_must_show_in_the_gradient():
    here = Point(np.zeros(1), 1.0, np.array([1e-9]))
    same, flatter = (Point(np.ones(1), 1.0, np.array([g])) for g in (1e-9, 5e-10))
    assert _taken(here, same, 1e-18) is None
    assert _taken(here, flatter, 1e-18) is flatter


def test_a_gradient_of_zero_ends_it(counted):
    bowl = counted(lambda x: float(x @ x), lambda x: 2 * x, lambda x: 2 * np.eye(2))
    step = NewtonCG().step(bowl, bowl.at([0.0, 0.0]), Region(1.0))
    assert step.ended is Status.GRADIENT
    assert "saddle" in step.why


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", ["_fun", "_grad", "_hess"])
def test_what_is_not_finite_at_any_call_never_loops(counted, bad, which):
    for at in range(25):
        oracle = counted(rosen, rosen_der, rosen_hess)
        point, state = oracle.at([-1.2, 1.0]), Region(1.0)
        function, calls = getattr(oracle, which), iter(range(10**6))
        setattr(
            oracle,
            which,
            lambda x, f=function, c=calls, at=at: f(x) * (bad if next(c) >= at else 1.0),
        )
        for _ in range(60):
            step = NewtonCG().step(oracle, point, state)
            assert math.isfinite(step.point.f) and np.isfinite(step.point.g).all()
            point, state = step.point, step.state
            if step.ended is not None:
                break
        assert (
            oracle.values < 4000 and oracle.products < 60 * 14 + 1
        )  # 60 trials and 2 n + 10 products a step


def test_products_that_are_not_finite_leave_the_gradient(counted, walk):
    oracle = counted(lambda x: float(x @ x), lambda x: 2 * x)
    oracle.hessian_product = lambda x, v: np.full(2, math.nan)
    last = walk(NewtonCG(), oracle, [3.0, 4.0], maxiter=60, gtol=1e-6)[-1]
    assert np.abs(last.point.x).max() < 1e-6


def test_without_finite_products_it_goes_on_for_two_steps_and_says_so(counted, walk):
    oracle = counted(lambda x: x[0] ** 4, lambda x: 4 * x**3, lambda x: np.full((1, 1), np.nan))
    steps = walk(NewtonCG(radius=0.1), oracle, [3.0])
    assert [s.ended for s in steps] == [None, None, Status.NON_FINITE]
    assert "Hessian" in steps[-1].why


def test_a_start_that_is_not_finite_ends_it(counted):
    oracle = counted(lambda x: math.nan, lambda x: x)
    step = NewtonCG().step(oracle, oracle.at([1.0]), Region(1.0))
    assert step.ended is Status.NON_FINITE


@pytest.mark.parametrize(
    "settings", [{"radius": 0.0}, {"radius": math.nan}, {"accept": 0.25}, {"accept": 0.0}]
)
def test_settings_outside_their_domain_are_refused(settings):
    (name,) = settings
    with pytest.raises(HyperparameterError, match=f"{name} of newton-cg must be a float in"):
        NewtonCG(**settings)


def test_its_products_are_those_of_the_function(counted):
    # guards the table above: the Hessians agree with SciPy's product and with differences
    x, v = np.array([0.3, -0.7, 1.1, 0.2]), np.array([1.0, -2.0, 0.5, 3.0])
    np.testing.assert_allclose(rosen_hess(x) @ v, rosen_hess_prod(x, v), rtol=1e-12)
    for der, hess in ((wood_der, wood_hess), (powell_der, powell_hess)):
        difference = (der(x + 1e-6 * v) - der(x - 1e-6 * v)) / 2e-6
        np.testing.assert_allclose(
            hess(x) @ v, difference, rtol=1e-6
        )  # central: error (1e-6)² and rounding 1e-10
