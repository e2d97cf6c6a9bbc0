"""descend: write an optimizer once, as its paper's update rule; run it fused; race it fairly on your own problem.

Names are loaded when they are first used, so ``import descend`` costs little more than the interpreter.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "descend._rule": ("Bound", "Chain", "Rule", "chain", "transform"),
    "descend._stepper": ("Stepper",),
    "descend._catalogue": ("find_rule", "get_rule", "list_rules", "rule"),
    "descend.transforms": ("clip_norm", "clip_value", "decay", "l2"),
    "descend.schedules": ("constant", "cosine", "exponential", "step", "warmup"),
    "descend.rules.momentum": ("momentum", "momentum_inside", "nesterov", "nesterov_inside", "sgd"),
    "descend.rules.adaptive": ("adagrad", "rmsprop"),
    "descend.rules.adam": ("adam", "adamw", "nadam"),
    "descend.rules.sign": ("lion",),
    "descend.rules.averaging": ("schedule_free_sgd",),
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
