"""A formula that was read: its value, and its gradient by reverse-mode differentiation.

Griewank & Walther, Evaluating Derivatives, 2008, chapter 3: one sweep forward for the values, one backward for all slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import ShapeError
from descend.expressions._nodes import Apply, Node, Number, Variable, write
from descend.expressions._parser import parse_nodes

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Tape:
    """What is left of the nodes for evaluation: slots for x, then for the numbers, then for each operation's value."""

    numbers: tuple[float, ...]
    operations: tuple[tuple[Callable[..., float], Callable[..., tuple[float, ...]], int, int], ...]
    """Value and slopes of each, with the slots of its two inputs; the second is -1 where there is one."""
    last: int
    """The slot that holds the value of the whole."""


@dataclass(frozen=True)
class Expression:
    """A function of the variables of a formula; ``str`` writes it in normal form."""

    nodes: tuple[Node, ...]

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Names in the order in which they first appear: the order of the entries of x."""
        return tuple(dict.fromkeys(n.name for n in self.nodes if isinstance(n, Variable)))

    def value(self, x: Vector | Sequence[float]) -> float:
        """Return the value at ``x``, of shape (n,); inf or nan where it overflows or is not defined."""
        return self._forward(x)[self._tape.last]

    def value_and_gradient(self, x: Vector | Sequence[float]) -> tuple[float, Vector]:
        """Return the value and the gradient at ``x``, both of them exact up to rounding.

        Where two slopes meet (``abs(x)`` at 0), the gradient is their mean.

        Parameters
        ----------
        x : array of shape (n,)
            The values of ``variables``.

        Returns
        -------
        value : float
        gradient : array of shape (n,)

        Raises
        ------
        ShapeError
            ``x`` has another number of entries.
        """
        slots = self._forward(x)
        slopes = self._backward(slots)
        return slots[self._tape.last], np.array(slopes[: len(self.variables)])

    def gradient(self, x: Vector | Sequence[float]) -> Vector:
        """Return the gradient at ``x``, an array of shape (n,)."""
        return self.value_and_gradient(x)[1]

    def _forward(self, x: Vector | Sequence[float]) -> list[float]:
        slots: list[float] = np.asarray(x, dtype=np.float64).tolist()
        if not isinstance(slots, list) or len(slots) != len(self.variables):
            raise ShapeError(
                f"x of {_short(str(self))} must have shape ({len(self.variables)},);"
                f" got {np.shape(x)}."
            )
        slots.extend(self._tape.numbers)
        for value, _, left, right in self._tape.operations:
            slots.append(value(slots[left]) if right < 0 else value(slots[left], slots[right]))
        return slots

    def _backward(self, slots: list[float]) -> list[float]:
        """The derivatives of the value by each slot."""
        slopes = [0.0] * len(slots)
        slopes[self._tape.last] = 1.0
        at = len(slots)
        for _, partials, left, right in reversed(self._tape.operations):
            at -= 1
            slope = slopes[at]
            if not slope:  # what the value does not depend on may have an infinite slope
                continue
            if right < 0:
                slopes[left] += slope * partials(slots[left], slots[at])[0]
            else:
                by_left, by_right = partials(slots[left], slots[right], slots[at])
                slopes[left] += slope * by_left
                slopes[right] += slope * by_right
        return slopes

    @cached_property
    def _tape(self) -> _Tape:
        numbers = tuple(node.value for node in self.nodes if isinstance(node, Number))
        slot_of = {name: slot for slot, name in enumerate(self.variables)}
        free, first = len(slot_of), len(slot_of) + len(numbers)
        slots: list[int] = []
        operations: list[Any] = []
        for node in self.nodes:
            match node:
                case Variable(name):
                    slots.append(slot_of[name])
                case Number():
                    slots.append(free)
                    free += 1
                case Apply(operation, inputs):
                    left, right, *_ = (*(slots[i] for i in inputs), -1)
                    slots.append(first + len(operations))
                    operations.append((operation.value, operation.slopes, left, right))
        return _Tape(numbers, tuple(operations), slots[-1])

    def __str__(self) -> str:
        return write(self.nodes)

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _read, (str(self),)


def _read(text: str) -> Expression:
    return Expression(parse_nodes(text))  # the normal form may be longer than what was typed


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
