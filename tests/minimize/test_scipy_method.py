"""Methods and rules inside SciPy: a callable `method`, with what SciPy hands to it."""

import numpy as np
import pytest
import scipy.optimize

import descend as dd
from descend._minimize.driver import minimize
from descend._minimize.scipy_method import scipy_method
from descend.errors import UnknownNameError
from descend.methods import list_methods

START = [-1.2, 1.0]


def both(x, scale=10.0):
    a, b = x[1] - x[0] ** 2, 1 - x[0]
    return float(scale * a * a + b * b), np.array([-4 * scale * x[0] * a - 2 * b, 2 * scale * a])


def value(x, scale=10.0):
    return both(x, scale)[0]


def slope(x, scale=10.0):
    return both(x, scale)[1]


@pytest.mark.parametrize(
    "method",
    [
        *sorted(set(list_methods()) - {"owlqn"}),
        "owlqn:l1=1.0",
        "adam:lr=0.05",
        "clip_norm:max_norm=1.0 > adam",
    ],
)
def test_it_gives_the_bits_of_minimize(method):
    ours = minimize(value, START, method=method, jac=slope, maxiter=25)
    theirs = scipy.optimize.minimize(
        value, START, jac=slope, method=scipy_method(method), options={"maxiter": 25}
    )
    assert theirs.x.tobytes() == ours.x.tobytes()
    assert (theirs.nit, theirs.status) == (ours.nit, ours.status)


@pytest.mark.parametrize("jac", [True, None, "2-point", "3-point"])
def test_every_kind_of_gradient_arrives(jac):
    fun = both if jac is True else value
    r = scipy.optimize.minimize(fun, START, args=(5.0,), jac=jac, method=scipy_method("bfgs"))
    assert r.success
    np.testing.assert_allclose(r.x, 1.0, atol=1e-4)  # gtol 1e-5 over a least curvature of 0.4


def test_tol_bounds_and_hess_arrive():
    r = scipy.optimize.minimize(
        both, START, jac=True, bounds=[(-2, 0.5), (-2, 2)], tol=1e-9, method=scipy_method("lbfgs")
    )
    assert r.x[0] == 0.5
    assert "gtol 1e-09" in r.message
    r = scipy.optimize.minimize(
        lambda x: float(x @ x),
        START,
        jac=lambda x: 2 * x,
        hess=lambda x: 2 * np.eye(2),
        method=scipy_method("newton"),
    )
    assert r.nhev > 0


def test_both_kinds_of_callback_are_called():
    seen = []

    def of_x(xk):
        seen.append(xk)

    def of_result(intermediate_result):
        seen.append(intermediate_result.x)
        raise StopIteration

    method = scipy_method("bfgs")
    r = scipy.optimize.minimize(both, START, jac=True, method=method, callback=of_x)
    assert len(seen) == r.nit
    r = scipy.optimize.minimize(both, START, jac=True, method=method, callback=of_result)
    assert (r.status, r.nit) == (99, 1)


def test_what_it_does_not_know_is_left_aside():
    r = scipy.optimize.minimize(
        both, START, jac=True, method=scipy_method("lbfgs"), options={"rhobeg": 1.0, "maxiter": 3}
    )
    assert r.nit == 3


def test_constraints_are_refused_in_scipys_words():
    constraint = {"type": "eq", "fun": lambda x: x[0]}
    with pytest.warns(RuntimeWarning, match="Method lbfgs cannot handle constraints"):
        scipy.optimize.minimize(
            both, START, jac=True, method=scipy_method("lbfgs"), constraints=constraint
        )


def test_options_given_once_hold_for_every_call():
    method = scipy_method(dd.adam(lr=0.01), {"maxiter": 7})
    assert scipy.optimize.minimize(both, START, jac=True, method=method).nit == 7
    assert (
        scipy.optimize.minimize(both, START, jac=True, method=method, options={"maxiter": 3}).nit
        == 3
    )


def test_basinhopping_hops_with_a_rule():
    def f(x):  # minima near each multiple of 2π / 3, the lowest at 0
        return float(x @ x / 20 - np.cos(3 * x).sum()), x / 10 + 3 * np.sin(3 * x)

    r = scipy.optimize.basinhopping(
        f,
        [2.2],
        niter=20,
        stepsize=3.0,
        rng=0,
        minimizer_kwargs={"jac": True, "method": scipy_method("adam:lr=0.05")},
    )
    np.testing.assert_allclose(r.x, 0.0, atol=1e-5)
    assert isinstance(r.fun, float)


def test_dual_annealing_polishes_with_a_method():
    def f(x):
        return float(x @ x / 20 - np.cos(3 * x).sum())

    r = scipy.optimize.dual_annealing(
        f,
        [(-10, 10)],
        maxiter=20,
        rng=1,
        minimizer_kwargs={"method": scipy_method("lbfgs"), "bounds": [(-10, 10)]},
    )
    np.testing.assert_allclose(r.x, 0.0, atol=1e-5)


def test_an_unknown_name_is_told_at_once():
    with pytest.raises(UnknownNameError, match="Did you mean 'adam'"):
        scipy_method("adma")
