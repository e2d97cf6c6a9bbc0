"""The optimizers of optax 0.2.8 that descend from Adam; `descend.twins.optax` has the others."""

from __future__ import annotations

from functools import partial
from typing import Any

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.rules import adam as _adam
from descend.rules import adam_variants as _variants
from descend.rules import amsgrad as _amsgrad
from descend.rules import optimistic as _optimistic
from descend.twins._optax_common import FLOAT, NO_RULE, decoupled, entering
from descend.twins._twin import Twin, UnfitError, composed, flag, is_zero, only

ADAMS: dict[str, Twin] = {}
_optimizer = entering(ADAMS)


@_optimizer
def adam(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    mu_dtype: Any = None, nesterov: bool = False,
) -> Bound:  # fmt: skip
    only("mu_dtype", mu_dtype, None, FLOAT)
    settings = {"lr": learning_rate, "beta1": b1, "beta2": b2, "eps": eps}
    if flag("nesterov", nesterov):
        only("eps_root", eps_root, 0.0, f"with nesterov, {NO_RULE}")
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
    return composed(decoupled(weight_decay, mask), rule)


ADAMS["nadam"] = Twin("optax", "nadam", partial(adam, nesterov=True))
ADAMS["nadamw"] = Twin("optax", "nadamw", partial(adamw, nesterov=True))


@_optimizer
def amsgrad(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    mu_dtype: Any = None, bias_correction_mu: bool = True, bias_correction_nu: bool = True,
) -> Update:  # fmt: skip
    """Both averages are corrected, or neither."""
    only("mu_dtype", mu_dtype, None, FLOAT)
    only("eps_root", eps_root, 0.0, NO_RULE)
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
    only("nesterov", nesterov, False, NO_RULE)
    return _variants.adabelief(lr=learning_rate, beta1=b1, beta2=b2, eps=eps, eps_root=eps_root)


@_optimizer
def adamax(learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8) -> Update:  # fmt: skip
    return _amsgrad.adamax(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


@_optimizer
def adamaxw(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8,
    weight_decay: Setting = 1e-4, mask: Any = None,
) -> Update:  # fmt: skip
    return composed(decoupled(weight_decay, mask), adamax(learning_rate, b1, b2, eps))


@_optimizer
def adan(
    learning_rate: Setting, b1: Setting = 0.98, b2: Setting = 0.92, b3: Setting = 0.99, eps: Setting = 1e-8,
    eps_root: Setting = 1e-8, weight_decay: Setting = 0.0, mask: Any = None,
) -> Update:  # fmt: skip
    rule = _variants.adan_complement(
        lr=learning_rate, beta1=b1, beta2=b2, beta3=b3, eps=eps, eps_root=eps_root
    )
    return composed(decoupled(weight_decay, mask), rule)


@_optimizer
def optimistic_adam(
    learning_rate: Setting, optimism: Setting | None = None, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8,
    eps_root: Setting = 0.0, mu_dtype: Any = None, *, nesterov: bool = True,
) -> Update:  # fmt: skip
    """The learning rate is the weight of r, and the optimism, which is in the same unit, that of its change."""
    for name, value in (("learning_rate", learning_rate), ("optimism", optimism)):
        if callable(value):
            raise UnfitError(name, "a number; optimistic_adam_v2 takes schedules", value)
    beta = learning_rate if optimism is None else optimism
    return optimistic_adam_v2(
        1.0, alpha=learning_rate, beta=beta, b1=b1, b2=b2, eps=eps, eps_root=eps_root,
        mu_dtype=mu_dtype, nesterov=nesterov,
    )  # fmt: skip


@_optimizer
def optimistic_adam_v2(
    learning_rate: Setting, *, alpha: Setting = 1.0, beta: Setting = 1.0, b1: Setting = 0.9, b2: Setting = 0.999,
    eps: Setting = 1e-8, eps_root: Setting = 0.0, mu_dtype: Any = None, nesterov: bool = True,
) -> Update:  # fmt: skip
    only("mu_dtype", mu_dtype, None, FLOAT)
    only("eps_root", eps_root, 0.0, NO_RULE)
    ahead = flag("nesterov", nesterov)
    rule = _optimistic.optimistic_adam_nesterov if ahead else _optimistic.optimistic_adam
    return rule(lr=learning_rate, beta1=b1, beta2=b2, eps=eps, alpha=alpha, beta=beta)


@_optimizer
def radam(
    learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-8, eps_root: Setting = 0.0,
    threshold: float = 5.0, nesterov: bool = False,
) -> Update:  # fmt: skip
    only("eps_root", eps_root, 0.0, NO_RULE)
    only("threshold", threshold, 5.0, NO_RULE)
    only("nesterov", nesterov, False, NO_RULE)
    return _variants.radam_corrected(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)


@_optimizer
def yogi(learning_rate: Setting, b1: Setting = 0.9, b2: Setting = 0.999, eps: Setting = 1e-3) -> Update:  # fmt: skip
    return _variants.yogi_corrected(lr=learning_rate, beta1=b1, beta2=b2, eps=eps)
