"""Rules whose answer is an average of their iterates."""

from __future__ import annotations

from typing import Any

from descend._rule import rule
from descend.domains import Decay, NonNegative


@rule(init={"z": "x", "average": "x"}, solution="average")
def schedule_free_sgd(
    x: Any, g: Any, z: Any, average: Any, *, t: Any, lr: NonNegative = 1.0, beta: Decay = 0.9
) -> Any:
    """Schedule-free SGD: gradients are taken at x, between the iterate z and the running average of all z.

    ``z ← z − lr · g;  average ← average + (z − average) / t;  x ← (1 − β) z + β · average``

    State: ``z``, the iterate; ``average``, the answer: use it (``Stepper.solution``), not x, when training ends.
    Same as: ``optax.contrib.schedule_free_sgd(1.0, b1=0.9)`` at a constant lr.
    References: Defazio et al., "The road less scheduled", 2024, eqs. 2-4, with the weights of Algorithm 1: 1/t at a constant lr.
    """
    z = z - lr * g
    average = average + (z - average) / t
    return (1 - beta) * z + beta * average, z, average
