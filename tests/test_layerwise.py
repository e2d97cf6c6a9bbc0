"""Rules and transforms with norms of each array, and what comes after a rule."""

import importlib

import numpy as np
import pytest

import descend as dd
from descend.errors import RuleError

TOLERANCE = 1e-12  # sixty steps in float64 of the same formula in another order


def tape(count=60, seed=0):
    rng = np.random.default_rng(seed)
    return [[rng.standard_normal((3, 4)), 10 * rng.standard_normal(5)] for _ in range(count)]


def start():
    rng = np.random.default_rng(7)
    return [rng.standard_normal((3, 4)), rng.standard_normal(5)]


def walk(update, gradients, x=None):
    x = start() if x is None else x
    stepper = dd.Stepper(update, x)
    for g in gradients:
        stepper.step(g)
    return stepper


@pytest.fixture
def optax():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", before)


def optax_walk(transformation, gradients):
    jax = importlib.import_module("jax")
    optax = importlib.import_module("optax")
    x = [jax.numpy.asarray(a) for a in start()]
    state = transformation.init(x)

    @jax.jit
    def step(g, state, x):
        updates, state = transformation.update(g, state, x)
        return state, optax.apply_updates(x, updates)

    for g in gradients:
        state, x = step([jax.numpy.asarray(a) for a in g], state, x)
    return [np.asarray(a) for a in x]


OPTAX = {
    "lars": (
        dd.lars(lr=0.1, momentum=0.8, trust=0.02),
        lambda o: o.lars(0.1, trust_coefficient=0.02, momentum=0.8),
    ),
    "lamb": (
        dd.lamb(lr=0.01, beta1=0.8, beta2=0.99, weight_decay=0.1),
        lambda o: o.lamb(0.01, b1=0.8, b2=0.99, weight_decay=0.1),
    ),
    "novograd": (
        dd.novograd(lr=0.01, beta1=0.8, beta2=0.5, weight_decay=0.1),
        lambda o: o.novograd(0.01, b1=0.8, b2=0.5, weight_decay=0.1),
    ),
    "fromage": (dd.fromage(lr=0.02), lambda o: o.fromage(0.02, min_norm=0.0)),
    "global and own norms": (
        dd.chain(dd.clip_norm(2.0), dd.lamb(lr=0.01)),
        lambda o: o.chain(o.clip_by_global_norm(2.0), o.lamb(0.01)),
    ),
}


@pytest.mark.parametrize("twin", OPTAX)
def test_rule_is_its_optax_twin(optax, twin):
    ours, make = OPTAX[twin]
    for a, b in zip(walk(ours, tape()).x, optax_walk(make(optax), tape()), strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["lars", "lamb", "novograd", "fromage"])
def test_each_array_steps_as_if_it_were_alone(name):
    together = walk(dd.find_rule(name), tape(5))
    for i in (0, 1):
        alone = walk(dd.find_rule(name), [g[i] for g in tape(5)], start()[i])
        assert alone.x.tobytes() == together.x[i].tobytes()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_norms_of_arrays_have_the_same_bits_on_any_number_of_threads(threads):
    g = np.random.default_rng(0).standard_normal(300_000)
    xs = [np.linspace(-1, 1, 300_000) for _ in range(2)]
    for x, count in zip(xs, (1, threads), strict=True):
        dd.Stepper(dd.lamb(lr=0.1), x, threads=count).step(g)
    assert xs[0].tobytes() == xs[1].tobytes()


def test_clip_norm_each_clips_arrays_alone():
    x = [np.zeros(2), np.zeros(2)]
    dd.Stepper(dd.chain(dd.clip_norm_each(1.0), dd.sgd(lr=1.0)), x).step(
        [np.array([3.0, 4.0]), np.array([0.3, 0.4])]
    )
    np.testing.assert_allclose(x, [[-0.6, -0.8], [-0.3, -0.4]], rtol=1e-15)


def test_agc_limits_the_gradient_to_a_share_of_the_parameters():
    x = [np.array([3.0, 4.0]), np.zeros(2)]
    dd.Stepper(dd.chain(dd.agc(0.5, eps=0.01), dd.sgd(lr=1.0)), x).step(
        [np.array([6.0, 8.0]), np.array([0.6, 0.8])]
    )
    np.testing.assert_allclose(x[0], [3 - 1.5, 4 - 2.0], rtol=1e-15)  # to 0.5 * 5
    np.testing.assert_allclose(x[1], [-0.003, -0.004], rtol=1e-15)  # to 0.5 * 0.01


@pytest.mark.parametrize("every", [1, 2, 5])
def test_lookahead_is_its_loop(every):
    ours = walk(dd.chain(dd.momentum(lr=0.01), dd.lookahead(alpha=0.3, every=every)), tape(23))
    fast, slow = start(), start()
    inner = dd.Stepper(dd.momentum(lr=0.01), fast)
    for t, g in enumerate(tape(23), 1):
        inner.step(g)
        if t % every == 0:
            for a, b in zip(fast, slow, strict=True):
                b += 0.3 * (a - b)
                a[...] = b
    for a, b, c, d in zip(ours.x, fast, ours.solution, slow, strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE)
        np.testing.assert_allclose(c, d, rtol=TOLERANCE)


def test_averages_are_their_loops():
    gradients = tape(20)
    chains = {
        "ema": dd.chain(dd.sgd(lr=0.01), dd.ema(0.9)),
        "polyak": dd.chain(dd.sgd(lr=0.01), dd.polyak_average()),
        "swa": dd.chain(dd.sgd(lr=0.01), dd.swa(every=3, start=5)),
    }
    x = start()
    stepper = dd.Stepper(dd.sgd(lr=0.01), x)
    ema, visited, caught = [a.copy() for a in x], [], []
    for t, g in enumerate(gradients, 1):
        stepper.step(g)
        ema = [0.9 * a + (1 - 0.9) * b for a, b in zip(ema, x, strict=True)]
        visited.append([a.copy() for a in x])
        if t >= 5 and (t - 5) % 3 == 0:
            caught.append(visited[-1])
    expected = {
        "ema": ema,
        "polyak": [np.mean([v[i] for v in visited], axis=0) for i in (0, 1)],
        "swa": [np.mean([v[i] for v in caught], axis=0) for i in (0, 1)],
    }
    for name, update in chains.items():
        ours = walk(update, gradients)
        for a, b in zip(ours.solution, expected[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=TOLERANCE)
        for a, b in zip(ours.x, x, strict=True):
            assert a.tobytes() == b.tobytes()  # averaging does not touch the iterates


def test_cautious_drops_uphill_elements_and_scales_the_rest_of_its_array():
    x = [np.zeros(4), np.zeros(2)]
    s = dd.Stepper(dd.chain(dd.momentum(lr=1.0, momentum=0.5), dd.cautious()), x)
    s.step([np.array([1.0, 1, 1, 1]), np.array([1.0, 1])])
    np.testing.assert_array_equal(x[0], [-1, -1, -1, -1])
    s.step([np.array([1.0, -0.25, -0.25, 1.0]), np.array([1.0, 1.0])])
    # velocities 1.5, .25, .25, 1.5: the middle ones point against the gradient; half is kept, doubled
    np.testing.assert_array_equal(x[0], [-4, -1, -1, -4])
    np.testing.assert_array_equal(x[1], [-2.5, -2.5])


def test_grams_takes_the_size_of_the_step_and_the_sign_of_the_gradient():
    x = np.zeros(3)
    s = dd.Stepper(dd.chain(dd.momentum(lr=1.0, momentum=0.5), dd.grams()), x)
    s.step(np.array([1.0, -1.0, 0.0]))
    s.step(np.array([-0.25, -0.25, 0.0]))
    np.testing.assert_array_equal(x, [-1 + 0.25, 1 + 0.75, 0.0])


def test_before_is_the_rules_own_x():
    x = np.array([2.0])
    s = dd.Stepper(dd.chain(dd.decay(0.5), dd.sgd(lr=0.1), dd.grams()), x)
    s.step(np.array([1.0]))
    np.testing.assert_allclose(x, 2.0 * 0.95 - 0.1, rtol=1e-15)


def test_the_last_average_is_the_answer():
    s = walk(dd.chain(dd.schedule_free_sgd(lr=0.01), dd.ema(0.5)), tape(3))
    assert s.solution[0].tobytes() == s.state["ema_average"][0].tobytes()


def test_chains_with_afters_are_read_from_text():
    update = dd.get_rule("clip_norm:max_norm=1 > adam:lr=0.1 > cautious > ema:beta=0.9")
    assert update == dd.chain(dd.clip_norm(1.0), dd.adam(lr=0.1), dd.cautious(), dd.ema(0.9))


def test_an_after_is_no_rule_alone():
    with pytest.raises(RuleError, match=r"dd\.chain\(dd\.sgd\(\), dd\.ema\(\)\)"):
        dd.Stepper(dd.ema(), np.zeros(1))


def test_cautious_scales_up_by_a_thousand_at_most():
    x = np.zeros(4000)
    s = dd.Stepper(dd.chain(dd.momentum(lr=1.0, momentum=0.5), dd.cautious()), x)
    s.step(np.ones(4000))
    before = x.copy()
    g = np.full(4000, -0.25)  # velocities of 0.25 that point against the gradient
    g[0] = 1.0
    s.step(g)
    # one of 4000 is kept: 1.5 / 1e-3, not 1.5 · 4000
    np.testing.assert_allclose(before[0] - x[0], 1500, rtol=1e-12)
    assert np.array_equal(x[1:], before[1:])
