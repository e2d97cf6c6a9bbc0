"""Newton's method where the Hessian is singular, indefinite, or of entries that are very large or small."""

import math

import numpy as np

import descend as dd
from descend.methods.newton import Curvature, Memory, Newton


def test_the_parts_multiply_back_to_the_hessian():
    h = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 3.0], [1.0, 3.0, -1.0]])
    c = Curvature.of(h)
    # a dozen roundings of numbers up to 3
    np.testing.assert_allclose(c.scale * (c.basis * c.spectrum) @ c.basis.T, h, atol=1e-14)


def test_a_direction_is_as_long_as_it_may_be():
    rng = np.random.default_rng(2)
    for n in (1, 2, 5, 30):
        a, g = rng.normal(size=(n, n)), rng.normal(size=n)
        curvature = Curvature.of(a + a.T)
        free = np.linalg.norm(curvature.newton_direction(g))
        for share in (1e-12, 0.01, 0.9):
            d = curvature.newton_direction(g, share * free)
            assert g @ d < 0
            assert 0.99 * share <= np.linalg.norm(d) / free <= 1.11 * share  # a tenth is allowed
        assert np.linalg.norm(curvature.newton_direction(g, 2 * free)) == free


def test_a_flat_direction_does_not_drown_the_others():
    # along the first axis H is 0: the second component is Newton's, −4/2, but for μ of some 1/1000
    direction = Curvature.of(np.diag([1e-12, -2.0])).newton_direction(np.array([1.0, 4.0]), 1e3)
    np.testing.assert_allclose(direction, [-1000, -2], rtol=0.11)  # the tenth that μ leaves


def scaled_hessians():
    """Symmetric matrices whose rows and columns have very different units, singular ones and zeros among them."""
    rng = np.random.default_rng(3)
    for _ in range(300):
        n = int(rng.integers(1, 7))
        a = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.7)
        units = 10.0 ** rng.uniform(-150, 150, size=n)
        yield (a + a.T) * units * units[:, None]
        yield (a @ a.T) * 10.0 ** rng.uniform(-300, 300)
        low = 10.0 ** rng.uniform(-323, 307.5, size=(n, n)) * np.sign(a)
        yield np.tril(low) + np.tril(low, -1).T
    yield np.full((3, 3), np.finfo(float).max)
    yield np.diag([5e-324, -5e-324])


def test_no_finite_hessian_is_too_large_or_too_small(counted):
    rng = np.random.default_rng(4)
    for h in scaled_hessians():
        assert np.isfinite(h).all()
        x0 = rng.normal(size=len(h))
        oracle = counted(lambda x: float(x @ x), lambda x: 2 * x, lambda x, h=h: h)
        start = oracle.at(x0)
        with np.errstate(all="ignore"):
            direction = Curvature.of(h).newton_direction(start.g, 1.0)
        assert np.isfinite(direction).all()
        step = Newton().step(oracle, start, Memory(0, 1.0))
        assert step.ended is not None or step.point.f < start.f
        beside = Newton().lower_beside(oracle, start)
        assert beside is None or beside.f < start.f


def test_a_hessian_of_tiny_and_ordinary_entries_is_no_obstacle():
    # LAPACK's L D L^T of this matrix has entries that are not finite
    t, s = 7.3555492e-203, 8.70212284e-219
    a, b, c = 0.0568252564, 0.0409659247, -0.14953068
    h = np.array([[t, t, 0, 0], [t, t, s, 0], [0, s, a, b], [0, 0, b, c]])
    r = dd.minimize(
        lambda x: 0.5 * x @ h @ x + (x**4).sum(),
        np.ones(4),
        jac=lambda x: h @ x + 4 * x**3,
        hess=lambda x: h,
        method="newton",
    )
    assert r.fun < 0  # below the saddle at 0


def test_a_singular_hessian_does_not_cost_a_search():
    # at (1, 1) H is [[4, −4], [−4, 4]]; without a bound the first step alone takes 25 values
    r = dd.minimize(
        lambda x: (x[0] - 2) ** 2 * (1 + x[1] ** 2) + (x[1] + 1) ** 2,
        [1.0, 1.0],
        jac=lambda x: [2 * (x[0] - 2) * (1 + x[1] ** 2), 2 * (x[0] - 2) ** 2 * x[1] + 2 * x[1] + 2],
        hess=lambda x: [
            [2 * (1 + x[1] ** 2), 4 * (x[0] - 2) * x[1]],
            [4 * (x[0] - 2) * x[1], 2 * (x[0] - 2) ** 2 + 2],
        ],
        method="newton",
    )
    assert r.success
    assert r.nfev <= 8  # 6 measured


def test_indefinite_hessians_far_from_the_minimum_do_not_cost_long_searches():
    # NONCVXUN of CUTEst: a sum of s² + 4 cos s, whose Hessian is all but singular at many points
    n = 100
    i = np.arange(1, n + 1)
    a = np.zeros((n, n))
    for j in (i - 1, (2 * i - 1) % n, (3 * i - 2) % n):
        np.add.at(a, (i - 1, j), 1.0)
    r = dd.minimize(
        lambda x: float(((a @ x) ** 2 + 4 * np.cos(a @ x)).sum()),
        i.astype(float),
        jac=lambda x: a.T @ (2 * (a @ x) - 4 * np.sin(a @ x)),
        hess=lambda x: (a.T * (2 - 4 * np.cos(a @ x))) @ a,
        method="newton",
    )
    assert r.success
    assert r.fun < 250  # the known minima lie from 231.6 on
    assert r.nfev <= 100  # 51 measured; SciPy's trust-exact takes 48


def test_the_reach_is_twice_the_last_step_and_never_vanishes(counted):
    bowl = counted(lambda x: float(x @ x), lambda x: 2 * x, lambda x: 2 * np.eye(2))
    assert Newton().start(bowl, bowl.at([3.0, 4.0])) == Memory(0, 5.0)
    assert Newton().start(bowl, bowl.at([0.0, 0.1])) == Memory(0, 1.0)
    after = Newton().step(bowl, bowl.at([3.0, 4.0]), Memory(0, 5.0)).state.reach
    assert math.isclose(after, 10.0, rel_tol=1e-14)  # a few roundings
    short = Newton().step(bowl, bowl.at([1e-20, 0.0]), Memory(0, 5.0)).state.reach
    assert short == math.sqrt(np.finfo(float).eps)
