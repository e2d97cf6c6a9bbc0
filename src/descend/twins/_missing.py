"""Optimizers of other libraries that have no twin, and why."""

from __future__ import annotations

TORCH_MISSING = {
    "LBFGS": "it asks for gradients at points of its own choice, which a rule cannot; dd.minimize does",
    "SparseAdam": "it takes sparse gradients; of dense ones, torch.Adam is the twin to ask for",
}

KERAS_MISSING = {
    "LossScaleOptimizer": "it wraps another optimizer to scale its loss; ask for the twin of that one",
    "MultiOptimizer": "it wraps others, each for some variables; ask for their twins",
}

OPTAX_MISSING = {
    "lbfgs": "it asks for values and gradients at points of its own choice, which a rule cannot; dd.minimize does",
    "muon": "it is one of optax.contrib; dd.muon_corrected computes it",
    "noisy_sgd": "its noise comes from jax's random numbers, which nothing else draws",
    "rprop": "in 0.2.8 it takes each step one step late, by mistake; torch.Rprop is the twin of the published rule",
}
