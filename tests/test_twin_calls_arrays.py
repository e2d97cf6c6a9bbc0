"""``dd.twin`` of optimizers that see whole arrays against the live ones: 60 steps of every switch, on matrices and other arrays in float64.

torch's Muon rounds to bfloat16, Keras's means and norms and a power of optax's to float32: what they compute without that is compared.
"""

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError

TOLERANCE = 1e-12
"""Of sixty steps, as for other twins."""
MATRICES = ((3, 4), (5, 3), (1, 6), (2, 2))
ARRAYS = ((3, 4), (5,), (6, 2), (2, 3, 5))
"""No array but the vector has two axes of one length: the longest are told apart."""


def agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE)
    assert np.abs(theirs[-1] - theirs[0]).mean() > 1e-6


FACTOR = {"lr": 0.05, "beta2_decay": -0.5, "eps": (0.3, 0.5), "d": 1.1}
MUON = {"lr": 0.02}
RMS = {"adjust_lr_fn": "match_rms_adamw"}
TORCH = [
    *(("Adafactor", ARRAYS, settings) for settings in (
        {}, {"foreach": True}, FACTOR, {**FACTOR, "weight_decay": 0.1}, {**FACTOR, "maximize": True}, {"d": 2.0}, {"eps": (None, 0.1)}, {"beta2_decay": 0},
        {**FACTOR, "weight_decay": 0.1, "maximize": True, "foreach": True},
    )),
    *(("Muon", MATRICES, settings) for settings in (
        {}, MUON, {**MUON, "momentum": 0.8}, {**MUON, "weight_decay": 0.0}, {**MUON, "weight_decay": 0.3}, {**MUON, "momentum": 0.0},
        {**MUON, "momentum": 0.0, "nesterov": False}, {**MUON, "adjust_lr_fn": "original"}, {**MUON, **RMS}, {**MUON, **RMS, "weight_decay": 0.0, "momentum": 0.8},
    )),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shapes", "settings"), TORCH, ids=str)
def test_twin_takes_the_steps_of_torch(exact_torch, two_traces, two_torch_traces, name, settings):
    make = getattr(exact_torch.optim, name)
    theirs, _ = two_torch_traces(lambda x: make(x, **settings))
    agree(two_traces(dd.twin("torch", name, **settings))[0], theirs)


@pytest.mark.parametrize(
    ("name", "shapes", "settings"),
    [("Adafactor", ARRAYS, {"weight_decay": 0.1}), ("Muon", MATRICES, {})],
    ids=str,
)
def test_a_schedule_of_descend_is_a_scheduler_of_torch(
    exact_torch, two_traces, two_torch_traces, name, settings
):
    make = getattr(exact_torch.optim, name)
    theirs, _ = two_torch_traces(
        lambda x: make(x, lr=0.1, **settings),
        lambda o: exact_torch.optim.lr_scheduler.StepLR(o, step_size=7, gamma=0.5),
    )
    update = dd.twin("torch", name, lr=dd.step(0.1, every=7, factor=0.5), **settings)
    agree(two_traces(update)[0], theirs)


RATE = {"learning_rate": 0.03}
PAPER = {**RATE, "beta_2_decay": -0.5, "epsilon_1": 0.1, "epsilon_2": 0.5, "clip_threshold": 0.7}
PLAIN = {**RATE, "weight_decay": None, "adam_weight_decay": None}
KERAS = [
    *(("Adafactor", settings) for settings in (
        {}, PAPER, {**PAPER, "relative_step": False}, {**PAPER, "weight_decay": 0.1}, {**PAPER, "clipnorm": 0.5}, {**PAPER, "global_clipnorm": 0.5},
        {**PAPER, "clipvalue": 0.3, "use_ema": True, "ema_momentum": 0.9}, {"clip_threshold": 3.0},
    )),
    *(("Muon", settings) for settings in (
        {}, RATE, PLAIN, {**PLAIN, "momentum": 0.8}, {**PLAIN, "momentum": 0.0, "nesterov": False}, {**PLAIN, "rms_rate": 0.5},
        {**PLAIN, "adam_beta_1": 0.7, "adam_beta_2": 0.9, "epsilon": 1e-3}, {**RATE, "weight_decay": 0.1, "adam_weight_decay": 0.1},
        {**PLAIN, "clipnorm": 0.5}, {**PLAIN, "global_clipnorm": 0.5, "use_ema": True}, {**PLAIN, "weight_decay": 0.0, "exclude_embeddings": False},
    )),
]  # fmt: skip


@pytest.mark.parametrize("shapes", [ARRAYS])
@pytest.mark.parametrize(("name", "settings"), KERAS, ids=str)
def test_twin_takes_the_steps_of_keras(exact_keras, two_traces, two_keras_traces, name, settings):
    theirs, their_answers = two_keras_traces(getattr(exact_keras.optimizers, name)(**settings))
    ours, answers = two_traces(dd.twin("keras", name, **settings))
    agree(ours, theirs)
    if settings.get("use_ema"):
        agree(answers, their_answers)


@pytest.mark.parametrize("shapes", [ARRAYS])
@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_a_schedule_of_descend_is_one_of_keras(exact_keras, two_traces, two_keras_traces, name):
    schedule = exact_keras.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5)  # fmt: skip
    theirs, _ = two_keras_traces(getattr(exact_keras.optimizers, name)(schedule))
    agree(two_traces(dd.twin("keras", name, learning_rate=dd.inverse_time(0.1, rate=0.05)))[0], theirs)  # fmt: skip


LR = {"learning_rate": 0.03}
SMALL = {**LR, "min_dim_size_to_factor": 3}
OPTAX = [
    *(("adafactor", settings) for settings in (
        LR, {"clipping_threshold": 0.01}, SMALL, {**SMALL, "factored": False}, {**SMALL, "clipping_threshold": None}, {**SMALL, "clipping_threshold": 0.5},
        {**SMALL, "weight_decay_rate": 0.01}, {**SMALL, "eps": 0.1}, {**SMALL, "min_dim_size_to_factor": 2, "weight_decay_rate": 0.01, "clipping_threshold": None},
    )),
    *(("sm3", settings) for settings in (LR, {**LR, "momentum": 0.8}, {**LR, "momentum": 0.0})),
]  # fmt: skip


@pytest.mark.parametrize("shapes", [ARRAYS])
@pytest.mark.parametrize(("name", "settings"), OPTAX, ids=str)
def test_twin_takes_the_steps_of_optax(exact_optax, two_traces, two_optax_traces, name, settings):
    theirs = two_optax_traces(getattr(exact_optax, name)(**settings))
    agree(two_traces(dd.twin("optax", name, **settings))[0], theirs)


@pytest.mark.parametrize("shapes", [ARRAYS])
def test_a_schedule_of_descend_is_one_of_optaxs_adafactor(
    jax, exact_optax, two_traces, two_optax_traces
):
    def schedule(count):
        return 0.1 - 0.08 * jax.numpy.minimum(jax.numpy.float64(count) / 40, 1.0)

    theirs = two_optax_traces(exact_optax.adafactor(schedule, 3))
    lr = dd.linear(0.1, steps=40, end=0.02)
    update = dd.twin("optax", "adafactor", learning_rate=lr, min_dim_size_to_factor=3)
    agree(two_traces(update)[0], theirs)


JORDAN = "since the rule has Jordan's iteration"
WITHOUT = "nesterov of {} must be True, since no rule of descend has Muon without it; got False."
BAD = [
    ("torch", "Adafactor", {"beta2_decay": 0.8}, "beta2_decay of torch.Adafactor must be a number of at most 0; got 0.8."),
    ("torch", "Adafactor", {"beta2_decay": None}, "beta2_decay of torch.Adafactor must be a number; got None."),
    ("torch", "Adafactor", {"eps": 1e-8}, "eps of torch.Adafactor must be a pair of floats; got 1e-08."),
    ("torch", "Adafactor", {"d": 0.5}, "d of torch.Adafactor must be a float of at least 1; got 0.5."),
    ("torch", "Adafactor", {"eps": (0.0, 0.1)}, "torch.Adafactor: eps1 of adafactor_clamped must be a float in (0, inf); got 0.0."),
    ("torch", "Muon", {"nesterov": False}, WITHOUT.format("torch.Muon")),
    ("torch", "Muon", {"ns_steps": 6}, f"ns_steps of torch.Muon must be 5, {JORDAN}; got 6."),
    ("torch", "Muon", {"eps": 1e-8}, f"eps of torch.Muon must be 1e-07, {JORDAN}; got 1e-08."),
    ("torch", "Muon", {"ns_coefficients": (1, 2, 3)}, f"ns_coefficients of torch.Muon must be the default, {JORDAN}; got (1, 2, 3)."),
    ("torch", "Muon", {"adjust_lr_fn": []}, "adjust_lr_fn of torch.Muon must be None, 'original' or 'match_rms_adamw'; got []."),
    ("torch", "Muon", {"maximize": True}, "torch.Muon has no argument 'maximize'."),
    ("keras", "Adafactor", {"beta_2_decay": 0.8}, "beta_2_decay of keras.Adafactor must be a number of at most 0; got 0.8."),
    ("keras", "Adafactor", {"relative_step": 1}, "relative_step of keras.Adafactor must be True or False; got 1."),
    ("keras", "Muon", {"nesterov": False}, WITHOUT.format("keras.Muon")),
    ("keras", "Muon", {"weight_decay": 0.1}, "adam_weight_decay of keras.Muon must be weight_decay, 0.1, since a decay is of all arrays; got 0.004."),
    ("keras", "Muon", {"rms_rate": None}, "rms_rate of keras.Muon must be a float, since no rule has this momentum unscaled; got None."),
    ("keras", "Muon", {"adam_lr_ratio": 2}, "adam_lr_ratio of keras.Muon must be 1, since a rule has one rate for all arrays; got 2."),
    ("keras", "Muon", {"exclude_layers": ["out"]}, "exclude_layers of keras.Muon must be None, since a Stepper's arrays have no names; got ['out']."),
    ("keras", "Muon", {"muon_b": 1.0}, f"muon_b of keras.Muon must be -4.775, {JORDAN}; got 1.0."),
    ("optax", "adafactor", {"momentum": 0.9}, "momentum of optax.adafactor must be None, since no rule of descend has it; got 0.9."),
    ("optax", "adafactor", {"multiply_by_parameter_scale": False}, "multiply_by_parameter_scale of optax.adafactor must be True, since "),
    ("optax", "adafactor", {"decay_offset": 3}, "decay_offset of optax.adafactor must be 0, since a rule counts from its first step; got 3."),
    ("optax", "adafactor", {"weight_decay_mask": {}}, "weight_decay_mask of optax.adafactor must be None, since "),
    ("optax", "sm3", {}, "learning_rate of optax.sm3 must be given; it has no default."),
    ("optax", "muon", {}, "optax.muon has no twin: it is one of optax.contrib; dd.muon_corrected computes it."),
]  # fmt: skip


@pytest.mark.parametrize(("framework", "name", "settings", "said"), BAD, ids=str)
def test_what_has_no_twin_is_one_clear_sentence(framework, name, settings, said):
    with pytest.raises(HyperparameterError) as caught:
        dd.twin(framework, name, **settings)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


LOSSY = [
    ("torch.Muon()", "keras", "the momentum there is a sum of gradients"),
    ('torch.Muon(adjust_lr_fn="match_rms_adamw")', "keras", "the direction of a step is the same"),
    ("keras.Muon()", "torch", "the direction of a step is the same"),
    ("torch.Adafactor(weight_decay=0.1)", "keras", "is left out"),
    ("keras.Adafactor(weight_decay=0.1)", "torch", "eps1 is a least value there"),
    ("optax.adafactor(0.1)", "torch", "the rate there is at most 1 / sqrt(t)"),
    ("optax.adafactor(0.1)", "keras", "is left out"),
    ("torch.Adafactor()", "optax", "the rate there is not bounded"),
]


@pytest.mark.parametrize(("text", "to", "said"), LOSSY, ids=str)
def test_what_is_lost_is_said_in_a_sentence(text, to, said):
    found = dd.translate(text, to=to)
    assert not found.exact
    assert said in " ".join(found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "torch.Muon(weight_decay=0.0)",
        'torch.Muon(adjust_lr_fn="match_rms_adamw")',
        "torch.Adafactor(eps=(0.1, 0.2), beta2_decay=-0.5, weight_decay=0.1)",
        "keras.Muon(weight_decay=None, adam_weight_decay=None)",
        "keras.Adafactor(weight_decay=0.1)",
        "optax.adafactor(factored=False, clipping_threshold=None, weight_decay_rate=0.1)",
    ],
)
def test_a_call_with_switches_translates_to_itself(text):
    assert dd.translate(text, to=text.partition(".")[0]).exact
