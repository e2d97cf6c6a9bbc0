"""Gates: links that decide whether a step is taken."""

import pickle

import cloudpickle
import numpy as np
import pytest

import descend as dd
from descend._rule import TRANSFORMS
from descend.domains import NonNegative, Scalar
from descend.errors import RuleError
from descend.ops import norm, total

CHAINS = {
    "accumulate": dd.chain(dd.accumulate(3), dd.clip_norm(1.0), dd.adam(lr=0.1)),
    "unscale": dd.chain(dd.unscale(first=8.0, every=2), dd.adam(lr=0.1), dd.ema(beta=0.5)),
    "skip_nonfinite": dd.chain(dd.skip_nonfinite(), dd.centralize(), dd.muon(lr=0.1)),
    "sam": dd.chain(dd.sam(rho=0.1), dd.decay(0.1), dd.momentum(lr=0.1)),
    "all": dd.chain(
        dd.accumulate(2), dd.unscale(first=2.0), dd.noise(), dd.sam(), dd.adamw(lr=0.1), dd.ema()
    ),
}
TAPE = np.random.default_rng(1).standard_normal((20, 4, 3))


@pytest.fixture(autouse=True)
def links_of_a_test_are_forgotten():
    before = dict(TRANSFORMS)
    yield
    TRANSFORMS.clear()
    TRANSFORMS.update(before)


def fresh(name, dtype=np.float64, **options):
    rng = np.random.default_rng(0)
    x = [rng.standard_normal((4, 3)).astype(dtype), rng.standard_normal(5).astype(dtype)]
    return dd.Stepper(CHAINS[name], x, **options)


def run(stepper, tape):
    for row in tape:
        stepper.step([row, row.ravel()[:5]])
    return stepper


def bits(stepper):
    flat = [*stepper.x, *(a for v in stepper.state.values() if isinstance(v, list) for a in v)]
    return [np.asarray(a).tobytes() for a in flat], stepper.t


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_with_gates_goes_on_from_a_checkpoint_between_two_updates(name, tmp_path):
    for cut in (1, 2, 7):
        broken = run(fresh(name), TAPE[:cut])
        broken.save(tmp_path / "run.ckpt")
        resumed = run(dd.Stepper.load(tmp_path / "run.ckpt"), TAPE[cut:])
        assert bits(resumed) == bits(run(fresh(name), TAPE))


@pytest.mark.parametrize("name", CHAINS)
def test_any_number_of_threads_gives_the_same_bits(name):
    rng = np.random.default_rng(2)
    tape = rng.standard_normal((5, 200, 300))  # four chunks

    def walked(threads):
        stepper = dd.Stepper(CHAINS[name], np.ones((200, 300)), threads=threads)
        for row in tape if name != "skip_nonfinite" else tape[:2]:
            stepper.step(row)
        return stepper.x.tobytes(), stepper.t

    assert walked(3) == walked(1)


@pytest.mark.parametrize("name", CHAINS)
def test_text_and_pickle_give_the_same_chain(name):
    chain = CHAINS[name]
    assert dd.get_rule(chain.text) == chain
    assert pickle.loads(pickle.dumps(chain)) == chain


def test_accumulated_gradients_step_like_their_mean():
    x, y = np.ones(4), np.ones(4)
    whole, parts = dd.Stepper(dd.adam(lr=0.1), x), dd.Stepper(CHAINS_OF_FOUR, y)
    for k in range(0, 20, 4):
        rows = TAPE[k : k + 4, :, 0]
        for row in rows:
            before = y.copy()
            parts.step(row)
        assert not np.array_equal(before, y)
        whole.step(((rows[0] + rows[1]) + rows[2] + rows[3]) / 4)
    assert np.array_equal(x, y)  # the same additions in the same order
    assert (whole.t, parts.t) == (5, 5)


CHAINS_OF_FOUR = dd.chain(dd.accumulate(4), dd.adam(lr=0.1))


def test_nothing_rests_of_a_skipped_gradient():
    x, y = np.ones(3), np.ones(3)
    clean = dd.Stepper(dd.adam(lr=0.1), x)
    skipping = dd.Stepper(dd.chain(dd.skip_nonfinite(), dd.adam(lr=0.1)), y)
    for k, bad in enumerate([None, np.nan, None, np.inf, -np.inf, None]):
        g = TAPE[k, :3, 0].copy()
        if bad is None:
            clean.step(g)
        else:
            g[1] = bad
        skipping.step(g)
    assert np.array_equal(x, y)
    assert skipping.t == 3
    assert skipping.state["skipped"] == 3


def test_huge_but_finite_gradients_are_no_reason_to_skip():
    x = np.zeros(2)
    stepper = dd.Stepper(dd.chain(dd.skip_nonfinite(), dd.sgd(lr=1e-300)), x)
    stepper.step(np.array([1e300, -1e300]))  # its norm overflows
    assert x.tolist() == [-1.0, 1.0]


def test_one_bad_array_keeps_all_of_them_where_they_are():
    x = {"a": np.ones(2), "b": np.ones(3, np.float32)}
    stepper = dd.Stepper(dd.chain(dd.skip_nonfinite(), dd.sgd(lr=1.0)), x)
    stepper.step({"a": np.ones(2), "b": np.array([0, np.nan, 0], np.float32)})
    assert x["a"].tolist() == [1, 1]
    assert stepper.t == 0


def test_the_loss_scale_follows_torch():
    torch = pytest.importorskip("torch")
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=2)
    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.float32))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    x = np.ones(2, np.float32)
    stepper = dd.Stepper(dd.chain(dd.unscale(first=64.0, every=2), dd.sgd(lr=0.1)), x)
    for factor in [1.0, 2.0, np.inf, 1.0, np.nan, 0.5, 0.5, 0.5]:
        assert stepper.state["scale"] == scaler.get_scale()
        loss = scaler.scale((weight * weight).sum())
        optimizer.zero_grad()
        loss.backward()
        weight.grad *= factor
        g = (2 * x * np.float32(stepper.state["scale"])) * np.float32(factor)
        stepper.step(g)
        scaler.step(optimizer)
        scaler.update()
        # one rounding of x − lr·g, done in float32 by both
        np.testing.assert_allclose(x, weight.detach().numpy(), rtol=3e-7)


def test_sam_takes_two_gradients_a_step_and_tells_where_home_is():
    x = np.array([3.0, 4.0])
    stepper = dd.Stepper(dd.chain(dd.sam(rho=0.5), dd.sgd(lr=0.1)), x)
    stepper.step(np.array([3.0, 4.0]))
    np.testing.assert_allclose(x, [3.3, 4.4], rtol=1e-15)  # 0.5 along (0.6, 0.8)
    assert stepper.t == 0
    assert stepper.solution.tolist() == [3.0, 4.0]
    stepper.step(np.array([1.0, 2.0]))
    np.testing.assert_allclose(x, [2.9, 3.8], rtol=1e-15)  # from home, by the gradient found there
    assert stepper.t == 1
    assert stepper.solution is x


def test_sam_stays_where_the_gradient_is_zero():
    x = np.ones(2)
    stepper = dd.Stepper(dd.chain(dd.sam(), dd.sgd(lr=0.1)), x)
    for _ in range(2):
        stepper.step(np.zeros(2))
        assert x.tolist() == [1, 1]


def test_a_gradient_that_is_x_itself_is_read_before_sam_moves_it():
    x = np.array([1.0])
    stepper = dd.Stepper(dd.chain(dd.sam(rho=0.5), dd.sgd(lr=0.1)), x)
    stepper.step(x)  # of ‖x‖² / 2
    stepper.step(x)
    np.testing.assert_allclose(x, [1 - 0.1 * 1.5], rtol=1e-15)


def test_accumulation_may_follow_a_schedule():
    x = np.zeros(1)
    steps = dd.join(schedules=(1.0, 2.0, 3.0), boundaries=(1, 2))
    stepper = dd.Stepper(dd.chain(dd.accumulate(steps), dd.sgd(lr=1.0)), x)
    at = []
    for g in [100.0, 0.0, 2.0, 3.0, 3.0, 6.0]:
        stepper.step(np.array([g]))
        at.append((stepper.t, float(x[0])))
    # 100, then the mean of 0 and 2, then that of 3, 3 and 6
    assert at == [(1, -100), (1, -100), (2, -101), (2, -101), (2, -101), (3, -105)]


def test_the_loss_scale_grows_once_for_so_many_good_steps_and_stays_in_its_limits():
    stepper = dd.Stepper(dd.chain(dd.unscale(first=4.0, every=2), dd.sgd(lr=0.0)), np.ones(1))
    scales = []
    for g in [1, 1, 1, np.inf, 1, 1, 1, np.nan, np.nan, np.nan, np.nan, np.nan]:
        stepper.step(np.array([float(g)]))
        scales.append(stepper.state["scale"])
    assert scales == [4, 8, 8, 4, 4, 8, 8, 4, 2, 1, 1, 1]
    for _ in range(400):
        stepper.step(np.array([1.0]))
    assert stepper.state["scale"] == 2.0**100


def test_a_skipped_step_leaves_the_curvature_as_it_was():
    stepper = dd.Stepper(dd.chain(dd.skip_nonfinite(), dd.sophia(lr=0.1)), np.ones(1))
    stepper.step(np.ones(1), curvature=np.full(1, 3.0))
    stepper.step(np.full(1, np.nan), curvature=np.full(1, np.nan))
    assert stepper.state["curvature"] == 3.0
    assert np.isfinite(stepper.x).all()


def test_a_condition_that_is_nan_opens_nothing():
    @dd.gate
    def risky(x, g):
        return total(g), x

    stepper = dd.Stepper(dd.chain(risky(), dd.sgd(lr=1.0)), np.ones(1))
    stepper.step(np.full(1, np.nan))
    assert (stepper.x[0], stepper.t) == (1.0, 0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: dd.chain(dd.accumulate(2), dd.accumulate(3), dd.sgd()), "a chain must have accumulate once; got it 2 times."),
        (lambda: dd.chain(dd.skip_nonfinite(), dd.unscale(), dd.sgd()), "unscale must come before skip_nonfinite in a chain"),
        (lambda: dd.chain(dd.accumulate(2), dd.polyak_sgd()), "polyak_sgd reads the function's value, of which accumulate makes no mean."),
        (lambda: dd.minimize(np.sum, [1.0], method="unscale > sgd"), "minimize does not multiply the loss by the scale of unscale."),
        (lambda: dd.minimize(np.sum, [1.0], method="sophia"), "minimize gives no curvature, which sophia needs."),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(make, sentence):
    with pytest.raises(RuleError, match=sentence):
        make()


def test_schedules_count_updates_and_may_count_gradients():
    lr = dd.linear(1.0, end=0.0, steps=4)
    x = np.zeros(1)
    stepper = dd.Stepper(dd.chain(dd.accumulate(2), dd.sgd(lr=lr)), x)
    steps = []
    for _ in range(8):
        before = x.copy()
        stepper.step(np.ones(1))
        steps.append(float((before - x)[0]))
    assert steps[::2] == [0, 0, 0, 0]
    # differences of x, which is of order 1
    np.testing.assert_allclose(steps[1::2], [lr(t) for t in (1, 2, 3, 4)], rtol=0, atol=1e-15)


def test_noise_depends_on_seed_array_and_step_alone():
    def after(seed, steps=1):
        x = [np.zeros(4), np.zeros(4)]
        stepper = dd.Stepper(dd.chain(dd.noise(seed=seed), dd.sgd(lr=1.0)), x)
        for _ in range(steps):
            stepper.step([np.zeros(4), np.zeros(4)])
        return x

    one, again, other = after(1), after(1), after(2)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
    assert not np.array_equal(after(1, 2)[0] - one[0], one[0])


def test_noise_has_the_variance_that_its_paper_gives():
    x = np.zeros(100_000)
    stepper = dd.Stepper(dd.chain(dd.noise(eta=0.3, gamma=1.0), dd.sgd(lr=1.0)), x)
    for t in (1, 2):
        before = x.copy()
        stepper.step(np.zeros_like(x))
        # the standard deviation of a variance from n draws is √(2/n) of it, 0.45 %; four of them
        np.testing.assert_allclose((before - x).var(), 0.3 / t, rtol=0.018)


def test_a_users_gate_needs_a_few_lines():
    @dd.gate
    def at_most(x, g, seen: Scalar = 0, *, longest: NonNegative = 1.0):
        fits = norm(g) <= longest
        return fits, x, seen + 1

    x = np.zeros(1)
    stepper = dd.Stepper(dd.chain(at_most(2.0), dd.sgd(lr=1.0)), x)
    stepper.step(np.array([3.0]))
    stepper.step(np.array([1.0]))
    assert (x[0], stepper.t, stepper.state["seen"]) == (-1.0, 1, 2.0)
    assert pickle.loads(cloudpickle.dumps(at_most)).gives == "g"


def test_a_gate_must_give_what_it_has():
    with pytest.raises(RuleError, match="wrong must give g or an array state; got 'v'"):

        @dd.gate(gives="v")
        def wrong(x, g):
            return 1, x


def test_a_gate_needs_a_place_that_there_is():
    with pytest.raises(RuleError, match="place of lost must be one of accumulate, .*; got 'there'"):

        @dd.gate(place="there")
        def lost(x, g):
            return 1, x


def test_a_gate_takes_nothing_from_the_rule():
    with pytest.raises(RuleError, match="lr of wrong must have a default; got none"):

        @dd.gate
        def wrong(x, g, *, lr):
            return lr, x


@pytest.mark.parametrize("name", ["accumulate", "unscale", "skip_nonfinite", "sam"])
def test_show_prints_the_lines_of_a_gate(name, capsys):
    from descend.cli import _status

    assert _status(["show", name]) == 0
    out = capsys.readouterr().out
    assert "no step is taken" in out
    assert f"{name} (gate)" in out
