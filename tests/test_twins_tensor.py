"""Rules on whole arrays against torch, Keras and optax: sixty steps in float64 on two matrices, a vector and a stack."""

import numpy as np
import pytest

import descend as dd

STEPS = 60
SHAPES = [(4, 3), (3, 5), (6,), (2, 3, 4)]
MATRICES_AND_VECTOR = SHAPES[:3]
MATRICES = SHAPES[:2]
TOLERANCE = 1e-12
"""As for other rules: formulas that differ differ here by 1e-3 and more."""


def tape(shapes):
    rng = np.random.default_rng(0)
    return [
        [rng.standard_normal(s) * 3.0 ** rng.integers(-2, 3) for s in shapes] for _ in range(STEPS)
    ]


def start(shapes):
    rng = np.random.default_rng(1)
    return [rng.standard_normal(s) for s in shapes]


def ours(update, shapes):
    x = start(shapes)
    stepper = dd.Stepper(update, x)
    for g in tape(shapes):
        stepper.step(g)
    return x


def close(a, b, tolerance=TOLERANCE):
    for p, q in zip(a, b, strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)


# ---- torch


def torch_walk(torch, make, shapes, steps=STEPS):
    x = [torch.tensor(a, requires_grad=True) for a in start(shapes)]
    optimizer = make(x)
    for g in tape(shapes)[:steps]:
        for a, b in zip(x, g, strict=True):
            a.grad = torch.tensor(b)
        optimizer.step()
    return [a.detach().numpy() for a in x]


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({}, {}),
        ({"lr": 0.3, "weight_decay": 0.0}, {"lr": 0.3, "weight_decay": 0.0}),
        (
            {"lr": 0.05, "beta2_decay": 0.5, "eps1": 0.3, "eps2": 0.5, "clip": 1.1, "weight_decay": 0.1},
            {"lr": 0.05, "beta2_decay": -0.5, "eps": (0.3, 0.5), "d": 1.1, "weight_decay": 0.1},
        ),
    ],
)  # fmt: skip
def test_adafactor_clamped_is_torchs_adafactor(torch, mine, theirs, foreach):
    make = lambda x: torch.optim.Adafactor(x, foreach=foreach, **theirs)
    close(ours(dd.adafactor_clamped(**mine), SHAPES), torch_walk(torch, make, SHAPES))


MUON = {
    "muon": (dd.chain(dd.decay(0.1), dd.muon(lr=0.02)), {}),
    "another momentum, no decay": (
        dd.muon(lr=0.02, momentum=0.8),
        {"momentum": 0.8, "weight_decay": 0.0},
    ),
    "muon_rms": (
        dd.chain(dd.decay(0.1), dd.muon_rms(lr=0.02)),
        {"adjust_lr_fn": "match_rms_adamw"},
    ),
}


@pytest.mark.parametrize("case", MUON)
def test_muon_is_torchs_without_its_rounding(exact_torch, case):
    torch = exact_torch
    update, settings = MUON[case]
    make = lambda x: torch.optim.Muon(x, lr=0.02, **settings)
    close(ours(update, MATRICES), torch_walk(torch, make, MATRICES))


def test_muon_with_a_schedule_is_torchs_without_its_rounding(exact_torch):
    torch = exact_torch
    x = [torch.tensor(a, requires_grad=True) for a in start(MATRICES)]
    optimizer = torch.optim.Muon(x, lr=0.02, weight_decay=0.1)
    for t, g in enumerate(tape(MATRICES), 1):
        optimizer.param_groups[0]["lr"] = 0.02 / t
        for a, b in zip(x, g, strict=True):
            a.grad = torch.tensor(b)
        optimizer.step()
    update = dd.chain(dd.decay(0.1), dd.muon(lr=lambda t: 0.02 / t))
    close(ours(update, MATRICES), [a.detach().numpy() for a in x])


def test_muon_is_torchs_to_the_rounding_of_bfloat16(torch):
    """2⁻⁸ a rounding, enlarged by five steps of slope 3.4; each of the 60 steps of 0.02 may be off by a tenth of itself."""
    theirs = torch_walk(torch, lambda x: torch.optim.Muon(x, lr=0.02, weight_decay=0.0), MATRICES)
    close(ours(dd.muon(lr=0.02), MATRICES), theirs, tolerance=60 * 0.02 * 0.1)


# ---- optax


def optax_walk(jax, optax, transformation, shapes):
    x = [jax.numpy.asarray(a) for a in start(shapes)]
    state = transformation.init(x)

    @jax.jit
    def step(g, state, x):
        updates, state = transformation.update(g, state, x)
        return state, optax.apply_updates(x, updates)

    for g in tape(shapes):
        state, x = step([jax.numpy.asarray(a) for a in g], state, x)
    return [np.asarray(a) for a in x]


OPTAX = {
    "sm3": (dd.sm3(lr=0.1, momentum=0.8), SHAPES, lambda o: o.sm3(0.1, momentum=0.8)),
    "sm3 without momentum": (
        dd.sm3(lr=0.1, momentum=0.0),
        SHAPES,
        lambda o: o.sm3(0.1, momentum=0.0),
    ),
    "muon, nadam for the rest": (
        dd.muon_corrected(lr=0.02),
        MATRICES_AND_VECTOR,
        lambda o: o.contrib.muon(0.02),
    ),
    "muon of other settings": (
        dd.muon_corrected(lr=0.02, momentum=0.8, beta1=0.7, beta2=0.9, eps=1e-2),
        SHAPES,
        lambda o: o.contrib.muon(0.02, beta=0.8, adam_b1=0.7, adam_b2=0.9, eps=1e-2),
    ),
    "muon with decay": (
        dd.chain(dd.decay(0.1), dd.muon_corrected(lr=0.02)),
        SHAPES,
        lambda o: o.contrib.muon(0.02, weight_decay=0.1, adam_weight_decay=0.1),
    ),
    "centralize": (
        dd.chain(dd.centralize(), dd.adam(lr=0.01)),
        SHAPES,
        lambda o: o.chain(o.centralize(), o.adam(0.01)),
    ),
    "clip, centralize, sm3": (
        dd.chain(dd.clip_norm(1.0), dd.centralize(), dd.sm3(lr=0.1)),
        SHAPES,
        lambda o: o.chain(o.clip_by_global_norm(1.0), o.centralize(), o.sm3(0.1)),
    ),
}


@pytest.mark.parametrize("case", OPTAX)
def test_rule_is_its_optax_twin(jax, optax, case):
    update, shapes, make = OPTAX[case]
    close(ours(update, shapes), optax_walk(jax, optax, make(optax), shapes))


FACTORED = SHAPES[:3] + [(5, 2, 7)]
"""No array with two axes of one length but one: the longest are told apart."""


@pytest.mark.parametrize("least", [3, 128])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_adafactor_constant_is_optaxs_adafactor_with_an_exact_beta2(jax, optax, least, decay):
    """optax computes 1 − t^(−0.8) in float32; its parts are put together here with the same in float64."""
    exact = lambda i, exponent: 1 - (i + 1).astype(jax.numpy.float64) ** -exponent
    scale = optax.scale_by_factored_rms(
        True, 0.8, 0, least, 1e-30, lambda i, e: exact(jax.numpy.asarray(i), e)
    )
    theirs = optax.chain(
        scale,
        optax.clip_by_block_rms(1.0),
        optax.scale(0.1),
        optax.scale_by_param_block_rms(),
        optax.add_decayed_weights(decay),
        optax.scale(-1),
    )
    update = dd.adafactor_constant(lr=0.1, weight_decay=decay, factored_from=least)
    close(ours(update, FACTORED), optax_walk(jax, optax, theirs, FACTORED))
    whole = optax.adafactor(0.1, min_dim_size_to_factor=least, weight_decay_rate=decay)
    # 60 steps of which each has a β₂ with an error of 6e-8
    close(ours(update, FACTORED), optax_walk(jax, optax, whole, FACTORED), tolerance=1e-5)


# ---- Keras


def keras_walk(keras, optimizer, shapes):
    x = [keras.Variable(a, dtype="float64") for a in start(shapes)]
    optimizer.build(x)
    for g in tape(shapes):
        optimizer.apply([keras.ops.convert_to_tensor(a) for a in g], x)
    return [np.array(a.value) for a in x]


KERAS = {
    "Adafactor": (dd.adafactor(lr=0.01), "Adafactor", {"learning_rate": 0.01}),
    "Adafactor of other settings": (
        dd.adafactor(lr=0.3, beta2_decay=0.5, eps1=0.1, eps2=0.5, clip=0.7),
        "Adafactor",
        {"learning_rate": 0.3, "beta_2_decay": -0.5, "epsilon_1": 0.1, "epsilon_2": 0.5, "clip_threshold": 0.7},
    ),
    "Adafactor with decay": (
        dd.chain(dd.decay(0.1), dd.adafactor(lr=0.01)),
        "Adafactor",
        {"learning_rate": 0.01, "weight_decay": 0.1},
    ),
    "Muon": (
        dd.chain(dd.decay(0.004), dd.muon_trace(lr=0.02)),
        "Muon",
        {"learning_rate": 0.02},
    ),
    "Muon of other settings": (
        dd.muon_trace(lr=0.02, momentum=0.8, scale=0.5, beta1=0.7, beta2=0.9, eps=1e-3),
        "Muon",
        {"learning_rate": 0.02, "momentum": 0.8, "rms_rate": 0.5, "adam_beta_1": 0.7, "adam_beta_2": 0.9,
         "epsilon": 1e-3, "weight_decay": None, "adam_weight_decay": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", KERAS)
def test_rule_is_its_keras_twin_to_the_rounding_of_float32(keras, case):
    update, name, settings = KERAS[case]
    theirs = keras_walk(keras, getattr(keras.optimizers, name)(**settings), SHAPES)
    # 60 steps of some ten roundings of float32, which Newton-Schulz enlarges
    close(ours(update, SHAPES), theirs, tolerance=1e-5)


@pytest.mark.parametrize("case", KERAS)
def test_rule_is_its_keras_twin_without_its_rounding(exact_keras, case):
    update, name, settings = KERAS[case]
    theirs = keras_walk(exact_keras, getattr(exact_keras.optimizers, name)(**settings), SHAPES)
    close(ours(update, SHAPES), theirs)
