"""Functions that break down at one call: every method ends with a status and keeps what it had."""

import math

import numpy as np
import pytest

from descend._minimize.driver import minimize
from descend.errors import DescendError
from descend.methods import list_methods
from descend.methods._status import Status

METHODS = [
    *sorted({*list_methods()} - {"owlqn"}),
    "owlqn:l1=1.0",
    "owlqn:l1=1e-9",
    "adam:lr=0.05",
    "momentum:lr=0.001",
    "lion:lr=0.01",
    "schedule_free_sgd:lr=0.001",
    "dog",
]
CALLS = range(1, 51)
MOST = 60 * 130
"""A line search takes at most a hundred trials or so; more calls than this in 60 iterations are a loop without end."""


def clean(x):
    """A bent valley with a minimum so flat that every method has to go on beyond the last of the calls."""
    a, b = x[1] - x[0] ** 2, 1 - x[0]
    return float(10 * a**4 + b**4), np.array([-80 * a**3 * x[0] - 4 * b**3, 40 * a**3])


def bend(x):
    a, b = x[1] - x[0] ** 2, 1 - x[0]
    across = -240 * a**2 * x[0]
    along = 480 * a**2 * x[0] ** 2 - 80 * a**3 + 12 * b**2
    return np.array([[along, across], [across, 120 * a**2]])


class Faulty:
    """`clean`, but for one call."""

    def __init__(self, fault, at):
        self.fault, self.at, self.calls = fault, at, 0
        self.handed_out = []

    def __call__(self, x):
        self.calls += 1
        assert self.calls < MOST
        x0, answer = x.copy(), clean(x)
        if self.calls == self.at:
            answer = self.fault(x, *answer)
        self.handed_out.append((x0, answer))
        return answer


def raises(x, f, g):
    raise RuntimeError("the licence server is down")


def mutates(x, f, g):
    x[:] = math.nan
    return f, g


FAULTS = {
    "nan": lambda x, f, g: (math.nan, g * math.nan),
    "inf": lambda x, f, g: (math.inf, g),
    "-inf": lambda x, f, g: (-math.inf, g),
    "nan in the gradient": lambda x, f, g: (f, np.array([g[0], math.nan])),
    "inf in the gradient": lambda x, f, g: (f, np.array([math.inf, g[1]])),
    "raises": raises,
    "shape of f": lambda x, f, g: (np.array([f, f]), g),
    "shape of g": lambda x, f, g: (f, np.ones(3)),
    "no number": lambda x, f, g: ("high", g),
    "nothing": lambda x, f, g: None,
    "mutates": mutates,
}


REFUSED = {"raises", "shape of f", "shape of g", "no number", "nothing"}


def least(fun, method):
    """The least finite value that was handed out with a gradient that can be one, with owlqn's penalty.

    Owlqn keeps the best of the points that its search accepts, and none is without a finite gradient.
    """
    penalty = float(method.removeprefix("owlqn:l1=")) if method.startswith("owlqn") else 0.0
    values = []
    for x, answer in fun.handed_out:
        if not (isinstance(answer, tuple) and np.shape(answer[1]) == (2,)):
            continue
        if penalty and not np.isfinite(answer[1]).all():
            continue
        f = answer[0]
        if isinstance(f, float) and math.isfinite(f):
            values.append(f + penalty * np.abs(x).sum())
    return min(values, default=math.nan)


def outcome(method, fault, at):
    fun = Faulty(FAULTS[fault], at)
    # so that no method asks for differences, whose points are no candidates for the best
    more = {"hess": bend} if method.startswith("newton") else {}
    try:
        return fun, minimize(
            fun, [-1.0, 1.2], method=method, jac=True, maxiter=60, gtol=0, ftol=0, **more
        )
    except DescendError:
        return fun, None


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_all_the_calls_that_may_fail(method):
    fun, _ = outcome(method, "nan", math.inf)
    # a penalty of 1 is no longer flat at its minimum, and is reached sooner
    assert fun.calls >= (CALLS[-1] if method != "owlqn:l1=1.0" else 20)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
def test_one_bad_call_ends_in_a_status_with_the_best_point_kept(method, fault):
    for at in CALLS:
        fun, r = outcome(method, fault, at)
        if r is None:
            assert at == 1 == fun.calls
            continue
        assert r.nfev == fun.calls
        assert np.isfinite(r.x).all()
        lowest = least(fun, method)
        assert r.fun == lowest or (math.isnan(lowest) and at == 1 and not r.success)
        broken = fun.calls >= at and fault in REFUSED
        assert (r.status == Status.FAILED.number) == broken


@pytest.mark.parametrize("method", METHODS)
def test_changing_x_inside_the_function_changes_nothing(method):
    undisturbed = outcome(method, "mutates", math.inf)[1]
    for at in CALLS:
        _, r = outcome(method, "mutates", at)
        assert r.x.tobytes() == undisturbed.x.tobytes()


@pytest.mark.parametrize("method", ["lbfgs", "adam:lr=0.05", "newton"])
@pytest.mark.parametrize("fault", ["raises", "shape of f", "shape of g", "no number", "nothing"])
def test_a_failed_call_is_named_in_the_message(method, fault):
    _, r = outcome(method, fault, 5)
    assert r.status == Status.FAILED.number
    assert not r.success
    assert "call 5" in r.message
    assert fault != "raises" or "RuntimeError: the licence server is down" in r.message


@pytest.mark.parametrize("method", METHODS)
def test_a_function_without_a_minimum_ends(method):
    r = minimize(
        lambda x: (3 * float(x[0] + x[1]), np.full(2, 3.0)),
        [0.0, 0.0],
        method=method,
        jac=True,
        maxiter=60,
    )
    assert not r.success
    assert np.isfinite(r.x).all()
    assert np.isfinite(r.fun)


@pytest.mark.parametrize("method", METHODS)
def test_a_wall_beyond_which_nothing_is_finite_is_not_crossed(method):
    def f(x):  # the minimum is at the wall's foot: x = 0.1
        if (x <= 0).any():
            return math.nan, np.full(2, math.nan)
        return float((x - 0.1 * np.log(x)).sum()), 1 - 0.1 / x

    r = minimize(f, [1.0, 2.0], method=method, jac=True, maxiter=60)
    assert (r.x > 0).all()
    assert np.isfinite(r.fun)
    assert r.fun < f(np.array([1.0, 2.0]))[0]
