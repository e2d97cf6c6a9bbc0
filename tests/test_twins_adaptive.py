"""Adaptive, resilient, averaging and parameter-free rules against torch, Keras and optax, step by step, in float64."""

import importlib

import numpy as np
import pytest

import descend as dd

PLAIN = {"lr": 0.03, "alpha": 0.9, "eps": 1e-3}
VELOCITY = {**PLAIN, "momentum": 0.8}

TORCH = {
    "Adadelta": (
        dd.adadelta(lr=0.3, rho=0.8, eps=1e-3),
        {"lr": 0.3, "rho": 0.8, "eps": 1e-3},
    ),
    "RMSprop momentum": (dd.rmsprop_momentum(**VELOCITY), VELOCITY),
    "RMSprop centered": (dd.rmsprop_centered(**PLAIN), {**PLAIN, "centered": True}),
    "RMSprop centered momentum": (
        dd.rmsprop_centered_momentum(**VELOCITY),
        {**VELOCITY, "centered": True},
    ),
    "Rprop": (
        dd.rprop(lr=0.03, eta_minus=0.4, eta_plus=1.3, step_min=0.01, step_max=0.05),
        {"lr": 0.03, "etas": (0.4, 1.3), "step_sizes": (0.01, 0.05)},
    ),
}


@pytest.mark.parametrize("twin", TORCH)
def test_rule_is_its_torch_twin(torch, torch_trace, trace, close, twin):
    ours, settings = TORCH[twin]
    make = getattr(torch.optim, twin.split()[0])
    close(trace(ours), torch_trace(lambda x: make(x, **settings)))


@pytest.mark.parametrize(
    ("ours", "twin"),
    [(dd.adadelta(), "Adadelta"), (dd.rprop(), "Rprop")],
    ids=lambda value: getattr(value, "name", value),
)
def test_defaults_are_the_torch_twins(torch, torch_trace, trace, close, ours, twin):
    close(trace(ours), torch_trace(getattr(torch.optim, twin)))


@pytest.mark.parametrize("t0", [0.0, 1.0, 20.0, 1e6])
def test_asgd_is_its_torch_twin_at_both_points(torch, tape, start, close, t0):
    x = torch.tensor(start, requires_grad=True)
    theirs = torch.optim.ASGD([x], lr=0.3, lambd=0.1, alpha=0.6, t0=t0)
    y = start.copy()
    ours = dd.Stepper(dd.asgd(lr=0.3, lambd=0.1, alpha=0.6, t0=t0), y)
    for g in tape:
        x.grad = torch.tensor(g)
        theirs.step()
        ours.step(g)
        close(y, x.detach().numpy())
        close(ours.solution, theirs.state[x]["ax"].numpy())


def test_averaged_sgd_is_torch_sgd_with_an_averaged_model(torch, tape, start, trace, close):
    model = torch.nn.Linear(start.size, 1, bias=False)
    with torch.no_grad():
        model.weight[0] = torch.tensor(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    averaged = torch.optim.swa_utils.AveragedModel(model)
    rows = []
    for g in tape:
        model.weight.grad = torch.tensor(g)[None]
        optimizer.step()
        averaged.update_parameters(model)
        rows.append(averaged.module.weight.detach().numpy()[0].copy())
    close(trace(dd.averaged_sgd(lr=0.03)), np.array(rows))


KERAS_RMSPROP = {"learning_rate": 0.03, "rho": 0.9, "epsilon": 1e-3}
KERAS = {
    "Adagrad": (
        dd.adagrad_eps_inside(lr=0.03, eps=1e-3, a0=0.2),
        {"learning_rate": 0.03, "epsilon": 1e-3, "initial_accumulator_value": 0.2},
    ),
    "Adadelta": (
        dd.adadelta(lr=0.3, rho=0.8, eps=1e-3),
        {"learning_rate": 0.3, "rho": 0.8, "epsilon": 1e-3},
    ),
    "RMSprop": (dd.rmsprop_eps_inside(**PLAIN), KERAS_RMSPROP),
    "RMSprop momentum": (
        dd.rmsprop_eps_inside_momentum_inside(**VELOCITY),
        {**KERAS_RMSPROP, "momentum": 0.8},
    ),
    "RMSprop centered": (
        dd.rmsprop_eps_inside_centered(**PLAIN),
        {**KERAS_RMSPROP, "centered": True},
    ),
    "RMSprop centered momentum": (
        dd.rmsprop_eps_inside_centered_momentum_inside(**VELOCITY),
        {**KERAS_RMSPROP, "momentum": 0.8, "centered": True},
    ),
    "Ftrl": (
        dd.ftrl(lr=0.3, beta=0.5, l1=0.2, l2=0.3, shrinkage=0.1, n0=0.2),
        {  # Keras doubles both penalties
            "learning_rate": 0.3,
            "beta": 0.5,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.15,
            "l2_shrinkage_regularization_strength": 0.05,
            "initial_accumulator_value": 0.2,
        },
    ),
}


@pytest.mark.parametrize("twin", KERAS)
def test_rule_is_its_keras_twin(keras, keras_trace, trace, close, twin):
    ours, settings = KERAS[twin]
    make = getattr(keras.optimizers, twin.split()[0])
    close(trace(ours), keras_trace(make(**settings)))


@pytest.mark.parametrize(
    ("ours", "twin", "settings"),
    [
        (dd.adagrad_eps_inside(), "Adagrad", {}),
        (dd.rmsprop_eps_inside(), "RMSprop", {}),
        (dd.rmsprop_eps_inside_centered(), "RMSprop", {"centered": True}),
        (dd.ftrl(), "Ftrl", {}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_defaults_are_the_keras_twins(keras, keras_trace, trace, close, ours, twin, settings):
    close(trace(ours), keras_trace(getattr(keras.optimizers, twin)(**settings)))


RMS = {"decay": 0.9, "eps": 1e-3}
OPTAX = {
    "adagrad": (
        dd.adagrad_eps_inside(lr=0.03, eps=1e-3, a0=0.2),
        lambda o: o.adagrad(0.03, initial_accumulator_value=0.2, eps=1e-3),
    ),
    "adagrad from 0": (
        dd.adagrad_eps_inside(lr=0.03, eps=1e-3, a0=0.0),
        lambda o: o.adagrad(0.03, initial_accumulator_value=0.0, eps=1e-3),
    ),
    "adadelta": (
        dd.adadelta(lr=0.3, rho=0.8, eps=1e-3),
        lambda o: o.adadelta(0.3, rho=0.8, eps=1e-3),
    ),
    "rmsprop": (dd.rmsprop_eps_inside(**PLAIN), lambda o: o.rmsprop(0.03, **RMS)),
    "rmsprop outside": (
        dd.rmsprop(**PLAIN),
        lambda o: o.rmsprop(0.03, **RMS, eps_in_sqrt=False),
    ),
    "rmsprop momentum": (
        dd.rmsprop_eps_inside_momentum_inside(**VELOCITY),
        lambda o: o.rmsprop(0.03, **RMS, momentum=0.8),
    ),
    "rmsprop momentum outside": (
        dd.rmsprop_momentum_inside(**VELOCITY),
        lambda o: o.rmsprop(0.03, **RMS, momentum=0.8, eps_in_sqrt=False),
    ),
    "rmsprop centered": (
        dd.rmsprop_eps_inside_centered(**PLAIN),
        lambda o: o.rmsprop(0.03, **RMS, centered=True),
    ),
    "rmsprop centered outside": (
        dd.rmsprop_centered(**PLAIN),
        lambda o: o.rmsprop(0.03, **RMS, centered=True, eps_in_sqrt=False),
    ),
    "rmsprop centered momentum": (
        dd.rmsprop_eps_inside_centered_momentum_inside(**VELOCITY),
        lambda o: o.rmsprop(0.03, **RMS, centered=True, momentum=0.8),
    ),
    "rmsprop centered momentum outside": (
        dd.rmsprop_centered_momentum_inside(**VELOCITY),
        lambda o: o.rmsprop(0.03, **RMS, centered=True, momentum=0.8, eps_in_sqrt=False),
    ),
    "cocob": (dd.cocob(alpha=20.0, eps=1e-3), lambda o: o.contrib.cocob(alpha=20.0, eps=1e-3)),
}


@pytest.mark.parametrize("twin", OPTAX)
def test_rule_is_its_optax_twin(optax, optax_trace, trace, close, twin):
    ours, make = OPTAX[twin]
    close(trace(ours), optax_trace(make(optax)))


def falling(outside, inside):
    lr = dd.step(1.0, every=20)
    return outside(**{**VELOCITY, "lr": lr}), inside(**{**VELOCITY, "lr": lr})


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (dd.rmsprop_momentum, dd.rmsprop_momentum_inside),
        (dd.rmsprop_centered_momentum, dd.rmsprop_centered_momentum_inside),
    ],
)
def test_lr_inside_and_outside_the_velocity_agree_only_while_it_is_constant(
    trace, close, outside, inside
):
    close(trace(outside(**VELOCITY)), trace(inside(**VELOCITY)))
    a, b = map(trace, falling(outside, inside))
    close(a[:20], b[:20])
    assert np.abs(a - b)[20:].max() > 0.1


# ---- rules that measure: on a bowl whose axes differ a hundredfold, so that distances grow

CURVATURES = np.logspace(-1, 1, 12)
ANSWER = np.linspace(-2, 3, 12)


def value_and_gradient(x):
    away = x - ANSWER
    return 0.5 * (CURVATURES * away * away).sum(), CURVATURES * away


def bowl_trace(update, start):
    x = start.copy()
    stepper = dd.Stepper(update, x)
    rows = []
    for _ in range(60):
        value, g = value_and_gradient(x)
        stepper.step(g, value)
        rows.append(x.copy())
    return np.array(rows), stepper.state


def optax_bowl_trace(transformation, start):
    jax, optax = map(importlib.import_module, ("jax", "optax"))
    x = jax.numpy.asarray(start)
    state = transformation.init(x)
    update = jax.jit(optax.with_extra_args_support(transformation).update)
    rows = []
    for _ in range(60):
        value, g = value_and_gradient(np.array(x))
        updates, state = update(jax.numpy.asarray(g), state, x, value=value)
        x = optax.apply_updates(x, updates)
        rows.append(np.array(x))
    return np.array(rows)


def corrected(t):
    """Adam's corrections as a schedule of prodigy's lr."""
    return 0.7 * (1 - 0.95**t) ** 0.5 / (1 - 0.8**t)


ADAM = {"beta1": 0.8, "beta2": 0.95}
MEASURED = {
    "polyak_sgd": (
        dd.polyak_sgd(lr=0.15, f_min=-1.0),
        lambda o: o.polyak_sgd(0.15, f_min=-1.0, variant="sps+"),
    ),
    "polyak_sgd above the minimum": (  # where f falls below f_min it stands still
        dd.polyak_sgd(lr=0.15, f_min=2.0),
        lambda o: o.polyak_sgd(0.15, f_min=2.0, variant="sps+"),
    ),
    "dog": (
        dd.dog(lr=0.7, r_rel=1e-3, eps=1e-3),
        lambda o: o.contrib.dog(0.7, init_step=("heuristic", 1e-3), eps=1e-3),
    ),
    "dowg": (
        dd.dowg(lr=0.7, r0=1e-2, eps=1e-3),
        lambda o: o.contrib.dowg(0.7, init_estim_sq_dist=1e-4, eps=1e-3),
    ),
    "dadapt_adam_corrected": (
        dd.dadapt_adam_corrected(lr=0.7, **ADAM, eps=1e-3, d0=1e-3),
        lambda o: o.contrib.dadapt_adamw(0.7, betas=(0.8, 0.95), eps=1e-3, estim_lr0=1e-3),
    ),
    "prodigy": (  # without eps, which optax multiplies by the new d
        dd.prodigy(lr=corrected, **ADAM, eps=1e-30, d0=1e-3),
        lambda o: o.contrib.prodigy(0.7, betas=(0.8, 0.95), eps=1e-30, estim_lr0=1e-3),
    ),
}


@pytest.mark.parametrize("twin", MEASURED)
def test_measuring_rule_is_its_optax_twin_on_a_bowl(optax, start, close, twin):
    ours, make = MEASURED[twin]
    rows, state = bowl_trace(ours, start)
    close(rows, optax_bowl_trace(make(optax), start))
    grown = {k: v for k, v in state.items() if k in ("d", "r")}
    assert all(v > 0.05 for v in grown.values())  # from 1e-2 and less: the estimate was at work


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (dd.dog(), lambda o: o.contrib.dog(1.0)),
        (dd.dowg(), lambda o: o.contrib.dowg(1.0)),
        (dd.polyak_sgd(), lambda o: o.polyak_sgd(1.0, variant="sps+")),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_defaults_are_the_optax_twins(optax, start, close, ours, make):
    # polyak_sgd steps beyond 2 / curvature here, which multiplies rounding by 9 a time
    close(bowl_trace(ours, start)[0][:25], optax_bowl_trace(make(optax), start)[:25])
