"""Rules that see whole arrays: their shapes of state, chains with compiled neighbours, checkpoints, and what may go wrong."""

import copy
import pickle

import numpy as np
import pytest

import descend as dd
from descend import ops_matrix
from descend._rule import REGISTRY, TRANSFORMS
from descend.domains import Decay, NonNegative, Positive, Scalar
from descend.errors import CheckpointError, HyperparameterError, RuleError

WHOLE = [name for name in dd.list_rules() if dd.find_rule(name).whole]
MUONS = {
    "muon": dd.adam,
    "muon_rms": dd.adam,
    "muon_trace": dd.adam_eps_hat,
    "muon_corrected": dd.nadam_constant,
}
SHAPES = {"w": (4, 3), "b": (5,), "s": (), "k": (2, 3, 2), "none": (3, 0)}


@pytest.fixture
def registry():
    before, transforms = dict(REGISTRY), dict(TRANSFORMS)
    yield
    for table, kept in ((REGISTRY, before), (TRANSFORMS, transforms)):
        table.clear()
        table.update(kept)


def start(shapes=SHAPES, dtype=np.float64):
    rng = np.random.default_rng(1)
    return {k: np.asarray(rng.standard_normal(s), dtype) for k, s in shapes.items()}


def tape(count, shapes=SHAPES):
    rng = np.random.default_rng(0)
    return [
        {k: np.asarray(rng.standard_normal(s)) for k, s in shapes.items()} for _ in range(count)
    ]


def walk(update, x, gradients):
    stepper = dd.Stepper(update, x)
    for g in gradients:
        stepper.step(g, 1.5)
    return stepper


def same(a, b):
    assert a.t == b.t
    for left, right in [(a.x, b.x), *((a.state[k], b.state[k]) for k in a.state)]:
        for key, value in left.items():
            parts, others = (
                v if isinstance(v, tuple) else (np.asarray(v),) for v in (value, right[key])
            )
            for p, q in zip(parts, others, strict=True):
                assert p.dtype == q.dtype
                assert p.shape == q.shape
                assert p.tobytes() == q.tobytes()


def test_the_catalogue_has_its_rules_on_whole_arrays():
    assert WHOLE == [
        "adafactor", "adafactor_clamped", "adafactor_constant", "muon", "muon_corrected", "muon_rms", "muon_trace",
        "shampoo", "sm3", "soap",
    ]  # fmt: skip


# ---- shapes of x and of states


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WHOLE)
def test_arrays_of_any_number_of_axes_step_each_as_if_alone(name, dtype):
    together = walk(dd.find_rule(name), start(dtype=dtype), tape(12))
    for key in SHAPES:
        alone = walk(
            dd.find_rule(name), {key: start(dtype=dtype)[key]}, [{key: g[key]} for g in tape(12)]
        )
        assert alone.x[key].tobytes() == together.x[key].tobytes()
        assert together.x[key].dtype == dtype
        assert np.isfinite(together.x[key]).all()
        moved = start(dtype=dtype)[key] != together.x[key]
        assert moved.all()


MATRIX_STATES = {
    "adafactor": {"r": (4, 1), "c": (1, 3), "v": (0,)},
    "adafactor_constant": {"r": (0,), "c": (0,), "v": (4, 3)},
    "muon": {"m": (4, 3), "v": (0,)},
    "shampoo": {"h": ((4, 4), (3, 3))},
    "soap": {"m": (4, 3), "v": (4, 3), "h": ((4, 4), (3, 3)), "q": ((4, 4), (3, 3))},
    "sm3": {"m": (4, 3), "a": ((4, 1), (1, 3))},
}


@pytest.mark.parametrize("name", MATRIX_STATES)
def test_states_of_a_matrix_have_their_shapes(name):
    state = dd.Stepper(dd.find_rule(name), np.zeros((4, 3))).state
    shapes = {
        k: tuple(p.shape for p in v) if isinstance(v, tuple) else v.shape for k, v in state.items()
    }
    assert shapes == MATRIX_STATES[name]


def test_adafactor_factors_the_last_two_axes_of_a_stack():
    s = dd.Stepper(dd.adafactor, np.zeros((2, 3, 4)))
    assert s.state["r"].shape == (2, 3, 1)
    assert s.state["c"].shape == (2, 1, 4)


def test_adafactor_constant_factors_the_longest_axes_where_both_are_long():
    s = dd.Stepper(dd.adafactor_constant(factored_from=3), np.zeros((5, 2, 7)))
    assert s.state["r"].shape == (5, 2, 1)
    assert s.state["c"].shape == (1, 2, 7)
    assert s.state["v"].size == 0


@pytest.mark.parametrize("name", ["shampoo", "soap"])
def test_an_axis_that_is_too_long_has_no_matrix(name):
    x = {"w": np.ones((1300, 2))}
    s = dd.Stepper(dd.find_rule(name), x)
    s.step({"w": np.ones((1300, 2))})
    s.step({"w": np.ones((1300, 2))})
    lengths = [h.shape for h in s.state["h"]["w"]]
    assert lengths == [(1300,) if name == "shampoo" else (0,), (2, 2)]
    assert np.isfinite(x["w"]).all()
    assert (x["w"] < 1).all()


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 2), (1, 1, 1)])
@pytest.mark.parametrize("name", MUONS)
def test_muon_moves_what_is_no_matrix_by_adam(name, shape):
    settings = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "eps": 0.125}
    g = [{"k": g} for g in np.random.default_rng(0).standard_normal((5, *shape))]
    one = walk(
        dd.find_rule(name)(**settings),
        {"k": np.ones(shape)},
        [{"k": np.asarray(a["k"])} for a in g],
    )
    other = walk(
        MUONS[name](**settings), {"k": np.ones(shape)}, [{"k": np.asarray(a["k"])} for a in g]
    )
    np.testing.assert_allclose(one.x["k"], other.x["k"], rtol=1e-14)


# ---- what the rules do


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)])
def test_muon_steps_have_singular_values_near_one(shape):
    x = np.zeros(shape)
    dd.Stepper(dd.muon_rms(lr=1.0, scale=1 / np.sqrt(max(shape))), x).step(
        np.random.default_rng(0).standard_normal(shape)
    )
    values = np.linalg.svd(x)[1]
    assert (
        values > 0.5
    ).all()  # Jordan's page: between 0.68 and 1.13 after five steps, unless they start near 0
    assert (values < 1.2).all()


@pytest.mark.parametrize("name", MUONS)
@pytest.mark.parametrize("turn", ["left", "right"])
def test_muon_turns_with_its_matrices(name, turn):
    """Orthogonalisation does not see the basis; 1e-12 for the iteration's enlargement of rounding."""
    q, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))
    tapes = np.random.default_rng(0).standard_normal((6, 4, 4))
    x, y = np.zeros((4, 4)), np.zeros((4, 4))
    one, other = dd.Stepper(dd.find_rule(name), x), dd.Stepper(dd.find_rule(name), y)
    for g in tapes:
        one.step(g)
        other.step(q @ g if turn == "left" else g @ q)
    np.testing.assert_allclose(q @ x if turn == "left" else x @ q, y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["shampoo", "soap"])
def test_preconditioning_by_matrices_turns_with_them(name):
    """Unlike Adam, neither sees the basis of rows: their eigenvectors turn with it."""
    q, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))
    x, y = np.zeros((4, 3)), np.zeros((4, 3))
    one, other = (dd.Stepper(dd.find_rule(name)(lr=0.1), a) for a in (x, y))
    for g in np.random.default_rng(0).standard_normal((6, 4, 3)):
        one.step(g)
        other.step(q @ g)
    np.testing.assert_allclose(
        q @ x, y, rtol=1e-9, atol=1e-9
    )  # roots of a matrix with small values


def test_shampoo_of_a_vector_is_full_matrix_adagrad():
    x = np.zeros(3)
    s = dd.Stepper(dd.shampoo(lr=1.0, eps=0.5), x)
    s.step(np.array([3.0, 0.0, 4.0]))
    # (g gᵀ + ε I)^(−1/2) g = g / √(|g|² + ε)
    np.testing.assert_allclose(x, -np.array([3.0, 0.0, 4.0]) / np.sqrt(25.5), rtol=1e-14)


def test_shampoo_is_its_formula_on_three_axes():
    shape, eps = (2, 3, 4), 0.25
    x = np.zeros(shape)
    s = dd.Stepper(dd.shampoo(lr=1.0, eps=eps), x)
    g = np.random.default_rng(0).standard_normal(shape)
    s.step(g)
    roots = []
    for subscripts, n in zip(("abc,dbc->ad", "abc,adc->bd", "abc,abd->cd"), shape):
        values, vectors = np.linalg.eigh(np.einsum(subscripts, g, g) + eps * np.eye(n))
        roots.append(vectors @ np.diag(values ** (-1 / 6)) @ vectors.T)
    np.testing.assert_allclose(
        x, -np.einsum("abc,ad,be,cf->def", g, *roots), rtol=1e-12, atol=1e-14
    )


def test_soap_in_the_standard_basis_is_adam_from_the_second_gradient_on():
    """Gradients along one diagonal keep the bases: Adam on the diagonal."""
    x, y = np.zeros((2, 2)), np.zeros(2)
    soap = dd.Stepper(dd.soap(lr=0.1, beta1=0.5, beta2=0.75), x)
    adam = dd.Stepper(dd.adam(lr=0.1, beta1=0.5, beta2=0.75), y)
    soap.step(np.diag([3.0, 1.0]))
    assert not x.any()
    for g in ([3.0, 1.0], [-2.0, 0.5], [1.0, 1.0]):
        soap.step(np.diag(g))
        adam.step(np.array(g))
    np.testing.assert_allclose(x, np.diag(y), rtol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", WHOLE)
def test_a_bad_gradient_shows_and_is_no_error(name, bad):
    x = {"w": np.ones((3, 2)), "b": np.ones((3, 2))}
    s = dd.Stepper(dd.find_rule(name), x)
    for t in range(1, 13):
        g = {k: np.ones((3, 2)) + np.eye(3, 2) for k in x}
        if t == 3:
            g["w"][1, 1] = bad
        s.step(g)
    assert np.isfinite(x["b"]).all()
    assert not np.isfinite(x["w"]).all()


@pytest.mark.parametrize("name", WHOLE)
def test_subnormal_states_are_kept_as_zero(name):
    x = np.ones((3, 2))
    s = dd.Stepper(dd.find_rule(name), x)
    for _ in range(3):
        s.step(np.full((3, 2), 1e-310))
    for value in s.state.values():
        for part in value if isinstance(value, tuple) else (value,):
            assert not ((part != 0) & (np.abs(part) < np.finfo(float).tiny)).any()
    assert np.isfinite(x).all()


# ---- chains


@pytest.mark.parametrize("name", WHOLE)
def test_transforms_before_it_are_those_of_steps_by_hand(name):
    chained = walk(
        dd.chain(dd.clip_norm(1.0), dd.decay(0.5), dd.find_rule(name)(lr=0.1)), start(), tape(6)
    )
    x = start()
    plain = dd.Stepper(dd.find_rule(name)(lr=0.1), x)
    for g in tape(6):
        norm = np.sqrt(sum(float((a * a).sum()) for a in g.values()))
        for a in x.values():
            a *= 1 - 0.1 * 0.5
        plain.step({k: np.asarray(a * min(1.0, 1.0 / norm)) for k, a in g.items()})
    for key in SHAPES:
        np.testing.assert_allclose(chained.x[key], x[key], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", WHOLE)
def test_what_comes_after_it_sees_its_x_and_the_one_before(name):
    averaged = walk(dd.chain(dd.find_rule(name)(lr=0.1), dd.ema(0.5)), start(), tape(6))
    masked = walk(dd.chain(dd.find_rule(name)(lr=0.1), dd.grams()), start(), tape(1))
    x = start()
    plain, ema = dd.Stepper(dd.find_rule(name)(lr=0.1), x), start()
    for t, g in enumerate(tape(6)):
        before = copy.deepcopy(x)
        plain.step(g)
        if t == 0:
            for k in SHAPES:
                np.testing.assert_allclose(
                    masked.x[k], before[k] - np.abs(before[k] - x[k]) * np.sign(g[k]), rtol=1e-15
                )
        ema = {k: 0.5 * ema[k] + 0.5 * x[k] for k in x}
    for k in SHAPES:
        assert averaged.x[k].tobytes() == x[k].tobytes()
        np.testing.assert_allclose(averaged.solution[k], ema[k], rtol=1e-13)


def test_centralize_takes_the_mean_of_each_row_away():
    x = {"w": np.zeros((2, 3)), "b": np.zeros(3)}
    s = dd.Stepper(dd.chain(dd.centralize(), dd.sgd(lr=1.0)), x)
    s.step({"w": np.array([[1.0, 2, 6], [0, 0, 3]]), "b": np.array([1.0, 2, 6])})
    assert x["w"].tolist() == [[2, 1, -3], [1, 1, -2]]
    assert x["b"].tolist() == [-1, -2, -6]


def test_a_tensor_transform_stands_between_compiled_ones():
    update = dd.chain(
        dd.clip_value(1.0), dd.centralize(), dd.l2(0.5), dd.momentum(lr=0.5), dd.lookahead(every=2)
    )
    s = walk(update, {"w": np.ones((1, 2))}, [{"w": np.array([[5.0, 0.0]])}])
    # clipped to (1, 0), centred to ±1/2, plus x / 2: (1, 0), times 1/2
    assert s.x["w"].tolist() == [[0.5, 1.0]]
    assert sorted(s.state) == ["slow", "v"]


def test_two_tensor_transforms_and_a_tensor_rule_follow_each_other():
    update = dd.chain(dd.centralize(), dd.centralize(), dd.sm3(lr=0.1))
    once = dd.chain(dd.centralize(), dd.sm3(lr=0.1))
    one, other = (walk(u, {"w": np.ones((2, 3))}, tape(3, {"w": (2, 3)})) for u in (update, once))
    np.testing.assert_allclose(one.x["w"], other.x["w"], rtol=1e-12)


def test_states_of_a_chain_have_different_names():
    update = dd.chain(dd.soap(), dd.ema(), dd.lookahead(), dd.lookahead())
    s = dd.Stepper(update, np.zeros((2, 2)))
    assert list(s.state) == ["m", "v", "h", "q", "average", "lookahead_slow", "lookahead2_slow"]


def test_a_chain_reads_value_and_t(registry):
    @dd.tensor_rule
    def valued(x, g, seen, *, t, value, lr: NonNegative = 0.5):
        return x - lr * value * t * g, seen + value

    s = dd.Stepper(dd.chain(dd.decay(0.0), valued, dd.ema(0.5)), np.zeros(2))
    s.step(np.ones(2), 2.0)
    s.step(np.ones(2), 3.0)
    assert s.x.tolist() == [-1.0 - 3.0] * 2
    assert s.state["seen"].tolist() == [5.0, 5.0]
    with pytest.raises(HyperparameterError, match="value of a step of"):
        s.step(np.ones(2))
    assert s.t == 2


@pytest.mark.parametrize("name", WHOLE)
def test_a_scheduled_rate_is_followed(name):
    halves = walk(dd.find_rule(name)(lr=lambda t: 0.5**t), start(), tape(4))
    x = start()
    by_hand = dd.Stepper(dd.find_rule(name)(lr=0.5), x)
    by_hand.step(tape(4)[0])
    first = walk(dd.find_rule(name)(lr=lambda t: 0.5**t), start(), tape(1))
    for k in SHAPES:
        assert first.x[k].tobytes() == x[k].tobytes()
        assert np.isfinite(halves.x[k]).all()


# ---- checkpoints, copies, text


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WHOLE)
def test_chains_continue_from_a_checkpoint_bit_for_bit(name, dtype, tmp_path):
    update = dd.chain(
        dd.clip_norm(1.0),
        dd.centralize(),
        dd.find_rule(name)(lr=dd.cosine(0.1, steps=20)),
        dd.ema(0.5),
    )
    whole, part = (
        walk(update, start(dtype=dtype), tape(14)),
        walk(update, start(dtype=dtype), tape(11)),
    )
    part.save(tmp_path / "c")
    loaded = dd.Stepper.load(tmp_path / "c")
    same(loaded, part)
    for g in tape(14)[11:]:
        loaded.step(g)
    same(loaded, whole)


def test_a_state_of_another_shape_in_the_file_is_an_error(tmp_path, registry):
    def build(size):
        @dd.tensor_rule(init={"v": lambda shape: np.zeros(size)})
        def changed(x, g, v, *, lr: NonNegative = 0.1):
            return x - lr * g, v

        return changed

    dd.Stepper(build(3), np.zeros(2)).save(tmp_path / "c")
    with pytest.raises(
        CheckpointError, match=r"v in .* must be float64 of shape \(4,\); got .*\(3,\)"
    ):
        dd.Stepper.load(tmp_path / "c", rule=build(4))


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_bound_copied_and_read_as_any_rule(name):
    bound = dd.find_rule(name)(lr=0.25)
    assert repr(bound) == f"dd.{name}(lr=0.25)"
    assert eval(repr(bound), {"dd": dd}) == bound
    assert dd.get_rule(f"{name}:lr=0.25") == bound
    assert pickle.loads(pickle.dumps(bound)) == bound
    text = f"clip_norm > centralize > {name} > ema"
    chain = dd.chain(dd.clip_norm(), dd.centralize(), dd.find_rule(name), dd.ema())
    assert dd.get_rule(text) == chain
    assert pickle.loads(pickle.dumps(chain)) == chain


# ---- a rule of one's own


def test_a_rule_of_ones_own_has_states_of_its_shapes(registry):
    @dd.tensor_rule(
        init={"rows": lambda shape: np.ones(shape[:1]), "pair": lambda shape, *, lr: (np.full(2, lr),) * 2,
              "s": "lr", "y": "x", "c": 2.0}
    )  # fmt: skip
    def own(x, g, rows, pair, y, c, s: Scalar = 0.0, *, t, lr: Positive = 0.5):
        return x - s * rows[:, None] * g, rows / 2, (pair[0] + 1, pair[1]), y, c, s / 2

    s = walk(own, np.array([[1.0], [2.0]]), [np.ones((2, 1))] * 2)
    assert s.x.tolist() == [[1 - 0.5 - 0.125], [2 - 0.5 - 0.125]]
    assert s.state["rows"].tolist() == [0.25, 0.25]
    assert [p.tolist() for p in s.state["pair"]] == [[2.5, 2.5], [0.5, 0.5]]
    assert s.state["y"].tolist() == [[1.0], [2.0]]
    assert s.state["c"].tolist() == [[2.0], [2.0]]
    assert s.state["s"] == 0.125


def test_what_a_rule_returns_must_have_the_shapes_it_took(registry):
    @dd.tensor_rule
    def short(x, g, v, *, lr: NonNegative = 0.1):
        return x - lr * g, v.mean(0)

    @dd.tensor_rule
    def few(x, g, v, *, lr: NonNegative = 0.1):
        return x - lr * g

    x = np.ones((2, 3))
    with pytest.raises(
        RuleError, match=r"v that short returns must have shape \(2, 3\); got \(3,\)\."
    ):
        dd.Stepper(short, x).step(x)
    with pytest.raises(RuleError, match=r"few must return 2 values, x, v; got 1\."):
        dd.Stepper(few, x).step(x)
    assert (x == 1).all()


def test_a_rule_cannot_write_into_what_it_reads(registry):
    @dd.tensor_rule
    def careless(x, g, *, lr: NonNegative = 0.1):
        g *= lr
        return x - g

    x, g = np.ones(2), np.ones(2)
    with pytest.raises(ValueError, match="read-only"):
        dd.Stepper(careless, x).step(g)
    assert g.tolist() == [1.0, 1.0]


BAD_INITS = {
    "of no state": ({"w": 1.0}, "init of wrong must name states"),
    "text": ({"v": "y"}, "init of v of wrong must be a number, 'x' or a hyperparameter, or a function of the shape; got 'y'"),
    "a scalar's function": ({"s": np.zeros}, "init of s of wrong must be a hyperparameter, since it is a scalar"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_INITS)
def test_a_bad_start_is_one_clear_error(case):
    init, message = BAD_INITS[case]

    def wrong(x, g, v, s: Scalar = 0.0, *, beta: Decay = 0.5):
        return x, v, s

    with pytest.raises(RuleError, match=message):
        dd.tensor_rule(init=init)(wrong)


def test_a_start_that_gives_no_array_is_an_error(registry):
    @dd.tensor_rule(init={"v": lambda shape: "zeros"})
    def wrong(x, g, v, *, lr: NonNegative = 0.1):
        return x, v

    with pytest.raises(
        RuleError, match="init of v of wrong must give an array or a tuple of arrays; got 'zeros'"
    ):
        dd.Stepper(wrong, np.zeros(2))


def test_a_rule_on_elements_takes_no_function_as_a_start():
    def elementwise(x, g, v, *, lr: NonNegative = 0.1):
        return x, v

    with pytest.raises(RuleError, match="must be a number, 'x' or a hyperparameter; got"):
        dd.rule(init={"v": np.zeros})(elementwise)


# ---- the words


def test_words_along_axes():
    g = np.arange(6.0).reshape(2, 3)
    assert ops_matrix.mean(g, -1).tolist() == [[1.0], [4.0]]
    assert ops_matrix.largest(g, 1).tolist() == [[3.0, 4.0, 5.0]]
    assert ops_matrix.largest(g[0], 0).tolist() == [0.0, 1.0, 2.0]
    assert ops_matrix.smallest((np.array([[1.0], [5.0]]), np.array([[2.0, 3.0]]))).tolist() == [
        [1, 1],
        [2, 3],
    ]
    assert ops_matrix.gram(g, 0).tolist() == [[5.0, 14.0], [14.0, 50.0]]
    assert ops_matrix.rms(np.array([3.0, 4.0], np.float32)) == np.sqrt(12.5)


def test_roots_and_bases_of_matrices():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 4))
    a = a @ a.T
    root = ops_matrix.inverse_root(a, 4, 0.5)
    np.testing.assert_allclose(
        np.linalg.matrix_power(root, 4) @ (a + 0.5 * np.eye(4)), np.eye(4), atol=1e-12
    )
    q = ops_matrix.eigenvectors(a)
    values = np.diag(q.T @ a @ q)
    np.testing.assert_allclose(q @ np.diag(values) @ q.T, a, atol=1e-12)
    assert (np.diff(values) < 0).all()
    b = ops_matrix.orthonormal(rng.standard_normal((4, 4)))
    np.testing.assert_allclose(b.T @ b, np.eye(4), atol=1e-14)


@pytest.mark.parametrize("name", WHOLE)
def test_the_text_of_a_rule_computes_on_torch_tensors_too(torch, name):
    rule = dd.find_rule(name)
    x = np.random.default_rng(1).standard_normal((4, 3))
    ours = dd.Stepper(rule, x.copy())
    theirs, moved = torch.tensor(x), ours.x
    state = [
        tuple(map(torch.tensor, v)) if isinstance(v, tuple) else torch.tensor(v)
        for v in ours.state.values()
    ]
    for t, g in enumerate(np.random.default_rng(0).standard_normal((12, 4, 3)), 1):
        ours.step(g)
        fresh = {"t": t} if "t" in rule.fresh else {}
        theirs, *state = rule(theirs, torch.tensor(g), *state, **fresh)
    np.testing.assert_allclose(moved, theirs.numpy(), rtol=1e-10, atol=1e-12)
