"""The user's function is called once a point, counted, held to budgets; whatever it does ends as promised."""

import math
import time
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import BFGS, minimize, rosen, rosen_der, rosen_hess, rosen_hess_prod
from scipy.sparse.linalg import aslinearoperator

from descend._minimize.objective import Ended, Objective, Spent
from descend.errors import HyperparameterError, ProblemError
from descend.methods._status import Status

X = np.array([-1.2, 1.0, 0.7])


def points(k, n=3):
    return list(np.random.default_rng(0).standard_normal((k, n)))


class Watched:
    """A callable that counts, keeps what it was given, and at one call does something else."""

    def __init__(self, function, at=None, instead=None):
        self.function, self.at, self.instead = function, at, instead
        self.given = []

    @property
    def calls(self):
        return len(self.given)

    def __call__(self, x, *args):
        self.given.append(x.copy())
        return (self.instead if self.calls == self.at else self.function)(x, *args)


# ---- once a point


def test_each_point_is_evaluated_once():
    fun, jac = Watched(rosen), Watched(rosen_der)
    o = Objective(fun, X, jac=jac)
    for _ in range(2):
        assert o.value(X) == rosen(X)
        assert (o.gradient(X) == rosen_der(X)).all()
        assert o.value(X.copy()) == rosen(X)
    assert (fun.calls, jac.calls, o.nfev, o.njev) == (1, 1, 1, 1)


def test_the_last_four_points_are_remembered():
    fun = Watched(rosen)
    o = Objective(fun, X, jac=rosen_der)
    trials = points(4)
    for x in (*trials, *trials[::-1]):
        o.value(x)
    assert fun.calls == 4


def test_x_is_compared_bit_by_bit():
    fun = Watched(lambda x: math.copysign(1.0, x[0]))
    o = Objective(fun, X, jac=rosen_der)
    assert o.value(np.array([0.0, 1, 1])) == 1
    assert o.value(np.array([-0.0, 1, 1])) == -1
    nan = np.array([np.nan, 1, 1])
    o.value(nan)
    o.value(nan.copy())
    assert fun.calls == 3


def test_a_pair_is_one_call_and_its_gradient_is_kept():
    fun = Watched(lambda x: (rosen(x), rosen_der(x)))
    o = Objective(fun, X, jac=True)
    assert o.value(X) == rosen(X)
    assert (o.gradient(X) == rosen_der(X)).all()
    assert (fun.calls, o.nfev, o.njev) == (1, 1, 1)
    y = X + 1
    o.gradient(y)
    o.value(y)
    assert (fun.calls, o.nfev, o.njev) == (2, 2, 2)


def test_a_gradient_alone_does_not_call_the_function():
    fun = Watched(rosen)
    Objective(fun, X, jac=rosen_der).gradient(X)
    assert fun.calls == 0


def test_the_gradient_at_the_best_point_is_remembered_longer():
    jac = Watched(lambda x: 2 * x)
    o = Objective(lambda x: x @ x, X, jac=jac)
    zero = np.zeros(3)
    o.value_and_gradient(zero)
    for x in points(9):
        o.value_and_gradient(x)
    o.value_and_gradient(zero.copy())
    assert jac.calls == 10


# ---- copies


@pytest.mark.parametrize("mode", ["jac", "pair", "2-point"])
def test_a_function_that_changes_x_and_reuses_its_buffer_hurts_nobody(mode):
    buffer = np.empty(3)

    def fun(x):
        f = float(x @ x)
        x[:] = 99
        return f

    def jac(x):
        np.multiply(x, 2, out=buffer)
        x[:] = 99
        return buffer

    def both(x):
        g = jac(x.copy())
        return fun(x), g

    arguments = {"jac": (fun, jac), "pair": (both, True), "2-point": (fun, None)}[mode]
    o = Objective(arguments[0], X, jac=arguments[1])
    kept = X.copy()
    first = o.gradient(X)
    o.gradient(X + 1)
    buffer[:] = -7
    assert X.tolist() == kept.tolist()
    # forward differences of a square are wrong by their step, 2e-8
    np.testing.assert_allclose(first, 2 * kept, atol=1e-7)
    np.testing.assert_array_equal(o.gradient(X), first)


def test_changing_what_was_returned_hurts_nobody():
    o = Objective(rosen, X, jac=rosen_der, hess=rosen_hess)
    o.gradient(X)[:] = 0
    o.hessian(X)[:] = 0
    assert (o.gradient(X) == rosen_der(X)).all()
    assert (o.hessian(X) == rosen_hess(X)).all()
    o.value(X)
    o.best.x[:] = 0
    assert (o.best.x == X).all()


def test_the_user_sees_x_in_its_own_shape_and_kind():
    fun = Watched(lambda x: x.sum())
    jac = Watched(np.ones_like)
    o = Objective(
        fun, np.arange(6.0), lambda v: v.astype(np.float32).reshape(2, 3), (2, 3), jac=jac
    )
    g = o.value_and_gradient(np.arange(6.0))[1]
    assert fun.given[0].shape == jac.given[0].shape == (2, 3)
    assert fun.given[0].dtype == np.float32
    assert (g.shape, g.dtype) == ((6,), np.float64)


def test_further_arguments_reach_every_callable():
    a = (2.0, 3.0)
    o = Objective(
        lambda x, p, q: p * x[0] + q,
        X,
        args=a,
        jac=lambda x, p, q: [p, q, 0],
        hess=lambda x, p, q: np.diag([p, q, 0]),
        hessp=lambda x, v, p, q: p * v,
    )
    assert o.value(X) == 2 * X[0] + 3
    assert o.gradient(X).tolist() == [2, 3, 0]
    assert np.diag(o.hessian(X)).tolist() == [2, 3, 0]
    assert o.hessian_product(X, np.ones(3)).tolist() == [2, 2, 2]


# ---- what is returned


@pytest.mark.parametrize(
    "result",
    [
        2,
        2.0,
        np.float64(2),
        np.float32(2),
        np.int8(2),
        np.array(2.0),
        np.array([[2.0]]),
        [2.0],
        Fraction(2),
        Decimal(2),
        np.longdouble(2),
    ],
    ids=lambda r: type(r).__name__,
)
def test_any_real_number_is_a_value(result):
    f = Objective(lambda x: result, X).value(X)
    assert f == 2
    assert type(f) is float


@pytest.mark.parametrize(
    "result",
    [
        None,
        "2",
        1j,
        np.complex128(2),
        np.ones(2),
        [1.0, 2.0],
        (1.0, np.ones(3)),
        object(),
        np.array([]),
    ],
    ids=lambda r: type(r).__name__,
)
def test_anything_else_is_a_problem_at_once_and_an_end_later(result):
    with pytest.raises(ProblemError, match="fun must return a real number; got"):
        Objective(lambda x: result, X).value(X)
    o = Objective(Watched(rosen, 2, lambda x: result), X)
    o.value(X)
    with pytest.raises(Ended) as end:
        o.value(X + 1)
    assert end.value.status is Status.FAILED
    assert "call 2 of fun" in end.value.why


def test_a_forgotten_jac_true_is_hinted_at():
    with pytest.raises(ProblemError, match="jac=True"):
        Objective(lambda x: (1.0, x), X).value(X)
    with pytest.raises(ProblemError, match="pair"):
        Objective(rosen, X, jac=True).value(X)


@pytest.mark.parametrize(
    "g", [[1, 2, 3], (1.0, 2, 3), np.array([[1.0, 2, 3]]), np.array([[1], [2], [3]], np.float32)]
)
def test_a_gradient_of_as_many_real_numbers_is_read(g):
    assert Objective(rosen, X, jac=lambda x: g).gradient(X).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "g", [None, 1.0, [1, 2], np.ones(4), np.ones(3) * 1j, ["a", "b", "c"], [[1], [2, 3]], np.eye(3)]
)
def test_any_other_gradient_is_a_problem_at_once_and_an_end_later(g):
    with pytest.raises(ProblemError, match="jac must return real numbers of the shape of x0"):
        Objective(rosen, X, jac=lambda x: g).gradient(X)
    o = Objective(rosen, X, jac=Watched(rosen_der, 2, lambda x: g))
    o.gradient(X)
    with pytest.raises(Ended, match="call 2 of jac"):
        o.gradient(X + 1)


def test_a_transposed_gradient_is_refused():
    o = Objective(np.sum, np.ones(6), lambda v: v.reshape(2, 3).copy(), (2, 3), jac=lambda x: x.T)
    with pytest.raises(ProblemError, match=r"\(2, 3\)"):
        o.gradient(np.ones(6))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_comes_back_as_it_is(value):
    o = Objective(lambda x: value, X, jac=lambda x: np.full(3, value))
    assert o.value(X) is value or math.isnan(value)
    np.testing.assert_array_equal(o.gradient(X), value)
    assert o.best is None


def test_f_is_bitwise_what_the_function_returned():
    o = Objective(rosen, X, jac=None)
    for x in points(20):
        o.gradient(x)
        assert o.value(x) == rosen(x)


# ---- ends


def run_to_the_end(o, xs):
    for k, x in enumerate(xs):
        try:
            o.value_and_gradient(x)
        except (Ended, ProblemError) as error:
            return k + 1, error
    return None, None


def divide(x):
    return 1 / 0


@pytest.mark.parametrize("call", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("who", ["fun", "jac", "pair"])
def test_an_error_at_any_call_ends_the_run_with_the_best_point(call, who):
    fun = Watched(rosen, call if who == "fun" else None, divide)
    jac = Watched(rosen_der, call if who == "jac" else None, divide)
    both = Watched(lambda x: (rosen(x), rosen_der(x)), call, divide)
    o = Objective(both, X, jac=True) if who == "pair" else Objective(fun, X, jac=jac)
    xs = points(60)
    ended, error = run_to_the_end(o, xs)
    assert ended == call
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert "ZeroDivisionError: division by zero" in str(error)
    if call == 1:
        assert isinstance(error, ProblemError)
    else:
        assert error.status is Status.FAILED
        assert f"call {call}" in error.why
        best = min(xs[: call - 1], key=rosen)
        if who != "jac" or rosen(xs[call - 1]) > rosen(best):
            assert o.best.x.tolist() == best.tolist()
            assert o.best.f == rosen(best)
            assert o.best.g.tolist() == rosen_der(best).tolist()


@pytest.mark.parametrize("call", range(1, 51))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_at_any_call_ends_nothing_and_is_never_best(call, value):
    o = Objective(Watched(rosen, call, lambda x: value), X, jac=rosen_der)
    xs = points(50)
    assert run_to_the_end(o, xs) == (None, None)
    del xs[call - 1]
    assert o.best.f == min(map(rosen, xs))


@pytest.mark.parametrize("call", range(1, 51))
def test_changing_x_at_any_call_changes_nothing(call):
    def spoil(x):
        f = rosen(x)
        x[:] = np.nan
        return f

    o, plain = Objective(Watched(rosen, call, spoil), X), Objective(rosen, X)
    for x in points(20):
        f, g = o.value_and_gradient(x)
        expected, slope = plain.value_and_gradient(x)
        assert f == expected
        assert (g == slope).all()


@pytest.mark.parametrize("call", range(2, 51))
def test_an_error_inside_differences_ends_the_run_too(call):
    o = Objective(Watched(rosen, call, divide), X)
    _, error = run_to_the_end(o, points(50))
    assert isinstance(error, Ended)
    assert f"call {call} of fun" in error.why
    assert o.nfev == call


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_not_an_error_of_the_function(error):
    def fun(x):
        raise error

    with pytest.raises(error):
        Objective(fun, X).value(X)


@pytest.mark.parametrize("jac", [None, "3-point", "pair", "given"])
@pytest.mark.parametrize("maxfev", [1, 2, 3, 10, 49])
def test_no_call_goes_beyond_maxfev(jac, maxfev):
    fun = Watched((lambda x: (rosen(x), rosen_der(x))) if jac == "pair" else rosen)
    o = Objective(fun, X, jac={"pair": True, "given": rosen_der}.get(jac, jac), maxfev=maxfev)
    _, error = run_to_the_end(o, points(60))
    assert error.status is Status.MAXFEV
    assert fun.calls == o.nfev == maxfev
    if jac == "pair":
        assert o.njev == maxfev


def test_points_known_already_cost_no_budget():
    o = Objective(rosen, X, jac=rosen_der, maxfev=1)
    for _ in range(3):
        o.value(X.copy())


def test_time_ends_the_run_at_the_next_call():
    o = Objective(rosen, X, jac=rosen_der, maxtime=0.02)
    o.value(X)
    time.sleep(0.03)
    for ask in (o.value, o.gradient, o.hessian):
        with pytest.raises(Ended) as end:
            ask(X + 1)
        assert end.value.status is Status.MAXTIME
    with pytest.raises(Ended):
        o.check_clock()
    assert o.seconds >= 0.03


def test_a_run_goes_on_with_its_counts_clock_and_best_point():
    first = Objective(rosen, X, jac=rosen_der, hess=rosen_hess)
    for x in points(5):
        first.value_and_gradient(x)
    first.hessian(X)
    spent = first.spent
    fun = Watched(rosen)
    second = Objective(fun, X, jac=rosen_der, hess=rosen_hess, before=spent, maxfev=2)
    assert (second.nfev, second.njev, second.nhev) == (5, 5, 1)
    assert second.seconds >= spent.seconds
    assert second.best.f == spent.best.f
    # the best point is known; two calls more are allowed, and no failure is the first
    assert second.value(spent.best.x) == spent.best.f
    second.value(X + 1)
    second.value(X + 2)
    with pytest.raises(Ended):
        second.value(X + 3)
    assert fun.calls == 2
    later = Objective(divide, X, before=spent)
    with pytest.raises(Ended, match="call 6 of fun"):
        later.value(X)
    assert Spent().best is None


# ---- the best point


def test_the_gradient_of_the_best_point_is_known_when_it_comes_later():
    o = Objective(rosen, X, jac=rosen_der)
    ones = np.ones(3)
    o.value(ones)
    assert o.best.g is None
    o.value(X)
    o.gradient(ones)
    assert o.best.g.tolist() == [0, 0, 0]


def test_a_point_that_is_not_finite_is_never_best():
    o = Objective(lambda x: float(np.nansum(x)), X, jac=rosen_der)
    o.value(np.array([np.nan, -9.0, 0.0]))
    o.value(X)
    assert o.best.x.tolist() == X.tolist()
    o.value(np.full(3, -1e200))  # whose square overflows
    assert o.best.f == -3e200


@pytest.mark.parametrize("n", [3, 500])
def test_a_point_is_known_again_by_its_entries_and_no_other_is(n):
    calls = []
    o = Objective(lambda x: calls.append(1) or float(x @ x), np.ones(n))
    for i in (0, n // 2, n - 1):
        x = np.ones(n)
        x[i] = 0.5
        assert o.value(x) == n - 0.75
        assert o.value(x.copy()) == n - 0.75
    assert o.value(np.ones(n)) == n
    assert len(calls) == o.nfev == 4


def test_points_of_differences_are_not_candidates():
    o = Objective(lambda x: float(x.sum()), X)  # falls in a step below
    o.value_and_gradient(-np.ones(3))
    assert o.best.x.tolist() == [-1, -1, -1]


# ---- counts


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG"])
@pytest.mark.parametrize("jac", [rosen_der, True, "2-point", "3-point"])
def test_counts_are_scipys(method, jac):
    pair = lambda x: (rosen(x), rosen_der(x))
    fun = pair if jac is True else rosen
    asked = []

    def recorded(x):
        asked.append(x.copy())
        return fun(x)

    expected = minimize(recorded, X, jac=jac, method=method)
    # SciPy's minimizers ask for f and the gradient together: replay f's points that are no differences
    o = Objective(fun, X, jac=jac)
    per_gradient = {"2-point": 3, "3-point": 6}.get(jac if isinstance(jac, str) else "", 0)
    way = asked[:: per_gradient + 1]
    for x in way:
        o.value_and_gradient(x)
    # SciPy remembers one point and asks anew when its line search comes back to an earlier one
    again = len(way) - len({x.tobytes() for x in way})
    assert again <= 1
    assert o.nfev == expected.nfev - again * (per_gradient + 1)
    assert o.njev == expected.njev - again


def test_a_hessian_counts_as_scipy_counts():
    o = Objective(rosen, X, jac=rosen_der, hess=rosen_hess, hessp=rosen_hess_prod)
    o.hessian(X)
    o.hessian(X)
    o.hessian_product(X, X)
    assert (o.nfev, o.njev, o.nhev) == (0, 0, 2)
    o = Objective(rosen, X, jac=rosen_der)
    o.hessian(X)
    assert (o.nfev, o.njev, o.nhev) == (0, 4, 0)  # one gradient at x, and one a coordinate


# ---- second derivatives


@pytest.mark.parametrize(
    "form",
    [np.asarray, scipy.sparse.csr_array, aslinearoperator, np.ndarray.tolist],
    ids=lambda f: f.__name__,
)
def test_a_hessian_of_any_form_becomes_a_symmetric_array(form):
    skew = np.array([[0, 1e-9, 0], [0, 0, 0], [0, 0, 0]])
    o = Objective(rosen, X, jac=rosen_der, hess=lambda x: form(rosen_hess(x) + skew))
    h = o.hessian(X)
    assert (h == h.T).all()
    np.testing.assert_allclose(h, rosen_hess(X), atol=1e-9)
    np.testing.assert_allclose(o.hessian_product(X, X), h @ X, rtol=1e-15)
    assert o.has_hessian


@pytest.mark.parametrize("jac", [rosen_der, "2-point", "3-point", "cs"])
@pytest.mark.parametrize("hess", [None, "2-point", "3-point"])
def test_differences_of_gradients_are_hessians(jac, hess):
    o = Objective(rosen, X, jac=jac, hess=hess)
    # gradients by forward differences are themselves known to 1e-8 of 1e3, and are differenced over 1e-4
    rtol = {"2-point": 3e-3, "3-point": 1e-4}.get(jac if isinstance(jac, str) else "", 1e-6)
    scale = np.abs(rosen_hess(X)).max()
    np.testing.assert_allclose(o.hessian(X), rosen_hess(X), atol=rtol * scale)
    v = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(o.hessian_product(X, v), rosen_hess(X) @ v, atol=3 * rtol * scale)
    assert not o.has_hessian


def test_complex_steps_of_a_gradient_are_exact():
    o = Objective(rosen, X, jac=rosen_der, hess="cs")
    # an entry of 1e3 is rounded a few times
    np.testing.assert_allclose(o.hessian(X), rosen_hess(X), atol=1e-12)


def test_differences_of_gradients_stay_inside_bounds():
    jac = Watched(rosen_der)
    lower, upper = X.copy(), X + np.array([1.0, 0, 1])
    o = Objective(rosen, X, jac=jac, lower=lower, upper=upper)
    o.hessian(X)
    o.hessian_product(X, np.array([-1.0, 1, 1]))
    assert all(((x >= lower) & (x <= upper)).all() for x in jac.given)


def test_a_wrong_hessian_is_a_problem():
    for wrong in (np.eye(2), 1j * np.eye(3), None):
        with pytest.raises(ProblemError, match=r"hess must return real numbers of shape \(3, 3\)"):
            Objective(rosen, X, jac=rosen_der, hess=lambda x, w=wrong: w).hessian(X)
    with pytest.raises(ProblemError, match="hessp raised ZeroDivisionError"):
        Objective(rosen, X, jac=rosen_der, hessp=lambda x, v: 1 / 0).hessian_product(X, X)


def test_sharper_differences_are_central_and_forget_the_others():
    o = Objective(rosen, X)
    rough = o.gradient(X)
    assert o.sharpen(np.ones(3))
    fine = o.gradient(X)
    true = rosen_der(X)
    assert np.abs(fine - true).max() < 1e-2 * np.abs(rough - true).max()
    assert o.nfev == 1 + 3 + 6
    assert not Objective(rosen, X, jac=rosen_der).sharpen(np.ones(3))
    assert not Objective(rosen, X, jac="cs").sharpen(np.ones(3))


def test_a_function_that_cannot_compute_in_complex_numbers_is_told_so():
    with pytest.raises(ProblemError, match="complex numbers"):
        Objective(lambda x: float(np.abs(x).sum()), X, jac="cs").gradient(X)


def test_a_function_that_could_compute_in_complex_numbers_ends_the_run_where_it_cannot():
    fun = Watched(rosen, at=3, instead=lambda x: 1.0)
    with pytest.raises(Ended, match="At call 3 of fun: .* complex numbers"):
        Objective(fun, X, jac="cs").gradient(X)


# ---- functions coarser than their floats


def in_float32(fun):
    return lambda x: float(fun(x.astype(np.float32)))


# values that float32 has, and that it has not, so that a short step may cross to the next one
@pytest.mark.parametrize("x0", [[1.0, 1.0], [-1.2, 0.7, 0.1, 2.3], [0.0, 0.0, 0.0], [1e5]])
def test_a_function_that_computes_in_float32_has_a_gradient_by_differences(x0):
    x = np.array(x0)
    target = 3 * np.abs(x).max() + np.arange(x.size) + 1.0
    o = Objective(in_float32(lambda z: ((z - target.astype(np.float32)) ** 2).sum()), x)
    true = 2 * (x - target)
    # rounding of f in float32, a few 1e-7 of it, over steps of 3.5e-4 and more
    np.testing.assert_allclose(o.gradient(x), true, rtol=0.02, atol=2e-3 * np.abs(true).max())
    assert o.spent.precision == 2.0**-23


@pytest.mark.parametrize(
    ("fun", "more"),
    [
        (lambda x: 5 + x @ x, 2),  # the offset hides the curvature
        (lambda x: 5 + x @ x + 10 * (x**3).sum(), 2),
        (lambda x: 1.0, 2),
        (lambda x: x @ x, 0),  # differences show the curvature: no zeros
        (lambda x: float(np.exp(x).sum()), 0),
        (lambda x: 7 + x[0] + x[1] ** 2 + 0 * x[2], 2),
        (lambda x: 7 + x[0] + x[1] + 0 * x[2], 0),  # a zero or two among others are common
    ],
)
def test_a_function_of_full_precision_keeps_its_differences(fun, more):
    o, zero = Objective(fun, np.zeros(3)), np.zeros(3)
    o.gradient(zero)
    assert o.spent.precision == 2.0**-52
    assert (o.nfev, o.njev) == (4 + more, 1)


def test_the_doubt_stays_inside_bounds_and_leaves_steps_that_were_asked_for():
    fun = Watched(in_float32(lambda z: ((z - 3) ** 2).sum()))
    lower, upper = np.array([1.0, -4.0]), np.array([9.0, 4.0])
    o = Objective(fun, np.ones(2), lower=lower, upper=upper)
    assert o.gradient(np.ones(2)).all()
    assert all(((x >= lower) & (x <= upper)).all() for x in fun.given)
    asked = Objective(fun, np.ones(2), eps=1e-9)
    assert not asked.gradient(np.ones(2)).any()


# ---- warnings


def test_warnings_of_the_users_pass_and_there_are_none_of_ours():
    def fun(x):
        warnings.warn("mine", UserWarning, stacklevel=1)
        return 1.0

    with pytest.warns(UserWarning, match="mine"):
        Objective(fun, X, jac=rosen_der).value(X)
    huge = Objective(lambda x: 1e308 * np.sign(x[0]), np.array([1e-9, 1e9]))
    huge.gradient(np.array([1e-300, 1e308]))
    huge.hessian(np.array([1e-9, 1.0]))
    huge.hessian_product(np.array([1e-9, 1.0]), np.array([1e300, -1e300]))


# what is no source of derivatives


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"jac": "2point"}, "jac of minimize must be one of a callable, True, '2-point', .* Did you mean '2-point'"),
        ({"jac": "JAX"}, "Did you mean 'jax'"),
        ({"jac": 0}, "jac of minimize must be"),
        ({"jac": np.ones(2)}, "jac of minimize must be .* got an array of shape"),
        ({"hess": "4-point"}, "hess of minimize must be one of a callable, '2-point', '3-point', 'cs' or None"),
        ({"hess": "2point"}, "Did you mean '2-point'"),
        ({"hess": 5}, "hess of minimize must be .* got 5"),
        ({"hess": BFGS()}, "Hint: method='bfgs'"),
        ({"hessp": 5}, "hessp of minimize must be a callable or None; got 5"),
        ({"eps": np.ones(3)}, "eps of minimize must be a positive number or 2 of them; got an array"),
        ({"eps": "a"}, "eps of minimize must be .* got 'a'"),
        ({"eps": 0}, "eps of minimize must be"),
        ({"eps": math.nan}, "eps of minimize must be"),
        ({"eps": -1e-8}, "eps of minimize must be"),
        ({"rel_step": [1e-8, 0.0]}, "finite_diff_rel_step of minimize must be"),
    ],
)  # fmt: skip
def test_what_gives_no_derivative_is_one_sentence(given, sentence):
    with pytest.raises(HyperparameterError, match=sentence):
        Objective(lambda x: float(x @ x), np.ones(2), **given)
