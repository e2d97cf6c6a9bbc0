"""What stands in for a rule where a library lacks it, what is lost, and where each library does what comes before and after a rule."""

from __future__ import annotations

from typing import Any

from descend._chain import Update
from descend._rule import Bound
from descend.rules.adam import adam, nadam
from descend.rules.averaging import schedule_free_adamw_uniform
from descend.rules.momentum import momentum, nesterov, sgd
from descend.rules.rmsprop import (
    rmsprop_centered_momentum,
    rmsprop_momentum,
)
from descend.transforms import decay
from descend.twins._twin import Framework, is_zero

NEAR: dict[str, tuple[str, ...]] = {
    "momentum": ("momentum_inside",),
    "momentum_inside": ("momentum",),
    "momentum_dampened": ("momentum", "momentum_inside"),
    "nesterov": ("nesterov_inside",),
    "nesterov_inside": ("nesterov",),
    "adam": ("adam_eps_hat",),
    "adam_eps_hat": ("adam",),
    "adam_eps_root": ("adam", "adam_eps_hat"),
    "amsgrad": ("amsgrad_corrected", "amsgrad_eps_hat"),
    "amsgrad_eps_hat": ("amsgrad", "amsgrad_corrected"),
    "amsgrad_corrected": ("amsgrad", "amsgrad_eps_hat"),
    "amsgrad_uncorrected": ("amsgrad", "amsgrad_eps_hat"),
    "nadam": ("nadam_constant",),
    "nadam_constant": ("nadam",),
    "radam": ("radam_corrected",),
    "radam_corrected": ("radam",),
    "adamax": ("adamax_eps_outside",),
    "adamax_eps_outside": ("adamax",),
    "adagrad": ("adagrad_eps_inside",),
    "adagrad_eps_inside": ("adagrad",),
    "rmsprop": ("rmsprop_eps_inside",),
    "rmsprop_eps_inside": ("rmsprop",),
    "rmsprop_momentum": ("rmsprop_momentum_inside", "rmsprop_eps_inside_momentum_inside"),
    "rmsprop_momentum_inside": ("rmsprop_momentum", "rmsprop_eps_inside_momentum_inside"),
    "rmsprop_eps_inside_momentum_inside": ("rmsprop_momentum",),
    "rmsprop_centered": ("rmsprop_eps_inside_centered",),
    "rmsprop_eps_inside_centered": ("rmsprop_centered",),
    "rmsprop_centered_momentum": (
        "rmsprop_centered_momentum_inside", "rmsprop_eps_inside_centered_momentum_inside",
    ),
    "rmsprop_centered_momentum_inside": (
        "rmsprop_centered_momentum", "rmsprop_eps_inside_centered_momentum_inside",
    ),
    "rmsprop_eps_inside_centered_momentum_inside": ("rmsprop_centered_momentum",),
    "fromage": ("fromage_bounded",),
    "schedule_free_adamw_uniform": ("schedule_free_adamw",),
    "adabelief": ("adam", "adam_eps_hat"),
    "yogi_corrected": ("adam", "adam_eps_hat"),
    "adafactor": ("adafactor_clamped", "adafactor_constant"),
    "adafactor_clamped": ("adafactor", "adafactor_constant"),
    "adafactor_constant": ("adafactor", "adafactor_clamped"),
    "muon": ("muon_rms", "muon_trace"),
    "muon_rms": ("muon", "muon_trace"),
    "muon_trace": ("muon_rms",),
}  # fmt: skip
"""For a rule, others to take in its place, the nearest first."""

_HAT = "its eps stands beside the uncorrected root (eps-hat), which is eps / sqrt(1 - beta2^t) beside the corrected one"
_ROOT = "eps stands {} the root there"
_BOUNDED = "the rate there is at most 1 / sqrt(t), the last two axes are always factored"
_BOUNDED = "the rate there is at most 1 / sqrt(t), the last two axes are always factored"
_CONSTANT = "the rate there is not bounded by 1 / sqrt(t), only axes of at least 128 elements are factored, and a decay there is not times lr"
LOST: dict[tuple[str, str], str] = {
    ("adam_eps_hat", "adam"): f"{_HAT}, 31.6 times as much at the first step for beta2=0.999; no constant eps is the same",
    ("adam", "adam_eps_hat"): "its eps stands beside the corrected root and the one there beside the uncorrected (eps-hat), where it counts 31.6 times as much at the first step for beta2=0.999",
    ("amsgrad_eps_hat", "amsgrad"): f"{_HAT}; no constant eps is the same",
    ("amsgrad", "amsgrad_eps_hat"): "the eps there stands beside the uncorrected root (eps-hat)",
    ("amsgrad", "amsgrad_corrected"): "the maximum there is of the corrected average",
    ("amsgrad_corrected", ""): "the maximum there is of the average before its correction",
    ("adam_eps_root", ""): "eps_root has no place there and is left out",
    ("nadam", "nadam_constant"): "the momentum there is constant, where it should rise from half of beta1",
    ("nadam_constant", "nadam"): "the momentum there rises from half of beta1, where it should be constant",
    ("radam", "radam_corrected"): "the eps there stands beside the corrected root",
    ("radam_corrected", "radam"): "the eps there stands beside the uncorrected root",
    ("adamax", "adamax_eps_outside"): "eps stands outside the maximum there",
    ("adamax_eps_outside", "adamax"): "eps stands inside the maximum there",
    ("adagrad", "adagrad_eps_inside"): _ROOT.format("inside"),
    ("adagrad_eps_inside", "adagrad"): _ROOT.format("outside"),
    ("momentum_dampened", ""): "there is no dampening there; lr (1 - dampening) comes near after the first steps",
    ("adabelief", ""): "the average there is of squared gradients, not of their squared distance from their average",
    ("yogi_corrected", ""): "the average there may change by any amount",
    ("adafactor", "adafactor_clamped"): "eps1 is a least value there and is not added to the squares; a decay there comes after the norm of the parameters",
    ("adafactor_clamped", "adafactor"): "eps1 is added to the squares there and is no least value; a weight_decay, which would come before the norm of the parameters there, is left out",
    ("adafactor_constant", "adafactor"): f"{_BOUNDED}, and a decay, which would be times lr there, is left out",
    ("adafactor_constant", "adafactor_clamped"): f"{_BOUNDED}, and a decay there is times lr",
    ("muon_rms", "muon_trace"): "the momentum there is a sum of gradients (the direction of a step is the same)",
    ("muon", "muon_trace"): "the momentum there is a sum of gradients, and a step 0.2 sqrt(max(rows, columns)) long where it should be sqrt(max(1, rows / columns))",
    ("muon_trace", "muon_rms"): "the momentum there is an average of gradients (the direction of a step is the same) and the scale 0.2",
    **{(rule, "adafactor_constant"): _CONSTANT for rule in ("adafactor", "adafactor_clamped")},
    **{
        (f"rmsprop_eps_inside{rest}", ""): _ROOT.format("outside")
        for rest in ("", "_momentum_inside", "_centered", "_centered_momentum_inside")
    },
    **{
        (f"rmsprop{rest}", ""): _ROOT.format("inside")
        for rest in ("", "_momentum", "_centered", "_centered_momentum")
    },
}  # fmt: skip
"""Why a rule and what stands in for it differ, also for any (``""``) stand-in."""

_SAME_AT_A_CONSTANT_RATE = {
    "momentum_inside": momentum,
    "nesterov_inside": nesterov,
    "rmsprop_momentum_inside": rmsprop_momentum,
    "rmsprop_centered_momentum_inside": rmsprop_centered_momentum,
}


def canonical(update: Update) -> tuple[Bound, ...]:
    """The links in one form: every setting given, decay apart, none that does nothing, lr outside where it is constant."""
    links: list[Bound] = []
    for link in update.links:
        settings = link.settings
        if link.name in ("adamw", "nadamw"):
            weight_decay = settings.pop("weight_decay")
            inner = adam if link.name == "adamw" else nadam
            links += [decay(weight_decay=weight_decay), inner(**settings)]
        else:
            links.append(link.rule(**settings))
    return tuple(_plain(link) for link in links if not _idle(link))


def _idle(link: Bound) -> bool:
    return link.name in ("decay", "l2") and is_zero(link.settings["weight_decay"])


def _plain(link: Bound) -> Bound:
    settings = link.settings
    lr = settings.get("lr", 0.0)  # cocob alone has none
    if link.name == "momentum_dampened" and is_zero(settings["dampening"]):
        link = momentum(lr=lr, momentum=settings["momentum"])
    elif link.name in _SAME_AT_A_CONSTANT_RATE and not callable(lr):
        link = _SAME_AT_A_CONSTANT_RATE[link.name](**settings)
    elif (
        link.name == "schedule_free_adamw"
        and not callable(lr)
        and is_zero(settings["weight_decay"])
    ):
        settings.pop("weight_decay")
        link = schedule_free_adamw_uniform(**settings)
    velocity = link.name in ("momentum", "nesterov")
    return sgd(lr=lr) if velocity and is_zero(link.settings["momentum"]) else link


_CLIPS = {"clip_norm": "global_clipnorm", "clip_norm_each": "clipnorm", "clip_value": "clipvalue"}
_DECAYING = {
    "adam": "adamw",
    "nadam": "nadamw",
    "adamax": "adamaxw",
    "lion": "lion",
    "adan": "adan",
}
_DECOUPLED = ("Adafactor", "Muon")
"""Optimizers of torch whose weight_decay is not added to the gradient."""
_OUTSIDE = {
    ("torch", "l2"): "add {0} times each parameter to its gradient before the step",
    ("torch", "clip_norm"): "call torch.nn.utils.clip_grad_norm_(params, {0}) before the step; it divides by the norm plus 1e-6",
    ("torch", "clip_norm_each"): "call torch.nn.utils.clip_grad_norm_([p], {0}) for each parameter before the step; it divides by the norm plus 1e-6",
    ("torch", "clip_value"): "call torch.nn.utils.clip_grad_value_(params, {0}) before the step",
    ("torch", "ema"): "keep a torch.optim.swa_utils.AveragedModel beside it",
    ("torch", "decay"): "multiply each parameter by 1 - lr * {0} before the step",
    ("optax", "clip_norm"): "put optax.clip_by_global_norm({0}) before it in optax.chain",
    ("optax", "clip_value"): "put optax.clip({0}) before it in optax.chain",
    ("optax", "l2"): "put optax.add_decayed_weights({0}) before it in optax.chain",
    ("optax", "decay"): "multiply the parameters by 1 - lr * {0} before the update",
    ("optax", "maximize"): "put optax.scale(-1.0) before it in optax.chain",
    ("keras", "l2"): "add {0} / 2 times the sum of squares to the loss",
    ("keras", "maximize"): "negate the loss",
}  # fmt: skip


def elsewhere(link: Bound, to: Framework, optimizer: str) -> tuple[str, dict[str, Any], str]:
    """Where a library does what a link does: the optimizer to call, arguments to add, or what to do outside of the call."""
    arguments = to.twins[optimizer].defaults
    value = next(iter(link.settings.values()), None)
    if to.name == "keras" and link.name == "decay" and "ScheduleFree" not in optimizer:
        both = {"adam_weight_decay": value} if optimizer == "Muon" else {}
        return optimizer, {"weight_decay": value, **both}, ""
    if to.name == "keras" and link.name in _CLIPS:
        return optimizer, {_CLIPS[link.name]: value}, ""
    if to.name == "torch" and link.name == "maximize":
        return optimizer, {"maximize": True}, ""
    if to.name == "torch" and link.name == "decay" and optimizer in _DECOUPLED:
        return optimizer, {"weight_decay": value}, ""
    if (
        to.name == "torch"
        and link.name == "l2"
        and "weight_decay" in arguments
        and optimizer not in _DECOUPLED
    ):
        return optimizer, {"weight_decay": value}, ""
    if to.name == "torch" and link.name == "decay" and "decoupled_weight_decay" in arguments:
        if optimizer == "Adam":
            return "AdamW", {"weight_decay": value}, ""
        return optimizer, {"weight_decay": value, "decoupled_weight_decay": True}, ""
    if to.name == "optax" and link.name == "decay" and optimizer in _DECAYING:
        return _DECAYING[optimizer], {"weight_decay": value}, ""
    if to.name == "optax" and link.name == "l2" and optimizer in ("adadelta", "lars"):
        return optimizer, {"weight_decay": value}, ""
    how = _OUTSIDE.get((to.name, link.name), "do it outside of the call")
    return optimizer, {}, f"{link!r} is no argument of {to.name}.{optimizer}: {how.format(value)}."
