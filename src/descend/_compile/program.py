"""From the text of a rule to what a backend prints: stages of host scalars and element work.

A chain is called once on symbols. What depends on no array becomes host scalars: computed in float64, once a step, then cast
to the arrays' dtype; literals too, since a float64 literal would promote a float32 loop. The rest is element work. A
sum over all elements is a measured scalar: an earlier stage, run before the stages that need it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from descend._compile.host import HostFunction, is_literal, print_scalar, variable
from descend._compile.names import (
    Names,
    fresh_of,
    hyperparameters_of,
    name_links,
    solution_of,
    states_of,
)
from descend._rule import Bound
from descend.errors import RuleError
from descend.ops import Symbol

_INFIX = frozenset({"+", "-", "*", "/", "**", "<", ">", "<=", ">=", "==", "!="})
_NESTED = 50
_TOTALS = ("total", "array_total")
"""Parentheses after which an expression gets a name: Python's parser takes about 200."""


@dataclass(frozen=True)
class Stage:
    """Host scalars, then one pass over the elements.

    ``body`` holds assignments in order, ``results`` the array each result is stored to (or, in a measuring stage, the name of
    the sum that it is added to) and its expression.
    """

    scalars: tuple[str, ...]
    """Host expressions of ``k0, k1, …``."""
    body: tuple[tuple[str, str], ...]
    results: tuple[tuple[str, str], ...]
    measures: bool


class Program:
    """A traced chain: its arrays, its stages and its host functions."""

    def __init__(self, links: tuple[Bound, ...], names: tuple[Names, ...] | None = None) -> None:
        names = names or name_links(links)
        self.solution = solution_of(links, names)
        self.states = states_of(links, names)
        self.arrays = ("x", "g", *(s.name for s in self.states if not s.scalar))
        self.scalar_states = tuple(s.name for s in self.states if s.scalar)
        self.hyperparameters = hyperparameters_of(names)
        outputs = trace(links, names)
        try:
            stages, sums, updates = _split(outputs, self.arrays)
        except RecursionError:
            raise RuleError(
                f"the text of {' > '.join(k.name for k in links)} must be shorter; its trace is too deep."
            ) from None
        self.stages = stages
        self.sums = tuple(sums)
        self.own_sums = tuple(name for name, own in sums.items() if own)
        """Sums that every array has for itself; the others run over all arrays."""
        self.fresh = fresh_of(links)
        named = (*self.fresh, *self.hyperparameters, *self.scalar_states)
        arguments = tuple(variable(name) for name in named)
        self.host = tuple(HostFunction(arguments + self.sums, stage.scalars) for stage in stages)
        self.scalar_updates = updates
        self.next_scalars = HostFunction(
            arguments + self.sums, tuple(updates[name] for name in self.scalar_states)
        )


def trace(links: tuple[Bound, ...], names: tuple[Names, ...]) -> dict[str, Any]:
    """Call every link on symbols; the value of each output of the chain by name."""
    leaves = {
        "x": Symbol("leaf", "x", per_element=True),
        "g": Symbol("leaf", "g", per_element=True),
    }
    outputs: dict[str, Any] = {}
    core = next(own.hyperparameters for link, own in zip(links, names, strict=True) if link.is_rule)
    for link, own in zip(links, names, strict=True):
        if link.is_rule:
            leaves["before"] = leaves["x"]
        states = [
            Symbol("leaf", own.states[s.name], per_element=not s.scalar) for s in link.rule.states
        ]
        scalars = {h: _leaf(n) for h, n in own.hyperparameters.items()}
        scalars |= {s: _leaf(core[s]) for s in link.rule.shared}
        scalars |= {name: _leaf(name) for name in link.rule.fresh}
        changed = leaves["x"] if link.is_rule else None
        returned = _call(link, *(leaves[name] for name in link.rule.takes), *states, **scalars)
        values = returned if isinstance(returned, tuple) else (returned,)
        targets = (*link.rule.outputs, *own.states.values())
        if len(values) != len(targets):
            raise RuleError(
                f"{link.name} must return {len(targets)} values, {', '.join(targets)}; got {len(values)}."
            )
        if (
            isinstance(changed, Symbol)
            and changed.op != "leaf"
            and all(node is not changed for node in walk(values))
        ):
            raise RuleError(
                f"{link.name} does not read x, so that no transform before it can change x, as decay does."
            )
        leaves |= dict(zip(link.rule.outputs, values, strict=False))
        outputs |= dict(zip(targets, values, strict=True))
    outputs.pop("g", None)
    return outputs


def _call(link: Bound, *symbols: Any, **scalars: Any) -> Any:
    """What the rule's text gives on symbols."""
    try:
        return link.rule.function(*symbols, **scalars)
    except (TypeError, AttributeError) as error:
        if isinstance(error, RuleError):
            raise
        raise RuleError(
            f"{link.name} must compute with + - * / **, abs, comparisons and the words of descend.ops "
            f"(sqrt, exp, log, sign, where, minimum, maximum, total, norm, array_total, array_norm); got: {error}."
        ) from error


def _leaf(name: str) -> Symbol:
    return Symbol("leaf", name, per_element=False)


class _Printer:
    """Writes one stage: host expressions once each, shared element expressions as named steps."""

    def __init__(self, uses: Counter[int], sums: dict[int, str]) -> None:
        self.uses = uses
        self.sums = sums
        self.scalars: dict[str, str] = {}
        self.body: list[tuple[str, str]] = []
        self.named: dict[str, str] = {}

    def hoist(self, text: str) -> str:
        return self.scalars.setdefault(text, f"k{len(self.scalars)}")

    def host(self, node: Any) -> str:
        """The expression of a scalar, in Python on float64."""
        if isinstance(node, Symbol) and node.per_element:
            raise RuleError(
                "a scalar state must be computed from scalars; got a value per element."
            )
        return print_scalar(node, self.sums)

    def element(self, node: Any) -> str:
        """The expression of a value per element, over ``k…`` and the names of arrays' elements."""
        if not isinstance(node, Symbol) or not node.per_element:
            return self.hoist(self.host(node))
        if node.op == "leaf":
            return variable(node.args[0])
        text = self._operation(node)
        if text in self.named:
            return self.named[text]
        return self.name(text) if self.uses[id(node)] > 1 or text.count("(") > _NESTED else text

    def name(self, text: str) -> str:
        """``text`` as a named step; a name or scalar is one already."""
        if text.isidentifier():
            return text
        if text not in self.named:
            self.named[text] = f"e{len(self.body)}"
            self.body.append((self.named[text], text))
        return self.named[text]

    def _operation(self, node: Symbol) -> str:
        if node.op == "**" and is_literal(node.args[1], 2):
            base = self.name(self.element(node.args[0]))
            return f"({base} * {base})"
        if node.op in _INFIX:
            return f"({self.element(node.args[0])} {node.op} {self.element(node.args[1])})"
        parts = [self.name(self.element(a)) for a in node.args]
        match node.op:
            case "neg":
                return f"(-{parts[0]})"
            case "abs" | "sqrt" | "exp" | "log":
                return f"{node.op}({parts[0]})"
            case "where":
                return f"({parts[1]} if {parts[0]} else {parts[2]})"
            case "minimum":
                return f"({parts[0]} if {parts[0]} < {parts[1]} or {parts[0]} != {parts[0]} else {parts[1]})"
            case "maximum":
                return f"({parts[0]} if {parts[0]} > {parts[1]} or {parts[0]} != {parts[0]} else {parts[1]})"
            case "sign":
                zero, one, minus = (self.hoist(text) for text in ("0.0", "1.0", "-1.0"))
                return f"({one} if {parts[0]} > {zero} else ({minus} if {parts[0]} < {zero} else {parts[0]}))"
        raise RuleError(
            "a rule must compute with + - * / **, abs, comparisons and the words of descend.ops "
            f"on elements; got {node.op!r}."
        )


def walk(roots: Iterable[Any]) -> list[Symbol]:
    """Every symbol below the roots once, arguments first."""
    order: dict[int, Symbol] = {}

    def visit(node: Any) -> None:
        if isinstance(node, Symbol) and id(node) not in order:
            for a in node.args:
                visit(a)
            order[id(node)] = node

    for root in roots:
        visit(root)
    return list(order.values())


def _split(
    outputs: dict[str, Any], arrays: tuple[str, ...]
) -> tuple[tuple[Stage, ...], dict[str, bool], dict[str, str]]:
    """Stages in order, the measured sums (and whether each array has its own), and the host expressions of the scalar states."""
    nodes = walk(outputs.values())
    uses = Counter(id(a) for node in nodes for a in node.args if isinstance(a, Symbol))
    uses.update(id(value) for value in outputs.values())
    totals = [node for node in nodes if node.op in _TOTALS]
    sums = {id(node): f"sum{i}" for i, node in enumerate(totals)}
    depth: dict[int, int] = {}
    for node in totals:
        depth[id(node)] = 1 + max(
            (depth[id(n)] for n in walk(node.args) if n.op in _TOTALS), default=-1
        )
    stages = [
        _stage(
            uses,
            sums,
            {sums[id(n)]: n.args[0] for n in totals if depth[id(n)] == level},
            measures=True,
        )
        for level in range(max(depth.values(), default=-1) + 1)
    ]
    elements = {
        name: value
        for name, value in outputs.items()
        if name in arrays and not _is_leaf(value, name)
    }
    stages.append(_stage(uses, sums, elements, measures=False))
    host = _Printer(uses, sums)
    scalars = {name: host.host(value) for name, value in outputs.items() if name not in arrays}
    return tuple(stages), {sums[id(n)]: n.op == "array_total" for n in totals}, scalars


def _is_leaf(value: Any, name: str) -> bool:
    """Whether an array stays as it is."""
    return isinstance(value, Symbol) and value.op == "leaf" and value.args[0] == name


def _stage(
    uses: Counter[int], sums: dict[int, str], values: dict[str, Any], measures: bool
) -> Stage:
    printer = _Printer(uses, sums)
    results = tuple((name, printer.element(value)) for name, value in values.items())
    return Stage(tuple(printer.scalars), tuple(printer.body), results, measures)
