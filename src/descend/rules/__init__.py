"""The catalogue: each optimizer as the update rule of its paper, mathematics only."""

from descend.rules import (
    adafactor,
    adam,
    adam_variants,
    adaptive,
    amsgrad,
    averaging,
    layerwise,
    momentum,
    muon,
    parameter_free,
    proximal,
    resilient,
    rmsprop,
    sign,
    step_sizes,
    tensor,
)

__all__ = [
    "adafactor",
    "adam",
    "adam_variants",
    "adaptive",
    "amsgrad",
    "averaging",
    "layerwise",
    "momentum",
    "muon",
    "parameter_free",
    "proximal",
    "resilient",
    "rmsprop",
    "sign",
    "step_sizes",
    "tensor",
]
