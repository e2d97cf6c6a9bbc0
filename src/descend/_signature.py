"""Read a rule's signature, which is its schema: states, hyperparameters with their domains, scalars that come from elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from descend.domains import HostScalar, Interval
from descend.errors import RuleError

FRESH = ("t", "value")
"""Scalars that every step brings: its number from 1, and the function's value at x."""
INDEX = "index"
"""The number of the array, from 0: a scalar that rules of whole arrays may take."""


Shaped = Callable[..., Any]
"""What gives the first value of a state from x's shape: an array of any shape, or a tuple of arrays, one for each axis.

Its keyword-only arguments are hyperparameters, as they are at the first step."""
Start = float | str | Shaped
Starts = Mapping[str, Start]


@dataclass(frozen=True)
class Hyperparameter:
    """A scalar that the user sets: its name, default and domain."""

    name: str
    default: float
    domain: Interval


@dataclass(frozen=True)
class State:
    """What a rule remembers: an array like ``x``, or one number.

    ``start`` is a number, the name of the array or hyperparameter that it is copied from, or a function of x's shape.
    """

    name: str
    start: Start = 0.0
    scalar: bool = False


@dataclass(frozen=True)
class Signature:
    """What a rule takes: ``fresh`` names those of t, value and index that it reads, ``shared`` scalars of the chain's rule."""

    states: tuple[State, ...]
    hyperparameters: dict[str, Hyperparameter]
    shared: tuple[str, ...]
    fresh: tuple[str, ...]


def first_value(start: Shaped, shape: tuple[int, ...], settings: Mapping[str, Any]) -> Any:
    """What ``start`` gives for a shape; hyperparameters that it names as keywords are handed to it."""
    parameters = inspect.signature(start).parameters.values()
    wanted = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    return start(shape, **{name: settings[name] for name in wanted})


def read_signature(
    function: Callable[..., Any],
    init: Starts,
    takes: tuple[str, ...] = ("x", "g"),
    *,
    whole: bool = False,
) -> Signature:
    """The schema of a rule's text.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, **hyperparameters)``
    init : what states start from, other than 0
    takes : the names that come first
    whole : whether the text sees whole arrays, so that a state may have a shape of its own

    Raises
    ------
    RuleError
        If the signature does not follow the schema.
    HyperparameterError
        If a default is outside its domain.
    """
    owner, signature = function.__name__, inspect.signature(function)
    hints = _hints(function)
    positional = [p for p in signature.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    scalars = [p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
    if tuple(p.name for p in positional[: len(takes)]) != takes:
        raise RuleError(f"{owner} must take {' and '.join(takes)} first; got {signature}.")
    if len(positional) + len(scalars) != len(signature.parameters):
        raise RuleError(f"{owner} must name each of its arguments; got {signature}.")
    brought = (*FRESH, INDEX) if whole else FRESH
    fresh = tuple(name for name in brought if name in (p.name for p in scalars))
    own = [p for p in scalars if p.name not in brought]
    given = [p.name for p in scalars if p.name in brought and p.default is not p.empty]
    if given:
        raise RuleError(f"{given[0]} of {owner} must have no default, since every step brings it.")
    hyperparameters = {
        p.name: _hyperparameter(p, hints.get(p.name), owner)
        for p in own
        if p.default is not p.empty
    }
    states = tuple(_state(p, hints.get(p.name), init, owner) for p in positional[len(takes) :])
    _check_starts(states, init, hyperparameters, owner, whole)
    shared = tuple(p.name for p in own if p.default is p.empty)
    return Signature(states, hyperparameters, shared, fresh)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise RuleError(
            f"the annotations of {function.__name__} must be names of its module; {error}."
        ) from None


def _hyperparameter(p: inspect.Parameter, hint: Any, owner: str) -> Hyperparameter:
    for mark in getattr(hint, "__metadata__", ()):
        if isinstance(mark, Interval):
            return Hyperparameter(p.name, mark.check(p.default, p.name, owner), mark)
    raise RuleError(
        f"{p.name} of {owner} must be annotated with a domain, for example `{p.name}: Positive`; got {hint!r}."
    )


def _state(p: inspect.Parameter, hint: Any, init: Starts, owner: str) -> State:
    if any(isinstance(mark, HostScalar) for mark in getattr(hint, "__metadata__", ())):
        default = 0.0 if p.default is p.empty else float(p.default)
        return State(p.name, init.get(p.name, default), scalar=True)
    if p.default is not p.empty:
        raise RuleError(
            f"{p.name} of {owner} must have no default, since it is an array; "
            f"write @rule(init={{{p.name!r}: {p.default!r}}})."
        )
    return State(p.name, init.get(p.name, 0.0))


def _check_starts(
    states: tuple[State, ...], init: Starts, known: Mapping[str, Any], owner: str, whole: bool
) -> None:
    """``init`` names states; arrays start from a number, x or a hyperparameter, scalars here from a hyperparameter."""
    wrong = [name for name in init if name not in {s.name for s in states}]
    if wrong:
        raise RuleError(f"init of {owner} must name states; got {', '.join(map(repr, wrong))}.")
    for s in states:
        if s.scalar:
            if s.name in init and s.start not in known:
                raise RuleError(
                    f"init of {s.name} of {owner} must be a hyperparameter, since it is a scalar; got {s.start!r}."
                )
            continue
        number = isinstance(s.start, int | float) and not isinstance(s.start, bool)
        if whole and callable(s.start):
            continue
        if not number and s.start != "x" and s.start not in known:
            raise RuleError(
                f"init of {s.name} of {owner} must be a number, 'x' or a hyperparameter"
                f"{', or a function of the shape' if whole else ''}; got {s.start!r}."
            )
