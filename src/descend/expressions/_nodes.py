"""A formula as a list of nodes, each after its inputs: nothing that walks it recurses, however long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from descend.expressions._operations import (
    ADD,
    DIVIDE,
    MULTIPLY,
    NEGATE,
    POWER,
    SUBTRACT,
    Operation,
)


class Number(NamedTuple):
    """A number, or a constant by its name."""

    value: float
    text: str


class Variable(NamedTuple):
    name: str


class Apply(NamedTuple):
    """An operation on the nodes at ``inputs``."""

    operation: Operation
    inputs: tuple[int, ...]


Node = Number | Variable | Apply

SUM, PRODUCT, SIGN, POWERS, ATOM = range(1, 6)
"""How tightly things bind."""
INFIX = {
    "+": (ADD, SUM),
    "-": (SUBTRACT, SUM),
    "*": (MULTIPLY, PRODUCT),
    "/": (DIVIDE, PRODUCT),
    "**": (POWER, POWERS),
}
_BINDING = dict(INFIX.values())

_Written = tuple[str, int]
"""A text, and how tightly its outermost operation binds."""


def number_text(value: float) -> str:
    """The shortest text that is read as ``value``.

    >>> number_text(100.0), number_text(0.1)
    ('100', '0.1')
    """
    return repr(value).removesuffix(".0")


def write(nodes: Sequence[Node]) -> str:
    """The normal form: parentheses where they are needed, and the least of them."""
    written: list[_Written] = []
    for node in nodes:
        match node:
            case Number(text=text) | Variable(name=text):
                written.append((text, ATOM))
            case Apply(operation, inputs):
                written.append(_write_one(operation, [written[i] for i in inputs]))
    return written[-1][0]


def _write_one(operation: Operation, parts: list[_Written]) -> _Written:
    if operation is NEGATE:
        return f"-{_held(parts[0], SIGN)}", SIGN
    if operation not in _BINDING:
        return f"{operation.name}({', '.join(text for text, _ in parts)})", ATOM
    binding = _BINDING[operation]
    gap = " " if binding == SUM else ""
    # a power takes its right side from the sign on: 2**-x**2 is 2**(-(x**2))
    least = (ATOM, SIGN) if operation is POWER else (binding, binding + 1)
    left, right = (_held(part, at_least) for part, at_least in zip(parts, least, strict=True))
    return f"{left}{gap}{operation.name}{gap}{right}", binding


def _held(part: _Written, least: int) -> str:
    text, binding = part
    return text if binding >= least else f"({text})"
