"""Schedules against those of optax and Keras, update by update, in float64.

Each row holds the exact call of descend and that of its twin. The n-th update is optax' count and Keras' step n − 1. 1e-12 allows
for roundings in another order, among them a rate for ten steps against its tenth root for one.
"""

import numpy as np
import pytest

import descend as dd

LR = 0.1
UPDATES = 120


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def values(schedule, updates=UPDATES):
    return [schedule(t) for t in range(1, updates + 1)]


OPTAX = [
    (dd.constant(0.1), "constant_schedule(value=0.1)"),
    (
        dd.cosine(0.1, steps=40, end=0.01),
        "cosine_decay_schedule(init_value=0.1, decay_steps=40, alpha=0.1)",
    ),
    (  # decay_steps count the warm-up
        dd.join(
            (dd.linear(0.02, steps=10, end=0.1), dd.cosine(0.1, steps=40, end=0.01)),
            boundaries=(10,),
        ),
        "warmup_cosine_decay_schedule(init_value=0.02, peak_value=0.1, warmup_steps=10, decay_steps=50, end_value=0.01)",
    ),
    (
        dd.exponential(0.1, rate=0.5 ** (1 / 10)),
        "exponential_decay(init_value=0.1, transition_steps=10, decay_rate=0.5)",
    ),
    (
        dd.step(0.1, every=10, factor=0.5),
        "exponential_decay(init_value=0.1, transition_steps=10, decay_rate=0.5, staircase=True)",
    ),
    (
        dd.join((0.1, dd.exponential(0.1, rate=0.5 ** (1 / 10))), boundaries=(7,)),
        "exponential_decay(init_value=0.1, transition_steps=10, decay_rate=0.5, transition_begin=7)",
    ),
    (
        dd.polynomial(0.1, steps=40, power=1.5, end=0.01),
        "polynomial_schedule(init_value=0.1, end_value=0.01, power=1.5, transition_steps=40)",
    ),
    (
        dd.join((0.1, dd.polynomial(0.1, steps=40, power=2, end=0.2)), boundaries=(6,)),
        "polynomial_schedule(init_value=0.1, end_value=0.2, power=2, transition_steps=40, transition_begin=6)",
    ),
    (
        dd.linear(0.1, steps=40, end=0.02),
        "linear_schedule(init_value=0.1, end_value=0.02, transition_steps=40)",
    ),
    (
        dd.linear(0.02, steps=10, end=0.1),
        "warmup_constant_schedule(init_value=0.02, peak_value=0.1, warmup_steps=10)",
    ),
    (
        dd.join(
            (dd.linear(0.02, steps=10, end=0.1), dd.step(0.1, every=5, factor=0.8)),
            boundaries=(10,),
        ),
        "warmup_exponential_decay_schedule(init_value=0.02, peak_value=0.1, warmup_steps=10, transition_steps=5, decay_rate=0.8, staircase=True)",
    ),
    (  # boundaries as here
        dd.multistep(0.1, boundaries=(4, 20), factor=0.5),
        "piecewise_constant_schedule(init_value=0.1, boundaries_and_scales={4: 0.5, 20: 0.5})",
    ),
    (
        dd.join((0.1, 0.05, 0.005), boundaries=(4, 20)),
        "piecewise_constant_schedule(init_value=0.1, boundaries_and_scales={4: 0.5, 20: 0.1})",
    ),
    (
        dd.join(
            (
                dd.linear(0.0, steps=5, end=0.1),
                dd.cosine(0.1, steps=15, end=0.01),
                dd.linear(0.01, steps=10, end=0.05),
                dd.cosine(0.05, steps=30, end=0.001),
            ),
            boundaries=(5, 20, 30),
        ),
        "sgdr_schedule([dict(init_value=0.0, peak_value=0.1, warmup_steps=5, decay_steps=20, end_value=0.01), dict(init_value=0.01, peak_value=0.05, warmup_steps=10, decay_steps=40, end_value=0.001)])",
    ),
    (  # as long as sgdr_schedule has cycles: 10 + 20 + 40 + 80
        dd.cosine_restarts(0.1, steps=10, growth=2, decay=0.5),
        "sgdr_schedule([dict(init_value=0.0, peak_value=0.1 * 0.5**i, warmup_steps=0, decay_steps=10 * 2**i) for i in range(4)])",
    ),
    (  # corners at int(0.3 · 40), int(0.85 · 40), 40
        dd.join(
            (
                dd.linear(0.004, steps=12, end=0.1),
                dd.linear(0.1, steps=22, end=0.004),
                dd.linear(0.004, steps=6, end=4e-7),
            ),
            boundaries=(12, 34),
        ),
        "linear_onecycle_schedule(transition_steps=40, peak_value=0.1)",
    ),
    (  # corners at int(0.3 · 40), 40; final_div_factor divides the initial value
        dd.join(
            (dd.cosine(0.004, steps=12, end=0.1), dd.cosine(0.1, steps=28, end=4e-7)),
            boundaries=(12,),
        ),
        "cosine_onecycle_schedule(transition_steps=40, peak_value=0.1)",
    ),
]


@pytest.mark.parametrize(("ours", "twin"), OPTAX)
def test_schedule_is_its_optax_twin(optax, ours, twin):
    theirs = eval(f"optax.schedules.{twin}")
    close(values(ours), [float(theirs(count)) for count in range(UPDATES)])


def test_join_is_optax_join_schedules(optax):
    theirs = optax.join_schedules(
        [optax.linear_schedule(0.2, 0.1, 4), optax.cosine_decay_schedule(0.3, 8)], [6]
    )
    ours = dd.join((dd.linear(0.2, steps=4, end=0.1), dd.cosine(0.3, steps=8)), boundaries=(6,))
    close(values(ours, 20), [float(theirs(count)) for count in range(20)])


@pytest.fixture
def keras_schedules(exact_keras):
    return exact_keras.optimizers.schedules


KERAS = [
    (
        dd.cosine(0.1, steps=40, end=0.01),
        "CosineDecay(initial_learning_rate=0.1, decay_steps=40, alpha=0.1)",
    ),
    (  # decay_steps do not count the warm-up: 50 in all
        dd.join(
            (dd.linear(0.02, steps=10, end=0.1), dd.cosine(0.1, steps=40, end=0.01)),
            boundaries=(10,),
        ),
        "CosineDecay(initial_learning_rate=0.02, decay_steps=40, alpha=0.1, warmup_target=0.1, warmup_steps=10)",
    ),
    (
        dd.cosine_restarts(0.1, steps=7, growth=2, decay=0.8, end=0.01),
        "CosineDecayRestarts(initial_learning_rate=0.1, first_decay_steps=7, m_mul=0.8, alpha=0.1)",
    ),
    (
        dd.cosine_restarts(0.1, steps=8, decay=0.5),
        "CosineDecayRestarts(initial_learning_rate=0.1, first_decay_steps=8, t_mul=1.0, m_mul=0.5)",
    ),
    (
        dd.exponential(0.1, rate=0.5 ** (1 / 10)),
        "ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5)",
    ),
    (
        dd.step(0.1, every=10, factor=0.5),
        "ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5, staircase=True)",
    ),
    (
        dd.inverse_time(0.1, rate=0.05),
        "InverseTimeDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5)",
    ),
    (
        dd.per_epoch(dd.inverse_time(0.1, rate=0.5), updates=10),
        "InverseTimeDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5, staircase=True)",
    ),
    (
        dd.polynomial(0.1, steps=40, power=1.5, end=0.01),
        "PolynomialDecay(initial_learning_rate=0.1, decay_steps=40, end_learning_rate=0.01, power=1.5)",
    ),
    (
        dd.polynomial_cycles(0.1, steps=15, power=1.5, end=0.01),
        "PolynomialDecay(initial_learning_rate=0.1, decay_steps=15, end_learning_rate=0.01, power=1.5, cycle=True)",
    ),
    (  # boundaries one later
        dd.join((0.1, 0.05, 0.01), boundaries=(5, 21)),
        "PiecewiseConstantDecay(boundaries=[4, 20], values=[0.1, 0.05, 0.01])",
    ),
]


@pytest.mark.parametrize(("ours", "twin"), KERAS)
def test_schedule_is_its_keras_twin(keras_schedules, jax, ours, twin):
    theirs = eval(f"keras_schedules.{twin}")
    if twin.startswith("Cosine"):  # their conditions are compiled anew at every call
        theirs = jax.jit(theirs)
    found = [theirs(step) for step in range(UPDATES)]
    assert all(value.dtype == np.float64 for value in found)
    close(values(ours), [float(value) for value in found])


def test_keras_cosine_on_jax_is_ours_to_the_precision_of_its_float32_cosine(keras):
    theirs = keras.optimizers.schedules.CosineDecay(0.1, 40, alpha=0.1)
    ours = values(dd.cosine(0.1, steps=40, end=0.01))
    found = [float(theirs(step)) for step in range(UPDATES)]
    # a cosine is off by 6e-8 at most, and three float32 operations follow
    np.testing.assert_allclose(ours, found, rtol=0, atol=LR * 3e-7)


def test_per_micro_step_is_a_schedule_of_keras_under_accumulation(keras):
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 5, end_learning_rate=0.01)
    optimizer = keras.optimizers.SGD(schedule, gradient_accumulation_steps=2)
    x, one = keras.Variable(np.zeros(1)), keras.ops.ones(1, dtype="float64")
    taken = []
    for _ in range(3):
        before = float(x.value[0])
        for _ in range(2):
            optimizer.apply([one], [x])
        taken.append(before - float(x.value[0]))  # the mean gradient is 1
    ours = dd.per_micro_step(dd.linear(0.1, steps=5, end=0.01), micro_steps=2)
    close(values(ours, 3), taken)


def test_boundaries_and_corners_lie_where_the_definitions_say(optax, keras):
    """The new value at the count of 4, 4 and, in Keras, 5; the peak of a cycle of 10 at 2 and, in optax, 3."""
    ours = values(dd.multistep(1.0, boundaries=(4,)), 8)
    assert ours.index(0.1) == 4
    assert [optax.piecewise_constant_schedule(1.0, {4: 0.1})(c) < 1 for c in (3, 4)] == [0, 1]
    theirs = keras.optimizers.schedules.PiecewiseConstantDecay([4], [1.0, 0.1])
    assert [float(theirs(c)) for c in (4, 5)] == [1.0, 0.1]
    assert int(np.argmax(values(dd.one_cycle(1.0, steps=10), 12))) == 2
    cycle = optax.schedules.cosine_onecycle_schedule(10, 1.0)
    assert int(np.argmax([cycle(c) for c in range(12)])) == 3
