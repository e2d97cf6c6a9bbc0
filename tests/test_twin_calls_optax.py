"""``dd.twin("optax", …)`` against the live optimizers: their defaults, and 60 steps of every switch, on two arrays in float64."""

import inspect

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError
from descend.twins import find_twin

WIDE = 1e-11
"""At b2 = 0.999 optax's 1 - b2^t has lost three digits at the first steps; elsewhere the sixty steps round to 1e-12."""

LR = {"learning_rate": 0.03}
B = {**LR, "b1": 0.8, "b2": 0.95, "eps": 1e-3}
WD = {"weight_decay": 0.1}
RMS = {**LR, "eps": 1e-3}
OUT = {"eps_in_sqrt": False}
CASES = {
    "sgd": [LR, {**LR, "momentum": 0.8}, {**LR, "momentum": 0.8, "nesterov": True}, {**LR, "nesterov": True}, {**LR, "momentum": 0.0, "accumulator_dtype": None}],
    "adam": [LR, B, {**B, "eps_root": 1e-2}, {**B, "nesterov": True}, {**B, "eps": 0.0, "eps_root": 1e-2, "mu_dtype": None}],
    "adamw": [LR, B, {**B, **WD}, {**B, **WD, "eps_root": 1e-2}, {**B, **WD, "nesterov": True}, {**B, "weight_decay": 0.0}],
    "nadam": [LR, B, {**B, "nesterov": False}],
    "nadamw": [LR, {**B, **WD}, {**B, **WD, "nesterov": False}],
    "amsgrad": [LR, B, {**B, "bias_correction_mu": False, "bias_correction_nu": False}],
    "adabelief": [LR, {**B, "eps_root": 1e-2}],
    "adadelta": [LR, {"learning_rate": 0.3, "rho": 0.8, "eps": 1e-3}, {**LR, **WD}],
    "adagrad": [LR, {**LR, "initial_accumulator_value": 0.3, "eps": 1e-3}, {**LR, "initial_accumulator_value": 0.0}],
    "adamax": [LR, B],
    "adamaxw": [LR, {**B, **WD}],
    "adan": [LR, {**B, "b3": 0.9}, {**B, "b3": 0.9, "eps_root": 0.0}, {**B, "b3": 0.9, **WD}, {**B, "eps_root": 0.1, **WD}],
    "fromage": [LR, {**LR, "min_norm": 0.0}, {**LR, "min_norm": 3.0}],
    "lamb": [LR, B, {**B, **WD}],
    "lars": [LR, {"learning_rate": 3.0, "momentum": 0.8}, {"learning_rate": 3.0, "trust_coefficient": 0.02}, {"learning_rate": 3.0, **WD}, {"learning_rate": 3.0, "momentum": 0.0, **WD}],
    "lion": [LR, {**LR, "b1": 0.8, "b2": 0.95}, {**LR, "weight_decay": 0.0}, {**LR, **WD, "mu_dtype": None}],
    "novograd": [LR, {**B, "b2": 0.5}, {**B, **WD}],
    "optimistic_gradient_descent": [LR, {**LR, "alpha": 0.7, "beta": 0.4}],
    "optimistic_adam": [LR, B, {**B, "optimism": 0.3}, {**B, "optimism": 0.0}, {**B, "nesterov": False, "mu_dtype": None}, {**B, "optimism": 0.3, "nesterov": False}],
    "optimistic_adam_v2": [LR, B, {**B, "alpha": 0.7, "beta": 0.4}, {**B, "beta": 0.0}, {**B, "nesterov": False}, {**B, "alpha": 0.0, "beta": 3.0, "nesterov": False}],
    "polyak_sgd": [{"variant": "sps+"}, {"variant": "sps+", "f_min": 1.0}, {"variant": "sps+", "scaling": 0.3, "max_learning_rate": 0.05}],
    "radam": [LR, B],
    "rmsprop": [
        LR, RMS, {**RMS, "decay": 0.8}, {**RMS, **OUT}, {**RMS, "centered": True}, {**RMS, "centered": True, **OUT},
        {**RMS, "momentum": 0.8}, {**RMS, "momentum": 0.8, **OUT}, {**RMS, "momentum": 0.8, "centered": True},
        {**RMS, "momentum": 0.8, "centered": True, **OUT}, {**RMS, "bias_correction": True},
        {**RMS, "bias_correction": True, **OUT}, {**RMS, "nesterov": True}, {**RMS, "momentum": 0.0},
    ],
    "sign_sgd": [LR],
    "signum": [LR, {**LR, "beta": 0.8}],
    "yogi": [LR, B],
}  # fmt: skip
UNSCHEDULED = {"optimistic_adam", "polyak_sgd"}
"""Whose rate is a number."""
ON_ARRAYS = {"adafactor", "sm3"}
"""Stepped in test_twin_calls_arrays.py."""
EACH = [(name, settings) for name, cases in CASES.items() for settings in cases]
VALUES = np.random.default_rng(5).uniform(1.0, 9.0, 60)
"""Of the function, for polyak_sgd; sometimes below its f_min."""


@pytest.mark.filterwarnings("ignore:`optimistic_adam` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "settings"), EACH, ids=str)
def test_twin_takes_the_steps_of_optax(optax, two_traces, two_optax_traces, name, settings):
    values = VALUES - 1 if name == "polyak_sgd" else VALUES
    theirs = two_optax_traces(getattr(optax, name)(**settings), values)
    ours, _ = two_traces(dd.twin("optax", name, **settings), values)
    averaging = "b2" in find_twin("optax", name).defaults
    tolerance = WIDE if (averaging and "b2" not in settings) else 1e-12
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    assert np.abs(theirs[-1] - theirs[0]).mean() > 1e-6


@pytest.mark.parametrize("name", [n for n in CASES if n not in UNSCHEDULED])
def test_a_schedule_of_descend_is_one_of_optax(jax, optax, two_traces, two_optax_traces, name):
    own = {"momentum": 0.8} if name in ("sgd", "rmsprop") else {}
    own |= {"b2": 0.95} if "b2" in find_twin("optax", name).defaults else {}

    def schedule(count):  # optax.linear_schedule takes a traced count in float32, 6e-8 off
        return 0.1 - 0.08 * jax.numpy.minimum(jax.numpy.float64(count) / 40, 1.0)

    theirs = two_optax_traces(getattr(optax, name)(schedule, **own))
    lr = dd.linear(0.1, steps=40, end=0.02)
    ours, _ = two_traces(dd.twin("optax", name, learning_rate=lr, **own))
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)  # of 1 - b2^t


@pytest.mark.parametrize("name", [*CASES, *sorted(ON_ARRAYS)])
def test_defaults_are_those_of_optax_signature(optax, name):
    theirs = {k: p.default for k, p in inspect.signature(getattr(optax, name)).parameters.items()}
    ours = dict(find_twin("optax", name).defaults)
    if name == "adafactor":  # which has no twin with a momentum
        assert theirs.pop("dtype_momentum") is not ours.pop("dtype_momentum")
    if name == "adadelta":  # None, with which optax cannot step
        assert theirs.pop("learning_rate") is None
        assert ours.pop("learning_rate") is inspect.Parameter.empty
    assert list(ours.items()) == list(theirs.items())


def test_every_optimizer_of_optax_has_a_twin_or_a_sentence(optax):
    from optax._src import alias

    made = (name for name, value in vars(alias).items() if callable(value))
    theirs = {name for name in made if not name.startswith("_") and getattr(optax, name, None) is vars(alias)[name]}  # fmt: skip
    theirs -= {"MaskOrFn"}
    for name in theirs - set(dd.list_twins("optax")):
        with pytest.raises(HyperparameterError, match=f"optax.{name} has no twin: "):
            dd.twin("optax", name)
    assert set(dd.list_twins("optax")) == set(CASES) | ON_ARRAYS <= theirs


BAD = [
    ("adam", {}, "learning_rate of optax.adam must be given; it has no default."),
    ("adam", {**LR, "beta1": 0.9}, "optax.adam has no argument 'beta1'."),
    ("adam", {**LR, "mu_dtype": "float32"}, "mu_dtype of optax.adam must be None, since "),
    ("adam", {**LR, "nesterov": True, "eps_root": 0.1}, "eps_root of optax.adam must be 0.0, since with nesterov, "),
    ("adamw", {**LR, "mask": {}}, "mask of optax.adamw must be None, since "),
    ("amsgrad", {**LR, "bias_correction_mu": False}, "bias_correction_nu of optax.amsgrad must be False, since "),
    ("radam", {**LR, "threshold": 4.0}, "threshold of optax.radam must be 5.0, since "),
    ("rmsprop", {**LR, "initial_scale": 1.0}, "initial_scale of optax.rmsprop must be 0.0, since "),
    ("rmsprop", {**LR, "momentum": 0.5, "nesterov": True}, "nesterov of optax.rmsprop must be False, since "),
    ("lars", {**LR, "nesterov": True}, "nesterov of optax.lars must be False, since "),
    ("optimistic_adam", {"learning_rate": dd.constant(0.1)}, "learning_rate of optax.optimistic_adam must be a number; optimistic_adam_v2 takes schedules; got "),
    ("optimistic_adam", {**LR, "optimism": dd.constant(0.1)}, "optimism of optax.optimistic_adam must be a number; optimistic_adam_v2 takes schedules; got "),
    ("optimistic_adam", {**LR, "eps_root": 0.1}, "eps_root of optax.optimistic_adam must be 0.0, since "),
    ("optimistic_adam_v2", {**LR, "mu_dtype": "float32"}, "mu_dtype of optax.optimistic_adam_v2 must be None, since "),
    ("optimistic_adam_v2", {**LR, "nesterov": 1}, "nesterov of optax.optimistic_adam_v2 must be True or False; got 1."),
    ("optimistic_adam_v2", {**LR, "optimism": 0.1}, "optax.optimistic_adam_v2 has no argument 'optimism'."),
    ("polyak_sgd", {}, "variant of optax.polyak_sgd must be 'sps+', since "),
    ("rprop", LR, "optax.rprop has no twin: in 0.2.8 it takes each step one step late"),
    ("Adam", LR, "no optimizer of optax is called 'Adam'. Did you mean 'adam'?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "said"), BAD, ids=str)
def test_what_has_no_twin_is_one_clear_sentence(name, settings, said):
    with pytest.raises(dd.errors.DescendError) as caught:
        dd.twin("optax", name, **settings)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
