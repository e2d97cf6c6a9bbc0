"""How exact one float32 step is: every rule against the same text on decimals of 50 digits."""

from __future__ import annotations

import argparse
import decimal
import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

import descend as dd
from benchmarks.timing import machine, table
from descend._rule import REGISTRY

PRECISION = 50
STEPS_BEFORE = 5
"""Steps that make the state from which the measured one starts."""


class Exact:
    """A decimal of 50 digits that a rule's text can compute with: floats become exact, comparisons are plain bools."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value if isinstance(value, Decimal) else Decimal(value)

    def sqrt(self) -> Exact:
        return Exact(self.value.sqrt())

    def exp(self) -> Exact:
        return Exact(self.value.exp())

    def log(self) -> Exact:
        return Exact(self.value.ln())

    def __neg__(self) -> Exact:
        return Exact(-self.value)

    def __abs__(self) -> Exact:
        return Exact(abs(self.value))

    def __float__(self) -> float:
        return float(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    __hash__ = None  # type: ignore[assignment]


def _binary(compute: Callable[[Any, Any], Any], swapped: bool, compares: bool) -> Any:
    def method(self: Exact, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented  # the array goes through its elements
        b = other.value if isinstance(other, Exact) else Decimal(_plain(other))
        result = compute(b, self.value) if swapped else compute(self.value, b)
        return result if compares else Exact(result)

    return method


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


for _name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv"):
    _compute = getattr(operator, _name)
    setattr(Exact, f"__{_name}__", _binary(_compute, swapped=False, compares=False))
    setattr(Exact, f"__r{_name}__", _binary(_compute, swapped=True, compares=False))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Exact, f"__{_name}__", _binary(getattr(operator, _name), swapped=False, compares=True))


def exactly(value: Any) -> Any:
    """A float as `Exact`, an array as an object array of them."""
    if not isinstance(value, np.ndarray):
        return Exact(float(value))
    result = np.empty(value.shape, object)
    result[...] = [Exact(v) for v in value.tolist()]
    return result


@dataclass(frozen=True)
class Errors:
    """The errors of x and of each state array of one step, in units of the last place."""

    rule: str
    of: dict[str, np.ndarray]


def measure(name: str, n: int, signs: str, seed: int = 0) -> Errors:
    """The errors of the sixth step of a rule with its defaults on random float32 numbers.

    Gradients span 18 magnitudes from element to element and two from step to step; ``signs`` is ``one`` (an element's gradients have
    one sign) or ``mixed``. An error counts in the unit of the last place of the largest of the exact value, the one before and the
    difference of the two: the terms of old + step = new.
    """
    update = dd.find_rule(name)()
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-12, 6, n)
    side = rng.choice([-1.0, 1.0], n)
    x = (rng.choice([-1.0, 1.0], n) * 10.0 ** rng.uniform(-6, 3, n)).astype(np.float32)
    stepper = dd.Stepper(update, x)
    for _ in range(STEPS_BEFORE):
        stepper.step(_gradient(rng, size, side, signs), 2.5)
    g = _gradient(rng, size, side, signs)
    before = {"x": x.copy()} | {k: np.copy(v) for k, v in stepper.state.items()}
    exact = _exact_step(update, g, before, stepper.t + 1)
    stepper.step(g, 2.5)
    after = {"x": x, **stepper.state}
    arrays = [k for k, v in after.items() if isinstance(v, np.ndarray) and v.shape == x.shape]
    return Errors(name, {k: ulps(after[k], exact[k], before[k]) for k in arrays})


def _gradient(rng: np.random.Generator, size: Any, side: Any, signs: str) -> Any:
    drawn = side if signs == "one" else rng.choice([-1.0, 1.0], size.shape)
    return (drawn * size * 10.0 ** rng.uniform(-1, 1, size.shape)).astype(np.float32)


def _exact_step(update: Any, g: Any, before: dict[str, Any], t: int) -> dict[str, Any]:
    rule = update.rule
    settings = {k: Exact(v) for k, v in update.settings.items()}
    fresh = {k: v for k, v in {"t": Exact(t), "value": Exact(2.5)}.items() if k in rule.fresh}
    arguments = [exactly(v if np.ndim(v) else float(v)) for v in before.values()]
    x, *states = arguments
    with decimal.localcontext() as context:
        context.prec = PRECISION
        context.traps[decimal.DivisionByZero] = context.traps[decimal.InvalidOperation] = False
        result = rule.function(x, exactly(g), *states, **settings, **fresh)
    return dict(zip(before, result if isinstance(result, tuple) else (result,), strict=True))


def ulps(got: np.ndarray, exact: Any, before: np.ndarray) -> np.ndarray:
    """The distance from the exact values in float32 units of the last place; 0 for what is flushed below the normal numbers."""
    tiny = float(np.finfo(np.float32).tiny)
    errors = np.zeros(got.size)
    with decimal.localcontext() as context:
        context.prec = PRECISION
        for i, (a, b, c) in enumerate(zip(got.tolist(), exact, before.tolist(), strict=True)):
            value = b.value if isinstance(b, Exact) else Decimal(_plain(b))
            largest = max(abs(float(value)), abs(c), abs(float(value) - c), tiny)
            if a == 0 and abs(value) < tiny:
                continue
            unit = math.ldexp(1.0, math.frexp(largest)[1] - 24)
            errors[i] = float(abs(Decimal(a) - value) / Decimal(unit))
    return errors


def rows(names: list[str], n: int) -> Iterator[tuple[str, ...]]:
    for name in names:
        found = {signs: measure(name, n, signs).of for signs in ("one", "mixed")}
        for array in found["one"]:
            one, mixed = found["one"][array], found["mixed"][array]
            yield (
                name if array == "x" else "",
                array,
                *(f"{f(e):.2f}" for e in (one, mixed) for f in (np.max, _most)),
            )


def elementwise() -> list[str]:
    """The names of our rules that compute element by element; those on whole matrices have no unit of the last place per element."""
    own = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]
    return [name for name in own if not REGISTRY[name].whole]


def _most(errors: np.ndarray) -> float:
    return float(np.quantile(errors, 0.999))


def run(n: int = 20_000, names: list[str] | None = None) -> str:
    """The table of errors."""
    head = ("rule", "array", "max", "99.9 %", "mixed signs: max", "99.9 %")
    note = f"{n} elements a rule, defaults. {machine('numpy', 'numba')}."
    return f"{note}\n\n{table(head, list(rows(names or elementwise(), n)))}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=20_000)
    parser.add_argument("rules", nargs="*")
    given = parser.parse_args()
    print(run(given.elements, given.rules))
