"""BFGS and L-BFGS: the algebra of their updates, the laws on quadratics, and SciPy's as the yardstick."""

import copy
import pickle

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from descend.errors import HyperparameterError
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.memory import DirectMemory, InverseMemory, inner, learn
from descend.methods.quasi_newton import BFGS, LBFGS, InverseHessian
from descend.methods.searches import Exact

START = np.array([-1.2, 1.0, -1.2, 1.0, 0.5])
METHODS = [BFGS(), LBFGS(), LBFGS(memory=2)]


def quadratic(n, seed=0):
    """A and b of xᵀAx/2 − bᵀx with eigenvalues from 1 to 100."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return (q * np.linspace(1, 100, n)) @ q.T, rng.normal(size=n)


def on_quadratic(counted, n):
    a, b = quadratic(n)
    return counted(lambda x: 0.5 * x @ a @ x - b @ x, lambda x: a @ x - b)


def pairs(n, count, seed=1):
    """Steps and changes of the gradient that no quadratic has in common."""
    rng = np.random.default_rng(seed)
    a, _ = quadratic(n)
    for _ in range(count):
        s = rng.normal(size=n)
        yield s, a @ s * rng.uniform(0.5, 2.0) + 0.1 * s


def whole(h):
    """The symmetric matrix whose lower triangle is kept."""
    return np.tril(h) + np.tril(h, -1).T


def by_the_definition(found, m, n):
    """H of the last m pairs from γI, one product form (Nocedal & Wright, eq. 6.17) after the other."""
    s, y = found[-1]
    h = np.eye(n) * (s @ y) / (y @ y)
    for s, y in found[-m:]:
        v = np.eye(n) - np.outer(y, s) / (s @ y)
        h = v.T @ h @ v + np.outer(s, s) / (s @ y)
    return h


def test_bfgs_update_worked_by_hand():
    state = InverseHessian.identity(2)
    state.add(np.array([1.0, 0.0]), np.array([2.0, 1.0]), 2.0)
    # of H = I / 2, the scale sᵀs / sᵀy
    np.testing.assert_allclose(whole(state.h), [[0.625, -0.25], [-0.25, 0.5]], rtol=1e-15)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 11])
def test_the_secant_equation_holds_after_an_update(count):
    dense, limited = InverseHessian.identity(7), InverseMemory.empty(4, 7)
    for s, y in pairs(7, count):
        for state in (dense, limited):
            state.add(s, y, s @ y)
            # eps times the condition of H, 1e4 at most here
            np.testing.assert_allclose(-state.descent(y), s, rtol=0, atol=1e-11)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 11])
def test_compact_memory_is_the_product_form_of_its_last_pairs(count):
    memory, direct = InverseMemory.empty(4, 7), DirectMemory.empty(4, 7)
    found = list(pairs(7, count))
    for s, y in found:
        memory.add(s, y, s @ y)
        direct.add(s, y, s @ y)
    h = by_the_definition(found, 4, 7)
    g = np.arange(7.0)
    np.testing.assert_allclose(memory.descent(g), -h @ g, rtol=1e-10)
    b = direct.theta * (np.eye(7) - direct.rows.T @ np.linalg.solve(direct.middle, direct.rows))
    np.testing.assert_allclose(b @ h, np.eye(7), atol=1e-10)


@pytest.mark.parametrize("kind", [InverseMemory, DirectMemory])
def test_a_memory_that_forgot_is_as_new(kind):
    used, new = kind.empty(3, 5), kind.empty(3, 5)
    for s, y in pairs(5, 4):
        used.add(s, y, s @ y)
    used.forget()
    for s, y in pairs(5, 2):
        used.add(s, y, s @ y)
        new.add(s, y, s @ y)
    for name in kind.__slots__:
        np.testing.assert_array_equal(getattr(used, name), getattr(new, name))


def test_a_pair_without_positive_curvature_is_left_out():
    memory = InverseMemory.empty(3, 2)
    old = Point(np.zeros(2), 0.0, np.array([1.0, 1.0]))
    for g in ([2.0, 2.0], [1.0, 1.0], [np.nan, 1.0], [-1e200, 1.0]):
        learn(memory, old, Point(np.array([-1.0, -1.0]), 0.0, np.array(g)))
    near = Point(np.array([1e-165, 0.0]), 0.0, np.array([1e-150, 0.0]))
    learn(memory, Point(np.zeros(2), 0.0, np.zeros(2)), near)  # sᵀy is 1e-315, sᵀs vanishes
    assert memory.count == 0
    learn(memory, old, Point(np.array([-1.0, -1.0]), 0.0, np.array([0.5, 0.5])))
    assert memory.count == 1


def test_the_inverse_hessian_stays_positive_definite(counted):
    oracle = counted(rosen, rosen_der)
    point, method = oracle.at(START), BFGS()
    state = method.start(oracle, point)
    while np.abs(point.g).max() > 1e-5:
        step = method.step(oracle, point, state)
        assert step.ended is None
        point, state = step.point, step.state
        assert np.linalg.eigvalsh(whole(state.h)).min() > 0


@pytest.mark.parametrize("method", [BFGS(search=Exact()), LBFGS(search=Exact())])
def test_exact_searches_end_on_a_quadratic_of_n_variables_after_n_steps(method, counted, walk):
    steps = walk(method, on_quadratic(counted, 6), np.ones(6), maxiter=6)
    assert (
        np.abs(steps[-1].point.g).max() < 1e-8
    )  # begins at 100: n steps of rounding, times the condition 100
    assert np.abs(steps[-2].point.g).max() > 1e-4


def test_enough_memory_makes_lbfgs_bfgs(counted, walk):
    ours = walk(LBFGS(search=Exact(), memory=8), on_quadratic(counted, 8), np.ones(8), maxiter=6)
    dense = walk(BFGS(search=Exact()), on_quadratic(counted, 8), np.ones(8), maxiter=6)
    for a, b in zip(ours, dense, strict=True):
        np.testing.assert_allclose(a.point.x, b.point.x, rtol=1e-8, atol=1e-10)


def test_enough_memory_and_the_same_first_matrix_make_the_same_matrix():
    dense, limited = InverseHessian.identity(6), InverseMemory.empty(9, 6)
    found = list(pairs(6, 9))
    s, y = found[-1]
    dense.h *= (s @ y) / (y @ y)
    dense.count = 6  # as if all directions were known: from here on H is not scaled
    for s, y in found:
        dense.add(s, y, s @ y)
        limited.add(s, y, s @ y)
    g = np.ones(6)
    np.testing.assert_allclose(limited.descent(g), dense.descent(g), rtol=1e-9)


def test_a_second_pair_of_less_curvature_enlarges_what_is_not_known_yet():
    state = InverseHessian.identity(3)
    x, y, z = np.eye(3)
    state.add(x, 100.0 * x, 100.0)
    np.testing.assert_allclose(whole(state.h), 0.01 * np.eye(3), rtol=1e-14)
    state.add(y, 4.0 * y, 4.0)  # sᵀy / yᵀHy = 4 / 0.16
    np.testing.assert_allclose(whole(state.h), 0.25 * np.eye(3), rtol=1e-14)
    state.add(z, 16.0 * z, 16.0)  # more curvature: H is not made smaller where it is right
    np.testing.assert_allclose(np.diag(state.h), [0.25, 0.25, 1 / 16], rtol=1e-14)


def test_after_n_pairs_nothing_is_scaled_any_more():
    state = InverseHessian.identity(2)
    for s in np.eye(2):
        state.add(s, 100.0 * s, 100.0)
    state.add(np.array([1.0, 0.0]), np.array([1.0, 0.0]), 1.0)
    np.testing.assert_allclose(whole(state.h), np.diag([1.0, 0.01]), rtol=1e-14)


def test_the_inverse_hessian_is_handed_out_whole_and_fresh():
    state = InverseHessian.identity(5)
    for s, y in pairs(5, 7):
        state.add(s, y, s @ y)
    inverse = state.inverse()
    np.testing.assert_array_equal(inverse, inverse.T)
    np.testing.assert_allclose(-inverse @ y, state.descent(y), rtol=1e-12)
    inverse[:] = 0.0
    assert state.h.any()


@pytest.mark.parametrize("method", METHODS)
def test_a_copied_state_continues_bit_for_bit(method, counted, walk):
    oracle = counted(rosen, rosen_der)
    steps = walk(method, oracle, START, maxiter=12)
    point, state = steps[-1].point, steps[-1].state
    copies = [copy.deepcopy(state), pickle.loads(pickle.dumps(state))]
    for other in copies:
        a, b, mine = point, point, copy.deepcopy(state)
        for _ in range(12):
            one, two = method.step(oracle, a, mine), method.step(oracle, b, other)
            a, mine, b, other = one.point, one.state, two.point, two.state
            assert a.x.tobytes() == b.x.tobytes()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("lasting", [False, True])
def test_values_that_are_not_finite_never_make_a_loop(method, bad, lasting, counted, walk):
    for first_bad in range(1, 51):
        calls = 0

        def fun(x):
            nonlocal calls
            calls += 1
            broken = calls >= first_bad if lasting else calls == first_bad
            return bad if broken else rosen(x)

        oracle = counted(fun, rosen_der)
        steps = walk(method, oracle, START, maxiter=300, gtol=1e-6)
        assert len(steps) < 300
        assert calls < 1000
        if first_bad > 1:
            assert np.isfinite(steps[-1].point.f)


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_far_above_zero_ends_in_rounding_and_not_in_maxiter(method, counted, walk):
    oracle = counted(lambda x: 1e6 + rosen(x), rosen_der)
    steps = walk(method, oracle, START, maxiter=500)
    assert steps[-1].ended in {Status.ROUNDOFF, None}
    assert steps[-1].point.f - 1e6 < 1e-8
    assert len(steps) < 200


def test_after_a_failed_search_the_steepest_descent_has_one_try(counted):
    tried = []

    def search(oracle, point, direction, first):
        tried.append(direction / first)
        return Exact()(oracle, point, direction, first) if len(tried) != 4 else None

    oracle = on_quadratic(counted, 6)
    method, point = BFGS(search=search), oracle.at(np.ones(6))
    state = method.start(oracle, point)
    for _ in range(4):
        g = point.g
        step = method.step(oracle, point, state)
        point, state = step.point, step.state
    assert len(tried) == 5
    assert inner(tried[-1], g) == pytest.approx(-np.linalg.norm(tried[-1]) * np.linalg.norm(g))
    assert step.ended is None
    assert state.count == 1


def test_two_failed_searches_end_the_run_at_the_same_point(counted):
    oracle = counted(rosen, rosen_der)
    method, point = LBFGS(search=lambda *_: None), oracle.at(START)
    step = method.step(oracle, point, method.start(oracle, point))
    assert step.ended is Status.LINE_SEARCH
    assert step.point is point


@pytest.mark.parametrize(
    ("method", "scipys"), [(BFGS(), "BFGS"), (LBFGS(), "L-BFGS-B")], ids=["bfgs", "lbfgs"]
)
@pytest.mark.parametrize("n", [2, 5, 20])
def test_no_more_gradients_than_scipy_on_rosenbrock(method, scipys, n, counted, walk):
    x0 = np.resize([-1.2, 1.0], n)
    oracle = counted(rosen, rosen_der)
    steps = walk(method, oracle, x0, gtol=1e-5)
    options = {"gtol": 1e-5} | ({"ftol": 0.0} if scipys == "L-BFGS-B" else {})
    theirs = minimize(rosen, x0, jac=rosen_der, method=scipys, options=options)
    assert np.abs(steps[-1].point.g).max() <= 1e-5
    assert (
        oracle.gradients <= 1.15 * theirs.njev
    )  # chance decides single runs; tables of problems are in benchmarks
    if np.abs(theirs.x - 1).max() < 1e-2:
        np.testing.assert_allclose(steps[-1].point.x, 1.0, atol=1e-3)


def test_the_first_step_is_not_longer_than_one(counted, walk):
    for method in METHODS:
        oracle = on_quadratic(counted, 6)
        first = []
        oracle.value_and_gradient = lambda x, o=oracle, seen=first: (
            seen.append(x),
            (o.value(x), o.gradient(x)),
        )[1]
        walk(method, oracle, np.full(6, 50.0), maxiter=1)
        assert np.linalg.norm(first[0] - 50.0) == pytest.approx(1.0)


@pytest.mark.parametrize("memory", [0, -1, 2.5])
def test_memory_must_be_a_count(memory):
    with pytest.raises(HyperparameterError, match="memory of lbfgs"):
        LBFGS(memory=memory)


def test_long_vectors_multiply_as_short_ones_do():
    a = np.linspace(-1, 1, 20_001)
    assert inner(a, a) == pytest.approx(float(np.sum(a * a)))
    a[3] = np.inf
    a[4] = -np.inf
    assert np.isnan(inner(a, np.ones_like(a)))
