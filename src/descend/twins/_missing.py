"""Optimizers of other libraries that have no twin, and why."""

from __future__ import annotations

TORCH_MISSING = {
    "LBFGS": "it asks for gradients at points of its own choice, which a rule cannot; descend's minimizers will",
    "SparseAdam": "it takes sparse gradients; of dense ones, torch.Adam is the twin to ask for",
}

KERAS_MISSING = {
    "LossScaleOptimizer": "it wraps another optimizer to scale its loss; ask for the twin of that one",
    "MultiOptimizer": "it wraps others, each for some variables; ask for their twins",
}

_OPTIMISM = "no rule of descend takes Adam's steps optimistically"
OPTAX_MISSING = {
    "lbfgs": "it asks for values and gradients at points of its own choice, which a rule cannot; descend's minimizers will",
    "muon": "it is one of optax.contrib; dd.muon_corrected computes it",
    "noisy_sgd": "its noise comes from jax's random numbers, which nothing else draws",
    "optimistic_adam": _OPTIMISM,
    "optimistic_adam_v2": _OPTIMISM,
    "rprop": "in 0.2.8 it takes each step one step late, by mistake; torch.Rprop is the twin of the published rule",
}
