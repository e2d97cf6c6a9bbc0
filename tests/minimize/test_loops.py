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
    monkeypatch.setattr(driven_loop, "COMPILE_AFTER", 0)
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


def assert_same(ours, theirs, *, resumed=False):
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
    assert resumed or ours.message == theirs.message  # which counts what this call spent
    assert ours.fun == ours.history.fun.min()
    assert 0 <= ours.history.time[0] <= ours.history.time[-1] < 100
    assert (np.diff(ours.history.time) >= 0).all()


RULES = [
    "adam:lr=0.01",
    "adam:lr=cosine(0.05,steps=400,warmup=20)",
    "nadam:lr=0.01",
    "lion:lr=0.001",
    "momentum:lr=0.001",
    "clip_value:max_value=1.0 > rmsprop:lr=0.01",
    "adam:lr=0.1 @ *:lr=cosine(0.05,steps=400)",
    "adam:lr=0.01,beta2=0.0",
    "cocob",
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
    assert sum(lengths) > 10
    assert ours.status == status.number
    assert_same(ours, minimize_as_ever(valley, START, **options))


def test_steps_of_rounding_alone_end_it_where_they_end_the_ordinary_one(way):
    given, lengths = way
    options = {"method": "adam:lr=0.2", "jac": True, "maxiter": 4000, "gtol": 0.0}
    ours = minimize(given(valley), START, **options)
    theirs = minimize_as_ever(valley, START, **options)
    assert sum(lengths) > 10
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
    assert sum(lengths) > 10
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
    for go_on in (
        minimize_as_ever(valley, START, maxiter=60, resume=half, **options),
        minimize(given(valley), START, maxiter=60, resume=half, **options),
    ):
        assert_same(go_on, whole, resumed=True)
    assert len(lengths) > 4


def test_a_run_that_an_evaluation_ended_goes_on_from_there(way):
    given, _ = way
    options = {"method": "adam:lr=cosine(0.05,steps=150)", "jac": True, "gtol": 0.0}
    half = minimize(given(valley), START, maxfev=60, **options)
    assert half.status == Status.MAXFEV.number
    whole = minimize_as_ever(valley, START, maxiter=120, **options)
    left = 120 - half.nit
    for go_on in (
        minimize_as_ever(valley, START, maxiter=left, resume=half, **options),
        minimize(given(valley), START, maxiter=left, resume=half, **options),
    ):
        assert_same(go_on, whole, resumed=True)


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
        {"scale": [2.0, 4.0, 0.5]},
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
def resizes(x, size):
    if x[0] < 0.88:
        return x[0] ** 2, np.ones(size)
    return (x**2).sum(), 2 * x


@pytest.mark.parametrize("size", [1, 4])
def test_a_gradient_of_another_size_is_refused_as_ever(size, way):
    given, lengths = way
    options = {"method": "adam:lr=0.001", "jac": True, "maxiter": 1000, "gtol": 0.0}
    ours = minimize(given(resizes), [1.0, 2.0, 3.0], args=(size,), **options)
    assert sum(lengths) > 100
    assert (n := ours.nit) > 100
    assert ours.status == Status.FAILED.number
    assert f"At call {n + 2} of " in ours.message
    theirs = minimize_as_ever(resizes, [1.0, 2.0, 3.0], args=(size,), **options)
    assert_same(ours, theirs)


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


@pytest.mark.parametrize("given", [interpreted, lambda fun: fun])
def test_a_schedule_that_fails_fails_when_its_step_is_due(given, blocks):
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
    assert sum(blocks[DrivenLoop]) > 60
    assert blocks[WholeLoop] == []  # it would ask ahead


@pytest.mark.parametrize("rule", ["adam:lr=0.01", "sgd:lr=0.001", "adagrad:lr=0.1"])
@pytest.mark.parametrize("n", [1, 64, 65, 1000, 8192, 8193])
def test_every_size_has_the_bits_of_the_ordinary_way(rule, n, blocks):
    scale = np.geomspace(1, 50, n)

    def bowl(x):
        g = scale * x
        return float(x @ g) / 2, g

    options = {"method": rule, "jac": True, "maxiter": 30, "gtol": 0.0}
    ours = minimize(bowl, np.ones(n), **options)
    assert sum(blocks[DrivenLoop]) == (30 if n <= 8192 else 0)
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


def test_a_step_that_rests_without_an_lr_is_judged_as_ever(way):
    given, lengths = way
    options = {"method": "cocob", "jac": True, "maxiter": 400, "gtol": 0.0}
    ours = minimize(given(above_one), [1.0, 2.0], **options)
    theirs = minimize_as_ever(above_one, [1.0, 2.0], **options)
    assert sum(lengths) > 10
    assert (ours.nit, ours.status) == (theirs.nit, theirs.status)
    assert ours.status == Status.ROUNDOFF.number


@numba.njit
def above_one(x):
    return (x * x).sum() + 1.0, 2.0 * x


def test_ftol_is_met_where_the_quotient_meets_it(blocks):
    high, low = 440.62439470923204, 440.1837703145228
    assert (high - low) / high <= 1e-3 < (high - low) / (1e-3 * high) * 1e-3 + 1e-18

    def scripted():
        values = iter([2000.0, 1500.0, high, low, *(low - 10.0 * k for k in range(1, 100))])
        return lambda x: (next(values), np.array([1.0, 2.0]))

    options = {"method": "sgd:lr=0.01", "jac": True, "ftol": 1e-3, "gtol": 0.0, "maxiter": 30}
    ours = minimize(scripted(), [1.0, 1.0], **options)
    theirs = minimize(scripted(), [1.0, 1.0], callback=lambda xk: None, **options)
    assert blocks[DrivenLoop]
    assert (ours.nit, ours.status) == (theirs.nit, theirs.status) == (3, Status.FUNCTION.number)


def test_a_schedule_is_read_when_its_step_is_due(way):
    given, lengths = way

    def run(minimizer, fun):
        lr, seen = dd.plateau(0.1, factor=0.5, patience=2), []

        def observed(x):
            f, g = fun(x)
            lr.observe(f)
            seen.append(f)
            return f, g

        minimizer(observed, START, method=dd.adam(lr=lr), jac=True, gtol=0.0, maxiter=100)
        return seen

    assert run(minimize, valley) == run(
        lambda *a, **k: minimize(*a, callback=lambda xk: None, **k), valley
    )
    # a function of one's own may look at the run: it is never asked ahead in the whole loop
    asked = []

    def schedule(t):
        asked.append(t)
        return 0.01

    minimize(given(valley), START, method=dd.adam(lr=schedule), jac=True, gtol=0.0, maxiter=60)
    assert len(asked) < 200
    assert max(asked) <= 61


def test_a_function_that_sees_a_matrix_gets_a_matrix(blocks):
    options = {"method": "adam:lr=0.01", "jac": True, "gtol": 0.0, "maxiter": 60}
    start = np.arange(1.0, 7.0).reshape(2, 3)
    ours = minimize(rows_count, start, **options)
    assert sum(blocks[DrivenLoop]) == 60
    assert blocks[WholeLoop] == []
    assert_same(ours, minimize_as_ever(rows_count, start, **options))


@numba.njit
def rows_count(x):
    return (x * x).sum() * x.shape[0], (2.0 * x * x.shape[0]).ravel()


@numba.njit
def flaky(x, calls):
    calls[0] += 1
    if calls[0] == 50:
        raise ValueError("flaky")
    f, g = valley(x)
    return f + (100.0 if calls[0] > 50 else 0.0), g


@pytest.mark.parametrize("rule", ["adam:lr=0.01", "nadam:lr=0.01"])
def test_what_one_loop_did_is_known_to_the_other(rule, blocks):
    options = {"method": rule, "jac": True, "gtol": 0.0}
    ours = minimize(flaky, START, args=(np.zeros(1),), maxiter=80, **options)
    assert all(sum(lengths) > 5 for lengths in blocks.values())
    assert ours.nit == 80
    assert ours.fun == valley(ours.x)[0]
    # the call that failed was made again: the path is that of a run where none did
    theirs = minimize_as_ever(valley, START, maxiter=80, **options)
    assert ours.history.grad_norm.tolist() == theirs.history.grad_norm.tolist()
    half = minimize(valley, START, maxfev=60, **options)
    left = minimize_as_ever(valley, START, resume=half, maxiter=80 - half.nit, **options)
    assert left.history.fun.tolist() == theirs.history.fun.tolist()


def test_a_loop_that_is_interrupted_leaves_a_run_that_can_go_on(monkeypatch):
    options = {"method": "adam:lr=0.01", "jac": True, "gtol": 0.0}
    minimize(valley, START, maxiter=40, **options)
    arguments, taken = WholeLoop._arguments, []

    def interrupted(self, block):
        taken.append(arguments(self, block))
        if len(taken) == 4:
            self._loop(*taken[-1])
            raise KeyboardInterrupt  # as a signal that came during the loop does, right after it
        return taken[-1]

    monkeypatch.setattr(WholeLoop, "_arguments", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        minimize(valley, START, maxiter=400, **options)
    half = caught.value.result
    assert half.nit > 4
    left = minimize_as_ever(valley, START, resume=half, maxiter=400 - half.nit, **options)
    theirs = minimize_as_ever(valley, START, maxiter=400, **options)
    assert left.x.tobytes() == theirs.x.tobytes()
    assert left.history.fun.tolist() == theirs.history.fun.tolist()


def test_code_that_the_compiler_does_not_know_runs_as_ever(blocks, monkeypatch):
    monkeypatch.setattr(driven_loop, "source_of", lambda *_: "def kernel(memory):\n    unknown()")
    options = {"method": "adam:lr=0.01", "jac": True, "maxiter": 30, "gtol": 0.0}
    ours = minimize(interpreted(valley), START, **options)
    assert blocks[DrivenLoop] == []
    assert ours.nit == 30


def test_nothing_is_compiled_for_a_short_run(blocks, monkeypatch):
    monkeypatch.setattr(driven_loop.kernels, "find", lambda *_, **__: None)
    monkeypatch.setattr(driven_loop, "COMPILE_AFTER", 20)
    options = {"method": "adam:lr=0.01", "jac": True, "gtol": 0.0}
    minimize(interpreted(valley), START, maxiter=20, **options)
    assert blocks[DrivenLoop] == []
    minimize(interpreted(valley), START, maxiter=40, maxtime=1.0, **options)
    assert blocks[DrivenLoop] == []
    minimize(interpreted(valley), START, maxiter=40, **options)
    assert sum(blocks[DrivenLoop]) == 20


@pytest.mark.parametrize("seed", range(20))
def test_what_may_end_a_run_ends_a_block(seed):
    """Random values of f and gradients near every threshold: both ways end at the same iteration, for the same reason."""
    rng = np.random.default_rng(seed)
    flat = rng.random(200) < 0.6
    values = 10 + np.cumsum(
        np.where(flat, rng.choice([0, 1e-15, -1e-15], 200), rng.normal(size=200))
    )
    slopes = 10.0 ** rng.uniform(-6, 2, 200)

    def scripted():
        rows = iter(zip(values.tolist(), slopes.tolist(), strict=True))

        def fun(x):
            f, slope = next(rows)
            return f, np.array([slope, -slope / 2])

        return fun

    options = {"method": "sgd:lr=1e-3", "jac": True, "maxiter": 150}
    options |= {"gtol": 10.0 ** rng.uniform(-7, -4), "options": {"hits": int(rng.integers(1, 4))}}
    options |= {"ftol": 10.0 ** rng.uniform(-16, -3)} if seed % 2 else {"target": 3.0}
    ours = minimize(scripted(), [1.0, 1.0], **options)
    theirs = minimize(scripted(), [1.0, 1.0], callback=lambda xk: None, **options)
    assert_same(ours, theirs)
