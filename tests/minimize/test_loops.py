"""The compiled loops have the bits of the ordinary way, end where it ends, and can be resumed by it."""

import math

import numpy as np
import pytest

import descend as dd
from descend._minimize import driven_loop, whole_loop
from descend._minimize.driven_loop import DrivenLoop
from descend._minimize.driver import minimize
from descend._minimize.whole_loop import WholeLoop
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


def interpreted(fun):
    """The function as Python's, which the whole loop cannot hold."""
    return lambda x, *args: fun(x, *args)


def minimize_as_ever(fun, start, **options):
    """A run in the ordinary way: a callback is called after every iteration."""
    return minimize(interpreted(fun), start, **{"callback": lambda xk: None, **options})


@pytest.fixture(autouse=True)
def early(monkeypatch):
    """The whole loop takes over after ten iterations, in small blocks."""
    monkeypatch.setattr(whole_loop, "COMPILE_AFTER", 10)
    monkeypatch.setattr(driven_loop, "_STEPS", 10)
    monkeypatch.setattr(whole_loop, "_MOST", 64)
    monkeypatch.setattr(whole_loop, "_COMPILING", 0.0)


@pytest.fixture
def blocks(monkeypatch):
    """How many steps each block of a loop took."""
    taken = {WholeLoop: [], DrivenLoop: []}

    def watch(loop):
        descend = loop.descend

        def counted(self, run):
            before = run.done
            try:
                return descend(self, run)
            finally:
                taken[loop].append(run.done - before)

        monkeypatch.setattr(loop, "descend", counted)

    watch(WholeLoop)
    watch(DrivenLoop)
    return taken


@pytest.fixture(params=[WholeLoop, DrivenLoop])
def way(request, blocks):
    """Each loop: how a function is given to it, and the lengths of its blocks."""
    given = {WholeLoop: lambda fun: fun, DrivenLoop: interpreted}[request.param]
    return given, blocks[request.param]


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
    "adam:lr=0.1 @ *:lr=cosine(0.05,steps=400)",
]


@pytest.mark.parametrize("rule", RULES)
def test_a_run_has_the_bits_of_the_ordinary_one(rule, way):
    given, lengths = way
    options = {"method": rule, "jac": True, "maxiter": 200, "gtol": 0.0}
    ours = minimize(given(valley), START, **options)
    assert sum(lengths) >= ours.nit - 10
    assert_same(ours, minimize_as_ever(valley, START, **options))


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"gtol": 1e-3}, Status.GRADIENT),
        ({"gtol": 1e-3, "options": {"hits": 3}}, Status.GRADIENT),
        ({"target": 1e-3}, Status.TARGET),
        ({"ftol": 1e-5}, Status.FUNCTION),
        ({"ftol": 1e-5, "options": {"hits": 4}}, Status.FUNCTION),
        ({"maxiter": 55}, Status.MAXITER),
        ({"maxfev": 60}, Status.MAXFEV),
    ],
)
def test_every_measure_ends_it_where_it_ends_the_ordinary_one(limits, status, way):
    given, lengths = way
    options = {"method": "adam:lr=0.02", "jac": True, "maxiter": 4000, "gtol": 0.0, **limits}
    ours = minimize(given(valley), START, **options)
    assert lengths
    assert ours.status == status.number
    assert_same(ours, minimize_as_ever(valley, START, **options))


def test_steps_of_rounding_alone_end_it_where_they_end_the_ordinary_one(way):
    given, lengths = way
    options = {"method": "adam:lr=0.2", "jac": True, "maxiter": 4000, "gtol": 0.0}
    ours = minimize(given(valley), START, **options)
    theirs = minimize_as_ever(valley, START, **options)
    assert lengths
    assert ours.status == theirs.status == Status.ROUNDOFF.number
    # a step that leaves x where it was is a call of the function in the whole loop alone
    assert ours.nit == theirs.nit
    assert ours.x.tobytes() == theirs.x.tobytes()


def test_a_run_that_diverges_ends_with_the_best_point(way, monkeypatch):
    monkeypatch.setattr(whole_loop, "COMPILE_AFTER", 2)
    monkeypatch.setattr(driven_loop, "_STEPS", 2)
    given, lengths = way
    options = {"method": "sgd:lr=0.2", "jac": True, "maxiter": 1000}
    start = np.array([0.1, 0.0, 0.5])
    ours = minimize(given(valley), start, **options)
    assert lengths
    assert ours.status == Status.DIVERGED.number
    assert ours.fun == valley(ours.x)[0]
    assert_same(ours, minimize_as_ever(valley, start, **options))


def test_arguments_arrive_and_a_changed_x_does_no_harm(way):
    given, lengths = way
    options = {"method": "adam:lr=0.01", "jac": True, "maxiter": 100, "args": (0.25,)}
    ours = minimize(given(shifted), START, **options)
    assert lengths
    assert_same(ours, minimize_as_ever(shifted, START, **options))


def test_an_error_of_the_function_is_told_as_ever(way):
    given, lengths = way
    options = {"method": "adam:lr=0.005", "jac": True, "maxiter": 1000}
    ours = minimize(given(fails_far_away), START, **options)
    assert sum(lengths) > 10
    assert ours.status == Status.FAILED.number
    assert "ValueError: too far" in ours.message
    theirs = minimize_as_ever(fails_far_away, START, **options)
    assert ours.message == theirs.message
    assert_same(ours, theirs)


def test_it_is_resumed_and_resumes_to_the_bit(way):
    given, lengths = way
    options = {"method": "adam:lr=cosine(0.05,steps=150)", "jac": True, "gtol": 0.0}
    whole = minimize_as_ever(valley, START, maxiter=120, **options)
    half = minimize(given(valley), START, maxiter=60, **options)
    assert_same(minimize_as_ever(valley, START, maxiter=60, resume=half, **options), whole)
    assert_same(minimize(given(valley), START, maxiter=60, resume=half, **options), whole)
    assert len(lengths) > 4


def test_a_run_that_an_evaluation_ended_goes_on_from_there(way):
    given, _ = way
    options = {"method": "adam:lr=cosine(0.05,steps=150)", "jac": True, "gtol": 0.0}
    half = minimize(given(valley), START, maxfev=60, **options)
    assert half.status == Status.MAXFEV.number
    whole = minimize_as_ever(valley, START, maxiter=120, **options)
    left = 120 - half.nit
    assert_same(minimize(given(valley), START, maxiter=left, resume=half, **options), whole)
    assert_same(minimize_as_ever(valley, START, maxiter=left, resume=half, **options), whole)


def test_an_interrupted_run_can_be_resumed_to_the_bit(blocks):
    calls = []

    def interrupted(x):
        calls.append(x)
        if len(calls) == 33:
            raise KeyboardInterrupt
        return valley(x)

    options = {"method": "adam:lr=0.01", "jac": True, "gtol": 0.0}
    with pytest.raises(KeyboardInterrupt) as caught:
        minimize(interrupted, START, maxiter=100, **options)
    half = caught.value.result
    assert half.nit == sum(blocks[DrivenLoop]) == 31
    ours = minimize(interrupted, START, maxiter=100 - half.nit, resume=half, **options)
    theirs = minimize_as_ever(valley, START, maxiter=100, **options)
    assert ours.x.tobytes() == theirs.x.tobytes()
    np.testing.assert_array_equal(ours.history.fun, theirs.history.fun)


def test_gradients_by_differences_are_driven_too(blocks):
    options = {"method": "adam:lr=0.01", "maxiter": 100, "gtol": 0.0, "jac": "3-point"}
    ours = minimize(lambda x: valley(x)[0], START, **options)
    assert sum(blocks[DrivenLoop]) == 100
    theirs = minimize(lambda x: valley(x)[0], START, callback=lambda xk: None, **options)
    assert_same(ours, theirs)
    assert ours.history.nfev[-1] == ours.nfev == 101 * 7


@pytest.mark.parametrize(
    "more",
    [
        {"callback": lambda xk: None},
        {"keep_x": True},
        {"bounds": [(-2, 2)] * 3},
        {"patience": 500},
        {"xtol": 1e-12},
        {"method": "lbfgs"},
        {"method": "dog"},
        {"method": dd.chain(dd.clip_norm(1.0), dd.adam(lr=0.01))},
        {"method": "accumulate:steps=2 > sgd:lr=0.001"},
        {"method": "schedule_free_sgd:lr=0.001"},
    ],
)
def test_what_they_cannot_do_runs_as_ever(more, blocks):
    r = minimize(valley, START, **{"method": "adam:lr=0.01", "jac": True, "maxiter": 40, **more})
    assert blocks == {WholeLoop: [], DrivenLoop: []}
    assert r.nit > 5


@numba.njit
def shrinks(x):
    if x[0] < 0.88:
        return x[0] ** 2, np.zeros(1)
    return (x**2).sum(), 2 * x


def test_a_gradient_of_another_size_is_refused_as_ever(way):
    given, lengths = way
    options = {"method": "adam:lr=0.001", "jac": True, "maxiter": 1000, "gtol": 0.0}
    ours = minimize(given(shrinks), [1.0, 2.0, 3.0], **options)
    assert lengths
    assert (n := ours.nit) > 100
    assert ours.status == Status.FAILED.number
    assert f"At call {n + 2} of " in ours.message
    assert_same(ours, minimize_as_ever(shrinks, [1.0, 2.0, 3.0], **options))


@numba.njit
def hole(x, value, slope):
    f, g = valley(x)
    if -0.9 < x[0] < -0.88:
        return value, g * slope
    return f, g


@pytest.mark.parametrize(
    ("value", "slope"),
    [(np.nan, np.nan), (np.nan, 1.0), (np.inf, 1.0), (-np.inf, 1.0), (1.0, np.inf), (1.0, 1e200)],
)
def test_the_first_value_that_is_not_finite_ends_it_as_ever(value, slope, way):
    given, lengths = way
    options = {"method": "adam:lr=0.005", "jac": True, "maxiter": 1000, "args": (value, slope)}
    ours = minimize(given(hole), START, **options)
    theirs = minimize_as_ever(hole, START, **options)
    assert sum(lengths) > 10
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
    blocks[WholeLoop].clear()
    r = minimize(slow, START, maxiter=10**6, maxtime=0.3, **options)
    assert r.status == Status.MAXTIME.number
    assert blocks[WholeLoop][0] == 1
    assert r.nfev == r.nit + 1
    # a call takes some 0.03 s, and a block of 64 of them would take 2; the rest is a busy machine's
    assert r.history.time[-1] < 1.0


def test_the_clock_is_heard(blocks):
    r = minimize(
        valley, START, method="adam:lr=1e-9", jac=True, maxiter=10**9, maxtime=1.5, gtol=0.0
    )
    assert blocks[WholeLoop]
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
    assert (blocks[WholeLoop], r.nit) == ([], 50)


def test_a_schedule_that_fails_fails_when_its_step_is_due(way):
    given, lengths = way
    asked = []

    def schedule(t):
        asked.append(t)
        if t > 40:
            raise RuntimeError("no such step")
        return 0.01

    options = {"method": dd.adam(lr=schedule), "jac": True, "gtol": 0.0}
    ours = minimize(given(valley), START, maxiter=40, **options)
    assert ours.nit == 40
    assert_same(ours, minimize_as_ever(valley, START, maxiter=40, **options))
    with pytest.raises(RuntimeError, match="no such step") as caught:
        minimize(given(valley), START, maxiter=50, **options)
    assert caught.value.result.nit == 40
    assert sum(lengths) >= 60


@pytest.mark.parametrize("rule", ["adam:lr=0.01", "sgd:lr=0.001", "adagrad:lr=0.1"])
@pytest.mark.parametrize("n", [1, 64, 65, 1000, 8192])
def test_every_size_has_the_bits_of_the_ordinary_way(rule, n, blocks):
    scale = np.geomspace(1, 50, n)

    def bowl(x):
        g = scale * x
        return float(x @ g) / 2, g

    options = {"method": rule, "jac": True, "maxiter": 30, "gtol": 0.0}
    ours = minimize(bowl, np.ones(n), **options)
    assert sum(blocks[DrivenLoop]) == 30
    theirs = minimize(bowl, np.ones(n), callback=lambda xk: None, **options)
    assert ours.x.tobytes() == theirs.x.tobytes()
    for name in ("fun", "grad_norm"):
        np.testing.assert_array_equal(ours.history[name], theirs.history[name])
    for name in ("ss", "sy", "yy"):  # sums of n terms in another order
        np.testing.assert_allclose(ours.history[name], theirs.history[name], rtol=n * 1e-15)


@pytest.mark.parametrize("kind", ["torch", "jax"])
def test_frameworks_are_driven_by_their_own_gradients(kind, blocks):
    framework = pytest.importorskip({"torch": "torch", "jax": "jax.numpy"}[kind])
    start = framework.asarray([-1.2, 1.0, 0.7])

    def fun(x):
        return (x**2).sum() + (x[0] * x[1] - 1) ** 2

    options = {"method": "adam:lr=0.01", "maxiter": 60, "gtol": 0.0}
    ours = minimize(fun, start, **options)
    assert sum(blocks[DrivenLoop]) == 60
    theirs = minimize(fun, start, callback=lambda xk: None, **options)
    assert type(ours.x) is type(start)
    np.testing.assert_array_equal(np.asarray(ours.x), np.asarray(theirs.x))
    np.testing.assert_array_equal(ours.history.fun, theirs.history.fun)
