"""The optimizers of Keras 3.15, with its arguments and defaults.

Every optimizer takes the common arguments: decoupled ``weight_decay``, one of ``clipnorm`` (each array), ``clipvalue`` and
``global_clipnorm``, and ``use_ema``, whose average is `Stepper.solution`. Ignored: ``name``, ``loss_scale_factor=None``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.rules.adam import adam_eps_hat, nadam
from descend.rules.adaptive import adadelta, adagrad_eps_inside
from descend.rules.amsgrad import adamax_eps_outside, amsgrad_eps_hat
from descend.rules.averaging import schedule_free_adamw, schedule_free_adamw_uniform
from descend.rules.layerwise import lamb
from descend.rules.momentum import momentum_inside, nesterov_inside, sgd
from descend.rules.proximal import ftrl
from descend.rules.rmsprop import (
    rmsprop_eps_inside,
    rmsprop_eps_inside_centered,
    rmsprop_eps_inside_centered_momentum_inside,
    rmsprop_eps_inside_momentum_inside,
)
from descend.rules.sign import lion
from descend.schedules import join, warmup
from descend.schedules._schedule import is_count
from descend.transforms import clip_norm, clip_norm_each, clip_value, decay
from descend.twins._calls import KERAS_CALLS
from descend.twins._missing import KERAS_MISSING
from descend.twins._twin import (
    Framework,
    Twin,
    UnfitError,
    above_zero,
    composed,
    flag,
    is_zero,
    only,
)
from descend.wrappers import ema, ema_restart

_TWINS: dict[str, Twin] = {}
_COMMON: dict[str, Any] = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None,
    "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "loss_scale_factor": None, "gradient_accumulation_steps": None,
}  # fmt: skip


def _optimizer(make: Callable[..., Bound]) -> Callable[..., Bound]:
    """Enter an optimizer of Keras: its own arguments, then the common ones."""
    own = inspect.signature(make).parameters
    common = {k: v for k, v in _COMMON.items() if k not in own}

    def whole(**given: Any) -> Update:
        rule = make(**{k: v for k, v in given.items() if k in own})
        shared = {**_COMMON, **{k: p.default for k, p in own.items()}, **given}
        for name in ("loss_scale_factor", "gradient_accumulation_steps"):
            only(
                name,
                shared[name],
                None,
                "a Stepper takes one gradient of the loss itself for each update",
            )
        parts = _clip(shared), _decay(shared["weight_decay"], rule), rule, _average(shared, rule)
        return composed(*parts)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    added = [inspect.Parameter(k, kind, default=v) for k, v in common.items()]
    whole.__signature__ = inspect.Signature([*own.values(), *added])  # type: ignore[attr-defined]
    _TWINS[make.__name__] = Twin("keras", make.__name__, whole, {"name": None})
    return make


def _clip(shared: dict[str, Any]) -> Bound | None:
    """At most one of three; one that is not above 0 does not clip."""
    transforms = {"clipnorm": clip_norm_each, "clipvalue": clip_value, "global_clipnorm": clip_norm}
    given = [name for name in transforms if shared[name] is not None]
    if len(given) > 1:
        raise UnfitError(
            given[1],
            f"None beside {given[0]}, since Keras takes one of the three",
            shared[given[1]],
        )
    if not given or not above_zero(given[0], shared[given[0]]):
        return None
    return transforms[given[0]](shared[given[0]])


def _decay(weight_decay: Any, rule: Bound) -> Bound | None:
    if weight_decay is None or is_zero(weight_decay):
        return None
    if "schedule_free" in rule.name:
        why = "None, since Keras decays the point of the gradients there, which moves its average alone"
        raise UnfitError("weight_decay", why, weight_decay)
    return decay(weight_decay=weight_decay)


def _average(shared: dict[str, Any], rule: Bound) -> Bound | None:
    """The average starts at the first iterate: its factor is 0 for one step."""
    if not flag("use_ema", shared["use_ema"]):
        return None
    momentum, every = shared["ema_momentum"], shared["ema_overwrite_frequency"]
    if not is_zero(momentum):
        ema(beta=momentum)  # its check
    beta = join((0.0, momentum), boundaries=(1,))
    if every is None:
        return ema(beta=beta)
    if "schedule_free" in rule.name:
        why = "None, since the rule keeps its own average, from which Keras would take x away"
        raise UnfitError("ema_overwrite_frequency", why, every)
    if not is_count(every, 1):
        raise UnfitError("ema_overwrite_frequency", "None or an int of at least 1", every)
    return ema_restart(beta=beta, every=every)


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


KERAS = Framework("keras", "keras.optimizers", _TWINS, KERAS_MISSING, KERAS_CALLS)
