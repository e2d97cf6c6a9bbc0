"""The optimizers of optax 0.2.8 (its aliases), with its arguments and defaults; a schedule is one of descend's, which count from 1.

Masks and dtypes of accumulators must keep their defaults: freeze or split the arrays instead.
"""

from __future__ import annotations

from typing import Any

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.rules import adafactor as _adafactor
from descend.rules import adam as _adam
from descend.rules import adaptive as _adaptive
from descend.rules import layerwise as _layerwise
from descend.rules import momentum as _momentum
from descend.rules import rmsprop as _rms
from descend.rules import sign as _sign
from descend.rules import step_sizes as _step_sizes
from descend.rules import tensor as _tensor
from descend.transforms import l2
from descend.twins._calls import NEVER_CLIPPED, NEVER_FACTORED, OPTAX_CALLS
from descend.twins._missing import OPTAX_MISSING
from descend.twins._optax_adam import ADAMS
from descend.twins._optax_common import ALL, FLOAT, NO_RULE, decoupled, entering
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

_TWINS: dict[str, Twin] = {}
_optimizer = entering(_TWINS)


@_optimizer
def sgd(learning_rate: Setting, momentum: Setting | None = None, nesterov: bool = False, accumulator_dtype: Any = None) -> Update:  # fmt: skip
    only("accumulator_dtype", accumulator_dtype, None, FLOAT)
    rule = _momentum.nesterov if flag("nesterov", nesterov) else _momentum.momentum
    return (
        _momentum.sgd(lr=learning_rate)
        if momentum is None
        else rule(lr=learning_rate, momentum=momentum)
    )


@_optimizer
def adafactor(
    learning_rate: Setting | None = None, min_dim_size_to_factor: Setting = 128, decay_rate: Setting = 0.8,
    decay_offset: int = 0, multiply_by_parameter_scale: bool = True, clipping_threshold: Setting | None = 1.0,
    momentum: Setting | None = None, dtype_momentum: Any = None, weight_decay_rate: Setting | None = None,
    eps: Setting = 1e-30, factored: bool = True, weight_decay_mask: Any = None,
) -> Update:  # fmt: skip
    """Without a learning rate it is 1. optax computes its decay rate in float32, the rule in float64."""
    only("decay_offset", decay_offset, 0, "a rule counts from its first step")
    only("multiply_by_parameter_scale", multiply_by_parameter_scale, True, NO_RULE)
    only("momentum", momentum, None, NO_RULE)
    only("dtype_momentum", dtype_momentum, None, FLOAT)
    only("weight_decay_mask", weight_decay_mask, None, ALL)
    return _adafactor.adafactor_constant(
        lr=1.0 if learning_rate is None else learning_rate, beta2_decay=decay_rate, eps1=eps, eps2=1e-3,
        clip=NEVER_CLIPPED if clipping_threshold is None else clipping_threshold,
        weight_decay=0.0 if weight_decay_rate is None else weight_decay_rate,
        factored_from=min_dim_size_to_factor if flag("factored", factored) else NEVER_FACTORED,
    )  # fmt: skip


@_optimizer
def adadelta(
    learning_rate: Setting, rho: Setting = 0.9, eps: Setting = 1e-6, weight_decay: Setting = 0.0,
    weight_decay_mask: Any = None,
) -> Update:  # fmt: skip
    """Its decay is coupled; without a learning rate, as by default, optax does not step."""
    only("weight_decay_mask", weight_decay_mask, None, ALL)
    coupled = None if is_zero(weight_decay) else l2(weight_decay=weight_decay)
    return composed(coupled, _adaptive.adadelta(lr=learning_rate, rho=rho, eps=eps))


@_optimizer
def adagrad(learning_rate: Setting, initial_accumulator_value: Setting = 0.1, eps: Setting = 1e-7) -> Update:  # fmt: skip
    return _adaptive.adagrad_eps_inside(lr=learning_rate, eps=eps, a0=initial_accumulator_value)


@_optimizer
def fromage(learning_rate: Setting, min_norm: Setting = 1e-6) -> Update:
    if is_zero(min_norm):
        return _layerwise.fromage(lr=learning_rate)
    return _layerwise.fromage_bounded(lr=learning_rate, min_norm=min_norm)


@_optimizer
def lamb(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-6, eps_root: Setting = 0.0,
    weight_decay: Setting = 0.0, mask: Any = None,
) -> Update:  # fmt: skip
    only("eps_root", eps_root, 0.0, NO_RULE)
    only("mask", mask, None, ALL)
    return _layerwise.lamb(lr=learning_rate, beta1=b1, beta2=b2, eps=eps, weight_decay=weight_decay)


@_optimizer
def lars(
    learning_rate: Setting, weight_decay: Setting = 0.0, weight_decay_mask: Any = True,
    trust_coefficient: Setting = 0.001, eps: Setting = 0.0, trust_ratio_mask: Any = True,
    momentum: Setting = 0.9, nesterov: bool = False,
) -> Update:  # fmt: skip
    """Its ratio is that of the decayed gradient: ``‖x‖ / ‖g + λ x‖``, where the paper has ``‖x‖ / (‖g‖ + λ ‖x‖)``."""
    only("weight_decay_mask", weight_decay_mask, True, ALL)
    only("trust_ratio_mask", trust_ratio_mask, True, ALL)
    only("eps", eps, 0.0, NO_RULE)
    only("nesterov", nesterov, False, NO_RULE)
    coupled = None if is_zero(weight_decay) else l2(weight_decay=weight_decay)
    return composed(
        coupled, _layerwise.lars(lr=learning_rate, momentum=momentum, trust=trust_coefficient)
    )


@_optimizer
def lion(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.99, mu_dtype: Any = None,
    weight_decay: Setting = 1e-3, mask: Any = None,
) -> Update:  # fmt: skip
    only("mu_dtype", mu_dtype, None, FLOAT)
    return composed(decoupled(weight_decay, mask), _sign.lion(lr=learning_rate, beta1=b1, beta2=b2))


@_optimizer
def novograd(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.25, eps: Setting = 1e-6, eps_root: Setting = 0.0,
    weight_decay: Setting = 0.0,
) -> Update:  # fmt: skip
    only("eps_root", eps_root, 0.0, NO_RULE)
    return _layerwise.novograd(
        lr=learning_rate, beta1=b1, beta2=b2, eps=eps, weight_decay=weight_decay
    )


@_optimizer
def optimistic_gradient_descent(learning_rate: Setting, alpha: Setting = 1.0, beta: Setting = 1.0) -> Update:  # fmt: skip
    return _momentum.optimistic(lr=learning_rate, alpha=alpha, beta=beta)


@_optimizer
def polyak_sgd(
    max_learning_rate: Setting = 1.0, scaling: Setting = 1.0, f_min: Setting = 0.0, eps: Setting = 0.0,
    variant: str = "sps",
) -> Update:  # fmt: skip
    """Its scaling s is in the gradient's norm too: the rule's c is s, and its longest step s times optax's."""
    if variant != "sps+":
        raise UnfitError(
            "variant",
            "'sps+', since 'sps' climbs where the value is below f_min and no rule does",
            variant,
        )
    only("eps", eps, 0.0, NO_RULE)
    if callable(max_learning_rate) or callable(scaling) or not above_zero("scaling", scaling):
        raise UnfitError(
            "scaling", "a number above 0 beside a max_learning_rate that is a number", scaling
        )
    above_zero("max_learning_rate", max_learning_rate)
    return _step_sizes.polyak_sgd(lr=max_learning_rate * scaling, f_min=f_min, c=scaling)


@_optimizer
def rmsprop(
    learning_rate: Setting, decay: Setting = 0.9, eps: Setting = 1e-8, initial_scale: Setting = 0.0,
    eps_in_sqrt: bool = True, centered: bool = False, momentum: Setting | None = None, nesterov: bool = False,
    bias_correction: bool = False,
) -> Update:  # fmt: skip
    """The learning rate is inside the velocity. Corrected, it is Adam without its first average."""
    only("initial_scale", initial_scale, 0.0, NO_RULE)
    inside, spread = flag("eps_in_sqrt", eps_in_sqrt), flag("centered", centered)
    if flag("nesterov", nesterov) and momentum is not None:
        only("nesterov", nesterov, False, NO_RULE)
    if flag("bias_correction", bias_correction):
        only("centered", centered, False, f"with bias_correction, {NO_RULE}")
        only("momentum", momentum, None, f"with bias_correction, {NO_RULE}")
        if inside:
            return _adam.adam_eps_root(
                lr=learning_rate, beta1=0.0, beta2=decay, eps=0.0, eps_root=eps
            )
        return _adam.adam(lr=learning_rate, beta1=0.0, beta2=decay, eps=eps)
    name = "rmsprop" + "_eps_inside" * inside + "_centered" * spread
    settings = {"lr": learning_rate, "alpha": decay, "eps": eps}
    if momentum is not None:
        name, settings = f"{name}_momentum_inside", {**settings, "momentum": momentum}
    found: Bound = getattr(_rms, name)(**settings)
    return found


@_optimizer
def sign_sgd(learning_rate: Setting) -> Update:
    return _sign.signsgd(lr=learning_rate)


@_optimizer
def signum(learning_rate: Setting, beta: Setting = 0.9, accumulator_dtype: Any = None) -> Update:
    only("accumulator_dtype", accumulator_dtype, None, FLOAT)
    return _sign.signum(lr=learning_rate, beta=beta)


@_optimizer
def sm3(learning_rate: Setting, momentum: Setting = 0.9) -> Update:
    return _tensor.sm3(lr=learning_rate, momentum=momentum, eps=1e-8)


OPTAX = Framework("optax", "optax", {**_TWINS, **ADAMS}, OPTAX_MISSING, OPTAX_CALLS)
