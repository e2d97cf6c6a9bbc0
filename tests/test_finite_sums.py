"""Finite-sum methods against their papers' boxes in fractions, and against what the papers prove."""

import copy
import itertools
from fractions import Fraction as F

import numpy as np
import pytest

import descend as dd
from descend.errors import CheckpointError, HyperparameterError, ProblemError, ShapeError
from descend.finite_sums._sum import Residuals
from descend.losses import get_loss
from descend.models import get_model

METHODS = [dd.SVRG, dd.LSVRG, dd.SARAH, dd.SAG, dd.SAGA]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)

# two rows in one unknown: f₁' = x − 1, f₂' = x/2 + 2; binary fractions throughout, so float64 steps without rounding
SLOPES, SHIFTS = [F(1), F(1, 2)], [F(1), F(-2)]
LR, START = F(1, 4), F(3)


def term(x, i):
    return SLOPES[i] * x - SHIFTS[i]


def mean(values):
    return sum(values) / len(values)


def two_rows(calls=None):
    def gradient(x, rows):
        if calls is not None:
            calls.append(rows.tolist())
        return np.array(float(mean([term(F(float(x)), i) for i in rows])))

    return dd.FiniteSum(gradient, n=2)


def svrg_paper(tape, inner):
    """Procedure SVRG: w̃, μ̃ = mean of ∇ψᵢ(w̃); for t = 1…m: w = w − η (∇ψᵢ(w) − ∇ψᵢ(w̃) + μ̃); then w̃ = w."""
    w = START
    for t, i in enumerate(tape):
        if t % inner == 0:
            snapshot, mu = w, mean([term(w, 0), term(w, 1)])
        w = w - LR * (term(w, i) - term(snapshot, i) + mu)
        yield w


def sarah_paper(tape, inner):
    """Algorithm 1: v₀ = ∇P(w₀), w₁ = w₀ − η v₀; for t = 1…m − 1: v = ∇fᵢ(w) − ∇fᵢ(w before) + v, w = w − η v."""
    w, before, tape = START, START, iter(tape)
    for t in itertools.count():
        if t % inner == 0:
            v = mean([term(w, 0), term(w, 1)])
        else:
            i = next(tape, None)
            if i is None:
                return
            v = term(w, i) - term(before, i) + v
        before, w = w, w - LR * v
        yield w


def sag_paper(tape):
    """Algorithm 1: d = 0, yᵢ = 0; d = d − yᵢ + fᵢ'(x), yᵢ = fᵢ'(x), x = x − (α / n) d."""
    x, d, y = START, F(0), [F(0), F(0)]
    for i in tape:
        d = d - y[i] + term(x, i)
        y[i] = term(x, i)
        x = x - LR / 2 * d
        yield x


def saga_paper(tape):
    """Equation 1: x = x − γ (fⱼ'(φⱼ new) − fⱼ'(φⱼ) + mean of fᵢ'(φᵢ)) with φᵢ = x⁰ at first."""
    x, phi = START, [START, START]
    for i in tape:
        step = term(x, i) - term(phi[i], i) + mean([term(phi[0], 0), term(phi[1], 1)])
        phi[i], x = x, x - LR * step
        yield x


def run(method, finite_sum, steps, **settings):
    """x after each step."""
    made = method(finite_sum, np.array(float(START)), lr=float(LR), seed=5, **settings)
    trace = []
    for _ in range(steps):
        made.step()
        trace.append(F(float(made.x)))
    return made, trace


def test_svrg_follows_its_paper():
    calls = []
    made, trace = run(dd.SVRG, two_rows(calls), 6, inner=3)
    assert [len(rows) for rows in calls] == [2, 1, 1, 1, 1, 1, 1] * 2
    drawn = [rows[0] for rows in calls if len(rows) == 1][
        ::2
    ]  # each row at x, then at the snapshot
    assert set(drawn) == {0, 1}
    assert trace == list(svrg_paper(drawn, 3))
    assert made.evaluations == 2 * (2 + 3 * 2)
    assert (
        made.state["mean"]
        == term(F(float(made.state["snapshot"])), 0) / 2
        + term(F(float(made.state["snapshot"])), 1) / 2
    )


def test_loopless_svrg_follows_its_paper():
    calls = []
    made, trace = run(dd.LSVRG, two_rows(calls), 8, probability=0.5)
    # a full pass after a step's two calls is a snapshot at the x before that step
    w = x = START
    expected, calls_left = [], iter(calls[1:])
    pending = next(calls_left)
    while pending is not None:
        (i,) = pending
        assert next(calls_left) == [i]
        after = x - LR * (term(x, i) - term(w, i) + mean([term(w, 0), term(w, 1)]))
        pending = next(calls_left, None)
        if pending is not None and len(pending) == 2:
            w, pending = x, next(calls_left, None)
        x = after
        expected.append(x)
    assert trace == expected
    full = sum(len(rows) == 2 for rows in calls)
    assert 1 < full < 9
    assert made.evaluations == 2 * full + 2 * 8


def test_sarah_follows_its_paper():
    calls = []
    made, trace = run(dd.SARAH, two_rows(calls), 6, inner=3)
    assert [len(rows) for rows in calls] == [2, 1, 1, 1, 1] * 2
    drawn = [rows[0] for rows in calls if len(rows) == 1][::2]
    assert trace == list(itertools.islice(sarah_paper(drawn, 3), 6))
    assert made.evaluations == 2 * (2 + 2 * 2)


def test_sag_follows_its_paper():
    calls = []
    made, trace = run(dd.SAG, two_rows(calls), 8)
    assert trace == list(sag_paper([rows[0] for rows in calls]))
    assert made.evaluations == 8


def test_saga_follows_its_paper():
    calls = []
    made, trace = run(dd.SAGA, two_rows(calls), 8)
    # the first step draws, begins its table and counts the row once more
    assert len(calls) == 2 + 8
    drawn = [rows[0] for rows in (calls[0], *calls[3:])]
    assert trace == list(saga_paper(drawn))
    assert made.evaluations == 2 + 8


N, D = 40, 4


def least_squares():
    """A strongly convex least squares with residuals at its minimum: the gradients of rows do not vanish there."""
    rng = np.random.default_rng(3)
    A, b = rng.standard_normal((N, D)), rng.standard_normal(N)

    def gradient(x, rows):
        return A[rows].T @ (A[rows] @ x - b[rows]) / len(rows)

    best = np.linalg.lstsq(A, b, rcond=None)[0]
    return dd.FiniteSum(gradient, n=N), best, np.max(np.sum(A**2, axis=1))


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("method", [dd.SVRG, dd.LSVRG, dd.SAGA], ids=lambda m: m.name)
def test_directions_are_unbiased(method, batch_size):
    """The mean direction over every set of rows is the gradient; it is read off a step with lr 1, 1e-14 for its rounding."""
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((5, 3)), rng.standard_normal(5)
    f = dd.FiniteSum(lambda x, rows: A[rows].T @ (A[rows] @ x - b[rows]) / len(rows), n=5)
    made = method(f, rng.standard_normal(3), lr=0.02, batch_size=batch_size, seed=1)
    for _ in range(7):  # away from the snapshot, and a table of several ages
        made.step()
    full = f.gradient(made.x, np.arange(5))
    directions = []
    for rows in itertools.combinations(range(5), batch_size):
        one = copy.copy(made)
        one._draw = lambda rows=rows: np.array(rows)
        directions.append(one._advance()[0])
    assert np.ptp(directions, axis=0).min() > 1e-3
    np.testing.assert_allclose(np.mean(directions, axis=0), full, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("method", [dd.SAG, dd.SAGA], ids=lambda m: m.name)
def test_the_mean_is_that_of_the_table(method, batch_size):
    f, _, largest = least_squares()
    made = method(f, np.zeros(D), lr=0.1 / largest, batch_size=batch_size)
    for _ in range(N + 9):
        made.step()
        if made.t % N == 0:  # taken anew: no rounding adds up over a long run
            assert made.state["mean"].tolist() == made.state["table"].mean(axis=0).tolist()
        # at most n updates since it was last taken anew, one rounding of 1e-16 each
        np.testing.assert_allclose(
            made.state["mean"], made.state["table"].mean(axis=0), rtol=1e-13, atol=1e-13
        )


@every_method
def test_methods_converge_linearly_where_sgd_stalls(method):
    f, best, largest = least_squares()
    lr = 1 / (3 * largest)  # SAGA's; within the others' bounds or what their papers run
    made = method(f, np.zeros(D), lr=lr, seed=2)
    errors = []
    for _ in range(6):
        for _ in range(25 * N):
            made.step()
        errors.append(np.linalg.norm(made.x - best))
    assert errors[-1] < 1e-10
    ratios = [b / a for a, b in itertools.pairwise([np.linalg.norm(best), *errors]) if b > 1e-13]
    assert max(ratios) < 0.2
    x, rng = np.zeros(D), np.random.default_rng(2)
    stepper = dd.Stepper(dd.sgd(lr=lr), x)
    nearest = np.inf
    for t in range(6 * 25 * N):
        stepper.step(f.gradient(x, rng.integers(N, size=1)))
        nearest = min(nearest, np.linalg.norm(x - best)) if t > 3 * 25 * N else nearest
    assert nearest > 1e-4


@every_method
@pytest.mark.parametrize(
    "rule",
    [
        dd.momentum(lr=0.01),
        dd.adam(lr=dd.cosine(0.1, steps=50)),
        dd.chain(dd.clip_norm(0.5), dd.schedule_free_sgd(lr=0.1)),
    ],
    ids=lambda r: r.name,
)
def test_a_resumed_run_goes_on_bit_for_bit(method, rule, tmp_path):
    f, _, _ = least_squares()
    for steps in (0, 1, 13):
        made = method(f, np.linspace(-1, 1, D), rule=rule, batch_size=3, seed=9)
        for _ in range(steps):
            made.step()
        made.save(tmp_path / "run")
        again = method.load(tmp_path / "run", f)
        for _ in range(30):
            made.step()
            again.step()
        assert again.x.tobytes() == made.x.tobytes()
        assert again.solution.tobytes() == made.solution.tobytes()
        assert (again.t, again.evaluations) == (made.t, made.evaluations)
        for name, value in made.state.items():
            if name != "rule":
                assert np.asarray(again.state[name]).tobytes() == value.tobytes()


@every_method
def test_a_seed_fixes_the_run(method):
    f, _, _ = least_squares()
    ends = []
    for seed in (1, 1, 2):
        made = method(f, np.zeros(D), lr=0.01, seed=seed)
        for _ in range(20):
            made.step()
        ends.append(made.x.tolist())
    assert ends[0] == ends[1] != ends[2]


@every_method
def test_a_batch_of_all_rows_is_gradient_descent(method):
    f, _, _ = least_squares()
    made = method(f, np.ones(D), lr=0.1, batch_size=N)
    x = np.ones(D)
    stepper = dd.Stepper(dd.sgd(lr=0.1), x)
    for _ in range(5):
        made.step()
        stepper.step(f.gradient(x, np.arange(N)))
    np.testing.assert_allclose(made.x, x, rtol=1e-13)  # sums of 40 rows in another order


@every_method
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_x_of_any_shape_steps_in_its_own_dtype(method, dtype):
    target = np.arange(6.0).reshape(3, 2)
    f = dd.FiniteSum(lambda x, rows: x - np.mean(rows) * target, n=4)
    x = np.zeros((3, 2), dtype)
    made = method(f, x, lr=0.1)
    for _ in range(400):
        made.step()
    assert made.x is x
    assert all(v.dtype == dtype for k, v in made.state.items() if k != "rule")
    np.testing.assert_allclose(x, 1.5 * target, rtol=1e-4, atol=1e-4)


@every_method
def test_a_gradient_function_may_use_one_buffer_and_cannot_change_x(method):
    f, _, _ = least_squares()
    buffer = np.empty(D)

    def shared(x, rows):
        buffer[:] = f.gradient(x, rows)
        return buffer

    def spiteful(x, rows):
        x[0] = 7.0

    plain = method(f, np.zeros(D), lr=0.05)
    reused = method(dd.FiniteSum(shared, N), np.zeros(D), lr=0.05)
    for _ in range(2 * N + 3):
        plain.step()
        reused.step()
    assert reused.x.tobytes() == plain.x.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        method(dd.FiniteSum(spiteful, N), np.zeros(D), lr=0.05).step()


@every_method
def test_a_failed_step_changes_nothing(method):
    f, _, _ = least_squares()
    fails = {"after": -1}

    def gradient(x, rows):
        fails["after"] -= 1
        if fails["after"] == 0:
            raise RuntimeError("a lost connection")
        return f.gradient(x, rows)

    made = method(dd.FiniteSum(gradient, N), np.zeros(D), lr=0.05, batch_size=3)
    plain = method(f, np.zeros(D), lr=0.05, batch_size=3)
    raised = 0
    for step in range(60):
        if step % 4 == 0:
            fails["after"] = 1 + step // 4 % 2
            try:
                made.step()
                plain.step()  # it made fewer calls than were wanted
            except RuntimeError:
                raised += 1
            fails["after"] = -1
        made.step()
        plain.step()
        assert made.x.tobytes() == plain.x.tobytes()
    assert raised > 5


def network_sum(text="linear", loss="squared", classes=3):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((12, 3))
    loss = get_loss(loss)
    y = X[:, 0] - 1 if loss.task == "regression" else rng.integers(classes, size=12)
    model = get_model(text)
    network = model.network(3, model.outputs(loss, classes))
    return network, dd.FiniteSum.of(network, loss, X, y), (X, y, loss)


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("linear", "squared"),
        ("linear", "huber"),
        ("softmax", "log"),
        ("linear", "hinge"),
        ("mlp:5", "log"),
    ],
)
def test_the_sum_of_a_network_is_its_loss(text, loss):
    network, f, (X, y, loss) = network_sum(text, loss)
    x = np.random.default_rng(5).standard_normal(network.size)
    rows = np.array([3, 0, 7])
    expected = network.value_and_gradient(x, X[rows], y[rows], loss)[1]
    assert f.gradient(x, rows).tolist() == expected.tolist()
    assert (f.residuals is None) == text.startswith("mlp")
    if f.residuals is not None:
        made = f.residuals.gradient(f.residuals.slopes(x, rows), rows)
        np.testing.assert_allclose(made, expected, rtol=1e-14, atol=1e-15)  # one more product


@pytest.mark.parametrize("method", [dd.SAG, dd.SAGA], ids=lambda m: m.name)
@pytest.mark.parametrize(("text", "loss"), [("linear", "squared"), ("softmax", "log")])
def test_a_table_of_slopes_steps_like_one_of_gradients(method, text, loss):
    network, f, _ = network_sum(text, loss)
    short = method(f, np.zeros(network.size), lr=0.02, seed=1)
    long = method(dd.FiniteSum(f.gradient, f.n), np.zeros(network.size), lr=0.02, seed=1)
    for _ in range(100):
        short.step()
        long.step()
    assert short.state["table"].shape == (12, network.n_outputs)
    assert long.state["table"].shape == (12, network.size)
    assert short.evaluations == long.evaluations
    # 100 steps of a few roundings each
    np.testing.assert_allclose(short.x, long.x, rtol=1e-12, atol=1e-13)


def test_saga_with_a_proximal_rule_finds_the_sparse_minimum():
    """ista's minimum of F + l1 ‖x‖₁: the gradient is −l1 sign(x) where x moves, within ±l1 where it is 0."""
    f, _, largest = least_squares()
    made = dd.SAGA(f, np.zeros(D), rule=dd.ista(lr=1 / (3 * largest), l1=0.15))
    for _ in range(150 * N):
        made.step()
    g = f.gradient(made.x, np.arange(N))
    zero = made.x == 0
    assert 0 < zero.sum() < D
    assert (abs(g[zero]) <= 0.15).all()
    np.testing.assert_allclose(g[~zero], -0.15 * np.sign(made.x[~zero]), atol=1e-9)


BAD = [
    (
        {"finite_sum": lambda x, rows: x},
        HyperparameterError,
        "finite_sum of {} must be a dd.FiniteSum; got function",
    ),
    ({"x": [np.zeros(D)]}, ShapeError, "x of {} must be one float32 or float64 array; got list"),
    ({"x": np.zeros(D, int)}, ShapeError, "x must have dtype float32 or float64; got int64"),
    (
        {"x": np.zeros(D, complex)},
        ShapeError,
        "x must have dtype float32 or float64; got complex128",
    ),
    ({"lr": None}, HyperparameterError, "{} takes lr or rule, one of the two; got neither"),
    ({"rule": dd.adam()}, HyperparameterError, "{} takes lr or rule, one of the two; got both"),
    ({"lr": -1.0}, HyperparameterError, r"lr of sgd must be a float in \[0, inf\); got -1.0"),
    (
        {"lr": None, "rule": dd.polyak_sgd()},
        HyperparameterError,
        "rule of {} must do without the function's value",
    ),
    ({"batch_size": 0}, HyperparameterError, "batch_size of {} must be an int from 1 to 40; got 0"),
    (
        {"batch_size": 41},
        HyperparameterError,
        "batch_size of {} must be an int from 1 to 40; got 41",
    ),
    (
        {"batch_size": 2.0},
        HyperparameterError,
        "batch_size of {} must be an int from 1 to 40; got 2.0",
    ),
    (
        {"batch_size": True},
        HyperparameterError,
        "batch_size of {} must be an int from 1 to 40; got True",
    ),
    ({"seed": -1}, HyperparameterError, "seed of {} must be an int of at least 0; got -1"),
    ({"seed": None}, HyperparameterError, "seed of {} must be an int of at least 0; got None"),
]


@every_method
@pytest.mark.parametrize(("changed", "error", "message"), BAD, ids=range(len(BAD)))
def test_bad_arguments_are_refused_by_name(method, changed, error, message):
    f, _, _ = least_squares()
    arguments = {"finite_sum": f, "x": np.zeros(D), "lr": 0.1, **changed}
    with pytest.raises(error, match=message.format(method.name)):
        method(arguments.pop("finite_sum"), arguments.pop("x"), **arguments)


@pytest.mark.parametrize("inner", [0, -3, 1.5, "2"])
@pytest.mark.parametrize("method", [dd.SVRG, dd.SARAH], ids=lambda m: m.name)
def test_a_bad_inner_is_refused(method, inner):
    with pytest.raises(
        HyperparameterError, match=f"inner of {method.name} must be an int of at least 1"
    ):
        method(least_squares()[0], np.zeros(D), lr=0.1, inner=inner)


@pytest.mark.parametrize("probability", [0.0, 1.1, np.nan, "1", -0.5])
def test_a_bad_probability_is_refused(probability):
    with pytest.raises(
        HyperparameterError, match=r"probability of LSVRG must be a float in \(0, 1\]"
    ):
        dd.LSVRG(least_squares()[0], np.zeros(D), lr=0.1, probability=probability)


@pytest.mark.parametrize(
    ("gradient", "n"), [(None, 3), (np.mean, 0), (np.mean, 2.0), (np.mean, True), (np.mean, None)]
)
def test_a_bad_finite_sum_is_refused(gradient, n):
    with pytest.raises(ProblemError, match="of FiniteSum must be"):
        dd.FiniteSum(gradient, n)


@every_method
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(D + 1), r"must have the shape of x, \(4,\); got \(5,\)"),
        (np.zeros(D, complex), "must hold real numbers; got dtype complex128"),
        (0.0, r"must have the shape of x, \(4,\); got \(\)"),
        ("text", "must have the shape of x"),
    ],
)
def test_a_bad_gradient_is_refused_and_nothing_changes(method, bad, message):
    made = method(dd.FiniteSum(lambda x, rows: bad, 5), np.ones(D), lr=0.1)
    with pytest.raises(ShapeError, match=f"the finite sum of {method.name} {message}"):
        made.step()
    assert made.t == 0
    assert (made.x == 1).all()


def test_slopes_of_a_bad_shape_are_refused():
    f, _, _ = least_squares()
    bad = dd.FiniteSum(
        f.gradient, N, Residuals(lambda x, rows: np.zeros(len(rows)), lambda s, rows: s)
    )
    with pytest.raises(
        ShapeError, match=r"slopes of the finite sum of SAG must have shape \(1, k\); got \(1,\)"
    ):
        dd.SAG(bad, np.zeros(D), lr=0.1).step()


def test_data_that_does_not_fit_a_network_is_refused():
    network, _, (X, y, loss) = network_sum()
    of = dd.FiniteSum.of
    for arguments, error, message in [
        (("linear", loss, X, y), ProblemError, "takes a network"),
        ((network, "squared", X, y), ProblemError, "got Network and str"),
        (
            (network, loss, X[:, :2], y),
            ShapeError,
            r"X of FiniteSum must be an array of shape \(n, 3\)",
        ),
        ((network, loss, X[:0], y[:0]), ShapeError, "with n at least 1"),
        ((network, loss, X.tolist(), y), ShapeError, "X of FiniteSum must be an array"),
        (
            (network, loss, X, y[:-1]),
            ShapeError,
            r"one entry for each row of X, shape \(12,\); got shape \(11,\)",
        ),
        ((network, get_loss("log"), X, y), ShapeError, "class indices from 0 to 1"),
        ((network, get_loss("log"), X, np.full(12, 2)), ShapeError, "from 2 to 2"),
    ]:
        with pytest.raises(error, match=message):
            of(*arguments)


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    f, _, _ = least_squares()
    made = dd.SVRG(f, np.zeros(D), lr=0.1)
    made.step()
    made.save(tmp_path / "svrg")
    dd.Stepper(dd.sgd(), np.zeros(D)).save(tmp_path / "sgd")
    for load, message in [
        (
            lambda: dd.SARAH.load(tmp_path / "svrg", f),
            "must be a checkpoint of SARAH; got one of SVRG",
        ),
        (
            lambda: dd.SVRG.load(tmp_path / "sgd", f),
            "must be a checkpoint of SVRG; got one of Stepper",
        ),
        (
            lambda: dd.Stepper.load(tmp_path / "svrg"),
            "must be a checkpoint of a Stepper; got one of SVRG",
        ),
        (lambda: dd.SVRG.load(tmp_path / "svrg", two_rows()), "must have 40 rows; got 2"),
        (
            lambda: dd.SVRG.load(tmp_path / "svrg", f, rule=dd.adam()),
            "must be sgd:lr=0.1; got adam",
        ),
        (lambda: dd.SVRG.load(tmp_path / "svrg", f, x=np.zeros(3)), "must be float64 of shape"),
        (lambda: dd.SVRG.load(tmp_path / "none", f), "must be a readable file"),
    ]:
        with pytest.raises(CheckpointError, match=message):
            load()
