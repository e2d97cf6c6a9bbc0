"""For each rule, the optimizer of a library that computes it, and what each of its arguments takes of the rule."""

from __future__ import annotations

from descend.twins._twin import Fixed, Part, Spelt, Times

EPS_OF_FLOAT64 = 2.0**-52
"""What None stands for in torch's Adafactor."""
NEVER_FACTORED = 2.0**53
"""A length that no axis has: optax's ``factored=False``."""
NEVER_CLIPPED = 1e300
"""A root mean square that no update has: optax's ``clipping_threshold=None``."""

Calls = dict[str, tuple[str, dict[str, Part]]]

_TORCH_BETAS: dict[str, Part] = {"lr": "lr", "betas": ("beta1", "beta2"), "eps": "eps"}
_TORCH_RMS: dict[str, Part] = {"lr": "lr", "alpha": "alpha", "eps": "eps"}
_TORCH_MUON: dict[str, Part] = {"lr": "lr", "weight_decay": Fixed(0.0), "momentum": "momentum"}
TORCH_CALLS: Calls = {
    "sgd": ("SGD", {"lr": "lr"}),
    "momentum": ("SGD", {"lr": "lr", "momentum": "momentum"}),
    "momentum_dampened": ("SGD", {"lr": "lr", "momentum": "momentum", "dampening": "dampening"}),
    "nesterov": ("SGD", {"lr": "lr", "momentum": "momentum", "nesterov": Fixed(True)}),
    "adam": ("Adam", {**_TORCH_BETAS}),
    "adamw": ("AdamW", {**_TORCH_BETAS, "weight_decay": "weight_decay"}),
    "amsgrad": ("Adam", {**_TORCH_BETAS, "amsgrad": Fixed(True)}),
    "nadam": ("NAdam", {**_TORCH_BETAS, "momentum_decay": "momentum_decay"}),
    "nadamw": (
        "NAdam",
        {**_TORCH_BETAS, "momentum_decay": "momentum_decay", "weight_decay": "weight_decay", "decoupled_weight_decay": Fixed(True)},
    ),
    "radam": ("RAdam", {**_TORCH_BETAS}),
    "adamax": ("Adamax", {**_TORCH_BETAS}),
    "adadelta": ("Adadelta", {"lr": "lr", "rho": "rho", "eps": "eps"}),
    "adagrad": ("Adagrad", {"lr": "lr", "initial_accumulator_value": "a0", "eps": "eps"}),
    "rmsprop": ("RMSprop", _TORCH_RMS),
    "rmsprop_momentum": ("RMSprop", {**_TORCH_RMS, "momentum": "momentum"}),
    "rmsprop_centered": ("RMSprop", {**_TORCH_RMS, "centered": Fixed(True)}),
    "rmsprop_centered_momentum": ("RMSprop", {**_TORCH_RMS, "momentum": "momentum", "centered": Fixed(True)}),
    "rprop": ("Rprop", {"lr": "lr", "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_min", "step_max")}),
    "asgd": ("ASGD", {"lr": "lr", "lambd": "lambd", "alpha": "alpha", "t0": "t0"}),
    "adafactor_clamped": (
        "Adafactor",
        {"lr": "lr", "beta2_decay": Times("beta2_decay", -1.0), "eps": (Spelt("eps1", EPS_OF_FLOAT64, None), "eps2"), "d": "clip",
         "weight_decay": "weight_decay"},
    ),
    "muon": ("Muon", _TORCH_MUON),
    "muon_rms": ("Muon", {**_TORCH_MUON, "adjust_lr_fn": Fixed("match_rms_adamw")}),
}  # fmt: skip

_KERAS_LR: dict[str, Part] = {"learning_rate": "lr"}
_KERAS_BETAS: dict[str, Part] = {
    **_KERAS_LR,
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "eps",
}
_KERAS_RMS: dict[str, Part] = {**_KERAS_LR, "rho": "alpha", "epsilon": "eps"}
KERAS_CALLS: Calls = {
    "sgd": ("SGD", {**_KERAS_LR}),
    "momentum_inside": ("SGD", {**_KERAS_LR, "momentum": "momentum"}),
    "nesterov_inside": ("SGD", {**_KERAS_LR, "momentum": "momentum", "nesterov": Fixed(True)}),
    "rmsprop_eps_inside": ("RMSprop", _KERAS_RMS),
    "rmsprop_eps_inside_momentum_inside": ("RMSprop", {**_KERAS_RMS, "momentum": "momentum"}),
    "rmsprop_eps_inside_centered": ("RMSprop", {**_KERAS_RMS, "centered": Fixed(True)}),
    "rmsprop_eps_inside_centered_momentum_inside": ("RMSprop", {**_KERAS_RMS, "momentum": "momentum", "centered": Fixed(True)}),
    "adam_eps_hat": ("Adam", _KERAS_BETAS),
    "amsgrad_eps_hat": ("Adam", {**_KERAS_BETAS, "amsgrad": Fixed(True)}),
    "adadelta": ("Adadelta", {**_KERAS_LR, "rho": "rho", "epsilon": "eps"}),
    "adagrad_eps_inside": ("Adagrad", {**_KERAS_LR, "initial_accumulator_value": "a0", "epsilon": "eps"}),
    "adamax_eps_outside": ("Adamax", _KERAS_BETAS),
    "nadam": ("Nadam", _KERAS_BETAS),
    "ftrl": (
        "Ftrl",
        {**_KERAS_LR, "initial_accumulator_value": "n0", "l1_regularization_strength": "l1", "beta": "beta",
         "l2_regularization_strength": Times("l2", 0.5), "l2_shrinkage_regularization_strength": Times("shrinkage", 0.5)},
    ),
    "lion": ("Lion", {**_KERAS_LR, "beta_1": "beta1", "beta_2": "beta2"}),
    "lamb": ("Lamb", _KERAS_BETAS),
    "schedule_free_adamw": ("ScheduleFreeAdamW", _KERAS_BETAS),
    "adafactor": (
        "Adafactor",
        {**_KERAS_LR, "beta_2_decay": Times("beta2_decay", -1.0), "epsilon_1": "eps1", "epsilon_2": "eps2", "clip_threshold": "clip"},
    ),
    "muon_trace": (
        "Muon",
        {**_KERAS_LR, "adam_beta_1": "beta1", "adam_beta_2": "beta2", "adam_weight_decay": Fixed(None), "epsilon": "eps",
         "weight_decay": Fixed(None), "momentum": "momentum", "rms_rate": "scale"},
    ),
}  # fmt: skip

_OPTAX_LR: dict[str, Part] = {"learning_rate": "lr"}
_OPTAX_BETAS: dict[str, Part] = {**_OPTAX_LR, "b1": "beta1", "b2": "beta2", "eps": "eps"}
_OPTAX_RMS: dict[str, Part] = {**_OPTAX_LR, "decay": "alpha", "eps": "eps"}


def _rmsprop_calls() -> Calls:
    calls: Calls = {}
    for place, eps in (("", {"eps_in_sqrt": Fixed(False)}), ("_eps_inside", {})):
        for spread, centered in (("", {}), ("_centered", {"centered": Fixed(True)})):
            own: dict[str, Part] = {**_OPTAX_RMS, **eps, **centered}
            calls[f"rmsprop{place}{spread}"] = ("rmsprop", own)
            calls[f"rmsprop{place}{spread}_momentum_inside"] = (
                "rmsprop",
                {**own, "momentum": "momentum"},
            )
    return calls


OPTAX_CALLS: Calls = {
    **_rmsprop_calls(),
    "sgd": ("sgd", {**_OPTAX_LR}),
    "momentum": ("sgd", {**_OPTAX_LR, "momentum": "momentum"}),
    "nesterov": ("sgd", {**_OPTAX_LR, "momentum": "momentum", "nesterov": Fixed(True)}),
    "adam": ("adam", _OPTAX_BETAS),
    "adam_eps_root": ("adam", {**_OPTAX_BETAS, "eps_root": "eps_root"}),
    "nadam_constant": ("nadam", _OPTAX_BETAS),
    "amsgrad_corrected": ("amsgrad", _OPTAX_BETAS),
    "amsgrad_uncorrected": ("amsgrad", {**_OPTAX_BETAS, "bias_correction_mu": Fixed(False), "bias_correction_nu": Fixed(False)}),
    "adabelief": ("adabelief", {**_OPTAX_BETAS, "eps_root": "eps_root"}),
    "adadelta": ("adadelta", {**_OPTAX_LR, "rho": "rho", "eps": "eps"}),
    "adagrad_eps_inside": ("adagrad", {**_OPTAX_LR, "initial_accumulator_value": "a0", "eps": "eps"}),
    "adafactor_constant": (
        "adafactor",
        {**_OPTAX_LR, "min_dim_size_to_factor": "factored_from", "decay_rate": "beta2_decay", "clipping_threshold": Spelt("clip", NEVER_CLIPPED, None),
         "weight_decay_rate": Spelt("weight_decay", 0.0, None), "eps": "eps1"},
    ),
    "sm3": ("sm3", {**_OPTAX_LR, "momentum": "momentum"}),
    "adamax": ("adamax", _OPTAX_BETAS),
    "adan_complement": ("adan", {**_OPTAX_BETAS, "b3": "beta3", "eps_root": "eps_root"}),
    "fromage": ("fromage", {**_OPTAX_LR, "min_norm": Fixed(0.0)}),
    "fromage_bounded": ("fromage", {**_OPTAX_LR, "min_norm": "min_norm"}),
    "lamb": ("lamb", {**_OPTAX_BETAS, "weight_decay": "weight_decay"}),
    "lars": ("lars", {**_OPTAX_LR, "trust_coefficient": "trust", "momentum": "momentum"}),
    "lion": ("lion", {**_OPTAX_LR, "b1": "beta1", "b2": "beta2", "weight_decay": Fixed(0.0)}),
    "novograd": ("novograd", {**_OPTAX_BETAS, "weight_decay": "weight_decay"}),
    "optimistic": ("optimistic_gradient_descent", {**_OPTAX_LR, "alpha": "alpha", "beta": "beta"}),
    "optimistic_adam": ("optimistic_adam_v2", {**_OPTAX_BETAS, "alpha": "alpha", "beta": "beta", "nesterov": Fixed(False)}),
    "optimistic_adam_nesterov": ("optimistic_adam_v2", {**_OPTAX_BETAS, "alpha": "alpha", "beta": "beta"}),
    "polyak_sgd": ("polyak_sgd", {"max_learning_rate": "lr", "f_min": "f_min", "variant": Fixed("sps+")}),
    "radam_corrected": ("radam", _OPTAX_BETAS),
    "signsgd": ("sign_sgd", {**_OPTAX_LR}),
    "signum": ("signum", {**_OPTAX_LR, "beta": "beta"}),
    "yogi_corrected": ("yogi", _OPTAX_BETAS),
}  # fmt: skip
