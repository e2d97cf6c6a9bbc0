"""What the tests of methods share: a function that counts its calls, and one way of running a method on it."""

import copy
import pickle

import numpy as np
import pytest

from descend.methods._method import Oracle, Point


class Counted(Oracle):
    """An oracle of plain functions of x: it counts calls, and hands out copies that may be changed without harm."""

    def __init__(self, fun, grad, hess=None, lower=None, upper=None, n=None):
        self._fun, self._grad, self._hess = fun, grad, hess
        self.lower, self.upper = lower, upper
        self.has_hessian = hess is not None
        self.n = n
        self.values = self.gradients = self.hessians = self.products = 0

    def value(self, x):
        self.values += 1
        self._within(x)
        return float(self._fun(x.copy()))

    def gradient(self, x):
        self.gradients += 1
        self._within(x)
        return np.array(self._grad(x.copy()), dtype=np.float64)

    def hessian(self, x):
        self.hessians += 1
        return np.array(self._hess(x.copy()), dtype=np.float64)

    def hessian_product(self, x, v):
        self.products += 1
        if self._hess is not None:
            return np.array(self._hess(x.copy()), dtype=np.float64) @ v
        h = 1e-6 / max(np.linalg.norm(v), 1e-300)  # central differences of the gradient
        return (self._grad(x + h * v) - self._grad(x - h * v)) / (2 * h)

    def _within(self, x):
        assert x.dtype == np.float64
        assert self.lower is None or np.all(x >= self.lower)
        assert self.upper is None or np.all(x <= self.upper)

    def at(self, x):
        """The point x; not counted."""
        x = np.array(x, dtype=np.float64)
        self.n = x.size
        return Point(x, float(self._fun(x.copy())), np.array(self._grad(x.copy()), dtype=float))


def walk(method, oracle, x0, maxiter=1000, gtol=0.0):
    """The steps of a method until the gradient (of free coordinates) is small, it ends, or ``maxiter`` are taken."""
    point, steps = oracle.at(x0), []
    state = method.start(oracle, point)
    while len(steps) < maxiter and projected_norm(oracle, point) > gtol:
        step = method.step(oracle, point, state)
        steps.append(step)
        point, state = step.point, step.state
        if step.ended is not None:
            break
    return steps


def projected_norm(oracle, point):
    """The inf-norm of P(x − g) − x: of g, without bounds."""
    moved = point.x - point.g
    if oracle.lower is not None or oracle.upper is not None:
        moved = np.clip(moved, oracle.lower, oracle.upper)
        return np.abs(moved - point.x).max()
    return np.abs(point.g).max()


@pytest.fixture(name="counted")
def counted_fixture():
    """``counted(fun, grad, hess=None, lower=None, upper=None)``: an oracle that counts calls."""
    return Counted


@pytest.fixture(name="walk")
def walk_fixture():
    """``walk(method, oracle, x0, maxiter=1000, gtol=0.0)``: the list of steps that the method takes."""
    return walk


class Broken(Counted):
    """An oracle that gives ``bad`` at its call ``k`` of value or gradient, and from then on where ``lasting``."""

    def __init__(self, fun, grad, k, bad, lasting, **more):
        super().__init__(fun, grad, **more)
        self.k, self.bad, self.lasting = k, bad, lasting

    def _fails(self):
        calls = self.values + self.gradients
        assert calls < 100_000, "the method does not end"
        return calls >= self.k if self.lasting else calls == self.k

    def value(self, x):
        f = super().value(x)
        return self.bad if self._fails() else f

    def gradient(self, x):
        g = super().gradient(x)
        return np.full_like(g, self.bad) if self._fails() else g


@pytest.fixture
def stays_bounded():
    """``stays_bounded(method, fun, grad, x0)``: no failure of the function keeps the method busy or makes it lose its point."""

    def check(method, fun, grad, x0, **more):
        for k in range(1, 51):
            for bad in (np.nan, np.inf, -np.inf):
                for lasting in (True, False):
                    oracle = Broken(fun, grad, k, bad, lasting, **more)
                    steps = walk(method, oracle, x0, maxiter=40)
                    assert oracle.values + oracle.gradients < 300 * len(steps)
                    for step in (
                        steps
                    ):  # only the last point may have what is not finite, and the step says so
                        finite = np.isfinite(step.point.f) and np.isfinite(step.point.g).all()
                        assert finite or (step.ended is not None and step is steps[-1])

    return check


class Ended(Exception):
    """What ends a run in the midst of an iteration."""


@pytest.fixture
def survives_an_end_at_any_call():
    """``survives_an_end_at_any_call(method, fun, grad, x0)``: the step that a call ended is the same when taken again."""

    def check(method, fun, grad, x0, steps=15, **more):
        whole = walk(method, Counted(fun, grad, **more), x0, steps)
        for k in range(1, 4):  # the k-th call of every iteration ends it
            oracle = Counted(fun, grad, **more)
            point = oracle.at(x0)
            state = method.start(oracle, point)
            for expected in whole:
                left = [k]
                oracle._fun, oracle._grad = (_ending(f, left) for f in (fun, grad))
                try:
                    step = method.step(oracle, point, state)
                except Ended:
                    oracle._fun, oracle._grad = fun, grad
                    step = method.step(oracle, point, state)
                np.testing.assert_array_equal(step.point.x, expected.point.x)
                point, state = step.point, step.state

    return check


def _ending(f, left):
    def called(x):
        left[0] -= 1
        if left[0] == 0:
            raise Ended
        return f(x)

    return called


@pytest.fixture
def continues_bit_for_bit():
    """``continues_bit_for_bit(method, fun, grad, x0)``: copied and pickled states give the points of one run."""

    def check(method, fun, grad, x0, steps=30, **more):
        whole = walk(method, Counted(fun, grad, **more), x0, steps)
        oracle = Counted(fun, grad, **more)
        point = oracle.at(x0)
        state = method.start(oracle, point)
        for k, expected in enumerate(whole):
            kept = copy.deepcopy(state)
            state = pickle.loads(pickle.dumps(state)) if k % 2 else copy.deepcopy(state)
            step = method.step(oracle, point, state)
            again = method.step(oracle, point, kept)
            for got in (step, again):
                np.testing.assert_array_equal(got.point.x, expected.point.x)
                np.testing.assert_array_equal(got.lr, expected.lr)
            point, state = step.point, step.state

    return check
