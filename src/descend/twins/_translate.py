"""From one library's call to the nearest of another's, with what is lost in words."""

from __future__ import annotations

import ast
import contextlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from descend._chain import Update
from descend._rule import Bound
from descend.domains import brief
from descend.errors import DescendError, HyperparameterError
from descend.twins._near import LOST, NEAR, canonical, elsewhere
from descend.twins._twin import Fixed, Framework, Part, Spelt, Times, Twin

LONGEST = 2000
"""Characters of a call that is read; a call of an optimizer has some hundred."""


@dataclass(frozen=True)
class Translation:
    """The nearest call in another library.

    Attributes
    ----------
    call : its text, also the ``str`` of this
    exact : whether it computes the same at every step, in exact arithmetic
    notes : a sentence for each difference, and for what is done outside of the call
    """

    call: str
    exact: bool
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.call


def parsed(text: Any, frameworks: Mapping[str, Framework]) -> tuple[str, str, dict[str, Any]]:
    """The framework, the optimizer and the arguments of a call's text, of literals only."""
    wanted = HyperparameterError(
        f"a call must read like 'torch.Adam(lr=1e-3)', with literals alone; got {brief(text)}."
    )
    if not isinstance(text, str) or len(text) > LONGEST:
        raise wanted
    try:
        with warnings.catch_warnings(action="ignore", category=Warning):  # of `1if`, of "\d"
            call = ast.parse(text.strip(), mode="eval").body
            if not isinstance(call, ast.Call):
                raise wanted
            path = ast.unparse(call.func).split(".")
            arguments = [*_values(call.args, path[0])]
            named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords if k.arg}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise error if isinstance(error, DescendError) else wanted from None
    framework = frameworks.get(path[0])
    inner = framework.prefix.split(".")[1:] if framework else []
    if framework is None or path[1:-1] not in ([], inner) or len(named) < len(call.keywords):
        raise wanted
    return path[0], path[-1], _placed(arguments, named, framework.twins.get(path[-1]), wanted)


def _values(nodes: list[ast.expr], framework: str) -> Iterator[Any]:
    """Positional literals; torch's first argument may be a bare name, its parameters."""
    for i, node in enumerate(nodes):
        if not (i == 0 and framework == "torch" and isinstance(node, ast.Name)):
            yield ast.literal_eval(node)


def _placed(
    arguments: list[Any], named: dict[str, Any], twin: Twin | None, wanted: HyperparameterError
) -> dict[str, Any]:
    if not arguments or twin is None:
        return named
    names = list(twin.defaults)[: len(arguments)]
    if len(names) < len(arguments) or set(names) & set(named):
        raise wanted
    return {**dict(zip(names, arguments, strict=True)), **named}


def translated(update: Update, to: Framework) -> Translation:
    """The nearest call of a framework for a rule or chain."""
    links = canonical(update)
    core = _core(links)
    found = next((n for n in (core.name, *NEAR.get(core.name, ())) if n in to.calls), None)
    if found is None:
        raise HyperparameterError(f"{to.name} has no optimizer near {core!r}.")
    optimizer, parts = to.calls[found]
    arguments = _arguments(parts, core.settings)
    notes: list[str] = []
    for link in links:
        if link is core:
            continue
        optimizer, added, note = elsewhere(link, to, optimizer)
        arguments.update(added)
        notes += [note] if note else []
    return _checked(links, to, to.twins[optimizer], arguments, notes)


def _arguments(parts: Mapping[str, Part], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a call takes of a rule's settings; an argument that the rule cannot give keeps its default."""
    taken: dict[str, Any] = {}
    for name, part in parts.items():
        with contextlib.suppress(KeyError):
            taken[name] = _taken(part, settings)
    return taken


def _taken(part: Part, settings: Mapping[str, Any]) -> Any:
    if isinstance(part, Fixed):
        return part.value
    if isinstance(part, Times):
        return settings[part.name] * part.factor
    if isinstance(part, Spelt):
        value = settings[part.name]
        return part.there if value == part.here else value
    if isinstance(part, tuple):
        return tuple(_taken(each, settings) for each in part)
    return settings[part]


def _checked(
    links: tuple[Bound, ...],
    to: Framework,
    twin: Twin,
    arguments: Mapping[str, Any],
    notes: Sequence[str],
) -> Translation:
    """The call, and whether its own twin is the update it stands for."""
    call = _text(to, twin, arguments)
    try:
        there = canonical(twin(**arguments))
    except HyperparameterError as error:
        return Translation(call, exact=False, notes=(*notes, str(error)))
    lost = _lost(_core(links), _core(there), to)
    return Translation(call, there == links, (*([lost] if lost else []), *notes))


def _core(links: tuple[Bound, ...]) -> Bound:
    return next(link for link in links if link.is_rule)


def _lost(wanted: Bound, found: Bound, to: Framework) -> str:
    """What the rule there does not have of the rule that is wanted; nothing if they are the same."""
    if wanted == found:
        return ""
    if wanted.name == found.name:
        settings = found.settings
        other = (
            f"{k}={settings[k]!r} for {v!r}" for k, v in wanted.settings.items() if settings[k] != v
        )
        return f"{to.name} computes {found.name} with {', '.join(other)}."
    why = LOST.get((wanted.name, found.name)) or LOST.get((wanted.name, ""))
    return f"{to.name} has no {wanted.name}: {why or f'{found.name} is the nearest to it there'}."


def _text(to: Framework, twin: Twin, arguments: Mapping[str, Any]) -> str:
    """The call without arguments that are defaults; the learning rate is always said."""
    defaults = twin.defaults
    empty = inspect.Parameter.empty
    said = [
        f"{name}={arguments[name]!r}"
        for name, default in defaults.items()
        if name in arguments
        and (default is empty or arguments[name] != default or name in ("lr", "learning_rate"))
    ]
    return f"{to.prefix}.{twin.name}({', '.join([*([to.first] if to.first else []), *said])})"
