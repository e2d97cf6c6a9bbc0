"""From a text to nodes: a tokenizer and an operator-precedence parser, for texts that nobody has looked at.

The work is bounded by the length of the text: each token is looked at once and makes at most one node.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from descend.errors import ProblemError, nearest
from descend.expressions._nodes import (
    INFIX,
    POWERS,
    SIGN,
    SUM,
    Apply,
    Node,
    Number,
    Variable,
    number_text,
)
from descend.expressions._operations import CONSTANTS, FUNCTIONS, NEGATE, POWER, Operation

LONGEST = 10_000
"""Characters of a text."""
DEEPEST = 100
"""Parentheses, signs and exponents within one another."""

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|[-+*/(),])"
)
_SHOWN = 20
_VALUE = "a number, a name, a sign or '('"
_NO_NUMBERS = {"inf", "nan", "infinity", "none", "true", "false"}
_OTHERWISE = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "fabs": "abs",
    "ln": "log",
    "max": "maximum",
    "min": "minimum",
}
"""What functions are called elsewhere."""
_HINTS = {
    "^": " Hint: write ** for a power.",
    "²": " Hint: write **2 for a square.",
    "³": " Hint: write **3 for a cube.",
    "·": " Hint: write * for a product.",
    "×": " Hint: write * for a product.",
    "−": " Hint: write - for minus.",
    "[": " Hint: variables are names, such as x0 and x1.",
    "=": " Hint: a formula is one side only.",
    "\n": " Hint: a formula is one line.",
}


class Token(NamedTuple):
    kind: Literal["number", "name", "symbol", "end"]
    text: str
    position: int
    """Of its first character, from 1."""


def parse_nodes(text: str) -> tuple[Node, ...]:
    """Return the nodes of a formula; the last is the whole of it.

    Raises
    ------
    ProblemError
        The text is no formula.
    """
    return _Parser(text).parse()


def check_text(text: Any) -> None:
    """Refuse what is not worth reading.

    Raises
    ------
    ProblemError
        It is no text, or too long.
    """
    if not isinstance(text, str):
        raise ProblemError(f"a formula must be text; got an object of type {type(text).__name__}.")
    if len(text) > LONGEST:
        raise ProblemError(
            f"a formula must have at most {LONGEST} characters; got {len(text)}, and nothing was"
            f" read from character {LONGEST + 1} on."
        )


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens of ``text`` and then one of kind "end"."""
    position = 0
    while True:
        while position < len(text) and text[position] in " \t":
            position += 1
        if position == len(text):
            yield Token("end", "", position + 1)
            return
        found = _TOKEN.match(text, position)
        if found is None:
            raise _stray(text[position], position + 1)
        yield Token(found.lastgroup, found[0], position + 1)  # type: ignore[arg-type]
        position = found.end()


def _stray(character: str, position: int) -> ProblemError:
    # ascii: a character that looks like another, or turns the line around, is shown by its code
    return ProblemError(
        "a formula must be made of numbers, names, + - * / ** ( ) and commas;"
        f" got {character!a} at character {position}.{_HINTS.get(character, '')}"
    )


class _Parser:
    """Pratt's: an operand, then each operator that binds at least as tightly as asked, with its right side."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._token = next(self._tokens)
        self._nodes: list[Node] = []
        self._depth = 0

    def parse(self) -> tuple[Node, ...]:
        self._expression(SUM)
        if self._token.kind != "end":
            raise self._unexpected("an operator or its end")
        return tuple(self._nodes)

    def _expression(self, least: int) -> int:
        """Read what binds at least as tightly as ``least``; return the place of its node."""
        left = self._operand()
        while self._token.kind == "symbol" and self._token.text in INFIX:
            operation, binding = INFIX[self._token.text]
            if binding < least:
                break
            self._advance()
            left = self._add(Apply(operation, (left, self._right_side(operation, binding))))
        return left

    def _right_side(self, operation: Operation, binding: int) -> int:
        if operation is not POWER:
            return self._expression(binding + 1)
        with self._deeper():
            return self._expression(SIGN)

    def _operand(self) -> int:
        token = self._token
        if token.kind == "number":
            return self._number()
        if token.kind == "name":
            return self._name()
        if token.text not in ("+", "-", "("):
            raise self._unexpected(_VALUE)
        with self._deeper():
            self._advance()
            if token.text == "(":
                inside = self._expression(SUM)
                self._close("an operator or ')'")
                return inside
            signed = self._expression(POWERS)
        return signed if token.text == "+" else self._add(Apply(NEGATE, (signed,)))

    def _number(self) -> int:
        token = self._advance()
        value = float(token.text)
        if not math.isfinite(value):
            raise self._unexpected("a number below 1.8e308", token)
        return self._add(Number(value, number_text(value)))

    def _name(self) -> int:
        token = self._advance()
        if self._token.text == "(":
            return self._call(token)
        if token.text in CONSTANTS:
            return self._add(Number(CONSTANTS[token.text], token.text))
        if token.text in FUNCTIONS:
            raise self._unexpected(f"'(' behind the function {token.text}")
        if token.text.lower() in _NO_NUMBERS:
            raise self._unexpected("a number or the name of a variable", token)
        return self._add(Variable(token.text))

    def _call(self, name: Token) -> int:
        if name.text not in FUNCTIONS:
            meant = nearest(_OTHERWISE.get(name.text, name.text[:_SHOWN]), FUNCTIONS)
            raise self._unexpected(
                "a known function before '('", name, f"{meant} Known: {', '.join(FUNCTIONS)}."
            )
        operation = FUNCTIONS[name.text]
        with self._deeper():
            self._advance()
            inputs = [self._expression(SUM)]
            while len(inputs) < operation.inputs:
                if self._token.text != ",":
                    raise self._unexpected(
                        f"an operator, or a comma: {name.text} takes {operation.inputs} values"
                    )
                self._advance()
                inputs.append(self._expression(SUM))
            self._close("an operator or ')'")
        return self._add(Apply(operation, tuple(inputs)))

    def _close(self, expected: str) -> None:
        if self._token.text != ")":
            raise self._unexpected(expected)
        self._advance()

    def _advance(self) -> Token:
        """Return the token at hand and go on to the next."""
        token, self._token = self._token, next(self._tokens)
        return token

    def _add(self, node: Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._unexpected(f"at most {DEEPEST} parentheses, signs and exponents in another")
        yield
        self._depth -= 1

    def _unexpected(
        self, expected: str, token: Token | None = None, hint: str = ""
    ) -> ProblemError:
        token = token or self._token
        text = token.text if len(token.text) <= _SHOWN else f"{token.text[:_SHOWN]}…"
        got = "its end" if token.kind == "end" else repr(text)
        return ProblemError(
            f"a formula must have {expected} at character {token.position}; got {got}.{hint}"
        )
