"""What the optimizers of optax share: masks and dtypes of accumulators must keep their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from descend._chain import Update
from descend._rule import Bound, Setting
from descend.transforms import decay
from descend.twins._twin import Twin, is_zero, only

NO_RULE = "no rule of descend has it"
ALL = "a rule treats every element alike"
FLOAT = "a state has the dtype of its array"


def entering(twins: dict[str, Twin]) -> Callable[[Callable[..., Update]], Callable[..., Update]]:
    """Enter optimizers of optax into ``twins``."""

    def enter(make: Callable[..., Update]) -> Callable[..., Update]:
        twins[make.__name__] = Twin("optax", make.__name__, make)
        return make

    return enter


def decoupled(weight_decay: Setting, mask: Any) -> Bound | None:
    only("mask", mask, None, ALL)
    return None if is_zero(weight_decay) else decay(weight_decay=weight_decay)
