"""The optimizers of optax 0.2.8 (its aliases), with its arguments and defaults; a schedule is one of descend's, which count from 1.

Masks and dtypes of accumulators must keep their defaults: freeze or split the arrays instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.rules import adam as _adam
from descend.rules import adam_variants as _variants
from descend.rules import adaptive as _adaptive
from descend.rules import amsgrad as _amsgrad
from descend.rules import layerwise as _layerwise
from descend.rules import momentum as _momentum
from descend.rules import rmsprop as _rms
from descend.rules import sign as _sign
from descend.rules import step_sizes as _step_sizes
from descend.transforms import decay, l2
from descend.twins._calls import OPTAX_CALLS
from descend.twins._missing import OPTAX_MISSING
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
_NO_RULE = "no rule of descend has it"
_ALL = "a rule treats every element alike"
_FLOAT = "a state has the dtype of its array"


def _optimizer(make: Callable[..., Update]) -> Callable[..., Update]:
    _TWINS[make.__name__] = Twin("optax", make.__name__, make)
    return make


def _decoupled(weight_decay: Setting, mask: Any) -> Bound | None:
    only("mask", mask, None, _ALL)
    return None if is_zero(weight_decay) else decay(weight_decay=weight_decay)


@_optimizer
def sgd(learning_rate: Setting, momentum: Setting | None = None, nesterov: bool = False, accumulator_dtype: Any = None) -> Update:  # fmt: skip
    only("accumulator_dtype", accumulator_dtype, None, _FLOAT)
    rule = _momentum.nesterov if flag("nesterov", nesterov) else _momentum.momentum
    return (
        _momentum.sgd(lr=learning_rate)
        if momentum is None
        else rule(lr=learning_rate, momentum=momentum)
    )


@_optimizer
def adam(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    mu_dtype: Any = None, nesterov: bool = False,
) -> Bound:  # fmt: skip
    only("mu_dtype", mu_dtype, None, _FLOAT)
    settings = {"lr": learning_rate, "beta1": b1, "beta2": b2, "eps": eps}
    if flag("nesterov", nesterov):
        only("eps_root", eps_root, 0.0, f"with nesterov, {_NO_RULE}")
        return _adam.nadam_constant(**settings)
    return (
        _adam.adam(**settings)
        if is_zero(eps_root)
        else _adam.adam_eps_root(**settings, eps_root=eps_root)
    )


@_optimizer
def adamw(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    mu_dtype: Any = None, weight_decay: Setting = 1e-4, mask: Any = None, nesterov: bool = False,
) -> Update:  # fmt: skip
    rule = adam(learning_rate, b1, b2, eps, eps_root, mu_dtype, nesterov)
    return composed(_decoupled(weight_decay, mask), rule)


_TWINS["nadam"] = Twin("optax", "nadam", partial(adam, nesterov=True))
_TWINS["nadamw"] = Twin("optax", "nadamw", partial(adamw, nesterov=True))


@_optimizer
def amsgrad(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    mu_dtype: Any = None, bias_correction_mu: bool = True, bias_correction_nu: bool = True,
) -> Update:  # fmt: skip
    """Both averages are corrected, or neither."""
    only("mu_dtype", mu_dtype, None, _FLOAT)
    only("eps_root", eps_root, 0.0, _NO_RULE)
    corrected = flag("bias_correction_mu", bias_correction_mu)
    only(
        "bias_correction_nu",
        bias_correction_nu,
        corrected,
        "a rule corrects both averages or neither",
    )
    rule = _amsgrad.amsgrad_corrected if corrected else _amsgrad.amsgrad_uncorrected
    return rule(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


@_optimizer
def adabelief(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-16, eps_root: Setting = 1e-16,
    nesterov: bool = False,
) -> Update:  # fmt: skip
    only("nesterov", nesterov, False, _NO_RULE)
    return _variants.adabelief(lr=learning_rate, beta1=b1, beta2=b2, eps=eps, eps_root=eps_root)


@_optimizer
def adadelta(
    learning_rate: Setting, rho: Setting = 0.9, eps: Setting = 1e-6, weight_decay: Setting = 0.0,
    weight_decay_mask: Any = None,
) -> Update:  # fmt: skip
    """Its decay is coupled; without a learning rate, as by default, optax does not step."""
    only("weight_decay_mask", weight_decay_mask, None, _ALL)
    coupled = None if is_zero(weight_decay) else l2(weight_decay=weight_decay)
    return composed(coupled, _adaptive.adadelta(lr=learning_rate, rho=rho, eps=eps))


@_optimizer
def adagrad(learning_rate: Setting, initial_accumulator_value: Setting = 0.1, eps: Setting = 1e-7) -> Update:  # fmt: skip
    return _adaptive.adagrad_eps_inside(lr=learning_rate, eps=eps, a0=initial_accumulator_value)


@_optimizer
def adamax(learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8) -> Update:  # fmt: skip
    return _amsgrad.adamax(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


@_optimizer
def adamaxw(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8,
    weight_decay: Setting = 1e-4, mask: Any = None,
) -> Update:  # fmt: skip
    return composed(_decoupled(weight_decay, mask), adamax(learning_rate, b1, b2, eps))


@_optimizer
def adan(
    learning_rate: Setting, b1: Setting = 0.98, b2: Setting = 0.92, b3: Setting = 0.99, eps: Setting = 1e-8,
    eps_root: Setting = 1e-8, weight_decay: Setting = 0.0, mask: Any = None,
) -> Update:  # fmt: skip
    rule = _variants.adan_complement(
        lr=learning_rate, beta1=b1, beta2=b2, beta3=b3, eps=eps, eps_root=eps_root
    )
    return composed(_decoupled(weight_decay, mask), rule)


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
    only("eps_root", eps_root, 0.0, _NO_RULE)
    only("mask", mask, None, _ALL)
    return _layerwise.lamb(lr=learning_rate, beta1=b1, beta2=b2, eps=eps, weight_decay=weight_decay)


@_optimizer
def lars(
    learning_rate: Setting, weight_decay: Setting = 0.0, weight_decay_mask: Any = True,
    trust_coefficient: Setting = 0.001, eps: Setting = 0.0, trust_ratio_mask: Any = True,
    momentum: Setting = 0.9, nesterov: bool = False,
) -> Update:  # fmt: skip
    """Its ratio is that of the decayed gradient: ``‖x‖ / ‖g + λ x‖``, where the paper has ``‖x‖ / (‖g‖ + λ ‖x‖)``."""
    only("weight_decay_mask", weight_decay_mask, True, _ALL)
    only("trust_ratio_mask", trust_ratio_mask, True, _ALL)
    only("eps", eps, 0.0, _NO_RULE)
    only("nesterov", nesterov, False, _NO_RULE)
    coupled = None if is_zero(weight_decay) else l2(weight_decay=weight_decay)
    return composed(
        coupled, _layerwise.lars(lr=learning_rate, momentum=momentum, trust=trust_coefficient)
    )


@_optimizer
def lion(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.99, mu_dtype: Any = None,
    weight_decay: Setting = 1e-3, mask: Any = None,
) -> Update:  # fmt: skip
    only("mu_dtype", mu_dtype, None, _FLOAT)
    return composed(
        _decoupled(weight_decay, mask), _sign.lion(lr=learning_rate, beta1=b1, beta2=b2)
    )


@_optimizer
def novograd(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.25, eps: Setting = 1e-6, eps_root: Setting = 0.0,
    weight_decay: Setting = 0.0,
) -> Update:  # fmt: skip
    only("eps_root", eps_root, 0.0, _NO_RULE)
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
    only("eps", eps, 0.0, _NO_RULE)
    if callable(max_learning_rate) or callable(scaling) or not above_zero("scaling", scaling):
        raise UnfitError(
            "scaling", "a number above 0 beside a max_learning_rate that is a number", scaling
        )
    above_zero("max_learning_rate", max_learning_rate)
    return _step_sizes.polyak_sgd(lr=max_learning_rate * scaling, f_min=f_min, c=scaling)


@_optimizer
def radam(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    threshold: float = 5.0, nesterov: bool = False,
) -> Update:  # fmt: skip
    only("eps_root", eps_root, 0.0, _NO_RULE)
    only("threshold", threshold, 5.0, _NO_RULE)
    only("nesterov", nesterov, False, _NO_RULE)
    return _variants.radam_corrected(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


@_optimizer
def rmsprop(
    learning_rate: Setting, decay: Setting = 0.9, eps: Setting = 1e-8, initial_scale: Setting = 0.0,
    eps_in_sqrt: bool = True, centered: bool = False, momentum: Setting | None = None, nesterov: bool = False,
    bias_correction: bool = False,
) -> Update:  # fmt: skip
    """The learning rate is inside the velocity. Corrected, it is Adam without its first average."""
    only("initial_scale", initial_scale, 0.0, _NO_RULE)
    inside, spread = flag("eps_in_sqrt", eps_in_sqrt), flag("centered", centered)
    if flag("nesterov", nesterov) and momentum is not None:
        only("nesterov", nesterov, False, _NO_RULE)
    if flag("bias_correction", bias_correction):
        only("centered", centered, False, f"with bias_correction, {_NO_RULE}")
        only("momentum", momentum, None, f"with bias_correction, {_NO_RULE}")
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
    only("accumulator_dtype", accumulator_dtype, None, _FLOAT)
    return _sign.signum(lr=learning_rate, beta=beta)


@_optimizer
def yogi(learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-3) -> Update:  # fmt: skip
    return _variants.yogi_corrected(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


OPTAX = Framework("optax", "optax", _TWINS, OPTAX_MISSING, OPTAX_CALLS)
