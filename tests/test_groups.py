"""Groups of arrays: settings of their own, frozen arrays, and the audit."""

import numpy as np
import pytest

import descend as dd
from descend.errors import CheckpointError, HyperparameterError, RuleError, ShapeError


def net(dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = {
        "embed.weight": (6, 3),
        "block.0.norm.weight": (3,),
        "block.0.attn.weight": (3, 3),
        "block.0.attn.bias": (3,),
        "head.weight": (2, 3),
        "head.bias": (2,),
    }
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def gradients(k):
    rng = np.random.default_rng(100 + k)
    return {name: rng.standard_normal(a.shape) for name, a in net().items()}


def run(update, x, steps=4):
    stepper = dd.Stepper(update, x)
    for k in range(steps):
        stepper.step({name: gradients(k)[name] for name in x})
    return stepper


def test_each_group_steps_as_if_it_were_alone_with_its_settings():
    x = run(
        dd.per_group(dd.adamw(lr=0.1), {"head.*": {"lr": 0.01}, "bias": {"weight_decay": 0.0}}),
        net(),
    ).x
    settings = {
        "embed.weight": {"lr": 0.1},
        "block.0.attn.bias": {"lr": 0.1, "weight_decay": 0.0},
        "head.weight": {"lr": 0.01},
        "head.bias": {"lr": 0.01, "weight_decay": 0.0},
    }
    for name, own in settings.items():
        alone = run(dd.adamw(**own), {name: net()[name]}).x
        assert np.array_equal(x[name], alone[name]), name


def test_a_global_norm_spans_all_groups():
    x = net()
    s = dd.Stepper(
        dd.per_group(dd.chain(dd.clip_norm(1.0), dd.sgd(lr=0.1)), {"head.*": {"lr": 0.2}}), x
    )
    g = gradients(0)
    s.step(g)
    length = np.sqrt(sum((a * a).sum() for a in g.values()))
    for name, before in net().items():
        lr = 0.2 if name.startswith("head") else 0.1
        # the norm is summed in another order
        np.testing.assert_allclose(x[name], before - lr * g[name] / length, rtol=1e-13)


def test_sums_of_each_array_keep_their_groups():
    update = dd.chain(dd.clip_norm_each(0.5), dd.sgd(lr=0.1))
    x = run(dd.per_group(update, {"head.*": {"max_norm": 0.1}}), net()).x
    alone = run(
        dd.chain(dd.clip_norm_each(0.1), dd.sgd(lr=0.1)), {"head.bias": net()["head.bias"]}
    ).x
    assert np.array_equal(x["head.bias"], alone["head.bias"])


def test_rules_of_whole_arrays_have_groups_too():
    x = run(dd.per_group(dd.muon(lr=0.1), {"head.*": {"lr": 0.5}}), net()).x
    for name, lr in (("head.weight", 0.5), ("block.0.attn.weight", 0.1)):
        assert np.array_equal(x[name], run(dd.muon(lr=lr), {name: net()[name]}).x[name])


def test_a_number_that_a_rule_remembers_belongs_to_its_group():
    x = {"a": np.ones(3), "b": np.ones(3)}
    s = dd.Stepper(dd.per_group(dd.prodigy(lr=1.0), {"b": {"lr": 0.5}}), x)
    for k in range(3):
        g = {name: gradients(k)["head.bias"].repeat(2)[:3] for name in x}
        s.step(g)
    assert set(s.state["d"]) == {"a", "b"}


def test_frozen_arrays_stay_have_no_state_and_count_in_no_norm():
    x = net()
    update = dd.freeze(dd.chain(dd.clip_norm(1.0), dd.momentum(lr=0.1)), "embedding", "block.*")
    s = dd.Stepper(update, x)
    g = gradients(0) | {"embed.weight": None, "block.0.attn.bias": np.full(3, np.nan)}
    s.step(g)
    length = np.sqrt(sum((g[name] ** 2).sum() for name in ("head.weight", "head.bias")))
    for name, before in net().items():
        moved = before - 0.1 * g[name] / length if name.startswith("head") else before
        np.testing.assert_allclose(x[name], moved, rtol=1e-13)
    assert set(s.state["v"]) == {"head.weight", "head.bias"}


def test_frozen_arrays_of_a_list_have_none_for_a_state():
    x = [np.ones(2), np.ones(3)]
    s = dd.Stepper(dd.freeze(dd.momentum(lr=0.1), "0"), x)
    s.step([None, np.ones(3)])
    assert s.state["v"][0] is None
    assert s.state["v"][1].tolist() == [1, 1, 1]


def test_later_groups_take_precedence_but_thaw_nothing():
    update = dd.per_group(dd.sgd(lr=0.1), {"head.*": {"lr": 0.2}, "head.bias": {"lr": 0.3}})
    frozen = dd.per_group(dd.freeze(update, "head.*"), {"head.bias": {"lr": 0.4}})
    lrs = {
        r.name: None if r.frozen else dict(r.settings)["lr"] for r in dd.audit(update, net()).rows
    }
    assert [lrs["head.weight"], lrs["head.bias"], lrs["embed.weight"]] == [0.2, 0.3, 0.1]
    rows = {r.name: r for r in dd.audit(frozen, net()).rows}
    assert [name for name, row in rows.items() if row.frozen] == ["head.weight", "head.bias"]


def test_no_decay_trains_nothing_that_is_frozen():
    x = run(dd.no_decay(dd.freeze(dd.adamw(lr=0.1), "bias")), net()).x
    assert np.array_equal(x["head.bias"], net()["head.bias"])
    assert not np.array_equal(x["head.weight"], net()["head.weight"])


def test_a_gate_is_one_decision_for_all_groups():
    chain = dd.chain(dd.accumulate(2), dd.unscale(first=4.0, every=2), dd.sgd(lr=0.1))
    with pytest.raises(HyperparameterError, match="has no hyperparameter 'steps' for group 'bias'"):
        dd.per_group(chain, {"bias": {"steps": 4}})
    s = run(dd.per_group(chain, {"bias": {"lr": 0.2}}), net(), 4)
    assert s.t == 2
    assert s.state["scale"] == 8.0


def test_scalars_of_a_group_come_from_its_own_settings():
    x = {name: np.ones(3) for name in ("a", "b", "c")}
    s = dd.Stepper(dd.per_group(dd.dadapt_sgd(lr=1.0), {"b": {"lr": 0.25}}), x)
    for k in range(4):
        s.step({name: gradients(k)["block.0.norm.weight"] for name in x})
    assert s.state["d"]["a"] == s.state["d"]["c"]
    assert np.array_equal(x["a"], x["c"])
    assert not np.array_equal(x["a"], x["b"])


@pytest.mark.parametrize("n", [2, 10_000])
def test_gradients_in_the_memory_of_other_parameters_are_read_before_they_change(n):
    x = {"a": np.full(n, 1.0), "b": np.full(n, 2.0)}
    s = dd.Stepper(dd.per_group(dd.sgd(lr=0.1), {"b": {"lr": 0.2}}), x)
    for _ in range(3):
        before = {name: a.copy() for name, a in x.items()}
        s.step({"a": x["b"], "b": x["a"]})
        assert np.array_equal(x["a"], before["a"] - 0.1 * before["b"])
        assert np.array_equal(x["b"], before["b"] - 0.2 * before["a"])


@pytest.mark.parametrize("name", ["muon", "lars", "lamb", "shampoo", "adafactor", "novograd"])
def test_rules_that_take_arrays_in_turn_read_aliased_gradients_first(name):
    def start():
        return [np.full((3, 3), 1.0) + np.eye(3), np.full((3, 3), 2.0)]

    x, y = start(), start()
    aliased, copied = dd.Stepper(dd.get_rule(name), x), dd.Stepper(dd.get_rule(name), y)
    for _ in range(3):
        aliased.step([x[1], x[0]])
        copied.step([y[1].copy(), y[0].copy()])
    assert np.array_equal(x, y)


@pytest.mark.parametrize("name", ["a[0]", "kernel:0", "layer/b@1"])
def test_any_name_selects_itself(name):
    x = {name: np.ones(2), "other": np.ones(2)}
    update = dd.freeze(dd.sgd(lr=0.1), name)
    assert dd.get_rule(update.text) == update
    assert dd.audit(update, x).rows[0].frozen


def test_positions_select_arrays_of_a_list():
    assert dd.audit(dd.freeze(dd.sgd(), 1), [np.ones(2), np.ones(2)]).rows[1].frozen


def test_settings_of_links_are_told_apart():
    update = dd.chain(dd.l2(0.1), dd.decay(0.2), dd.adamw(weight_decay=0.3))
    (row,) = dd.audit(update, np.ones((2, 2))).rows
    assert dict(row.settings) == {
        "l2.weight_decay": 0.1,
        "decay.weight_decay": 0.2,
        "weight_decay": 0.3,
    }


def test_schedules_run_in_groups():
    x = {"a": np.zeros(1), "b": np.zeros(1)}
    s = dd.Stepper(dd.per_group(dd.sgd(lr=1.0), {"b": {"lr": dd.linear(1.0, end=0.0, steps=2)}}), x)
    for _ in range(2):
        s.step({"a": np.ones(1), "b": np.ones(1)})
    assert x["a"] == -2
    assert x["b"] == -sum(dd.linear(1.0, end=0.0, steps=2)(t) for t in (1, 2))


def test_the_audit_prints_who_decays_and_why():
    assert str(dd.audit(dd.no_decay(dd.adamw(weight_decay=0.1)), net())).splitlines() == [
        "array                shape   roles      settings",
        "embed.weight         (6, 3)  embedding  weight_decay=0",
        "block.0.norm.weight  (3,)    norm, 1-D  weight_decay=0",
        "block.0.attn.weight  (3, 3)             weight_decay=0.1",
        "block.0.attn.bias    (3,)    bias, 1-D  weight_decay=0",
        "head.weight          (2, 3)             weight_decay=0.1",
        "head.bias            (2,)    bias, 1-D  weight_decay=0",
    ]


@pytest.mark.parametrize(
    ("name", "ndim", "roles"),
    [
        ("fc.bias", 1, ("bias", "1-D")),
        ("b1", 1, ("bias", "1-D")),
        ("fc.weight", 2, ()),
        ("nobias", 2, ()),
        ("lstm.bias_ih_l0", 1, ("bias", "1-D")),
        ("attn.in_proj_bias", 1, ("bias", "1-D")),
        ("normal_proj.weight", 2, ()),
        ("abnormal.w", 2, ()),
        ("enormous", 2, ()),
        ("block.q_norm.weight", 1, ("norm", "1-D")),
        ("final_layer_norm.scale", 1, ("norm", "1-D")),
        ("norm2d.weight", 1, ("norm", "1-D")),
        ("unembed.weight", 2, ()),
        ("embed_tokens.weight", 2, ("embedding",)),
        ("LayerNorm.weight", 1, ("norm", "1-D")),
        ("bn1.weight", 1, ("norm", "1-D")),
        ("ln_f.weight", 1, ("norm", "1-D")),
        ("subnet.weight", 2, ()),
        ("transformer.wte.weight", 2, ("embedding",)),
        ("token_embedding", 2, ("embedding",)),
        ("member.weight", 2, ()),
        ("gain", 0, ("1-D",)),
    ],
)
def test_roles_are_read_from_names_and_axes(name, ndim, roles):
    (row,) = dd.audit(dd.sgd(), {name: np.zeros((2,) * ndim)}).rows
    assert row.roles == roles


def test_torchs_parameter_groups_give_the_same():
    torch = pytest.importorskip("torch")
    x = net()
    tensors = {name: torch.nn.Parameter(torch.tensor(a)) for name, a in x.items()}
    decayed = [p for p in tensors.values() if p.ndim > 1]
    rest = [p for p in tensors.values() if p.ndim <= 1]
    theirs = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=0.05
    )
    ours = dd.Stepper(dd.no_decay(dd.adamw(lr=0.05, weight_decay=0.1), "1-D"), x)
    for k in range(20):
        for name, p in tensors.items():
            p.grad = torch.tensor(gradients(k)[name])
        theirs.step()
        ours.step(gradients(k))
    for name, p in tensors.items():
        # twenty steps of about ten roundings each
        np.testing.assert_allclose(x[name], p.detach().numpy(), rtol=1e-12)


def test_groups_go_on_from_a_checkpoint(tmp_path):
    update = dd.per_group(dd.freeze(dd.adamw(lr=0.1), "embedding"), {"bias": {"lr": 0.01}})
    whole = run(update, net(), 6)
    run(update, net(), 3).save(tmp_path / "run.ckpt")
    resumed = dd.Stepper.load(tmp_path / "run.ckpt")
    for k in range(3, 6):
        resumed.step(gradients(k))
    assert all(np.array_equal(resumed.x[name], whole.x[name]) for name in whole.x)
    with pytest.raises(CheckpointError, match="rule of"):
        dd.Stepper.load(tmp_path / "run.ckpt", rule=dd.adamw(lr=0.1))


def test_text_and_repr_give_the_same_groups():
    update = dd.per_group(
        dd.freeze(dd.chain(dd.clip_norm(1.0), dd.adamw(lr=dd.cosine(0.1, steps=9))), "embed*"),
        {"bias": {"weight_decay": 0.0, "lr": 0.5}},
    )
    assert dd.get_rule(update.text) == update
    assert eval(repr(update)) == update  # noqa: S307


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: dd.per_group(dd.sgd(), {}), RuleError, "groups must map roles or patterns to settings; got {}."),
        (lambda: dd.per_group(dd.sgd(), "bias"), RuleError, "groups must map roles or patterns to settings; got 'bias'."),
        (lambda: dd.freeze(dd.sgd()), RuleError, "freeze must be given a role or a pattern of names; got none."),
        (lambda: dd.freeze(dd.sgd(), 3.0), RuleError, "a group must be a role or a pattern of names, without blanks around it or ' @ ' in it; got 3.0."),
        (lambda: dd.freeze(dd.sgd(), " a"), RuleError, "a group must be a role or a pattern of names, without blanks around it or ' @ ' in it; got ' a'."),
        (lambda: dd.audit(dd.sgd(), {}), ShapeError, "x must hold at least one array; got none."),
        (lambda: dd.per_group(dd.sgd(), {"a": {}}), RuleError, "settings of group 'a' must be a dict of them or None; got {}."),
        (lambda: dd.per_group(dd.sgd(), {"a": 0.1}), RuleError, "settings of group 'a' must be a dict of them or None; got 0.1."),
        (lambda: dd.per_group(dd.sgd(), {"a": {"lt": 0.1}}), HyperparameterError, "sgd has no hyperparameter 'lt' for group 'a'. It has: lr."),
        (lambda: dd.per_group(dd.sgd(), {"a": {"lr": -1}}), HyperparameterError, "lr of sgd must be a float in [0, inf); got -1."),
        (lambda: dd.no_decay(dd.sgd()), HyperparameterError, "sgd has no hyperparameter 'weight_decay' for group 'bias'. It has: lr."),
        (lambda: dd.chain(dd.clip_norm(), dd.freeze(dd.sgd(), "a")), RuleError, "groups must be put around the whole chain, dd.per_group(dd.chain(…), …); got dd.per_group(dd.sgd(), {'a': None})."),
        (lambda: dd.per_group(dd.clip_norm(), {"a": None}), RuleError, "clip_norm is not a rule alone; put it in a chain: dd.chain(dd.clip_norm(), dd.sgd())."),
        (lambda: dd.get_rule("sgd @ a"), HyperparameterError, None),
        (lambda: dd.get_rule("sgd @ a:lr"), HyperparameterError, "settings of group 'a' must read name=value,…; got 'lr'."),
    ],
)  # fmt: skip
def test_bad_groups_are_refused(make, error, sentence):
    with pytest.raises(error) as raised:
        make()
    if sentence:
        assert str(raised.value) == sentence


def test_a_pattern_that_matches_nothing_is_refused_where_it_meets_the_arrays():
    with pytest.raises(RuleError, match=r"group 'haed.\*' must match an array of x"):
        dd.Stepper(dd.freeze(dd.sgd(), "haed.*"), net())
    dd.Stepper(dd.no_decay(dd.adamw()), {"w": np.ones((2, 2))})  # roles may be absent


def test_not_everything_can_be_frozen():
    with pytest.raises(ShapeError, match="x must hold an array that is not frozen; got none."):
        dd.Stepper(dd.freeze(dd.sgd(), "*"), net())
