"""The optimizers of torch.optim 2.13, with its arguments and defaults.

Ignored, since they choose how torch computes and not what: ``foreach``, ``fused``, ``capturable``, ``differentiable``. ``params`` is not taken.
"""

from __future__ import annotations

from collections.abc import Callable

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.rules.adafactor import adafactor_clamped
from descend.rules.adam import adam, adamw, nadam, nadamw
from descend.rules.adam_variants import radam
from descend.rules.adaptive import adadelta, adagrad
from descend.rules.amsgrad import adamax, amsgrad
from descend.rules.averaging import asgd
from descend.rules.momentum import momentum as heavy_ball
from descend.rules.momentum import momentum_dampened, sgd
from descend.rules.momentum import nesterov as look_ahead
from descend.rules.muon import muon, muon_rms
from descend.rules.resilient import rprop
from descend.rules.rmsprop import (
    rmsprop,
    rmsprop_centered,
    rmsprop_centered_momentum,
    rmsprop_momentum,
)
from descend.schedules import inverse_time, join
from descend.transforms import decay, l2
from descend.transforms import maximize as climb
from descend.twins._calls import EPS_OF_FLOAT64, TORCH_CALLS
from descend.twins._missing import TORCH_MISSING
from descend.twins._twin import (
    Framework,
    Pair,
    Twin,
    UnfitError,
    above_zero,
    composed,
    flag,
    is_zero,
    negated,
    only,
    pair,
)

_TWINS: dict[str, Twin] = {}
_COMMON = {"foreach": None, "capturable": False, "differentiable": False}


def _ignoring(**ignored: None) -> Callable[[Callable[..., Update]], Callable[..., Update]]:
    """Enter an optimizer of torch; beside the common arguments, ``ignored`` change nothing."""

    def enter(make: Callable[..., Update]) -> Callable[..., Update]:
        _TWINS[make.__name__] = Twin("torch", make.__name__, make, {**_COMMON, **ignored})
        return make

    return enter


def _up(maximize: bool) -> Bound | None:
    return climb() if flag("maximize", maximize) else None


def _coupled(weight_decay: Setting) -> Bound | None:
    return None if is_zero(weight_decay) else l2(weight_decay=weight_decay)


def _decaying(weight_decay: Setting, decoupled: bool) -> Bound | None:
    if flag("decoupled_weight_decay", decoupled) and not is_zero(weight_decay):
        return decay(weight_decay=weight_decay)
    return _coupled(weight_decay)


@_ignoring(fused=None)
def SGD(
    lr: Setting = 1e-3, momentum: Setting = 0, dampening: Setting = 0, weight_decay: Setting = 0,
    nesterov: bool = False, maximize: bool = False,
) -> Update:  # fmt: skip
    """Its dampening spares the first gradient; with nesterov it must be 0."""
    if flag("nesterov", nesterov) and (is_zero(momentum) or not is_zero(dampening)):
        raise UnfitError("nesterov", "False without momentum or with dampening", nesterov)
    if is_zero(momentum):
        rule = sgd(lr=lr)
    elif nesterov:
        rule = look_ahead(lr=lr, momentum=momentum)
    elif is_zero(dampening):
        rule = heavy_ball(lr=lr, momentum=momentum)
    else:
        rule = momentum_dampened(lr=lr, momentum=momentum, dampening=dampening)
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring(fused=None)
def Adam(
    lr: Setting = 1e-3, betas: Pair = (0.9, 0.999), eps: Setting = 1e-8, weight_decay: Setting = 0,
    amsgrad: bool = False, maximize: bool = False, decoupled_weight_decay: bool = False,
) -> Update:  # fmt: skip
    rule = _adam(lr, betas, eps, amsgrad)
    return composed(_up(maximize), _decaying(weight_decay, decoupled_weight_decay), rule)


def _adam(lr: Setting, betas: Pair, eps: Setting, largest: bool) -> Bound:
    beta1, beta2 = pair("betas", betas)
    rule = amsgrad if flag("amsgrad", largest) else adam
    return rule(lr=lr, beta1=beta1, beta2=beta2, eps=eps)


@_ignoring(fused=None)
def AdamW(
    lr: Setting = 1e-3, betas: Pair = (0.9, 0.999), eps: Setting = 1e-8, weight_decay: Setting = 1e-2,
    amsgrad: bool = False, maximize: bool = False,
) -> Update:  # fmt: skip
    rule = _adam(lr, betas, eps, amsgrad)
    if amsgrad:
        return composed(_up(maximize), _decaying(weight_decay, True), rule)
    return composed(_up(maximize), adamw(**dict(rule.given), weight_decay=weight_decay))


@_ignoring()
def NAdam(
    lr: Setting = 2e-3, betas: Pair = (0.9, 0.999), eps: Setting = 1e-8, weight_decay: Setting = 0,
    momentum_decay: Setting = 4e-3, decoupled_weight_decay: bool = False, maximize: bool = False,
) -> Update:  # fmt: skip
    """Here torch keeps its product of momenta in its default dtype; the rule in float64."""
    beta1, beta2 = pair("betas", betas)
    rule = nadam(lr=lr, beta1=beta1, beta2=beta2, eps=eps, momentum_decay=momentum_decay)
    if flag("decoupled_weight_decay", decoupled_weight_decay) and not is_zero(weight_decay):
        return composed(_up(maximize), nadamw(**dict(rule.given), weight_decay=weight_decay))
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring()
def RAdam(
    lr: Setting = 1e-3, betas: Pair = (0.9, 0.999), eps: Setting = 1e-8, weight_decay: Setting = 0,
    decoupled_weight_decay: bool = False, maximize: bool = False,
) -> Update:  # fmt: skip
    beta1, beta2 = pair("betas", betas)
    rule = radam(lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    return composed(_up(maximize), _decaying(weight_decay, decoupled_weight_decay), rule)


@_ignoring()
def Adamax(
    lr: Setting = 2e-3, betas: Pair = (0.9, 0.999), eps: Setting = 1e-8, weight_decay: Setting = 0,
    maximize: bool = False,
) -> Update:  # fmt: skip
    beta1, beta2 = pair("betas", betas)
    rule = adamax(lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring()
def Adadelta(
    lr: Setting = 1.0, rho: Setting = 0.9, eps: Setting = 1e-6, weight_decay: Setting = 0,
    maximize: bool = False,
) -> Update:  # fmt: skip
    rule = adadelta(lr=lr, rho=rho, eps=eps)
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring(fused=None)
def Adagrad(
    lr: Setting = 1e-2, lr_decay: Setting = 0, weight_decay: Setting = 0,
    initial_accumulator_value: Setting = 0, eps: Setting = 1e-10, maximize: bool = False,
) -> Update:  # fmt: skip
    """Its lr_decay is a schedule: ``lr / (1 + lr_decay · (t − 1))``."""
    if not is_zero(lr_decay):
        if callable(lr):
            raise UnfitError("lr_decay", "0 where lr is a schedule: multiply it in there", lr_decay)
        lr = inverse_time(lr, rate=lr_decay)  # type: ignore[arg-type]  # it checks itself
    rule = adagrad(lr=lr, eps=eps, a0=initial_accumulator_value)
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring()
def RMSprop(
    lr: Setting = 1e-2, alpha: Setting = 0.99, eps: Setting = 1e-8, weight_decay: Setting = 0,
    momentum: Setting = 0, centered: bool = False, maximize: bool = False,
) -> Update:  # fmt: skip
    """Centered, torch gives nan where rounding makes the variance negative; the rule takes 0."""
    settings = {"lr": lr, "alpha": alpha, "eps": eps}
    rule = rmsprop_centered if flag("centered", centered) else rmsprop
    if callable(momentum) or above_zero("momentum", momentum):
        rule = rmsprop_centered_momentum if centered else rmsprop_momentum
        settings["momentum"] = momentum
    return composed(_up(maximize), _coupled(weight_decay), rule(**settings))


@_ignoring()
def Rprop(
    lr: Setting = 1e-2, etas: Pair = (0.5, 1.2), step_sizes: Pair = (1e-6, 50), maximize: bool = False
) -> Update:  # fmt: skip
    (eta_minus, eta_plus), (least, most) = pair("etas", etas), pair("step_sizes", step_sizes)
    rule = rprop(lr=lr, eta_minus=eta_minus, eta_plus=eta_plus, step_min=least, step_max=most)
    return composed(_up(maximize), rule)


@_ignoring()
def ASGD(
    lr: Setting = 1e-2, lambd: Setting = 1e-4, alpha: Setting = 0.75, t0: Setting = 1e6,
    weight_decay: Setting = 0, maximize: bool = False,
) -> Update:  # fmt: skip
    """A schedule is read one step late, after the first, as torch does. Its ``ax`` is `Stepper.solution`."""
    if callable(lr):
        lr = join((lr(1), lr), boundaries=(1,))
    rule = asgd(lr=lr, lambd=lambd, alpha=alpha, t0=t0)
    return composed(_up(maximize), _coupled(weight_decay), rule)


@_ignoring()
def Adafactor(
    lr: Setting = 1e-2, beta2_decay: float = -0.8, eps: tuple[Setting | None, Setting] = (None, 1e-3),
    d: float = 1.0, weight_decay: Setting = 0.0, maximize: bool = False,
) -> Update:  # fmt: skip
    """Its first eps is that of float64 where it is None; torch takes that of each array's dtype."""
    eps1, eps2 = pair("eps", eps)
    if callable(d) or not above_zero("d", d) or d < 1:
        raise UnfitError("d", "a float of at least 1", d)
    rule = adafactor_clamped(
        lr=lr, beta2_decay=negated("beta2_decay", beta2_decay), eps1=EPS_OF_FLOAT64 if eps1 is None else eps1,
        eps2=eps2, clip=d, weight_decay=weight_decay,
    )  # fmt: skip
    return composed(_up(maximize), rule)


_SCALES = {None: muon, "original": muon, "match_rms_adamw": muon_rms}
_NEWTON_SCHULZ = "the rule has Jordan's iteration"


@_ignoring()
def Muon(
    lr: Setting = 1e-3, weight_decay: Setting = 0.1, momentum: Setting = 0.95, nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315), eps: float = 1e-7,
    ns_steps: int = 5, adjust_lr_fn: str | None = None,
) -> Update:  # fmt: skip
    """Of matrices; torch refuses other arrays, which the rule moves by Adam. torch rounds its iteration to bfloat16, the rule does not."""
    if not flag("nesterov", nesterov) and not is_zero(momentum):
        raise UnfitError("nesterov", "True, since no rule of descend has Muon without it", nesterov)
    if ns_coefficients not in ((3.4445, -4.7750, 2.0315), [3.4445, -4.7750, 2.0315]):
        raise UnfitError("ns_coefficients", f"the default, since {_NEWTON_SCHULZ}", ns_coefficients)
    only("eps", eps, 1e-7, _NEWTON_SCHULZ)
    only("ns_steps", ns_steps, 5, _NEWTON_SCHULZ)
    if not isinstance(adjust_lr_fn, str | None) or adjust_lr_fn not in _SCALES:
        raise UnfitError("adjust_lr_fn", "None, 'original' or 'match_rms_adamw'", adjust_lr_fn)
    decayed = None if is_zero(weight_decay) else decay(weight_decay=weight_decay)
    return composed(decayed, _SCALES[adjust_lr_fn](lr=lr, momentum=momentum))


TORCH = Framework("torch", "torch.optim", _TWINS, TORCH_MISSING, TORCH_CALLS, first="params")
