"""`minimize`: what it hands back, what it refuses, whom it calls."""

import math
import warnings

import numpy as np
import pytest
from scipy.optimize import Bounds, OptimizeResult

from descend._minimize.driver import minimize
from descend.errors import (
    DescendError,
    HyperparameterError,
    ProblemError,
    ShapeError,
    UnknownNameError,
)
from descend.methods import list_methods
from descend.methods._status import Status

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


@pytest.mark.parametrize("jac", [slope, None, "3-point"])
def test_calls_are_counted_as_they_are_made(jac):
    calls = []

    def f(x):
        calls.append(1)
        return rosenbrock(x)

    assert minimize(f, START, jac=jac).nfev == len(calls)


def test_the_best_point_is_returned_and_its_value_is_the_functions_to_the_bit():
    r = minimize(both, START, method="adam:lr=0.3", jac=True, maxiter=38)
    assert r.fun == rosenbrock(r.x) == r.history.fun.min() < r.history.fun[-1]
    np.testing.assert_array_equal(r.jac, slope(r.x))


def test_the_users_arrays_are_left_alone_and_may_be_changed():
    x0 = np.array(START)

    def f(x):
        value = rosenbrock(x)
        x[:] = np.nan
        return value

    def g(x):
        value = slope(x)
        x[:] = np.nan
        return value

    r = minimize(f, x0, jac=g)
    assert x0.tolist() == START
    assert r.success
    assert r.nfev == minimize(rosenbrock, x0, jac=slope).nfev


def test_one_gradient_array_filled_again_and_again_is_allowed():
    buffer = np.empty(2)

    def g(x):
        buffer[:] = slope(x)
        return buffer

    assert minimize(rosenbrock, START, jac=g).fun == minimize(rosenbrock, START, jac=slope).fun


def test_an_array_of_two_dimensions_keeps_its_shape():
    def f(x):
        assert x.shape == (2, 2)
        return float(((x - 1) ** 2).sum()), 2 * (x - 1)

    r = minimize(f, np.zeros((2, 2)), jac=True, bounds=Bounds(-2, 0.5))
    np.testing.assert_allclose(r.x, np.full((2, 2), 0.5))
    assert r.jac.shape == (2, 2)


# ---- callbacks


def test_a_callback_of_x_gets_copies():
    seen = []

    def callback(xk):
        seen.append(xk.copy())
        xk[:] = np.nan

    r = minimize(rosenbrock, START, jac=slope, callback=callback, keep_x=True)
    np.testing.assert_array_equal(seen, r.history.x[1:])
    assert r.success


def test_a_callback_of_an_intermediate_result_gets_one_after_each_iteration():
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result)

    r = minimize(rosenbrock, START, jac=slope, callback=callback)
    assert [s.nit for s in seen] == list(range(1, r.nit + 1))
    assert all(s.fun == rosenbrock(s.x) for s in seen)
    assert isinstance(seen[0], OptimizeResult)


def test_an_error_of_the_callback_is_the_users():
    def callback(xk):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        minimize(rosenbrock, START, jac=slope, callback=callback)


# ---- what is refused


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ({"x0": []}, ShapeError, "x0 of minimize must hold at least one number"),
        (
            {"x0": [1j, 2]},
            ShapeError,
            "x0 of minimize must hold real numbers; got dtype complex128",
        ),
        ({"x0": ["a"]}, ShapeError, "x0 of minimize must hold real numbers"),
        ({"x0": [[1], [2, 3]]}, ShapeError, "x0 of minimize must be a number or an array"),
        (
            {"x0": [1.0, np.nan]},
            ProblemError,
            "x0 of minimize must be finite; got .*nan.* at position 1",
        ),
        (
            {"method": "lbfsg"},
            UnknownNameError,
            "no method or rule is called 'lbfsg'. Did you mean 'lbfgs'",
        ),
        ({"method": "lbfgs:memry=3"}, HyperparameterError, "Did you mean 'memory'"),
        ({"bounds": [(0, 1)]}, ShapeError, "bounds of minimize must be 2 pairs"),
        (
            {"bounds": [(1, 0), (0, 1)]},
            ProblemError,
            r"least <= greatest; got \(1.0, 0.0\) at position 0",
        ),
        (
            {"maxiter": -1},
            HyperparameterError,
            "maxiter of minimize must be a whole number, at least 0; got -1",
        ),
        ({"maxiter": 2.5}, HyperparameterError, "maxiter of minimize must be a whole number"),
        (
            {"gtol": "small"},
            HyperparameterError,
            "gtol of minimize must be a number, at least 0; got 'small'",
        ),
        ({"tol": -1.0}, HyperparameterError, "tol of minimize must be a number, at least 0"),
        ({"scale": [1.0, -1.0]}, HyperparameterError, "scale of minimize must be"),
        ({"options": [1]}, HyperparameterError, "options of minimize must be a dict"),
        ({"callback": 3}, HyperparameterError, "callback of minimize must be callable"),
        ({"resume": 3}, HyperparameterError, "resume of minimize must be a result of minimize"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        minimize(**{"fun": rosenbrock, "x0": START, **call})


def test_a_function_that_fails_at_the_start_is_told_with_its_error():
    def f(x):
        raise KeyError("column")

    with pytest.raises(ProblemError, match="KeyError") as caught:
        minimize(f, START)
    assert isinstance(caught.value.__cause__, KeyError)


def cannot(x):
    return math.exp(x[0]) + x[1] ** 2  # math.exp raises for complex numbers


@pytest.mark.parametrize("fun", [cannot, lambda x: float(np.abs(x).sum())])
def test_a_function_unfit_for_complex_steps_is_told_at_once(fun):
    with pytest.raises(ProblemError, match="At call 2 of fun"):
        minimize(fun, START, jac="cs")


def test_a_gradient_unfit_for_complex_steps_is_told_at_once():
    with pytest.raises(ProblemError, match="jac must compute in complex numbers for 'cs'"):
        minimize(rosenbrock, START, method="newton", jac=lambda x: slope(x).real, hess="cs")


def test_a_function_that_fails_at_a_later_complex_point_ends_in_a_status():
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 3:
            raise OSError("away")
        return rosenbrock(x)

    r = minimize(f, START, jac="cs")
    assert (r.status, r.fun) == (Status.FAILED.number, rosenbrock(START))


def test_a_pair_without_jac_true_is_explained():
    with pytest.raises(DescendError, match="jac=True"):
        minimize(both, START)


# ---- other kinds of x


def test_torch_in_torch_out():
    torch = pytest.importorskip("torch")
    x0 = torch.tensor([[-1.2, 1.0]], dtype=torch.float64)

    def f(x):
        assert x.shape == (1, 2)
        return 100 * (x[0, 1] - x[0, 0] ** 2) ** 2 + (1 - x[0, 0]) ** 2

    r = minimize(f, x0)
    assert isinstance(r.x, torch.Tensor)
    assert (r.x.dtype, tuple(r.x.shape)) == (torch.float64, (1, 2))
    assert torch.allclose(r.x, torch.ones(1, 2, dtype=torch.float64), atol=NEAR)
    assert r.fun == float(f(r.x))
    assert x0.tolist() == [[-1.2, 1.0]]


def test_jax_in_jax_out(jax):
    jnp = jax.numpy
    r = minimize(rosenbrock, jnp.array(START))
    assert isinstance(r.x, jax.Array)
    assert jnp.allclose(r.x, 1.0, atol=NEAR)
    assert r.fun == float(rosenbrock(r.x))


# ---- every method


@pytest.mark.parametrize("method", sorted(set(list_methods()) - {"owlqn"}))
def test_every_method_finds_a_minimum_and_says_so(method):
    def f(x):
        return float(np.sum(np.cosh(x - [0.5, -0.25])))

    def g(x):
        return np.sinh(x - [0.5, -0.25])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        r = minimize(f, [1.0, 1.0], method=method, jac=g)
    assert r.success, r.message
    # |sinh(x − c)| <= 1e-5 at the end
    np.testing.assert_allclose(r.x, [0.5, -0.25], atol=1.01e-5)


@pytest.mark.parametrize("method", sorted(set(list_methods()) - {"owlqn"}))
def test_scipys_names_and_ours_are_read_alike(method):
    r = minimize(
        lambda x: (float(x @ x), 2 * x),
        np.ones(2),
        method=method.upper().replace("_", "-"),
        jac=True,
        maxiter=2,
    )
    assert r.nit <= 2


SIZES = np.array([1e-6, 1.0, 1e5])


def uneven(x):
    """Its minimum is at SIZES; x of such sizes is beyond differences and steps in units of 1."""
    u = x / SIZES - 1
    return float((u**2).sum() + (u**4).sum())


def test_variables_of_uneven_sizes_are_minimized_in_units_of_their_own():
    even = minimize(uneven, 3 * SIZES)
    # a relative decrease of 2.2e-9 in f, which is flat like u² there, leaves u ~ 5e-5
    np.testing.assert_allclose(even.x, SIZES, rtol=2e-4)
    assert uneven(minimize(uneven, 3 * SIZES, scale=None).x) > 1.0


def test_units_can_be_given():
    given = minimize(uneven, np.zeros(3), scale=SIZES)
    np.testing.assert_allclose(given.x, SIZES, rtol=2e-4)


def test_a_run_that_stalls_goes_on_in_the_units_of_the_point_reached():
    start = np.array([1.0, 1.0, 1.0])  # alike, so the first units are 1
    r = minimize(uneven, start * 1e-1, maxiter=2000)
    alone = minimize(uneven, start * 1e-1, maxiter=2000, scale=None)
    assert r.fun < alone.fun
    assert r.history.nit.tolist() == list(range(r.nit + 1))


@pytest.mark.parametrize("x0", [[1.0, 1.0], [0.1, -0.7], [0.3] * 9])
def test_a_function_that_computes_in_float32_is_not_solved_at_the_start(x0):
    r = minimize(lambda x: float(((x.astype(np.float32) - 3) ** 2).sum()), x0)
    assert r.nit > 0
    # gradients by steps of 3.5e-4 have that error, half of it in x
    np.testing.assert_allclose(r.x, 3.0, atol=1e-3)


def test_many_starts_find_the_lower_of_two_minima():
    def f(x):  # minima near −1 and 1, the lower near −1
        return float((x[0] ** 2 - 1) ** 2 + 0.3 * x[0])

    assert minimize(f, [1.0]).x[0] > 0
    r = minimize(f, [1.0], bounds=[(-2, 2)], starts=8, seed=0)
    assert r.x[0] < 0
    assert r.fun == f(r.x)


def test_the_interrupted_run_is_handed_over():
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return both(x)

    with pytest.raises(KeyboardInterrupt) as caught:
        minimize(f, START, jac=True)
    halfway = caught.value.result
    assert halfway.fun == rosenbrock(halfway.x) < rosenbrock(START)
    assert "resume=error.result" in caught.value.__notes__[0]
    assert minimize(both, START, jac=True, resume=halfway).success
