"""What is known of a rule, for a table or a page: read from its signature, its docstring and its graph."""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from dataclasses import dataclass
from typing import Any

from descend._chain import Update
from descend._compile.kernel_text import print_stage
from descend._compile.names import name_links, solution_of, states_of
from descend._compile.program import Program
from descend._compile.to_formula import LATEX, TEXT, explained, formulas, symbols
from descend._rule import Rule
from descend._signature import State
from descend.domains import brief

_SECTION = re.compile(r"^(Parameters|State|Same as|Differs|References): ?", re.MULTILINE)
_WHOLE = "The lines are run on each whole array; their names are those of the hyperparameters and states."
_GATE = "A gate is run before the rule: where it returns 0 first, no step is taken."
_BYTES = 4  # of a float32


@dataclass(frozen=True)
class Facts:
    """One rule as its table row: all of it comes from the rule's text."""

    name: str
    family: str
    """The module of ``descend.rules`` that holds it, or where else it comes from."""
    arrays: tuple[str, ...]
    scalars: tuple[str, ...]
    bytes_per_element: int
    """Of the state arrays alone, in float32; arrays of other shapes than x's are not counted."""
    defaults: dict[str, float]
    paper: str
    twins: tuple[str, ...]
    """Calls of other libraries that compute the same."""


def facts(rule: Rule) -> Facts:
    """The row of ``descend rules``.

    Examples
    --------
    >>> import descend as dd
    >>> row = facts(dd.adam)
    >>> row.family, row.arrays, row.bytes_per_element, row.defaults["beta1"]
    ('adam', ('m', 'v'), 8, 0.9)
    """
    told = sections(rule.__doc__)
    arrays = tuple(s.name for s in rule.states if not s.scalar)
    return Facts(
        rule.name,
        _family(rule),
        arrays,
        tuple(s.name for s in rule.states if s.scalar),
        _bytes_per_element(rule.states),
        {h.name: h.default for h in rule.hyperparameters.values()},
        told.get("References", ""),
        tuple(re.findall(r"``(\w+(?:\.\w+)+\(.*?\))``", told.get("Same as", ""))),
    )


def _family(rule: Rule) -> str:
    if rule.address != rule.name:
        return rule.address.rpartition(":")[0]
    return rule.__module__.removeprefix("descend.rules.").removeprefix("descend.")


def sections(doc: str | None) -> dict[str, str]:
    r"""The parts of a rule's docstring, each on one line; what comes before the first has no name.

    >>> sections("A rule.\n\nState: ``m``.\nReferences: A paper,\n1951.")
    {'': 'A rule.', 'State': '``m``.', 'References': 'A paper, 1951.'}
    """
    lead, *rest = _SECTION.split(inspect.cleandoc(doc or ""))
    parts = {"": lead, **dict(zip(rest[::2], rest[1::2], strict=True))}
    return {name: " ".join(text.split()) for name, text in parts.items() if text.strip()}


def page(update: Update) -> dict[str, Any]:
    """All that ``descend show`` shows of an update, as plain values."""
    names = name_links(update.links)
    states = states_of(update.links, names)
    whole = any(link.rule.alone for link in update.links)  # their text is never traced
    text = _code(update) if whole else formulas(update, TEXT)
    return {
        "rule": update.text,
        "formulas": text,
        "explained": _told_of(update) if whole else explained(text),
        "latex": [] if whole else formulas(update, LATEX),
        "links": [
            {"name": link.name, "kind": type(link.rule).__name__.lower(), "doc": _doc(link.rule)}
            for link in update.links
        ],
        "hyperparameters": _hyperparameters(update),
        "states": [{"name": s.name, "kind": _kind(s), "start": _plain(s.start)} for s in states],
        "bytes_per_element": _bytes_per_element(states),
        "solution": solution_of(update.links, names),
        "paper": facts(update.rule).paper,
        "twins": list(facts(update.rule).twins),
        "kernels": [] if whole else _kernels(Program(update.links)),
    }


def _told_of(update: Update) -> list[str]:
    """What the lines are that belong to no formula."""
    whole = any(link.rule.whole for link in update.links)
    gates = any(link.rule.alone and not link.rule.whole for link in update.links)
    return [_WHOLE] * whole + [_GATE] * gates


def _kind(state: State) -> str:
    if state.scalar:
        return "number"
    return "other shape" if callable(state.start) else "array"


def _bytes_per_element(states: tuple[State, ...]) -> int:
    return _BYTES * sum(not s.scalar and not callable(s.start) for s in states)


def _code(update: Update) -> list[str]:
    """The text of each link that is no graph: its own lines, without the docstring."""
    lines: list[str] = []
    for link in update.links:
        tree = ast.parse(textwrap.dedent(inspect.getsource(link.rule.function))).body[0]
        body = tree.body if isinstance(tree, ast.FunctionDef) else [tree]
        told = body[1:] if ast.get_docstring(tree) is not None else body  # type: ignore[arg-type]
        lines += [line for statement in told for line in ast.unparse(statement).splitlines()]
    return lines


def _doc(rule: Rule) -> str:
    return inspect.cleandoc(rule.__doc__ or "")


def _hyperparameters(update: Update) -> list[dict[str, Any]]:
    """Name, letter, value, default and domain of each; names are the chain's."""
    letters = symbols(update)
    return [
        {
            "name": own.hyperparameters[h.name],
            "letter": letters[own.hyperparameters[h.name]],
            "value": _plain(link.settings[h.name]),
            "default": h.default,
            "domain": str(h.domain),
        }
        for link, own in zip(update.links, name_links(update.links), strict=True)
        for h in link.rule.hyperparameters.values()
    ]


def _plain(value: Any) -> Any:
    """A number or text that JSON has: inf and schedules are told as text."""
    if isinstance(value, str) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value.__name__}(shape)" if inspect.isfunction(value) else brief(value)


def _kernels(program: Program) -> list[dict[str, Any]]:
    """Each stage as its host scalars and the loop that Numba compiles; then the scalar states."""
    stages: list[dict[str, Any]] = [
        {
            "measures": stage.measures,
            "scalars": {f"k{i}": text for i, text in enumerate(stage.scalars)},
            "source": print_stage(stage, program.arrays),
        }
        for stage in program.stages
    ]
    if program.scalar_updates:
        stages.append({"measures": False, "scalars": program.scalar_updates, "source": ""})
    return stages
