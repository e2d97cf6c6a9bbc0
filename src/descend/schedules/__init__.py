"""Schedules: pure functions of the step t = 1, 2, 3 … that any hyperparameter may take in place of a number.

One update is one step. The value for the first update is ``schedule(1)``; after the last of ``steps`` updates the end value holds.
A boundary of b is after b updates: update b has the old value, update b + 1 the new one. The `per_epoch` and `per_micro_step` of a
schedule convert other units; its ``total`` says how many updates it describes, and `check_length` compares them with a run's.
"""

from __future__ import annotations

from collections.abc import Callable

from descend.schedules._composed import join, per_epoch, per_micro_step, warmup, wsd, wsd_sqrt
from descend.schedules._cosine import cosine, cosine_restarts
from descend.schedules._cyclic import (
    exp_range,
    one_cycle,
    one_cycle_linear,
    one_cycle_linear_three_phase,
    one_cycle_three_phase,
    triangular,
    triangular2,
)
from descend.schedules._falling import (
    constant,
    exponential,
    inverse_sqrt,
    inverse_time,
    linear,
    multistep,
    polynomial,
    polynomial_cycles,
    rex,
    step,
)
from descend.schedules._plateau import plateau
from descend.schedules._schedule import Schedule, check_length

__all__ = [
    "SCHEDULES",
    "Schedule",
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
]

SCHEDULES: dict[str, Callable[..., Callable[[int], float]]] = {
    schedule.__name__: schedule
    for schedule in (
        constant, step, multistep, exponential, linear, polynomial, polynomial_cycles, inverse_time, inverse_sqrt, rex,
        cosine, cosine_restarts,
        triangular, triangular2, exp_range,
        one_cycle, one_cycle_linear, one_cycle_three_phase, one_cycle_linear_three_phase,
        warmup, join, wsd, wsd_sqrt, per_epoch, per_micro_step,
    )
}  # fmt: skip
"""Every schedule by name; `plateau` is none, since its value is not a function of the step."""
