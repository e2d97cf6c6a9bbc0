"""Rules and chains against other libraries' optimizers, step by step on one random tape, in float64.

The tolerance of 1e-12 is for 60 steps: both sides round about ten times a step (2e-16 each) and order operations in
their own ways; formulas that differ (an eps inside a root, an lr inside a velocity) differ by 1e-3 and more here.
"""

import math

import numpy as np
import pytest

import descend as dd

STEPS = 60


TORCH = {
    "SGD": (dd.sgd(lr=0.03), {"lr": 0.03}),
    "SGD momentum": (dd.momentum(lr=0.03, momentum=0.8), {"lr": 0.03, "momentum": 0.8}),
    "SGD nesterov": (
        dd.nesterov(lr=0.03, momentum=0.8),
        {"lr": 0.03, "momentum": 0.8, "nesterov": True},
    ),
    "SGD l2": (
        dd.chain(dd.l2(0.1), dd.momentum(lr=0.03, momentum=0.8)),
        {"lr": 0.03, "momentum": 0.8, "weight_decay": 0.1},
    ),
    "Adagrad": (dd.adagrad(lr=0.03, eps=1e-3), {"lr": 0.03, "eps": 1e-3}),
    "RMSprop": (
        dd.rmsprop(lr=0.03, alpha=0.9, eps=1e-3),
        {"lr": 0.03, "alpha": 0.9, "eps": 1e-3},
    ),
    "Adam": (
        dd.adam(lr=0.03, beta1=0.8, beta2=0.99, eps=1e-3),
        {"lr": 0.03, "betas": (0.8, 0.99), "eps": 1e-3},
    ),
    "Adam l2": (
        dd.chain(dd.l2(0.1), dd.adam(lr=0.03)),
        {"lr": 0.03, "weight_decay": 0.1},
    ),
    "AdamW": (
        dd.adamw(lr=0.03, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.1),
        {"lr": 0.03, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1},
    ),
    "AdamW chain": (
        dd.chain(dd.decay(0.1), dd.adam(lr=0.03)),
        {"lr": 0.03, "weight_decay": 0.1},
    ),
    "NAdam": (
        dd.nadam(lr=0.03, beta1=0.8, beta2=0.99, eps=1e-3, momentum_decay=0.1),
        {"lr": 0.03, "betas": (0.8, 0.99), "eps": 1e-3, "momentum_decay": 0.1},
    ),
}


@pytest.mark.parametrize("twin", TORCH)
def test_rule_is_its_torch_twin(torch, twin, trace, torch_trace, close):
    ours, settings = TORCH[twin]
    make = getattr(torch.optim, twin.split()[0])
    close(trace(ours), torch_trace(lambda x: make(x, **settings)))


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("sgd", "SGD"),
        ("adagrad", "Adagrad"),
        ("rmsprop", "RMSprop"),
        ("adam", "Adam"),
        ("adamw", "AdamW"),
        ("nadam", "NAdam"),
    ],
)
def test_default_is_the_torch_twins_but_for_the_lr(torch, name, twin, trace, torch_trace, close):
    # torch's SGD has 1e-3 where the books have 1e-2: lr is given
    close(
        trace(dd.get_rule(f"{name}:lr=0.02")),
        torch_trace(lambda x: getattr(torch.optim, twin)(x, lr=0.02)),
    )


def test_clip_value_is_torch_clip_grad_value(torch, trace, torch_trace, close):
    ours = trace(dd.chain(dd.clip_value(0.5), dd.momentum(lr=0.1)))
    theirs = torch_trace(
        lambda x: torch.optim.SGD(x, lr=0.1, momentum=0.9),
        clip=lambda x: torch.nn.utils.clip_grad_value_(x, 0.5),
    )
    close(ours, theirs)


def test_cosine_is_torch_cosine_annealing_over_t_max(torch, trace, torch_trace, close):
    # steps = 60 of both: torch's rate rises again only after T_max
    theirs = torch_trace(
        lambda x: torch.optim.SGD(x, lr=0.1, momentum=0.9),
        schedule=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.01),
    )
    close(trace(dd.momentum(lr=dd.cosine(0.1, steps=STEPS, end=0.01))), theirs)


def test_step_is_torch_step_lr(torch, trace, torch_trace, close):
    theirs = torch_trace(
        lambda x: torch.optim.SGD(x, lr=0.1, momentum=0.9),
        schedule=lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=7, gamma=0.5),
    )
    close(trace(dd.momentum(lr=dd.step(0.1, every=7, factor=0.5))), theirs)


def test_exponential_is_torch_exponential_lr(torch, trace, torch_trace, close):
    theirs = torch_trace(
        lambda x: torch.optim.SGD(x, lr=0.1, momentum=0.9),
        schedule=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, gamma=0.97),
    )
    close(trace(dd.momentum(lr=dd.exponential(0.1, rate=0.97))), theirs)


def inside_trace(start, tape, lr, momentum, nesterov):
    """Keras' SGD, written out."""
    x, v = start, np.zeros_like(start)
    rows = []
    for t, g in enumerate(tape, 1):
        v = momentum * v - lr(t) * g
        x = x + momentum * v - lr(t) * g if nesterov else x + v
        rows.append(x)
    return np.array(rows)


@pytest.mark.parametrize(
    ("rule", "nesterov"), [("momentum_inside", False), ("nesterov_inside", True)]
)
def test_inside_forms_keep_old_rates_in_the_velocity(rule, nesterov, trace, close, tape, start):
    lr = dd.step(1.0, every=20)
    ours = trace(dd.find_rule(rule)(lr=lr, momentum=0.9))
    close(ours, inside_trace(start, tape, lambda t: 0.1 ** ((t - 1) // 20), 0.9, nesterov))


@pytest.mark.parametrize("pair", [("momentum", "momentum_inside"), ("nesterov", "nesterov_inside")])
def test_inside_and_outside_agree_only_at_a_constant_rate(pair, trace, close):
    outside, inside = map(dd.find_rule, pair)
    close(trace(outside(lr=0.1)), trace(inside(lr=0.1)))
    falling = dd.step(1.0, every=20)
    assert np.abs(trace(outside(lr=falling)) - trace(inside(lr=falling)))[20:].max() > 0.1


def test_nesterov_looks_ahead_to_the_points_of_the_shifted_form(start, tape, trace, close):
    """Also under a falling rate, which both keep in the velocity; the answer is μ v behind the point of the gradients."""
    lr = dd.step(1.0, every=20)
    ahead = dd.nesterov_lookahead(lr=lr, momentum=0.9)
    x = start.copy()
    stepper = dd.Stepper(ahead, x)
    rows = []
    for g in tape:
        stepper.step(g)
        rows.append(x.copy())
        close(stepper.solution, x + 0.9 * stepper.state["v"])
    close(rows, trace(dd.nesterov_inside(lr=lr, momentum=0.9)))


def test_nesterov_asks_for_gradients_ahead_of_its_answer(start):
    """On a quadratic, written as eqs. 3-4 are: the gradient is a function here, not a tape."""
    a, x = np.linspace(0.5, 3.0, len(start)), start.copy()
    stepper = dd.Stepper(dd.nesterov_lookahead(lr=0.1, momentum=0.9), x)
    theta, v = start.copy(), np.zeros_like(start)
    for _ in range(STEPS):
        v = 0.9 * v - 0.1 * a * (theta + 0.9 * v)
        theta = theta + v
        stepper.step(a * x)
        np.testing.assert_allclose(stepper.solution, theta, rtol=1e-12, atol=1e-12)


def test_first_step_after_a_falling_rate_shows_where_the_rate_is():
    """Three gradients of 1, lr 1, 1, then 0.1: the velocity outside is 2.71, inside 0.9 · 1.9 + 0.1."""
    lr, moves = dd.step(1.0, every=2), {}
    for rule in (dd.momentum, dd.momentum_inside):
        x = np.zeros(1)
        stepper = dd.Stepper(rule(lr=lr, momentum=0.9), x)
        for _ in range(3):
            before = x[0]
            stepper.step(np.ones(1))
        moves[rule.name] = x[0] - before
    assert moves["momentum"] == pytest.approx(-0.271, rel=1e-14, abs=0)
    assert moves["momentum_inside"] == pytest.approx(-1.81, rel=1e-14, abs=0)


OPTAX = {
    "sgd": (dd.sgd(lr=0.03), lambda o: o.sgd(0.03)),
    "sgd momentum": (dd.momentum(lr=0.03, momentum=0.8), lambda o: o.sgd(0.03, momentum=0.8)),
    "sgd nesterov": (
        dd.nesterov(lr=0.03, momentum=0.8),
        lambda o: o.sgd(0.03, momentum=0.8, nesterov=True),
    ),
    "adam": (
        dd.adam(lr=0.03, beta1=0.8, beta2=0.99, eps=1e-3),
        lambda o: o.adam(0.03, b1=0.8, b2=0.99, eps=1e-3),
    ),
    "lion": (
        dd.lion(lr=0.03, beta1=0.8, beta2=0.95),
        lambda o: o.lion(0.03, b1=0.8, b2=0.95, weight_decay=0.0),
    ),
    "lion with decay": (
        dd.chain(dd.decay(0.1), dd.lion(lr=0.03)),
        lambda o: o.lion(0.03, weight_decay=0.1),
    ),
    "clip by global norm": (
        dd.chain(dd.clip_norm(0.5), dd.adam(lr=0.03)),
        lambda o: o.chain(o.clip_by_global_norm(0.5), o.adam(0.03)),
    ),
    "clip by value": (
        dd.chain(dd.clip_value(0.5), dd.adam(lr=0.03)),
        lambda o: o.chain(o.clip(0.5), o.adam(0.03)),
    ),
}


@pytest.mark.parametrize("twin", OPTAX)
def test_rule_is_its_optax_twin(optax, twin, trace, optax_trace, close):
    ours, make = OPTAX[twin]
    close(trace(ours), optax_trace(make(optax)))


def test_schedule_free_sgd_is_its_optax_twin_at_both_points(
    optax, trace, optax_trace, close, tape, start
):
    contrib = pytest.importorskip("optax.contrib")
    make = lambda: contrib.schedule_free_sgd(0.3, b1=0.8)
    ours = dd.schedule_free_sgd(lr=0.3, beta=0.8)
    # optax rebuilds the average from x and z by subtraction, at the cost of a digit
    close(trace(ours), optax_trace(make(), contrib.schedule_free_eval_params))
    x = start
    stepper = dd.Stepper(ours, x)
    theirs = optax_trace(make())
    for g, row in zip(tape, theirs, strict=True):
        stepper.step(g)
        close(x, row)


def test_clip_norm_takes_one_norm_over_all_arrays(optax, optax_trace, close, tape, start):
    parts = [start[:5].copy(), start[5:].copy()]
    stepper = dd.Stepper(dd.chain(dd.clip_norm(0.5), dd.sgd(lr=0.1)), parts)
    for g in tape:
        stepper.step([g[:5], g[5:]])
    whole = optax_trace(optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1)))[-1]
    close(np.concatenate(parts), whole)
    norms = np.linalg.norm(tape, axis=1)
    assert (norms > 0.5).any()


def test_short_gradients_pass_clip_norm_unchanged():
    x, y = np.ones(3), np.ones(3)
    g = np.array([0.3, -0.2, 0.1])
    dd.Stepper(dd.chain(dd.clip_norm(math.sqrt(g @ g) * 1.01), dd.sgd(lr=0.1)), x).step(g)
    dd.Stepper(dd.sgd(lr=0.1), y).step(g)
    assert (x == y).all()
