"""A run that is stopped and resumed has the bits of one that went through."""

import pickle

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

import descend as dd
from descend._minimize.driver import minimize
from descend.errors import HyperparameterError, ShapeError
from descend.methods import list_methods

RULES = {
    "adam": "adam:lr=0.01",
    "scheduled": "adam:lr=cosine(0.1,steps=60)",
    "momentum": "momentum:lr=0.0001",
    "averaged": "schedule_free_sgd:lr=0.0001",
    "chained": dd.chain(dd.clip_norm(1.0), dd.adam(lr=0.01), dd.ema()),
    "measured": "dog",
}
METHODS = {name: name for name in list_methods()} | {"owlqn": "owlqn:l1=1.0"}
SAME = ("fun", "grad_norm", "step_norm", "lr", "nit", "nfev", "ss", "sy", "yy", "x")


def valley(x):
    """Rosenbrock's function along a chain of six."""
    a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    g = np.zeros(6)
    g[:-1] = -400 * x[:-1] * a - 2 * b
    g[1:] += 200 * a
    return float(100 * (a @ a) + b @ b), g


START = np.array([-1.2, 1.0, -0.5, 0.8, 1.1, 0.2])


def run(method, **more):
    return minimize(valley, START, method=method, jac=True, keep_x=True, gtol=0.0, ftol=0.0, **more)


def assert_same(whole, parts):
    for name in SAME:
        np.testing.assert_array_equal(whole.history[name], parts.history[name], err_msg=name)
    assert whole.x.tobytes() == parts.x.tobytes()
    assert (whole.fun, whole.nit, whole.nfev, whole.njev) == (
        parts.fun,
        parts.nit,
        parts.nfev,
        parts.njev,
    )
    assert whole.jac.tobytes() == parts.jac.tobytes()


@pytest.mark.parametrize("method", [*METHODS.values(), *RULES.values()], ids=[*METHODS, *RULES])
def test_two_halves_are_the_whole_to_the_bit(method):
    whole = run(method, maxiter=12)
    half = run(method, maxiter=6)
    assert_same(whole, run(method, maxiter=6, resume=half))
    assert_same(whole, run(method, maxiter=6, resume=pickle.loads(pickle.dumps(half))))
    # nobody changed the first half, so that it can be resumed again
    assert_same(whole, run(None, maxiter=6, resume=half))


@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "cg", "adam:lr=0.01"])
def test_a_hundred_and_a_hundred_are_two_hundred(method):
    half = run(method, maxiter=100)
    assert_same(run(method, maxiter=200), run(method, maxiter=100, resume=half))


@pytest.mark.parametrize("maxfev", range(2, 14))
def test_a_rule_cut_off_within_an_iteration_goes_on_to_the_bit(maxfev):
    half = run("adam:lr=0.01", maxfev=maxfev)
    assert half.nfev == maxfev
    parts = run("adam:lr=0.01", maxiter=20 - half.nit, resume=half)
    np.testing.assert_array_equal(parts.history.x, run("adam:lr=0.01", maxiter=20).history.x)


@pytest.mark.parametrize("method", METHODS.values())
def test_a_run_cut_off_within_an_iteration_can_go_on(method):
    half = run(method, maxfev=7)
    more = run(method, maxiter=20, resume=half)
    assert more.fun <= half.fun
    assert more.nit >= half.nit


def test_differences_go_on_to_the_bit():
    def f(x):
        return valley(x)[0]

    whole = minimize(f, START, maxiter=30, gtol=0.0, keep_x=True)
    half = minimize(f, START, maxiter=15, gtol=0.0, keep_x=True)
    assert_same(whole, minimize(f, START, maxiter=15, gtol=0.0, keep_x=True, resume=half))


def test_differences_that_were_made_central_are_not_made_again():
    x0 = np.tile([-1.2, 1.0], 5)

    def go(maxiter, **more):
        return minimize(rosen, x0, method="bfgs", maxiter=maxiter, gtol=0.0, keep_x=True, **more)

    half = go(90)  # it has restarted with central differences, and its best point is the last
    for left in (half, pickle.loads(pickle.dumps(half))):
        assert_same(go(200), go(110, resume=left))


def test_points_that_a_search_comes_back_to_are_not_asked_for_again():
    x0 = np.tile([-1.2, 1.0], 3)

    def go(maxiter, **more):
        more = {"jac": rosen_der, "keep_x": True, "gtol": 0.0, **more}
        return minimize(rosen, x0, method="newton", maxiter=maxiter, **more)

    half = go(33)  # at the limit of rounding, where the last trials are tried once more
    assert half.nit == 33
    assert_same(go(63), go(30, resume=half))


def test_the_digits_of_a_function_that_computes_in_float32_are_not_forgotten():
    def f(x):
        return float(np.sum((x.astype(np.float32) - 3) ** 4))

    def go(iterations, **more):
        return minimize(f, START, maxiter=iterations, keep_x=True, gtol=0.0, **more)

    half = go(3)
    assert half.nit == 3
    assert_same(go(6), go(3, resume=half))


def test_other_units_go_on_to_the_bit():
    sizes = np.array([1e-6, 1.0, 1e4])

    def f(x):
        u = x / sizes - 1
        return float(u @ u + (u**4).sum()), (2 * u + 4 * u**3) / sizes

    def go(**more):
        return minimize(f, 5 * sizes, jac=True, gtol=0.0, keep_x=True, **more)

    assert_same(go(maxiter=8), go(maxiter=4, resume=go(maxiter=4)))


@pytest.mark.parametrize("jac", [True, None])
def test_a_run_cut_off_at_the_start_can_go_on(jac):
    fun = valley if jac else (lambda x: valley(x)[0])
    half = minimize(fun, START, jac=jac, maxfev=1)
    assert half.nfev == 1
    assert minimize(fun, START, jac=jac, resume=half).success


def test_seconds_go_on_too():
    half = run("adam:lr=0.01", maxiter=5)
    times = run("adam:lr=0.01", maxiter=5, resume=half).history.time
    assert (np.diff(times) > 0).all()
    np.testing.assert_array_equal(times[:6], half.history.time)


def test_a_smaller_tolerance_goes_on_from_the_larger():
    loose = minimize(valley, START, jac=True, gtol=1e-1)
    tight = minimize(valley, START, jac=True, gtol=1e-6, resume=loose)
    assert_same_path = np.testing.assert_array_equal
    straight = minimize(valley, START, jac=True, gtol=1e-6)
    assert_same_path(tight.history.fun, straight.history.fun)
    assert tight.success


def test_the_best_point_of_the_first_half_is_not_lost():
    half = run("adam:lr=0.5", maxiter=30)
    later = run("adam:lr=0.5", maxiter=1, resume=half)
    assert later.fun <= half.fun


def test_another_method_or_another_size_is_refused():
    half = run("lbfgs", maxiter=3)
    with pytest.raises(HyperparameterError, match="method of minimize must be that of the run"):
        run("bfgs", resume=half)
    with pytest.raises(ShapeError, match="must have the 6 variables"):
        minimize(valley, np.ones(3), jac=True, resume=half)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"bounds": [(2, 3)] * 6}),
        ({"bounds": [(-2, 2)] * 6}, {}),
        ({"bounds": [(-2, 2)] * 6}, {"bounds": [(-2, 3)] * 6}),
    ],
)
def test_other_bounds_are_refused(before, now):
    half = run("lbfgs", maxiter=3, **before)
    with pytest.raises(HyperparameterError, match="bounds of minimize must be those of the run"):
        run("lbfgs", resume=half, **now)


def test_the_same_bounds_go_on_to_the_bit():
    box = {"bounds": [(-2, 1.1)] * 6}
    half = run("lbfgs", maxiter=4, **box)
    assert_same(run("lbfgs", maxiter=8, **box), run("lbfgs", maxiter=4, resume=half, **box))


def test_another_scale_is_refused_and_the_same_one_need_not_be_told():
    sizes = np.array([1.0, 2, 4, 8, 1, 2])
    half = run("lbfgs", maxiter=4, scale=sizes)
    whole = run("lbfgs", maxiter=8, scale=sizes)
    assert_same(whole, run("lbfgs", maxiter=4, resume=half))
    assert_same(whole, run("lbfgs", maxiter=4, resume=half, scale=sizes))
    for other in (None, 3 * sizes):
        with pytest.raises(HyperparameterError, match="scale of minimize must be"):
            run("lbfgs", resume=half, scale=other)


def test_many_starts_resume_nothing():
    half = run("lbfgs", maxiter=3)
    with pytest.raises(HyperparameterError, match="starts of minimize must be 1"):
        run("lbfgs", resume=half, starts=4)


def test_an_error_of_the_callback_leaves_the_run_behind_to_go_on_from():
    seen = []

    def callback(x):
        seen.append(x)
        if len(seen) == 5:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full") as caught:
        run("lbfgs", maxiter=20, callback=callback)
    half = caught.value.result
    assert (half.nit, half.success) == (5, False)
    assert "Broken off by OSError: disk full." in half.message
    assert any("resume=error.result" in note for note in caught.value.__notes__)
    assert_same(run("lbfgs", maxiter=20), run("lbfgs", maxiter=15, resume=half))
