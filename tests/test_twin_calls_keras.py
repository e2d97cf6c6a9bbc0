"""``dd.twin("keras", …)`` against the live optimizers: their defaults, and 60 steps of every switch, on two arrays in float64."""

import inspect

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError
from descend.twins import find_twin

WIDE = 1e-11
"""At beta_2 = 0.999 Keras's 1 - beta_2^t has lost three digits at the first steps; elsewhere the sixty steps round to 1e-12."""

B = {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
LION = {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.95}
SGD = {"learning_rate": 0.03, "momentum": 0.8}
RMS = {"learning_rate": 0.03, "rho": 0.9, "epsilon": 1e-3}
EMA = {"use_ema": True, "ema_momentum": 0.9}
FTRL = {
    "learning_rate": 0.3,
    "beta": 0.5,
    "l1_regularization_strength": 0.2,
    "l2_regularization_strength": 0.15,
    "l2_shrinkage_regularization_strength": 0.05,
    "initial_accumulator_value": 0.2,
}
OWN = {
    "SGD": [{}, {"learning_rate": 0.03}, SGD, {**SGD, "nesterov": True}, {"nesterov": True}, {**SGD, "nesterov": True, "weight_decay": 0.1, "global_clipnorm": 1.0}],
    "RMSprop": [{}, RMS, {**RMS, "momentum": 0.8}, {**RMS, "centered": True}, {**RMS, "momentum": 0.8, "centered": True}, {**RMS, "momentum": 0.8, "centered": True, "weight_decay": 0.1, **EMA}],
    "Adam": [{}, B, {**B, "amsgrad": True}, {"amsgrad": True}, {**B, "amsgrad": True, "weight_decay": 0.1, "clipnorm": 1.0, **EMA}],
    "AdamW": [{}, B, {**B, "amsgrad": True}, {**B, "weight_decay": 0.1}, {**B, "weight_decay": 0.0}],
    "Adadelta": [{}, {"learning_rate": 0.3, "rho": 0.8, "epsilon": 1e-3}],
    "Adagrad": [{}, {"learning_rate": 0.03, "epsilon": 1e-3, "initial_accumulator_value": 0.2}, {"initial_accumulator_value": 0.0}],
    "Adamax": [{}, B],
    "Nadam": [{}, B],
    "Ftrl": [{}, FTRL, {"beta": 1.0}, {"l1_regularization_strength": 0.1}, {"l2_regularization_strength": 0.1}, {"l2_shrinkage_regularization_strength": 0.1}],
    "Lion": [{}, LION],
    "Lamb": [{}, B],
    "ScheduleFreeAdamW": [{}, B, {**B, "warmup_steps": 7}],
}  # fmt: skip
SLOW = {name: {**cases[1]} for name, cases in OWN.items()}
COMMON = [
    {"weight_decay": 0.1}, {"clipnorm": 0.5}, {"clipvalue": 0.3}, {"global_clipnorm": 0.5}, {"clipnorm": 0.0}, EMA,
    {**EMA, "ema_overwrite_frequency": 7}, {"weight_decay": 0.1, "global_clipnorm": 0.5, **EMA, "ema_overwrite_frequency": 7},
    {"use_ema": True, "ema_momentum": 0.0, "clipvalue": 0.3, "name": "a", "loss_scale_factor": None},
    {"gradient_accumulation_steps": 3, "clipnorm": 0.5},
]  # fmt: skip
ON_ARRAYS = {"Adafactor", "Muon"}
"""Stepped in test_twin_calls_arrays.py."""
EACH = [(name, settings) for name, cases in OWN.items() for settings in cases]
EACH += [
    (name, {**SLOW[name], **common})
    for name in OWN
    for common in COMMON
    # its average is what Keras decays and overwrites there: see the sentences below
    if not (name.startswith("Schedule") and {"weight_decay", "ema_overwrite_frequency"} & set(common))
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), EACH, ids=str)
def test_twin_takes_the_steps_of_keras(keras, two_traces, two_keras_traces, name, settings):
    theirs, their_answers = two_keras_traces(getattr(keras.optimizers, name)(**settings))
    ours, answers = two_traces(dd.twin("keras", name, **settings))
    # ScheduleFreeAdamW finds its average from x and the iterate again at each step, at the cost of a digit
    wide = (
        "beta_2" not in settings and name in ("Adam", "AdamW", "Nadam", "Adamax", "Lamb")
    ) or name == "ScheduleFreeAdamW"
    tolerance = WIDE if wide else 1e-12
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    if settings.get("use_ema"):
        np.testing.assert_allclose(answers, their_answers, rtol=tolerance, atol=tolerance)
    assert np.abs(theirs[-1] - theirs[0]).mean() > 1e-7


@pytest.mark.parametrize("name", OWN)
def test_a_schedule_of_descend_is_one_of_keras(keras, two_traces, two_keras_traces, name):
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5)
    own = {"momentum": 0.8} if name == "SGD" else {}
    own |= {"beta_2": 0.95} if "beta_2" in find_twin("keras", name).defaults else {}
    theirs, _ = two_keras_traces(
        getattr(keras.optimizers, name)(
            schedule, **own, weight_decay=None if "Schedule" in name else 0.1
        )
    )
    lr = dd.inverse_time(0.1, rate=0.05)
    update = dd.twin(
        "keras", name, learning_rate=lr, **own, weight_decay=None if "Schedule" in name else 0.1
    )
    ours, _ = two_traces(update)
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)  # of 1 - beta_2^t


@pytest.mark.parametrize("name", [*OWN, *sorted(ON_ARRAYS)])
def test_defaults_are_those_of_keras_signature(keras, name):
    live = inspect.signature(getattr(keras.optimizers, name).__init__).parameters
    theirs = {k: p.default for k, p in live.items() if k not in ("self", "kwargs")}
    assert list(find_twin("keras", name).defaults.items()) == list(theirs.items())


def test_every_optimizer_of_keras_has_a_twin_or_a_sentence(keras):
    theirs = {
        name
        for name, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer) and name != "Optimizer"
    }  # fmt: skip
    for name in theirs - set(dd.list_twins("keras")):
        with pytest.raises(HyperparameterError, match=f"keras.{name} has no twin: "):
            dd.twin("keras", name)
    assert set(dd.list_twins("keras")) == set(OWN) | ON_ARRAYS <= theirs


BAD = [
    ("SGD", {"lr": 0.1}, "keras.SGD has no argument 'lr'."),
    ("SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "clipvalue of keras.SGD must be None beside clipnorm, since Keras takes one of the three; got 1.0."),
    ("SGD", {"clipnorm": "1"}, "clipnorm of keras.SGD must be a number; got '1'."),
    ("SGD", {"gradient_accumulation_steps": 2, "use_ema": True}, "gradient_accumulation_steps of keras.SGD must be None beside use_ema, "),
    ("SGD", {"gradient_accumulation_steps": 2, "learning_rate": dd.cosine(0.1, steps=9)}, "gradient_accumulation_steps of keras.SGD must be None beside a schedule, "),
    ("SGD", {"gradient_accumulation_steps": 2.5}, "keras.SGD: steps of accumulate must be a whole number in [1, inf); got 2.5."),
    ("SGD", {"loss_scale_factor": 2.0}, "loss_scale_factor of keras.SGD must be None, since "),
    ("SGD", {"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency of keras.SGD must be None or an int of at least 1; got 0."),
    ("SGD", {"use_ema": True, "ema_momentum": 1.5}, "keras.SGD: beta of ema must be a float in [0, 1); got 1.5."),
    ("AdamW", {"weight_decay": None}, "weight_decay of keras.AdamW must be a float; got None."),
    ("Ftrl", {"learning_rate_power": -0.4}, "learning_rate_power of keras.Ftrl must be -0.5, since "),
    ("ScheduleFreeAdamW", {"weight_decay": 0.1}, "weight_decay of keras.ScheduleFreeAdamW must be None, since "),
    ("ScheduleFreeAdamW", {"use_ema": True, "ema_overwrite_frequency": 3}, "ema_overwrite_frequency of keras.ScheduleFreeAdamW must be None, since "),
    ("MultiOptimizer", {}, "keras.MultiOptimizer has no twin: "),
    ("Rmsprop", {}, "no optimizer of keras is called 'Rmsprop'. Did you mean 'RMSprop'?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "said"), BAD, ids=str)
def test_what_has_no_twin_is_one_clear_sentence(name, settings, said):
    with pytest.raises(dd.errors.DescendError) as caught:
        dd.twin("keras", name, **settings)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
