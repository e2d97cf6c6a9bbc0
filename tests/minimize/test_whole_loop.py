"""The compiled loop has the bits of the ordinary one, ends where it ends, and can be resumed by it."""

import math

import numpy as np
import pytest

import descend as dd
from descend._minimize import whole_loop
from descend._minimize.driver import minimize
from descend.methods._status import Status

numba = pytest.importorskip("numba")
START = np.array([-1.2, 1.0, 0.7])


@numba.njit
def valley(x):
    a, b, c = x[1] - x[0] ** 2, 1 - x[0], x[2] - 0.5
    g = np.empty(3)
    g[0], g[1], g[2] = -40 * x[0] * a - 2 * b, 20 * a, 2 * c
    return 10 * a * a + b * b + c * c, g


@numba.njit
def shifted(x, by):
    f, g = valley(x - by)
    x[0] = np.nan
    return f, g


@numba.njit
def fails_far_away(x):
    if x[0] > -0.9:
        raise ValueError("too far")
    return valley(x)


def ordinary(x, *args):
    return valley(x, *args)


@pytest.fixture(autouse=True)
def early(monkeypatch):
    """The compiled loop takes over after ten iterations, in small blocks."""
    monkeypatch.setattr(whole_loop, "COMPILE_AFTER", 10)
    monkeypatch.setattr(whole_loop, "_MOST", 64)
    monkeypatch.setattr(whole_loop, "_COMPILING", 0.0)


@pytest.fixture
def blocks(monkeypatch):
    """How many steps each block took, and whether it ended well."""
    lengths = []
    run = whole_loop._Block.run

    def counted(self, loop, steps):
        lengths.append(run(self, loop, steps))
        return lengths[-1]

    monkeypatch.setattr(whole_loop._Block, "run", counted)
    return lengths


def assert_same(ours, theirs):
    for name in ("nit", "fun", "grad_norm", "nfev", "lr"):
        np.testing.assert_array_equal(ours.history[name], theirs.history[name], err_msg=name)
    # sums of three terms in another order, which cancel in sy
    close = {"rtol": 1e-13, "atol": 1e-12 * np.nanmax(np.abs(theirs.history.sy))}
    for name in ("ss", "sy", "yy", "step_norm"):
        np.testing.assert_allclose(ours.history[name], theirs.history[name], **close)
    for name in ("x", "jac"):
        assert ours[name].tobytes() == theirs[name].tobytes()
    for name in ("fun", "nit", "nfev", "njev", "status", "success"):
        assert ours[name] == theirs[name], name


RULES = [
    "adam:lr=0.01",
    "adam:lr=cosine(0.05,steps=400,warmup=20)",
    "nadam:lr=0.01",
    "lion:lr=0.001",
    "momentum:lr=0.001",
    "clip_value:max_value=1.0 > rmsprop:lr=0.01",
]


@pytest.mark.parametrize("rule", RULES)
def test_a_run_has_the_bits_of_the_ordinary_one(rule, blocks):
    options = {"method": rule, "jac": True, "maxiter": 200, "gtol": 0.0}
    ours = minimize(valley, START, **options)
    assert sum(steps for steps, _ in blocks) >= ours.nit - 10  # more where a block went too far
    assert_same(ours, minimize(ordinary, START, **options))


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"gtol": 1e-3}, Status.GRADIENT),
        ({"target": 1e-3}, Status.TARGET),
        ({"ftol": 1e-5}, Status.FUNCTION),
        ({"ftol": 1e-5, "options": {"hits": 4}}, Status.FUNCTION),
        ({"maxiter": 55}, Status.MAXITER),
        ({"maxfev": 60}, Status.MAXFEV),
    ],
)
def test_every_measure_ends_it_where_it_ends_the_ordinary_one(limits, status, blocks):
    options = {"method": "adam:lr=0.02", "jac": True, "maxiter": 4000, "gtol": 0.0, **limits}
    ours = minimize(valley, START, **options)
    assert blocks
    assert ours.status == status.number
    assert_same(ours, minimize(ordinary, START, **options))


def test_a_run_that_diverges_ends_with_the_best_point(blocks):
    options = {"method": "sgd:lr=0.2", "jac": True, "maxiter": 1000}
    start = np.array([0.1, 0.0, 0.5])
    ours = minimize(valley, start, **options)
    assert ours.status == Status.DIVERGED.number
    assert ours.fun == valley(ours.x)[0]
    assert_same(ours, minimize(ordinary, start, **options))


def test_arguments_arrive_and_a_changed_x_does_no_harm(blocks):
    options = {"method": "adam:lr=0.01", "jac": True, "maxiter": 100, "args": (0.25,)}
    ours = minimize(shifted, START, **options)
    assert blocks
    assert_same(ours, minimize(lambda x, by: shifted(x, by), START, **options))


def test_an_error_of_the_function_is_told_as_ever(blocks):
    options = {"method": "adam:lr=0.005", "jac": True, "maxiter": 1000}
    ours = minimize(fails_far_away, START, **options)
    assert (0, False) in blocks
    assert ours.status == Status.FAILED.number
    assert "ValueError: too far" in ours.message
    assert_same(ours, minimize(lambda x: fails_far_away(x), START, **options))


def test_it_is_resumed_and_resumes_to_the_bit(blocks):
    options = {"method": "adam:lr=cosine(0.05,steps=150)", "jac": True, "gtol": 0.0}
    whole = minimize(ordinary, START, maxiter=120, **options)
    half = minimize(valley, START, maxiter=60, **options)
    assert_same(minimize(ordinary, START, maxiter=60, resume=half, **options), whole)
    assert_same(minimize(valley, START, maxiter=60, resume=half, **options), whole)
    assert len(blocks) > 4


@pytest.mark.parametrize(
    "more",
    [
        {"callback": lambda xk: None},
        {"keep_x": True},
        {"bounds": [(-2, 2)] * 3},
        {"patience": 500},
        {"method": "lbfgs"},
        {"method": "dog"},
        {"method": dd.chain(dd.clip_norm(1.0), dd.adam(lr=0.01))},
        {"method": "schedule_free_sgd:lr=0.001"},
    ],
)
def test_what_it_cannot_do_runs_as_ever(more, blocks):
    r = minimize(valley, START, **{"method": "adam:lr=0.01", "jac": True, "maxiter": 40, **more})
    assert blocks == []
    assert r.nit > 5


@numba.njit
def shrinks(x):
    if x[0] < 0.88:
        return x[0] ** 2, np.zeros(1)
    return (x**2).sum(), 2 * x


def test_a_gradient_of_another_size_is_refused_as_ever(blocks):
    options = {"method": "adam:lr=0.001", "jac": True, "maxiter": 1000, "gtol": 0.0}
    ours = minimize(shrinks, [1.0, 2.0, 3.0], **options)
    assert blocks[-1][1]  # the steps before it, again
    assert (n := ours.nit) > 100
    assert ours.status == Status.FAILED.number
    assert f"At call {n + 2} of " in ours.message
    assert_same(ours, minimize(lambda x: shrinks(x), [1.0, 2.0, 3.0], **options))


@numba.njit
def hole(x, value, slope):
    f, g = valley(x)
    if x[0] > -0.9:
        return value, g * slope
    return f, g


@pytest.mark.parametrize(
    ("value", "slope"),
    [(np.nan, np.nan), (np.nan, 1.0), (np.inf, 1.0), (-np.inf, 1.0), (1.0, np.inf), (1.0, 1e200)],
)
def test_the_first_value_that_is_not_finite_ends_it_as_ever(value, slope, blocks):
    options = {"method": "adam:lr=0.005", "jac": True, "maxiter": 1000, "args": (value, slope)}
    ours = minimize(hole, START, **options)
    theirs = minimize(lambda x, v, s: hole(x, v, s), START, **options)
    assert blocks
    assert not ours.success
    assert len(ours.history) == len(theirs.history)
    for name in ("nit", "nfev", "status", "message"):
        assert ours[name] == theirs[name]
    for name in ("fun", "grad_norm", "nfev"):
        np.testing.assert_array_equal(ours.history[name], theirs.history[name])
    assert ours.x.tobytes() == theirs.x.tobytes()


@numba.njit
def slow(x):
    s = 0.0
    for i in range(2_000_000):
        s += math.sin(x[0] + i)
    return (x**2).sum() + 1e-300 * s, 2 * x


def test_the_clock_is_heard_where_each_call_is_slow(blocks):
    options = {"method": "adam:lr=1e-4", "jac": True, "gtol": 0.0}
    minimize(slow, START, maxiter=12, **options)  # compiles
    blocks.clear()
    r = minimize(slow, START, maxiter=10**6, maxtime=0.3, **options)
    assert r.status == Status.MAXTIME.number
    assert blocks[0] == (1, True)
    assert r.nfev == r.nit + 1
    # a call takes some 0.03 s, and a block of 64 of them would take 2; the rest is a busy machine's
    assert r.history.time[-1] < 1.0


def test_the_clock_is_heard(blocks):
    r = minimize(
        valley, START, method="adam:lr=1e-9", jac=True, maxiter=10**9, maxtime=1.5, gtol=0.0
    )
    assert blocks
    assert r.status in {Status.MAXTIME.number, Status.ROUNDOFF.number}
    assert len(r.history) == r.nit + 1 == r.nfev
    assert (np.diff(r.history.time) >= 0).all()


def test_blocks_are_as_long_as_the_measured_pace_affords():
    size = whole_loop._next_size
    assert size(1, 0.072, 10.0) == 1
    assert size(4, 0.004, 10.0) == 20  # 0.02 s at 0.001 s a step
    assert size(4, 0.004, 0.005) == 5
    assert size(4, 1e-6, 10.0) == 32
    assert size(60, 1.2, 10.0) == 1


def test_nothing_is_compiled_for_the_last_seconds(blocks, monkeypatch):
    monkeypatch.setattr(whole_loop, "_COMPILING", 100.0)
    r = minimize(
        valley, START, args=(), method="adamax:lr=1e-4", jac=True, maxiter=50, maxtime=50.0
    )
    assert (blocks, r.nit) == ([], 50)
