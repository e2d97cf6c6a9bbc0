"""``dd.twin("torch", …)`` against the live optimizers: their defaults, and 60 steps of every switch, on two arrays in float64."""

import inspect

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError
from descend.twins import find_twin

WIDE = 1e-11
"""At beta2 = 0.999 torch's 1 - beta2^t has lost three digits at the first steps; elsewhere the sixty steps round to 1e-12."""

B = {"betas": (0.8, 0.95), "eps": 1e-3}
L2 = {"weight_decay": 0.1}
UP = {"maximize": True}
DECOUPLED = {**L2, "decoupled_weight_decay": True}
SGD = {"lr": 0.03, "momentum": 0.8}
RMS = {"lr": 0.03, "alpha": 0.9, "eps": 1e-3}
CASES = {
    "SGD": [
        {}, {"lr": 0.03}, SGD, {**SGD, "dampening": 0.3}, {**SGD, "dampening": 1.0}, {**SGD, "nesterov": True}, {**SGD, **L2},
        {**SGD, **UP}, {"lr": 0.03, **L2}, {"lr": 0.03, **UP}, {"lr": 0.03, "dampening": 0.5},
        {**SGD, "dampening": 0.3, **L2, **UP}, {**SGD, "nesterov": True, **L2, **UP}, {**SGD, "foreach": True}, {**SGD, "fused": True},
    ],
    "Adam": [
        {}, {"lr": 0.03, **B}, {**B, **L2}, {**B, "amsgrad": True}, {**B, **UP}, {**B, **DECOUPLED}, {"amsgrad": True},
        {**B, **L2, "amsgrad": True, **UP}, {**B, **DECOUPLED, "amsgrad": True, **UP}, {**B, "decoupled_weight_decay": True},
        {**B, **L2, "foreach": True, "capturable": False}, {**B, **L2, "fused": True},
    ],
    "AdamW": [
        {}, {"lr": 0.03, **B}, {**B, **L2}, {**B, "amsgrad": True}, {**B, **UP}, {**B, "weight_decay": 0},
        {**B, **L2, "amsgrad": True, **UP}, {**B, "amsgrad": True, "weight_decay": 0}, {"amsgrad": True},
    ],
    "NAdam": [
        {}, {"lr": 0.03, **B}, {**B, "momentum_decay": 0.1}, {**B, **L2}, {**B, **DECOUPLED}, {**B, **UP},
        {**B, "momentum_decay": 0.1, **DECOUPLED, **UP}, {**B, "momentum_decay": 0}, {**B, "decoupled_weight_decay": True},
    ],
    "RAdam": [{}, {"lr": 0.03, **B}, {**B, **L2}, {**B, **DECOUPLED}, {**B, **UP}, {**B, **DECOUPLED, **UP}],
    "Adamax": [{}, {"lr": 0.03, **B}, {**B, **L2}, {**B, **UP}, {**B, **L2, **UP}],
    "Adadelta": [{}, {"rho": 0.8, "eps": 1e-3}, {"lr": 0.3, **L2}, UP, {"lr": 0.3, "rho": 0.8, **L2, **UP}],
    "Adagrad": [
        {}, {"eps": 1e-3}, {"lr_decay": 0.1}, L2, {"initial_accumulator_value": 0.2}, UP,
        {"lr": 0.3, "lr_decay": 0.05, "initial_accumulator_value": 0.2, "eps": 1e-3, **L2, **UP},
    ],
    "RMSprop": [
        {}, RMS, {**RMS, "momentum": 0.8}, {**RMS, "centered": True}, {**RMS, **L2}, {**RMS, **UP},
        {**RMS, "momentum": 0.8, "centered": True}, {**RMS, "momentum": 0.8, "centered": True, **L2, **UP},
    ],
    "Rprop": [{}, {"etas": (0.4, 1.3)}, {"step_sizes": (0.01, 0.05)}, UP, {"lr": 0.1, "etas": (0.4, 1.3), **UP}],
    "ASGD": [
        {}, {"lr": 0.03, "lambd": 0.1}, {"alpha": 0.6}, {"t0": 5}, L2, UP,
        {"lr": 0.03, "lambd": 0.1, "alpha": 0.6, "t0": 20.0, **L2, **UP},
    ],
}  # fmt: skip
ON_ARRAYS = {"Adafactor", "Muon"}
"""Stepped in test_twin_calls_arrays.py."""
EACH = [(name, settings) for name, cases in CASES.items() for settings in cases]


@pytest.mark.parametrize(("name", "settings"), EACH, ids=str)
def test_twin_takes_the_steps_of_torch(torch, two_traces, two_torch_traces, name, settings):
    make = getattr(torch.optim, name)
    answer = "ax" if name == "ASGD" else None
    theirs = two_torch_traces(lambda x: make(x, **settings), answer=answer)
    ours = two_traces(dd.twin("torch", name, **settings))
    tolerance = WIDE if "Adam" in name and "betas" not in settings else 1e-12
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    assert np.abs(theirs[0][-1] - theirs[0][0]).min() > 1e-6  # every element moved


@pytest.mark.parametrize("name", CASES)
def test_a_schedule_of_descend_is_a_scheduler_of_torch(torch, two_traces, two_torch_traces, name):
    if name == "Rprop":
        pytest.skip("Rprop reads its lr once")
    settings = {**SGD} if name == "SGD" else {"betas": (0.8, 0.95)} if "Adam" in name else {}
    settings.pop("lr", None)
    make = getattr(torch.optim, name)
    theirs, _ = two_torch_traces(
        lambda x: make(x, lr=0.1, **settings),
        lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=7, gamma=0.5),
    )
    lr = dd.step(0.1, every=7, factor=0.5)
    ours, _ = two_traces(dd.twin("torch", name, lr=lr, **settings))
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)  # of 1 - beta2^t, as above


@pytest.mark.parametrize("name", [*CASES, *sorted(ON_ARRAYS)])
def test_defaults_are_those_of_torchs_signature(torch, name):
    live = inspect.signature(getattr(torch.optim, name).__init__).parameters
    theirs = {k: p.default for k, p in live.items() if k not in ("self", "params")}
    # all of torch's flags that change nothing are taken everywhere
    ours = {k: v for k, v in find_twin("torch", name).defaults.items() if k in theirs}
    assert ours == theirs
    extra = set(find_twin("torch", name).defaults) - set(theirs)
    assert extra <= {"fused", "foreach", "capturable", "differentiable"}


def test_every_optimizer_of_torch_has_a_twin_or_a_sentence(torch):
    theirs = {
        name
        for name, value in vars(torch.optim).items()
        if inspect.isclass(value) and issubclass(value, torch.optim.Optimizer) and name != "Optimizer"
    }  # fmt: skip
    for name in theirs - set(dd.list_twins("torch")):
        with pytest.raises(HyperparameterError, match=f"torch.{name} has no twin: "):
            dd.twin("torch", name)
    assert set(dd.list_twins("torch")) == set(CASES) | ON_ARRAYS <= theirs


BAD = [
    ("SGD", {"nesterov": True}, "nesterov of torch.SGD must be False without momentum or with dampening; got True."),
    ("SGD", {"nesterov": 1}, "nesterov of torch.SGD must be True or False; got 1."),
    ("SGD", {"momentun": 0.9}, "torch.SGD has no argument 'momentun'. Did you mean 'momentum'?"),
    ("SGD", {"lr": -1}, "torch.SGD: lr of sgd must be a float in [0, inf); got -1."),
    ("Adam", {"betas": 0.9}, "betas of torch.Adam must be a pair of floats; got 0.9."),
    ("Adam", {"beta1": 0.9}, "torch.Adam has no argument 'beta1'. Did you mean 'betas'?"),
    ("Adam", {"betas": (0.9, 1.5)}, "torch.Adam: beta2 of adam must be a float in [0, 1); got 1.5."),
    ("Adam", {"amsgrad": None}, "amsgrad of torch.Adam must be True or False; got None."),
    ("RMSprop", {"momentum": "x"}, "momentum of torch.RMSprop must be a number; got 'x'."),
    ("Adagrad", {"lr": dd.step(0.1, every=3), "lr_decay": 0.1}, "lr_decay of torch.Adagrad must be 0 where lr is a schedule"),
    ("Rprop", {"etas": (0.5, 1.2, 3)}, "etas of torch.Rprop must be a pair of floats; got (0.5, 1.2, 3)."),
    ("adam", {}, "no optimizer of torch is called 'adam'. Did you mean 'Adam'?"),
    ("LBFGS", {}, "torch.LBFGS has no twin: "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "settings", "said"), BAD, ids=str)
def test_what_has_no_twin_is_one_clear_sentence(name, settings, said):
    with pytest.raises(Exception, match=".") as caught:
        dd.twin("torch", name, **settings)
    assert str(caught.value).startswith(said)
    assert isinstance(caught.value, dd.errors.DescendError)
    assert "\n" not in str(caught.value)
