"""OWL-QN against scikit-learn's L1 solutions, and what its definition promises."""

import copy

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression

from descend.errors import HyperparameterError
from descend.methods import get_method
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.orthant import OWLQN, pseudo_gradient


def table(n_samples=80, n_features=30, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, n_features)) * np.logspace(0, 0.5, n_features)
    w = np.where(rng.random(n_features) < 0.3, rng.normal(size=n_features), 0.0)
    return x, x @ w + 0.3 * rng.normal(size=n_samples)


def squares(counted):
    x, y = table()
    return counted(lambda w: 0.5 * ((x @ w - y) ** 2).mean(), lambda w: x.T @ (x @ w - y) / y.size)


def run(method, oracle, n, gtol=1e-9, maxiter=500):
    point, total = oracle.at(np.zeros(n)), method.objective(oracle)
    state, points = method.start(total, point), [point]
    for _ in range(maxiter):
        if np.abs(method.criterion(total, point)).max() <= gtol:
            break
        step = method.step(total, point, state)
        point, state = step.point, step.state
        points.append(point)
        if step.ended is not None:
            break
    return points, state


def test_pseudo_gradient_worked_by_hand():
    x, g = np.array([2.0, -2.0, 0.0, 0.0, 0.0]), np.array([0.5, 0.5, 0.5, -3.0, 3.0])
    np.testing.assert_array_equal(
        pseudo_gradient(Point(x, 0.0, g), 1.0), [1.5, -0.5, 0.0, -2.0, 2.0]
    )


@pytest.mark.parametrize("l1", [0.05, 0.3, 1.0])
def test_owlqn_finds_the_lasso_of_scikit_learn(l1, counted):
    x, y = table()
    theirs = Lasso(alpha=l1, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(x, y).coef_
    points, _ = run(OWLQN(l1=l1), squares(counted), 30)
    np.testing.assert_allclose(points[-1].x, theirs, atol=1e-6)
    np.testing.assert_array_equal(points[-1].x == 0, theirs == 0)
    assert (theirs == 0).any()


def test_owlqn_finds_the_l1_logistic_regression_of_scikit_learn(counted):
    x, y = table()
    sign = np.where(y > 0, 1.0, -1.0)
    oracle = counted(
        lambda w: np.logaddexp(0, -sign * (x @ w)).sum(),
        lambda w: -x.T @ (sign / (1 + np.exp(sign * (x @ w)))),
    )
    theirs = LogisticRegression(
        l1_ratio=1, C=0.5, solver="liblinear", fit_intercept=False, tol=1e-12, max_iter=100_000
    ).fit(x, sign)
    points, _ = run(OWLQN(l1=2.0), oracle, 30, gtol=1e-7)
    np.testing.assert_allclose(points[-1].x, theirs.coef_[0], atol=1e-6)


def test_the_total_is_reported_and_never_rises(counted):
    points, _ = run(OWLQN(l1=0.3), squares(counted), 30)
    x, y = table()
    for point in points[1:]:
        penalty = 0.3 * np.abs(point.x).sum()
        assert point.f == pytest.approx(0.5 * ((x @ point.x - y) ** 2).mean() + penalty, rel=1e-12)
    totals = [p.f for p in points[1:]]
    assert all(
        b <= a * (1 + 1e-14) for a, b in zip(totals, totals[1:], strict=False)
    )  # rounding of f


def test_no_step_crosses_an_orthant(counted):
    points, _ = run(OWLQN(l1=0.05), squares(counted), 30)
    for a, b in zip(points, points[1:], strict=False):
        assert (np.sign(a.x) * np.sign(b.x) >= 0).all()


def test_a_heavy_penalty_keeps_everything_at_zero(counted):
    points, _ = run(OWLQN(l1=1e4), squares(counted), 30)
    assert len(points) == 1


def test_without_a_penalty_it_solves_the_smooth_problem(counted):
    x, y = table()
    points, _ = run(OWLQN(l1=0.0), squares(counted), 30, gtol=1e-8)
    np.testing.assert_allclose(points[-1].x, np.linalg.lstsq(x, y)[0], atol=1e-6)


def test_a_copied_state_continues_bit_for_bit(counted):
    method, oracle = OWLQN(l1=0.05), squares(counted)
    total = method.objective(oracle)
    points, state = run(method, oracle, 30, maxiter=12)
    a = b = points[-1]
    other = copy.deepcopy(state)
    for _ in range(10):
        one, two = method.step(total, a, state), method.step(total, b, other)
        a, b = one.point, two.point
        assert a.x.tobytes() == b.x.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("lasting", [False, True])
def test_values_that_are_not_finite_never_make_a_loop(bad, lasting, counted):
    x, y = table()
    for first_bad in range(2, 51):
        calls = 0

        def fun(w):
            nonlocal calls
            calls += 1
            broken = calls >= first_bad if lasting else calls == first_bad
            return bad if broken else 0.5 * ((x @ w - y) ** 2).mean()

        oracle = counted(fun, lambda w: x.T @ (x @ w - y) / y.size)
        points, _ = run(OWLQN(l1=0.05), oracle, 30, gtol=1e-6)
        assert np.isfinite(points[-1].f)
        assert len(points) < 400
        assert calls < 1000


def test_the_penalty_has_no_default():
    for make in (OWLQN, lambda: get_method("owlqn"), lambda: get_method("owlqn:memory=5")):
        with pytest.raises(HyperparameterError, match="owlqn needs l1: 'owlqn:l1=0.1'"):
            make()


def test_a_gradient_of_the_wrong_sign_is_no_success(counted):
    oracle = counted(lambda x: 1 + float((x - 2) @ (x - 2)), lambda x: -2 * (x - 2))
    method = OWLQN(l1=0.1)
    step = method.step(oracle, oracle.at([0.0, 0.5]), method.start(oracle, oracle.at([0.0, 0.5])))
    assert step.ended is Status.LINE_SEARCH


@pytest.mark.parametrize("l1", [-1.0, np.inf])
def test_the_penalty_must_not_be_negative(l1):
    with pytest.raises(HyperparameterError, match="l1 of owlqn"):
        OWLQN(l1=l1)
