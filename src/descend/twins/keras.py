"""The optimizers of Keras 3.15, with its arguments and defaults.

Every optimizer takes the common arguments of `descend.twins._keras_common` too.
"""

from __future__ import annotations

from typing import Any

from descend._rule import Bound, Setting
from descend.rules.adafactor import adafactor
from descend.rules.adam import adam_eps_hat, nadam
from descend.rules.adaptive import adadelta, adagrad_eps_inside
from descend.rules.amsgrad import adamax_eps_outside, amsgrad_eps_hat
from descend.rules.averaging import schedule_free_adamw, schedule_free_adamw_uniform
from descend.rules.layerwise import lamb
from descend.rules.momentum import momentum_inside, nesterov_inside, sgd
from descend.rules.muon import muon_trace
from descend.rules.proximal import ftrl
from descend.rules.rmsprop import (
    rmsprop_eps_inside,
    rmsprop_eps_inside_centered,
    rmsprop_eps_inside_centered_momentum_inside,
    rmsprop_eps_inside_momentum_inside,
)
from descend.rules.sign import lion
from descend.schedules import warmup
from descend.schedules._schedule import is_count
from descend.twins._calls import KERAS_CALLS
from descend.twins._keras_common import entering
from descend.twins._missing import KERAS_MISSING
from descend.twins._twin import (
    Framework,
    Twin,
    UnfitError,
    above_zero,
    flag,
    is_zero,
    negated,
    only,
)

_TWINS: dict[str, Twin] = {}
_optimizer = entering(_TWINS)


@_optimizer
def SGD(learning_rate: Setting = 0.01, momentum: Setting = 0.0, nesterov: bool = False) -> Bound:
    """The learning rate is inside the velocity."""
    look_ahead = flag("nesterov", nesterov)
    if is_zero(momentum):
        return sgd(lr=learning_rate)
    rule = nesterov_inside if look_ahead else momentum_inside
    return rule(lr=learning_rate, momentum=momentum)


@_optimizer
def RMSprop(
    learning_rate: Setting = 0.001, rho: Setting = 0.9, momentum: Setting = 0.0, epsilon: Setting = 1e-7,
    centered: bool = False,
) -> Bound:  # fmt: skip
    settings = {"lr": learning_rate, "alpha": rho, "eps": epsilon}
    if callable(momentum) or above_zero("momentum", momentum):
        rule = rmsprop_eps_inside_momentum_inside
        if flag("centered", centered):
            rule = rmsprop_eps_inside_centered_momentum_inside
        return rule(**settings, momentum=momentum)
    return (rmsprop_eps_inside_centered if flag("centered", centered) else rmsprop_eps_inside)(
        **settings
    )


@_optimizer
def Adam(
    learning_rate: Setting = 0.001, beta_1: Setting = 0.9, beta_2: Setting = 0.999, epsilon: Setting = 1e-7,
    amsgrad: bool = False,
) -> Bound:  # fmt: skip
    """Its epsilon stands beside the uncorrected root."""
    rule = amsgrad_eps_hat if flag("amsgrad", amsgrad) else adam_eps_hat
    return rule(lr=learning_rate, beta1=beta_1, beta2=beta_2, eps=epsilon)


@_optimizer
def AdamW(
    learning_rate: Setting = 0.001, weight_decay: Setting = 0.004, beta_1: Setting = 0.9, beta_2: Setting = 0.999,
    epsilon: Setting = 1e-7, amsgrad: bool = False,
) -> Bound:  # fmt: skip
    if weight_decay is None:
        raise UnfitError("weight_decay", "a float", weight_decay)
    return Adam(learning_rate, beta_1, beta_2, epsilon, amsgrad)


@_optimizer
def Adadelta(learning_rate: Setting = 0.001, rho: Setting = 0.95, epsilon: Setting = 1e-7) -> Bound:
    return adadelta(lr=learning_rate, rho=rho, eps=epsilon)


@_optimizer
def Adagrad(
    learning_rate: Setting = 0.001,
    initial_accumulator_value: Setting = 0.1,
    epsilon: Setting = 1e-7,
) -> Bound:
    return adagrad_eps_inside(lr=learning_rate, eps=epsilon, a0=initial_accumulator_value)


@_optimizer
def Adamax(
    learning_rate: Setting = 0.001,
    beta_1: Setting = 0.9,
    beta_2: Setting = 0.999,
    epsilon: Setting = 1e-7,
) -> Bound:
    return adamax_eps_outside(lr=learning_rate, beta1=beta_1, beta2=beta_2, eps=epsilon)


@_optimizer
def Nadam(
    learning_rate: Setting = 0.001,
    beta_1: Setting = 0.9,
    beta_2: Setting = 0.999,
    epsilon: Setting = 1e-7,
) -> Bound:
    """Its momentum warms up by 0.96 a step: torch's ``momentum_decay=1``."""
    return nadam(lr=learning_rate, beta1=beta_1, beta2=beta_2, eps=epsilon, momentum_decay=1.0)


@_optimizer
def Ftrl(
    learning_rate: Setting = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: Setting = 0.1,
    l1_regularization_strength: Setting = 0.0, l2_regularization_strength: float = 0.0,
    l2_shrinkage_regularization_strength: float = 0.0, beta: Setting = 0.0,
) -> Bound:  # fmt: skip
    """Keras doubles both of its L2 strengths."""
    only("learning_rate_power", learning_rate_power, -0.5, "the rule has the root of its paper")
    above_zero("l2_regularization_strength", l2_regularization_strength)
    above_zero("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength)
    return ftrl(
        lr=learning_rate, beta=beta, l1=l1_regularization_strength, l2=2 * l2_regularization_strength,
        shrinkage=2 * l2_shrinkage_regularization_strength, n0=initial_accumulator_value,
    )  # fmt: skip


@_optimizer
def Lion(learning_rate: Setting = 0.001, beta_1: Setting = 0.9, beta_2: Setting = 0.99) -> Bound:
    return lion(lr=learning_rate, beta1=beta_1, beta2=beta_2)


@_optimizer
def Lamb(
    learning_rate: Setting = 0.001,
    beta_1: Setting = 0.9,
    beta_2: Setting = 0.999,
    epsilon: Setting = 1e-7,
) -> Bound:
    """Its decay comes before the norms are taken, not into the direction."""
    return lamb(lr=learning_rate, beta1=beta_1, beta2=beta_2, eps=epsilon)


@_optimizer
def ScheduleFreeAdamW(
    learning_rate: Setting = 0.0025, beta_1: Setting = 0.9, beta_2: Setting = 0.999, epsilon: Setting = 1e-8,
    warmup_steps: int = 0,
) -> Bound:  # fmt: skip
    """Keras's variable is the rule's x; the answer is `Stepper.solution`."""
    if not is_count(warmup_steps, 0):
        raise UnfitError("warmup_steps", "an int of at least 0", warmup_steps)
    if warmup_steps and callable(learning_rate):
        raise UnfitError(
            "warmup_steps", "0 where learning_rate is a schedule: warm up in there", warmup_steps
        )
    if not warmup_steps and not callable(learning_rate):
        return schedule_free_adamw(lr=learning_rate, beta1=beta_1, beta2=beta_2, eps=epsilon)
    lr = warmup(learning_rate, steps=warmup_steps) if warmup_steps else learning_rate
    return schedule_free_adamw_uniform(lr=lr, beta1=beta_1, beta2=beta_2, eps=epsilon)


@_optimizer
def Adafactor(
    learning_rate: Setting = 0.001, beta_2_decay: float = -0.8, epsilon_1: Setting = 1e-30,
    epsilon_2: Setting = 1e-3, clip_threshold: Setting = 1.0, relative_step: bool = True,
) -> Bound:  # fmt: skip
    """Its relative_step changes nothing: Keras bounds the rate by 1 / √t once more."""
    flag("relative_step", relative_step)
    return adafactor(
        lr=learning_rate, beta2_decay=negated("beta_2_decay", beta_2_decay), eps1=epsilon_1, eps2=epsilon_2, clip=clip_threshold
    )  # fmt: skip


@_optimizer
def Muon(
    learning_rate: Setting = 0.001, adam_beta_1: Setting = 0.9, adam_beta_2: Setting = 0.999,
    adam_weight_decay: Setting | None = 0.004, epsilon: Setting = 1e-7, weight_decay: Setting | None = 0.004, *,
    exclude_layers: Any = None, exclude_embeddings: bool = True, muon_a: float = 3.4445, muon_b: float = -4.7750,
    muon_c: float = 2.0315, adam_lr_ratio: float = 1, momentum: Setting = 0.95, ns_steps: int = 5,
    nesterov: bool = True, rms_rate: Setting | None = 0.2,
) -> Bound:  # fmt: skip
    """Of variables that are no embeddings: matrices by Muon, all others by Adam, both with one decay."""
    flag("exclude_embeddings", exclude_embeddings)
    only("exclude_layers", exclude_layers or None, None, "a Stepper's arrays have no names")
    for name, value, usual in (
        ("muon_a", muon_a, 3.4445), ("muon_b", muon_b, -4.7750), ("muon_c", muon_c, 2.0315), ("ns_steps", ns_steps, 5),
    ):  # fmt: skip
        only(name, value, usual, "the rule has Jordan's iteration")
    only("adam_lr_ratio", adam_lr_ratio, 1, "a rule has one rate for all arrays")
    if not flag("nesterov", nesterov) and not is_zero(momentum):
        raise UnfitError("nesterov", "True, since no rule of descend has Muon without it", nesterov)
    if (adam_weight_decay or None) != (weight_decay or None):
        why = f"weight_decay, {weight_decay!r}, since a decay is of all arrays"
        raise UnfitError("adam_weight_decay", why, adam_weight_decay)
    if rms_rate is None:
        raise UnfitError("rms_rate", "a float, since no rule has this momentum unscaled", rms_rate)
    return muon_trace(
        lr=learning_rate, momentum=momentum, scale=rms_rate, beta1=adam_beta_1, beta2=adam_beta_2, eps=epsilon
    )  # fmt: skip


KERAS = Framework("keras", "keras.optimizers", _TWINS, KERAS_MISSING, KERAS_CALLS)
