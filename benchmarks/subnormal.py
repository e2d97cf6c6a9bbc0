"""What subnormal numbers cost a step: in the state, in the gradients, in the squares of gradients."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import descend as dd
from benchmarks.timing import machine, table
from descend._rule import REGISTRY

SIZE = 4 * 16_384
"""Elements: their arrays stay in the second-level cache, where arithmetic shows most."""
ROUNDS = 41
SUBNORMAL = 1e-41
"""In float32 the normal numbers begin at 1.2e-38."""
GRADIENTS = {"1e-19": 1e-19, "5e-21": 5e-21, "1e-41": 1e-41}
"""Squares that are subnormal, squares that underflow to 0, and gradients that are subnormal themselves."""


def with_state() -> list[str]:
    """The names of our rules that keep arrays."""
    return [
        name
        for name in dd.list_rules()
        if REGISTRY[name].__module__.startswith("descend.")
        and not REGISTRY[name].whole
        and any(not s.scalar for s in REGISTRY[name].states)
    ]


def ratios(name: str) -> dict[str, float]:
    """Times of a step over that of a normal one, measured in turn."""
    draws = np.random.default_rng(0).standard_normal(SIZE)
    normal = draws.astype(np.float32)
    cases: dict[str, tuple[Any, np.ndarray, bool]] = {
        "normal": (_stepper(name), normal, False),
        "refilled": (_stepper(name), np.zeros_like(normal), True),
        "repeated": (_filled(name), np.zeros_like(normal), False),
    }
    for label, size in GRADIENTS.items():
        cases[label] = (_stepper(name), (draws * size).astype(np.float32), False)
    times: dict[str, list[float]] = {label: [] for label in cases}
    for stepper, g, _ in cases.values():
        for _ in range(3):
            stepper.step(g, 1.0)
    for _ in range(ROUNDS):
        for label, (stepper, g, refill) in cases.items():
            if refill:
                _fill(stepper)
            times[label].append(_seconds(lambda s=stepper, g=g: s.step(g, 1.0)))  # type: ignore[misc]
    took = {label: statistics.median(values) for label, values in times.items()}
    return {label: value / took["normal"] for label, value in took.items() if label != "normal"}


def _stepper(name: str) -> dd.Stepper:
    return dd.Stepper(dd.find_rule(name)(), np.ones(SIZE, np.float32), threads=1)


def _filled(name: str) -> dd.Stepper:
    stepper = _stepper(name)
    _fill(stepper)
    return stepper


def _fill(stepper: dd.Stepper) -> None:
    """Make every state subnormal."""
    for value in stepper.state.values():
        if isinstance(value, np.ndarray):
            value[...] = SUBNORMAL


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def rows(names: list[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        yield (name, *(f"{ratio:.2f}" for ratio in ratios(name).values()))


def run() -> str:
    """The table of ratios."""
    gradients = (f"gradients of {label}" for label in GRADIENTS)
    head = ("rule", "state subnormal before every step", "before the first", *gradients)
    note = f"float32, {SIZE} elements, one thread, time over that of a step on normal numbers. {machine('numpy', 'numba')}."
    return f"{note}\n\n{table(head, list(rows(with_state())))}"


if __name__ == "__main__":
    print(run())
