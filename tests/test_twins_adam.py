"""The Adam family and rules by sign against torch, Keras and optax, step by step on one random tape, in float64."""

import numpy as np
import pytest

import descend as dd

BETAS = {"beta1": 0.8, "beta2": 0.95}
OURS = {"lr": 0.03, **BETAS, "eps": 1e-3}
"""1 - 0.95^t loses a digit or two to rounding in the other libraries; at 0.999 it would be four, too many for 1e-12."""

ADAM = {"lr": 0.03, "betas": (0.8, 0.95), "eps": 1e-3}
TORCH = {
    "Adam amsgrad": (dd.amsgrad(**OURS), {**ADAM, "amsgrad": True}),
    "Adamax": (dd.adamax(**OURS), ADAM),
    "Adamax l2": (dd.chain(dd.l2(0.1), dd.adamax(**OURS)), {**ADAM, "weight_decay": 0.1}),
    "RAdam": (dd.radam(**OURS), ADAM),
    "RAdam decoupled": (
        dd.chain(dd.decay(0.1), dd.radam(**OURS)),
        {**ADAM, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    "NAdam decoupled": (
        dd.nadamw(**OURS, momentum_decay=0.1, weight_decay=0.1),
        {**ADAM, "momentum_decay": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
}


@pytest.mark.parametrize("twin", TORCH)
def test_rule_is_its_torch_twin(torch, torch_trace, trace, close, twin):
    ours, settings = TORCH[twin]
    make = getattr(torch.optim, twin.split()[0])
    close(trace(ours), torch_trace(lambda x: make(x, **settings)))


@pytest.mark.parametrize(
    ("ours", "twin", "settings"),
    [
        (dd.amsgrad(), "Adam", {"amsgrad": True}),
        (dd.adamax(), "Adamax", {}),
        (dd.nadamw(), "NAdam", {"weight_decay": 0.01, "decoupled_weight_decay": True}),
        (dd.radam(), "RAdam", {}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_defaults_are_the_torch_twins(torch, torch_trace, trace, ours, twin, settings):
    # 1 - 0.999^t rounds in torch to 1e-13, and RAdam takes 5 from 1999 with it: 1e-9 of a step
    theirs = torch_trace(lambda x: getattr(torch.optim, twin)(x, **settings))
    np.testing.assert_allclose(trace(ours), theirs, rtol=0, atol=1e-11)


KERAS_ADAM = {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
KERAS = {
    "Adam": (dd.adam_eps_hat(**OURS), KERAS_ADAM),
    "Adam amsgrad": (dd.amsgrad_eps_hat(**OURS), {**KERAS_ADAM, "amsgrad": True}),
    "AdamW": (
        dd.chain(dd.decay(0.1), dd.adam_eps_hat(**OURS)),
        {**KERAS_ADAM, "weight_decay": 0.1},
    ),
    "Adamax": (dd.adamax_eps_outside(**OURS), KERAS_ADAM),
    "Nadam": (dd.nadam(**OURS, momentum_decay=1.0), KERAS_ADAM),
    "ScheduleFreeAdamW": (dd.schedule_free_adamw(**OURS), KERAS_ADAM),
    "Lion": (
        dd.chain(dd.decay(0.1), dd.lion(lr=0.03, beta1=0.8, beta2=0.95)),
        {"learning_rate": 0.03, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.1},
    ),
}


@pytest.mark.parametrize("twin", KERAS)
def test_rule_is_its_keras_twin(keras, keras_trace, trace, close, twin):
    ours, settings = KERAS[twin]
    theirs = keras_trace(getattr(keras.optimizers, twin.split()[0])(**settings))
    if twin == "ScheduleFreeAdamW":  # Keras shows the point of the gradients alone
        close(points(ours, trace), theirs)
    else:
        close(trace(ours), theirs)


def points(update, trace):
    """x, where the gradients are taken, after each step: ``(1 − β₁) z + β₁ average``, from the average's trace."""
    rows, before = [], None
    averages, beta = trace(update), update.settings["beta1"]
    for t, average in enumerate(averages, 1):
        z = average if before is None else before + t * (average - before)
        rows.append((1 - beta) * z + beta * average)
        before = average
    return np.array(rows)


@pytest.mark.parametrize(
    ("ours", "twin", "settings"),
    [
        (dd.adam_eps_hat(), "Adam", {}),
        (dd.amsgrad_eps_hat(), "Adam", {"amsgrad": True}),
        (dd.adamax_eps_outside(), "Adamax", {}),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_defaults_are_the_keras_twins(keras, keras_trace, trace, ours, twin, settings):
    theirs = keras_trace(getattr(keras.optimizers, twin)(**settings))
    np.testing.assert_allclose(trace(ours), theirs, rtol=0, atol=1e-11)  # of 1 - 0.999^t, as above


A = {"b1": 0.8, "b2": 0.95, "eps": 1e-3}
B = {"b1": 0.8, "b2": 0.5, "b3": 0.9, "eps": 1e-3}
HALF = {"lr": 0.03, "beta1": 0.8, "beta2": 0.5, "beta3": 0.9, "eps": 1e-3}
OPTAX = {
    "nadam": (dd.nadam_constant(**OURS), lambda o: o.nadam(0.03, **A)),
    "nadamw": (
        dd.chain(dd.decay(0.1), dd.nadam_constant(**OURS)),
        lambda o: o.nadamw(0.03, **A, weight_decay=0.1),
    ),
    "amsgrad": (dd.amsgrad_corrected(**OURS), lambda o: o.amsgrad(0.03, **A)),
    "amsgrad uncorrected": (
        dd.amsgrad_uncorrected(**OURS),
        lambda o: o.chain(
            o.scale_by_amsgrad(**A, bias_correction_mu=False, bias_correction_nu=False),
            o.scale_by_learning_rate(0.03),
        ),
    ),
    "padam with p = 1/2": (
        dd.padam(**OURS, p=0.5),
        lambda o: o.chain(
            o.scale_by_amsgrad(**A, bias_correction_mu=False, bias_correction_nu=False),
            o.scale_by_learning_rate(0.03),
        ),
    ),
    "adamax": (dd.adamax(**OURS), lambda o: o.adamax(0.03, **A)),
    "adamaxw": (
        dd.chain(dd.decay(0.1), dd.adamax(**OURS)),
        lambda o: o.adamaxw(0.03, **A, weight_decay=0.1),
    ),
    "radam": (dd.radam_corrected(**OURS), lambda o: o.radam(0.03, **A)),
    "adabelief": (
        dd.adabelief(**OURS, eps_root=1e-2),
        lambda o: o.adabelief(0.03, **A, eps_root=1e-2),
    ),
    "yogi": (dd.yogi_corrected(**OURS), lambda o: o.yogi(0.03, **A)),
    "yogi from 0.5": (
        dd.yogi_corrected(**OURS, initial=0.5),
        lambda o: o.chain(
            o.scale_by_yogi(**A, initial_accumulator_value=0.5), o.scale_by_learning_rate(0.03)
        ),
    ),
    # optax looks ahead by 1 - b2 where the paper, whose b2 is this 1 - b2, has b2: both are 0.5 here
    "adan": (dd.adan(**HALF), lambda o: o.adan(0.03, **B, eps_root=0.0)),
    "adan with optax's decay": (
        dd.chain(dd.decay(0.1), dd.adan(**HALF)),
        lambda o: o.adan(0.03, **B, eps_root=0.0, weight_decay=0.1),
    ),
    "adan with the paper's decay": (
        dd.adan(**HALF, weight_decay=0.1),
        lambda o: o.chain(
            o.adan(0.03, **B, eps_root=0.0),
            o.stateless(lambda u, x: (x + u) / (1 + 0.03 * 0.1) - x),
        ),
    ),
    "adopt": (dd.adopt(**OURS), lambda o: o.contrib.adopt(0.03, **A)),
    "ademamix": (
        dd.ademamix(**OURS, beta3=0.98, alpha=3.0),
        lambda o: o.contrib.ademamix(0.03, **A, b3=0.98, alpha=3.0),
    ),
    "ademamix with decay": (
        dd.chain(dd.decay(0.1), dd.ademamix(**OURS, beta3=0.98, alpha=3.0)),
        lambda o: o.contrib.ademamix(0.03, **A, b3=0.98, alpha=3.0, weight_decay=0.1),
    ),
    "qhadam with nu = 1": (dd.qhadam(**OURS, nu1=1.0), lambda o: o.adam(0.03, **A)),
    "qhadam with nu = 0": (
        dd.qhadam(**OURS, nu1=0.0),
        lambda o: o.adam(0.03, **{**A, "b1": 0.0}),
    ),
    "sign_sgd": (dd.signsgd(lr=0.03), lambda o: o.sign_sgd(0.03)),
    "signum": (dd.signum(lr=0.03, beta=0.8), lambda o: o.signum(0.03, beta=0.8)),
    "lion with equal betas": (
        dd.tiger(lr=0.03, beta=0.8, weight_decay=0.1),
        lambda o: o.lion(0.03, b1=0.8, b2=0.8, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("twin", OPTAX)
def test_rule_is_its_optax_twin(optax, optax_trace, trace, close, twin):
    ours, make = OPTAX[twin]
    close(trace(ours), optax_trace(make(optax)))


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (dd.nadam_constant(), lambda o: o.nadam(1e-3)),
        (dd.amsgrad_corrected(), lambda o: o.amsgrad(1e-3)),
        (dd.radam_corrected(), lambda o: o.radam(1e-3)),
        (dd.adabelief(), lambda o: o.adabelief(1e-3)),
        (dd.yogi_corrected(), lambda o: o.yogi(1e-2)),
        (dd.adan(beta2=0.5), lambda o: o.adan(1e-3, b2=0.5, eps_root=0.0)),
        (dd.adopt(), lambda o: o.contrib.adopt(1e-3)),
        (dd.ademamix(), lambda o: o.contrib.ademamix(1e-3)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_defaults_are_the_optax_twins(optax, optax_trace, trace, ours, make):
    # 1e-11 of 1 - 0.999^t, as above
    np.testing.assert_allclose(trace(ours), optax_trace(make(optax)), rtol=0, atol=1e-11)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_schedule_free_adamw_is_its_optax_twin_at_both_points(
    optax, optax_trace, trace, close, decay
):
    make = lambda: optax.contrib.schedule_free_adamw(0.03, **A, weight_decay=decay)
    ours = dd.schedule_free_adamw(**OURS, weight_decay=decay)
    close(trace(ours), optax_trace(make(), optax.contrib.schedule_free_eval_params))
    close(points(ours, trace), optax_trace(make()))


def authors_adan(gradient_rows, x, lr, beta1, beta2, beta3, eps, decay):
    """The authors' code, written out: three corrected averages, and a step for each of the first two."""
    m = v = n = np.zeros_like(x)
    before, rows = gradient_rows[0], []
    for t, g in enumerate(gradient_rows, 1):
        diff, before = g - before, g
        m = m + (1 - beta1) * (g - m)
        v = v + (1 - beta2) * (diff - v)
        n = n + (1 - beta3) * ((g + beta2 * diff) ** 2 - n)
        scale = np.sqrt(n) / np.sqrt(1 - beta3**t) + eps
        x = x - lr / (1 - beta1**t) * m / scale - lr * beta2 / (1 - beta2**t) * v / scale
        x = x / (1 + lr * decay)
        rows.append(x)
    return np.array(rows)


def test_adan_is_its_authors_code(tape, start, trace, close):
    settings = {"lr": 0.03, "beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "eps": 1e-3}
    theirs = authors_adan(tape, start, *settings.values(), 0.1)
    close(trace(dd.adan(**settings, weight_decay=0.1)), theirs)


def authors_adabound(gradient_rows, x, lr, final_lr, base_lr, gamma):
    """The authors' code, written out, with Adam's defaults; ``lr(t)`` may be scheduled, ``base_lr`` is its first value."""
    m = v = np.zeros_like(x)
    rows = []
    for t, g in enumerate(gradient_rows, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        final = final_lr * lr(t) / base_lr
        rate = lr(t) * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (np.sqrt(v) + 1e-8)
        rate = rate.clip(final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t)))
        x = x - rate * m
        rows.append(x)
    return np.array(rows)


@pytest.mark.parametrize("lr", [lambda t: 0.01, lambda t: 0.01 * 0.9 ** (t - 1)])
def test_adabound_is_its_authors_code_under_a_schedule_too(tape, start, trace, lr):
    theirs = authors_adabound(tape, start, lr, final_lr=0.5, base_lr=0.01, gamma=0.2)
    ours = trace(dd.adabound(lr=lr, final_ratio=50.0, gamma=0.2))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)  # of 1 - 0.999^t, as above
