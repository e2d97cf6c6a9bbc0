"""The conventions of `scipy.optimize.minimize`: the same call, the same meaning, the same warnings."""

import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
from scipy.optimize import (
    Bounds,
    LbfgsInvHessProduct,
    LinearConstraint,
    OptimizeResult,
    OptimizeWarning,
)

from descend._minimize.driver import minimize
from descend._minimize.scipy_method import scipy_method
from descend.errors import HyperparameterError, RuleError, ShapeError

START = [-1.2, 1.0]
NEAR = 2e-4
"""Both stop at gtol 1e-5; the least curvature of Rosenbrock's function at its minimum is 0.4, and differences add 1e-5."""


def rosenbrock(x, scale=100.0, shift=1.0):
    return scale * (x[1] - x[0] ** 2) ** 2 + (shift - x[0]) ** 2


def slope(x, scale=100.0, shift=1.0):
    return np.array(
        [
            -4 * scale * x[0] * (x[1] - x[0] ** 2) - 2 * (shift - x[0]),
            2 * scale * (x[1] - x[0] ** 2),
        ]
    )


def both(x, *args):
    return rosenbrock(x, *args), slope(x, *args)


def agree(**call):
    """The results of descend and SciPy for the same call."""
    call = {"x0": START, **call}
    ours = minimize(**call)
    theirs = scipy.optimize.minimize(**call, method="L-BFGS-B")
    np.testing.assert_allclose(ours.x, theirs.x, atol=NEAR)
    assert ours.success == theirs.success
    return ours, theirs


@pytest.mark.parametrize(
    "call",
    [
        {"fun": rosenbrock},
        {"fun": rosenbrock, "jac": slope},
        {"fun": both, "jac": True},
        {"fun": rosenbrock, "jac": "2-point"},
        {"fun": rosenbrock, "jac": "3-point"},
        {"fun": rosenbrock, "jac": "cs"},
        {"fun": rosenbrock, "jac": slope, "args": (10.0, 1.5)},
        {"fun": rosenbrock, "jac": slope, "args": 10.0},
        {"fun": both, "jac": True, "args": (10.0,)},
        {"fun": rosenbrock, "jac": slope, "tol": 1e-8},
        {"fun": rosenbrock, "jac": slope, "bounds": [(None, 0.5), (-1, None)]},
        {"fun": rosenbrock, "bounds": Bounds([-2, -2], [0.5, np.inf])},
        {"fun": rosenbrock, "jac": slope, "options": {"maxcor": 5, "maxfun": 500, "ftol": 1e-12}},
    ],
)
def test_the_call_means_what_it_means_to_scipy(call):
    agree(**call)


@pytest.mark.parametrize("x0", [3, 3.0, [3], np.array([3]), np.array(3.0), np.float32(3)])
def test_x_of_one_number_is_a_vector_as_with_scipy(x0):
    shapes = set()

    def f(x):
        shapes.add((x.shape, x.dtype))
        return (x[0] - 1.0) ** 2

    ours = minimize(f, x0)
    assert shapes == {((1,), np.dtype(np.float64))}
    assert ours.x.shape == scipy.optimize.minimize(lambda x: (x[0] - 1) ** 2, x0).x.shape == (1,)
    assert abs(ours.x[0] - 1) < 1e-5


def test_the_result_has_scipys_fields():
    ours, theirs = agree(fun=rosenbrock, jac=slope)
    assert isinstance(ours, OptimizeResult)
    assert set(theirs) <= set(ours)
    assert isinstance(ours.hess_inv, type(theirs.hess_inv))
    for name in ("x", "jac", "fun", "nit", "nfev", "njev", "status", "success", "message"):
        assert np.shape(ours[name]) == np.shape(theirs[name]), name
        assert isinstance(ours[name], type(theirs[name])) or name == "fun", name


@pytest.mark.parametrize("none", [(), [], None])
def test_no_constraints_are_no_constraints(none):
    assert minimize(rosenbrock, START, constraints=none).nfev == minimize(rosenbrock, START).nfev


@pytest.mark.parametrize(
    "constraints",
    [{"type": "eq", "fun": sum}, [{"type": "ineq", "fun": sum}], LinearConstraint(np.eye(2), 0, 1)],
)
def test_constraints_are_refused_with_what_takes_them(constraints):
    with pytest.raises(HyperparameterError, match="constraints of minimize .*bounds .*'SLSQP'"):
        minimize(rosenbrock, START, constraints=constraints)
    # where SciPy has constraints among its positions, tol stands here
    with pytest.raises(HyperparameterError, match="tol of minimize .*constraints have no place"):
        minimize(rosenbrock, START, (), "lbfgs", None, None, None, None, constraints)


@pytest.mark.parametrize(
    "method", [lambda fun, x0, args=(), **options: None, scipy_method("bfgs")], ids=type
)
def test_a_method_in_the_shape_of_scipys_is_told_where_it_belongs(method):
    with pytest.raises(RuleError, match=r"method of minimize .*'lbfgs'.*scipy\.optimize\.minimize"):
        minimize(rosenbrock, START, method=method)


@pytest.mark.parametrize(
    "x0",
    [
        [True, False],
        np.array([1, 0], object),
        np.array([1.0, Fraction(1, 2)], object),
        [Decimal(1), 0],
    ],
)
def test_truth_values_and_objects_that_are_numbers_are_numbers_as_with_scipy(x0):
    ours = minimize(rosenbrock, x0, keep_x=True)
    assert ours.history.x[0].tolist() == [float(v) for v in x0]
    assert ours.success


@pytest.mark.parametrize(
    ("entry", "told"),
    [("1", "'1'"), (None, "None"), (1j, "1j"), (10**400, "1000")],
    ids=["text", "none", "complex", "huge"],
)
def test_an_object_that_is_no_number_is_told_with_its_place(entry, told):
    with pytest.raises(ShapeError, match=f"must hold real numbers; got {told}.* at position 1"):
        minimize(rosenbrock, np.array([1.0, entry], object))


# ---- the inverse Hessian


@pytest.mark.parametrize("scale", [None, [0.5, 64.0]])
@pytest.mark.parametrize("bounds", [None, [(-2, 2)] * 2])
@pytest.mark.parametrize("iterations", [4, 7])
def test_limited_memory_gives_the_pairs_of_the_last_steps(scale, bounds, iterations):
    r = minimize(
        both,
        START,
        jac=True,
        scale=scale,
        bounds=bounds,
        options={"maxcor": 5, "maxiter": iterations, "return_all": True},
    )
    steps = np.diff(r.allvecs, axis=0)
    changes = np.diff([slope(x) for x in r.allvecs], axis=0)
    last = min(5, iterations)
    theirs = LbfgsInvHessProduct(steps[-last:], changes[-last:])
    assert r.hess_inv.n_corrs == theirs.n_corrs == last
    # the same sums of a few terms of mixed sign in another order
    np.testing.assert_allclose(r.hess_inv.todense(), theirs.todense(), rtol=1e-6)
    v = np.array([0.3, -2.0])
    np.testing.assert_allclose(r.hess_inv @ v, theirs @ v, rtol=1e-6)
    again = pickle.loads(pickle.dumps(r)).hess_inv
    np.testing.assert_array_equal(again.todense(), r.hess_inv.todense())


def test_bfgs_gives_its_matrix():
    r = minimize(both, START, method="bfgs", jac=True, scale=[0.5, 64.0])
    hessian = np.array([[802.0, -400.0], [-400.0, 200.0]])
    # at the minimum, learned from steps that are not yet infinitely short
    np.testing.assert_allclose(r.hess_inv, np.linalg.inv(hessian), rtol=0.05)


@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "gd", "newton"])
def test_stop_iteration_gives_the_bits_of_maxiter(method):
    count = []

    def callback(xk):
        count.append(1)
        if len(count) == 5:
            raise StopIteration

    stopped = minimize(rosenbrock, START, method=method, jac=slope, callback=callback)
    limited = minimize(rosenbrock, START, method=method, jac=slope, maxiter=5)
    assert (stopped.status, stopped.success, stopped.nit) == (99, False, 5)
    assert stopped.x.tobytes() == limited.x.tobytes()
    assert stopped.fun == limited.fun


def test_an_unknown_option_warns_as_scipys_does():
    with pytest.warns(OptimizeWarning, match="Unknown solver options: maxitre"):
        minimize(rosenbrock, START, jac=slope, options={"maxitre": 3})
    with pytest.warns(OptimizeWarning, match="Unknown solver options: maxitre"):
        scipy.optimize.minimize(rosenbrock, START, jac=slope, options={"maxitre": 3})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hess": lambda x: np.eye(2)}, "does not use Hessian information"),
        ({"hessp": lambda x, p: p}, "does not use Hessian-vector product information"),
        ({"bounds": [(0, 1), (0, 1)]}, "cannot handle bounds"),
    ],
)
def test_an_argument_that_the_method_cannot_use_warns_as_scipys_does(given, words):
    with pytest.warns(RuntimeWarning, match=words):
        minimize(rosenbrock, START, method="bfgs", jac=slope, **given)
    with pytest.warns(RuntimeWarning, match=words):
        scipy.optimize.minimize(rosenbrock, START, method="BFGS", jac=slope, **given)


def test_options_reach_the_method_and_its_line_search():
    loose = minimize(rosenbrock, START, method="bfgs", jac=slope, options={"c2": 0.1})
    tight = minimize(rosenbrock, START, method="bfgs", jac=slope)
    same = minimize(rosenbrock, START, method="bfgs:search=strong_wolfe(c2=0.1)", jac=slope)
    assert loose.nfev == same.nfev != tight.nfev


def test_return_all_gives_all_points():
    r = minimize(rosenbrock, START, jac=slope, options={"return_all": True})
    assert len(r.allvecs) == r.nit + 1


def test_disp_prints_the_message(capsys):
    r = minimize(rosenbrock, START, jac=slope, options={"disp": True})
    assert r.message in capsys.readouterr().out


def test_a_start_outside_the_bounds_is_moved_inside_with_a_warning():
    with pytest.warns(OptimizeWarning, match="not within the specified bounds"):
        r = minimize(rosenbrock, [-5.0, 1.0], jac=slope, bounds=[(-2, 2), (-2, 2)], keep_x=True)
    assert r.history.x[0].tolist() == [-2.0, 1.0]
    assert (np.abs(r.history.x) <= 2).all()
