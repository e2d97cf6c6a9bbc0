"""The catalogue: each optimizer as the update rule of its paper, mathematics only."""

from descend.rules import (
    adam,
    adam_variants,
    adaptive,
    amsgrad,
    averaging,
    layerwise,
    momentum,
    parameter_free,
    proximal,
    resilient,
    rmsprop,
    sign,
    step_sizes,
)

__all__ = [
    "adam",
    "adam_variants",
    "adaptive",
    "amsgrad",
    "averaging",
    "layerwise",
    "momentum",
    "parameter_free",
    "proximal",
    "resilient",
    "rmsprop",
    "sign",
    "step_sizes",
]
