"""descend: write an optimizer once, as its paper's update rule; run it fused; race it fairly on your own problem.

Names are loaded when they are first used, so ``import descend`` costs little more than the interpreter.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "descend._rule": ("Bound", "Rule"),
    "descend._links": ("after", "transform"),
    "descend._gate": ("gate",),
    "descend._chain": ("Chain", "chain"),
    "descend._groups": ("audit", "freeze", "no_decay", "per_group"),
    "descend._stepper": ("Stepper",),
    "descend._catalogue": (
        "find_rule",
        "get_rule",
        "list_rules",
        "rule",
        "tensor_rule",
        "tensor_transform",
    ),
    "descend._plugins": ("load_rule",),
    "descend.twins": ("list_twins", "translate", "twin"),
    "descend.gates": ("accumulate", "sam", "skip_nonfinite", "unscale"),
    "descend.transforms": (
        "agc",
        "centralize",
        "clip_norm",
        "clip_norm_each",
        "clip_value",
        "decay",
        "l2",
        "maximize",
        "noise",
    ),
    "descend.wrappers": (
        "cautious",
        "ema",
        "ema_restart",
        "grams",
        "lookahead",
        "polyak_average",
        "swa",
    ),
    "descend.schedules": (
        "check_length",
        "constant",
        "cosine",
        "cosine_restarts",
        "exp_range",
        "exponential",
        "inverse_sqrt",
        "inverse_time",
        "join",
        "linear",
        "multistep",
        "one_cycle",
        "one_cycle_linear",
        "one_cycle_linear_three_phase",
        "one_cycle_three_phase",
        "per_epoch",
        "per_micro_step",
        "plateau",
        "polynomial",
        "polynomial_cycles",
        "rex",
        "step",
        "triangular",
        "triangular2",
        "warmup",
        "wsd",
        "wsd_sqrt",
    ),
    "descend.rules.momentum": (
        "momentum",
        "momentum_dampened",
        "momentum_inside",
        "nesterov",
        "nesterov_inside",
        "nesterov_lookahead",
        "optimistic",
        "qhm",
        "sgd",
    ),
    "descend.rules.optimistic": ("optimistic_adam", "optimistic_adam_nesterov"),
    "descend.rules.adaptive": ("adadelta", "adagrad", "adagrad_eps_inside"),
    "descend.rules.rmsprop": (
        "rmsprop",
        "rmsprop_centered",
        "rmsprop_centered_momentum",
        "rmsprop_centered_momentum_inside",
        "rmsprop_eps_inside",
        "rmsprop_eps_inside_centered",
        "rmsprop_eps_inside_centered_momentum_inside",
        "rmsprop_eps_inside_momentum_inside",
        "rmsprop_momentum",
        "rmsprop_momentum_inside",
    ),
    "descend.rules.resilient": ("rprop",),
    "descend.rules.proximal": ("fista", "fista_restart", "ftrl", "ista"),
    "descend.rules.step_sizes": (
        "adgd",
        "barzilai_borwein",
        "barzilai_borwein_short",
        "polyak_sgd",
    ),
    "descend.rules.parameter_free": (
        "cocob",
        "dadapt_adam",
        "dadapt_adam_corrected",
        "dadapt_sgd",
        "dog",
        "dowg",
        "ldog",
        "prodigy",
    ),
    "descend.rules.adam": (
        "adam",
        "adam_eps_hat",
        "adam_eps_root",
        "adamw",
        "nadam",
        "nadam_constant",
        "nadamw",
    ),
    "descend.rules.adam_variants": (
        "adabelief",
        "adan",
        "adan_complement",
        "ademamix",
        "adopt",
        "mars",
        "qhadam",
        "radam",
        "radam_corrected",
        "sophia",
        "yogi",
        "yogi_corrected",
    ),
    "descend.rules.amsgrad": (
        "adabound",
        "adamax",
        "adamax_eps_outside",
        "amsgrad",
        "amsgrad_corrected",
        "amsgrad_eps_hat",
        "amsgrad_uncorrected",
        "padam",
    ),
    "descend.rules.adafactor": ("adafactor", "adafactor_clamped", "adafactor_constant"),
    "descend.rules.muon": ("muon", "muon_corrected", "muon_rms", "muon_trace"),
    "descend.rules.tensor": ("shampoo", "sm3", "soap"),
    "descend.rules.layerwise": ("fromage", "fromage_bounded", "lamb", "lars", "novograd"),
    "descend.rules.sign": ("lion", "signsgd", "signum", "tiger"),
    "descend.rules.averaging": (
        "asgd",
        "averaged_sgd",
        "schedule_free_adamw",
        "schedule_free_adamw_uniform",
        "schedule_free_sgd",
    ),
    "descend._minimize.driver": ("minimize",),
    "descend._minimize.scipy_method": ("scipy_method",),
    "descend._minimize.check_grad": ("GradientCheck", "check_grad"),
    "descend._minimize.result": ("Result",),
    "descend._minimize.history": ("History",),
    "descend.methods": ("get_method", "list_methods"),
    "descend.methods._method": ("Method",),
    "descend.finite_sums": ("LSVRG", "SAG", "SAGA", "SARAH", "SVRG", "FiniteSum"),
    "descend._race": ("race",),
    "descend.lab.problems": ("Problem", "get_problem"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - one table says where each public name lives


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        from descend.errors import nearest

        raise AttributeError(f"descend has no {name!r}.{nearest(name, _HOME_OF)}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME_OF]
