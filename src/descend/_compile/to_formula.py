"""Print a rule as formulas, for a terminal or in LaTeX, from the graph that its kernels are printed from.

Subscripts tell old from new: mₜ is what the step makes of mₜ₋₁. Lines come in the order in which they can be computed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from descend._chain import Update
from descend._compile.names import name_links
from descend._compile.notation import (
    ATOM,
    CHOICE,
    COMPARISON,
    FRACTION,
    LATEX,
    POWER,
    PRODUCT,
    ROOT,
    SUM,
    TEXT,
    Notation,
    letters,
    plain_name,
)
from descend._compile.program import trace, walk
from descend._compile.tidy import tidy
from descend.ops import Symbol

__all__ = ["LATEX", "TEXT", "Notation", "formulas", "symbols"]

_TOTALS = ("total", "array_total")
_OF_ONE_ARRAY = "ₐ"


def formulas(update: Update, notation: Notation) -> list[str]:
    """One line for x, for each state and for what several of them share: ``mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ``.

    Examples
    --------
    >>> import descend as dd
    >>> for line in formulas(dd.momentum(), TEXT):
    ...     print(line)
    vₜ = μ vₜ₋₁ + gₜ
    xₜ = xₜ₋₁ − η vₜ
    """
    outputs = tidy(trace(update.links, name_links(update.links)))
    writer = _Writer(notation, outputs, _shared(outputs), symbols(update))
    return [f"{name} = {text}" for name, text in writer.lines(_order(outputs))]


def symbols(update: Update) -> dict[str, str]:
    """The letter of each hyperparameter and state of an update, by name: ``{"lr": "η", "m": "m"}``.

    >>> import descend as dd
    >>> symbols(dd.lion())
    {'lr': 'η', 'beta1': 'β₁', 'beta2': 'β₂', 'm': 'm'}
    """
    names = name_links(update.links)
    settings = [h for own in names for h in own.hyperparameters.values()]
    states = [s for own in names for s in own.states.values()]
    known = letters(["x", "g", "t", "value", *settings, *states])
    return {name: known[name] for name in (*settings, *states)}


def explained(lines: list[str]) -> list[str]:
    """What formulas as text use beyond ordinary signs, a line each."""
    text = "\n".join(lines)
    told = {
        "‖": "‖·‖ is the Euclidean norm over all arrays together.",
        "Σ(": "Σ sums over all elements of all arrays.",
        _OF_ONE_ARRAY: "The index ₐ marks what every array measures for itself.",
        "f(": "f(xₜ₋₁) is the function's value, which each step is given.",
    }
    plain = text.replace("‖" + _OF_ONE_ARRAY, "")
    bars = plain.count("‖") > text.count("‖" + _OF_ONE_ARRAY)
    return [line for mark, line in told.items() if mark in text and (mark != "‖" or bars)]


def _order(outputs: dict[str, Any]) -> list[str]:
    """What others are made of, then x, then the rest."""
    inside = {id(node) for value in outputs.values() for node in _below(value)}
    first = [name for name, value in outputs.items() if name != "x" and id(value) in inside]
    return [*first, "x", *(name for name in outputs if name != "x" and name not in first)]


def _shared(outputs: dict[str, Any]) -> list[Symbol]:
    """Terms that are used more than once and are worth a name of their own."""
    nodes = walk(outputs.values())
    uses = Counter(id(a) for node in nodes for a in node.args if isinstance(a, Symbol))
    named = {id(value) for value in outputs.values()}
    shared = []
    for node in nodes:
        if uses[id(node)] > 1 and id(node) not in named and _worth_a_name(node, named):
            named.add(id(node))
            shared.append(node)
    return shared


def _worth_a_name(node: Symbol, named: set[int]) -> bool:
    """Whether a term is longer than a name, or than the norm of one."""
    inner = node.args[0]
    root = node.op == "sqrt" and isinstance(inner, Symbol)
    vector = _square_of(inner if root else node)
    if isinstance(vector, Symbol) and (not root or vector.op == "leaf"):
        return False
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        below = [a for a in waiting.pop().args if isinstance(a, Symbol) and id(a) not in seen]
        seen.update(map(id, below))
        waiting.extend(a for a in below if id(a) not in named)
    return len(seen) > 2


def _below(value: Any) -> list[Symbol]:
    """Every symbol that ``value`` is made of, itself left out."""
    return walk(value.args) if isinstance(value, Symbol) else []


class _Writer:
    """Writes the values of outputs, and the terms they share under names of their own."""

    def __init__(
        self,
        notation: Notation,
        outputs: dict[str, Any],
        shared: list[Symbol],
        known: dict[str, str],
    ) -> None:
        self.n = notation
        self.values = outputs
        self.stepped = {"x", *outputs}
        self.greek = {
            name for name, letter in known.items() if letter != plain_name(name, "", False)
        }
        self.greek.add("value")
        # an output that is another's leaf (x_before = x) is written out
        self.written = {
            id(v): self._name(name, "t")
            for name, v in outputs.items()
            if isinstance(v, Symbol) and v.op != "leaf"
        }
        self.defined = {id(v): name for name, v in outputs.items() if id(v) in self.written}
        self.shared = {id(node) for node in shared}
        taken = {name.rstrip("0123456789") for name in known}
        self.helper = next(letter for letter in ("q", "h", "w", "shared") if letter not in taken)

    def lines(self, order: list[str]) -> Iterator[tuple[str, str]]:
        """Names and values; what a line needs comes before it."""
        done: set[str] = set()
        for name in order:
            yield from self._output(name, done)

    def _output(self, name: str, done: set[str]) -> Iterator[tuple[str, str]]:
        if name in done:
            return
        done.add(name)
        yield from self._needs(self.values[name], done)
        yield self._name(name, "t"), self._node(self.values[name])[0]

    def _needs(self, value: Any, done: set[str]) -> Iterator[tuple[str, str]]:
        """The lines of named terms that ``value`` is made of."""
        for node in _below(value):
            if id(node) in self.defined:
                yield from self._output(self.defined[id(node)], done)
            elif id(node) in self.shared and id(node) not in self.written:
                yield from self._needs(node, done)
                text = self._node(node)[0]
                count = 1 + len(self.written.keys() & self.shared)
                self.written[id(node)] = self._name(f"{self.helper}{count}", "")
                yield self.written[id(node)], text

    def _name(self, name: str, when: str) -> str:
        return self.n.name(name, when, name in self.greek)

    def _text(self, value: Any, least: int) -> str:
        text, binds = self._reference(value)
        return self.n.bracket(text) if binds < least else text

    def _reference(self, value: Any) -> tuple[str, int]:
        if isinstance(value, Symbol) and id(value) in self.written:
            return self.written[id(value)], ATOM
        return self._node(value)

    def _node(self, value: Any) -> tuple[str, int]:
        if not isinstance(value, Symbol):
            return self.n.number(value), ATOM if value >= 0 or value != value else SUM  # noqa: PLR0124
        match value.op:
            case "leaf":
                return self._leaf(str(value.args[0])), ATOM
            case "+" | "-":
                return self._sum(value.op, *value.args), SUM
            case "*" if isinstance(value.args[0], Symbol) and value.args[0].op == "neg":
                first, second = value.args[0].args[0], value.args[1]
                product = self.n.times(self._text(first, PRODUCT), self._text(second, PRODUCT))
                return f"{self.n.minus}{product}", SUM
            case "*":
                return self.n.times(*(self._text(a, PRODUCT) for a in value.args)), PRODUCT
            case "/":
                parts = zip(value.args, self.n.fraction_parts, strict=True)
                return self.n.fraction(*(self._text(a, p) for a, p in parts)), self.n.fraction_binds
            case "**":
                base, exponent = value.args
                return self.n.power(self._text(base, ATOM), self._text(exponent, SUM)), POWER
            case "neg":
                return f"{self.n.minus}{self._text(value.args[0], FRACTION)}", SUM
            case "%":
                left, right = (self._text(a, ROOT) for a in value.args)
                return f"{left} {self.n.mark('%')} {right}", FRACTION
            case "<" | ">" | "<=" | ">=" | "==" | "!=":
                left, right = (self._text(a, SUM) for a in value.args)
                return f"{left} {self.n.mark(value.op)} {right}", COMPARISON
        return self._call(value)

    def _sum(self, op: str, left: Any, right: Any) -> str:
        # a + (b − c) needs no brackets, a + (−b) and a − (b + c) do
        open_sum = op == "+" and isinstance(right, Symbol) and right.op in ("+", "-")
        mark = "+" if op == "+" else self.n.minus
        return f"{self._text(left, SUM)} {mark} {self._text(right, SUM if open_sum else FRACTION)}"

    def _call(self, node: Symbol) -> tuple[str, int]:
        inner = node.args[0]
        if node.op == "sqrt" and isinstance(inner, Symbol) and id(inner) not in self.written:
            square = _square_of(inner)
            if square is not None:
                return self._norm(inner, square)
        square = _square_of(node)
        if square is not None:
            return self.n.power(self._norm(node, square)[0], "2"), POWER
        if node.op == "//":
            parts = zip(node.args, self.n.fraction_parts, strict=True)
            return self.n.call("//", [self._text(a, least) for a, least in parts])
        least = [COMPARISON] * len(node.args)
        if node.op == "where":
            least[2] = CHOICE  # else if …
        parts = zip(node.args, least, strict=True)
        return self.n.call(node.op, [self._text(a, bound) for a, bound in parts])

    def _norm(self, total: Symbol, vector: Any) -> tuple[str, int]:
        word = "norm" if total.op == "total" else "array_norm"
        return self.n.call(word, [self._text(vector, CHOICE)])

    def _leaf(self, name: str) -> str:
        when = "t-1" if name in self.stepped else "t" if name == "g" else ""
        return self._name(name, when)


def _square_of(node: Symbol) -> Any:
    """What ``node`` is the squared Euclidean norm of, or None."""
    if node.op in _TOTALS and isinstance(node.args[0], Symbol):
        square = node.args[0]
        if square.op == "**" and not isinstance(square.args[1], Symbol) and square.args[1] == 2:
            return square.args[0]
    return None
