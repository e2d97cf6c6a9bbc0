"""Optimizers of other libraries that have no twin, and why."""

from __future__ import annotations

_MATRICES = "descend has tensor rules of its kind, such as dd.muon, dd.adafactor and dd.sm3, but no call of them is proven to be this one"
TORCH_MISSING = {
    "Adafactor": _MATRICES,
    "Muon": _MATRICES,
    "LBFGS": "it asks for gradients at points of its own choice, which a rule cannot; descend's minimizers will",
    "SparseAdam": "it takes sparse gradients; of dense ones, torch.Adam is the twin to ask for",
}

KERAS_MISSING = {
    "Adafactor": _MATRICES,
    "Muon": _MATRICES,
    "LossScaleOptimizer": "it wraps another optimizer to scale its loss; ask for the twin of that one",
    "MultiOptimizer": "it wraps others, each for some variables; ask for their twins",
}

_OPTIMISM = "no rule of descend takes Adam's steps optimistically"
OPTAX_MISSING = {
    "adafactor": _MATRICES,
    "sm3": _MATRICES,
    "lbfgs": "it asks for values and gradients at points of its own choice, which a rule cannot; descend's minimizers will",
    "noisy_sgd": "its noise comes from jax's random numbers, which nothing else draws",
    "optimistic_adam": _OPTIMISM,
    "optimistic_adam_v2": _OPTIMISM,
    "rprop": "in 0.2.8 it takes each step one step late, by mistake; torch.Rprop is the twin of the published rule",
}
