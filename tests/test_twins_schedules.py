"""Schedules against the schedulers of torch, update by update; those of optax and Keras are in ``test_twins_schedules_jax.py``.

Each row holds the exact call of descend, that of its twin, and for how many updates they agree. The n-th update is torch's
``last_epoch`` n − 1. 1e-12 allows for torch's recurrences, which multiply the last rate by a factor some hundred times, rounding
each time; at an end of 0 they leave 1e-17 of a rate of 0.1.
"""

import math

import numpy as np
import pytest

import descend as dd

LR = 0.1
UPDATES = 120


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


def values(schedule, updates=UPDATES):
    return [schedule(t) for t in range(1, updates + 1)]


def torch_values(torch, make, updates, name="lr", **settings):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR, **settings)
    stepped = make(optimizer)
    found = []
    for _ in range(updates):
        found.append(optimizer.param_groups[0][name])
        optimizer.step()
        if len(found) < updates:  # OneCycleLR refuses one more
            stepped.step()
    return found


def scheduler(torch, twin):
    """The call in the text ``twin``, whose first argument is the optimizer."""
    call = "torch.optim.lr_scheduler." + twin.replace("(", "(optimizer, ", 1)
    return lambda optimizer: eval(call, {"torch": torch, "optimizer": optimizer})


# with SGD(lr=0.1)
TORCH = [
    (dd.step(0.1, every=7, factor=0.5), "StepLR(step_size=7, gamma=0.5)", UPDATES),
    (
        dd.multistep(0.1, boundaries=(4, 9, 30), factor=0.3),
        "MultiStepLR(milestones=[4, 9, 30], gamma=0.3)",
        UPDATES,
    ),
    (dd.exponential(0.1, rate=0.97), "ExponentialLR(gamma=0.97)", UPDATES),
    (
        dd.polynomial(0.1, steps=40, power=1.5),
        "PolynomialLR(total_iters=40, power=1.5)",
        UPDATES,
    ),
    (dd.polynomial(0.1, steps=5, power=1), "PolynomialLR()", UPDATES),
    (
        dd.linear(0.025, steps=20, end=0.075),
        "LinearLR(start_factor=0.25, end_factor=0.75, total_iters=20)",
        UPDATES,
    ),
    (dd.linear(0.1 / 3, steps=5, end=0.1), "LinearLR()", UPDATES),
    (
        dd.join((0.05, 0.1), boundaries=(6,)),
        "ConstantLR(factor=0.5, total_iters=6)",
        UPDATES,
    ),
    # up to T_max, where ours ends
    (
        dd.cosine(0.1, steps=60, end=0.01),
        "CosineAnnealingLR(T_max=60, eta_min=0.01)",
        61,
    ),
    (dd.cosine(0.1, steps=60), "CosineAnnealingLR(T_max=60)", 61),
    (
        dd.cosine_restarts(0.1, steps=7, end=0.01),
        "CosineAnnealingWarmRestarts(T_0=7, eta_min=0.01)",
        UPDATES,
    ),
    (
        dd.cosine_restarts(0.1, steps=3, growth=2),
        "CosineAnnealingWarmRestarts(T_0=3, T_mult=2)",
        UPDATES,
    ),
    (
        dd.cosine_restarts(0.1, steps=1, growth=3, end=0.01),
        "CosineAnnealingWarmRestarts(T_0=1, T_mult=3, eta_min=0.01)",
        UPDATES,
    ),
    # max_lr is 0.4: OneCycleLR does not look at the optimizer's lr
    (dd.one_cycle(0.4, steps=10), "OneCycleLR(max_lr=0.4, total_steps=10)", 10),
    (
        dd.one_cycle(0.4, steps=57, start=0.1, end=0.01, rise=0.31),  # a peak between updates
        "OneCycleLR(max_lr=0.4, total_steps=57, pct_start=0.31, div_factor=4, final_div_factor=10)",
        57,
    ),
    (
        dd.one_cycle_linear(0.4, steps=57, rise=0.31),
        "OneCycleLR(max_lr=0.4, total_steps=57, pct_start=0.31, anneal_strategy='linear')",
        57,
    ),
    (
        dd.one_cycle_three_phase(0.4, steps=57, rise=0.31),
        "OneCycleLR(max_lr=0.4, total_steps=57, pct_start=0.31, three_phase=True)",
        57,
    ),
    (
        dd.one_cycle_linear_three_phase(0.4, steps=100, rise=0.45),
        "OneCycleLR(max_lr=0.4, total_steps=100, pct_start=0.45, anneal_strategy='linear', three_phase=True)",
        100,
    ),
    # nor does CyclicLR
    (
        dd.triangular(0.01, peak=0.3, up=5, down=8),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=5, step_size_down=8)",
        UPDATES,
    ),
    (
        dd.triangular(0.01, peak=0.3, up=7),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=7)",
        UPDATES,
    ),
    (
        dd.triangular2(0.01, peak=0.3, up=5, down=8),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=5, step_size_down=8, mode='triangular2')",
        UPDATES,
    ),
    (
        dd.exp_range(0.01, peak=0.3, up=5, down=8, rate=0.98),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=5, step_size_down=8, mode='exp_range', gamma=0.98)",
        UPDATES,
    ),
    (
        dd.inverse_time(0.1, rate=0.25),
        "LambdaLR(lr_lambda=lambda epoch: 1 / (1 + 0.25 * epoch))",
        UPDATES,
    ),
    (
        dd.inverse_sqrt(0.1, warmup=9),
        "LambdaLR(lr_lambda=lambda epoch: 3 * min((epoch + 1) ** -0.5, (epoch + 1) * 9 ** -1.5))",
        UPDATES,
    ),
    (
        dd.rex(0.1, steps=50),
        "LambdaLR(lr_lambda=lambda e: (1 - min(e / 50, 1)) / (0.5 + 0.5 * (1 - min(e / 50, 1))))",
        UPDATES,
    ),
]


@pytest.mark.parametrize(("ours", "twin", "updates"), TORCH)
def test_schedule_is_its_torch_twin(torch, ours, twin, updates):
    if twin.startswith(("OneCycleLR", "CyclicLR")):
        twin = twin.replace(")", ", cycle_momentum=False)")
    close(values(ours, updates), torch_values(torch, scheduler(torch, twin), updates))


# with SGD(lr=0.1); the schedulers in order, and the milestones
TORCH_SEQUENCES = [
    (  # the warm-up of torch: it starts from a rate of its own
        dd.join((dd.linear(0.01, steps=5, end=0.1), dd.cosine(0.1, steps=40)), boundaries=(5,)),
        [
            "LinearLR(start_factor=0.1, total_iters=5)",
            "CosineAnnealingLR(T_max=40)",
        ],
        [5],
        46,
    ),
    (  # ours: it starts from 1 / steps, so torch's takes one update less
        dd.warmup(dd.exponential(0.1, rate=0.9), steps=5),
        [
            "LinearLR(start_factor=1 / 5, total_iters=4)",
            "ExponentialLR(gamma=0.9)",
        ],
        [5],
        UPDATES,
    ),
    (
        dd.cosine(0.1, steps=50, warmup=10),
        [
            "LinearLR(start_factor=1 / 10, total_iters=9)",
            "CosineAnnealingLR(T_max=40)",
        ],
        [10],
        51,
    ),
    (
        dd.wsd(0.1, steps=50, warmup=10, decay=20),
        [
            "LinearLR(start_factor=1 / 10, total_iters=9)",
            "ConstantLR(factor=1.0)",
            "LinearLR(start_factor=1.0, end_factor=0.0, total_iters=20)",
        ],
        [10, 30],
        UPDATES,
    ),
    (
        dd.join(
            (0.1, dd.step(0.1, every=3), dd.linear(0.1 / 3, steps=5, end=0.1)), boundaries=(4, 20)
        ),
        ["ConstantLR(factor=1.0)", "StepLR(step_size=3)", "LinearLR()"],
        [4, 20],
        UPDATES,
    ),
]


@pytest.mark.parametrize(("ours", "parts", "milestones", "updates"), TORCH_SEQUENCES)
def test_join_is_torch_sequential(torch, ours, parts, milestones, updates):
    def make(optimizer):
        schedulers = [scheduler(torch, part)(optimizer) for part in parts]
        return torch.optim.lr_scheduler.SequentialLR(optimizer, schedulers, milestones)

    close(values(ours, updates), torch_values(torch, make, updates))


# the momentum that the scheduler cycles is one more schedule
TORCH_MOMENTUM = [
    (
        dd.one_cycle(0.85, steps=20, start=0.95, end=0.95),
        "OneCycleLR(max_lr=0.4, total_steps=20)",
    ),
    (
        dd.one_cycle_linear_three_phase(0.8, steps=20, start=0.9, end=0.9),
        "OneCycleLR(max_lr=0.4, total_steps=20, base_momentum=0.8, max_momentum=0.9, anneal_strategy='linear', three_phase=True)",
    ),
    (
        dd.triangular(0.9, peak=0.8, up=4),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=4)",
    ),
    (
        dd.triangular2(0.9, peak=0.8, up=4, down=3),
        "CyclicLR(base_lr=0.01, max_lr=0.3, step_size_up=4, step_size_down=3, mode='triangular2')",
    ),
]


@pytest.mark.parametrize(("ours", "twin"), TORCH_MOMENTUM)
def test_schedule_of_the_momentum_is_its_torch_twin(torch, ours, twin):
    theirs = torch_values(torch, scheduler(torch, twin), 20, "momentum", momentum=0.9)
    close(values(ours, 20), theirs)


def test_per_epoch_is_a_torch_scheduler_stepped_once_an_epoch(torch):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    theirs = []
    for _ in range(10):
        for _ in range(7):
            optimizer.step()
            theirs.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    close(values(dd.per_epoch(dd.cosine(0.1, steps=10), updates=7), 70), theirs)


PLATEAUS = [
    ({}, {}),
    ({"patience": 0, "factor": 0.5}, {"patience": 0, "factor": 0.5}),
    ({"patience": 2, "cooldown": 3}, {"patience": 2, "cooldown": 3}),
    ({"patience": 1, "mode": "max"}, {"patience": 1, "mode": "max"}),
    ({"patience": 1, "threshold": 0.3}, {"patience": 1, "threshold": 0.3}),
    (
        {"patience": 1, "threshold": 0.3, "mode": "max", "threshold_mode": "abs"},
        {"patience": 1, "threshold": 0.3, "mode": "max", "threshold_mode": "abs"},
    ),
    ({"patience": 1, "least": 0.003}, {"patience": 1, "min_lr": 0.003}),
    ({"patience": 0, "eps": 0.02}, {"patience": 0, "eps": 0.02}),
]


@pytest.mark.parametrize(("ours", "theirs"), PLATEAUS)
@pytest.mark.parametrize("seed", range(5))
def test_plateau_is_torch_reduce_lr_on_plateau(torch, ours, theirs, seed):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **theirs)
    lr = dd.plateau(0.1, **ours)
    rng = np.random.default_rng(seed)
    signs = -1 if ours.get("mode") == "max" else 1
    falls = set()
    for t in range(1, 201):
        measurement = math.exp(-signs * t / 60) * float(rng.uniform(0.5, 1.5))
        scheduler.step(math.nan if t % 11 == 0 else measurement)
        lr.observe(math.nan if t % 11 == 0 else measurement)
        falls.add(lr(t))
        close(lr(t), optimizer.param_groups[0]["lr"])
    assert len(falls) > 1


def test_torch_takes_a_worse_measurement_below_zero_for_an_improvement_and_plateau_does_not(torch):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    lr = dd.plateau(0.1, patience=0)
    for measurement in (-1.0, -0.99995, -0.99991):
        scheduler.step(measurement)
        lr.observe(measurement)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert lr(1) == pytest.approx(0.001, rel=1e-15)  # two measurements, none better
