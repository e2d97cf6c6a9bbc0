"""Read a rule's signature, which is its schema: states, hyperparameters with their domains, scalars that come from elsewhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from descend.domains import HostScalar, Interval
from descend.errors import RuleError


@dataclass(frozen=True)
class Hyperparameter:
    """A scalar that the user sets: its name, default and domain."""

    name: str
    default: float
    domain: Interval


@dataclass(frozen=True)
class State:
    """What a rule remembers: an array like ``x``, or one number.

    ``start`` is a number, or the name of the array or hyperparameter that it is copied from.
    """

    name: str
    start: float | str = 0.0
    scalar: bool = False


@dataclass(frozen=True)
class Signature:
    """What a rule takes: ``counts`` says whether t is among it, ``shared`` names scalars of the chain's rule."""

    states: tuple[State, ...]
    hyperparameters: dict[str, Hyperparameter]
    shared: tuple[str, ...]
    counts: bool


def read_signature(function: Callable[..., Any], init: Mapping[str, str | float]) -> Signature:
    """The schema of a rule's text.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, **hyperparameters)``
    init : what states start from, other than 0

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
    if [p.name for p in positional[:2]] != ["x", "g"]:
        raise RuleError(f"{owner} must take x and g first; got {signature}.")
    if len(positional) + len(scalars) != len(signature.parameters):
        raise RuleError(f"{owner} must name each of its arguments; got {signature}.")
    own = [p for p in scalars if p.name != "t"]
    hyperparameters = {
        p.name: _hyperparameter(p, hints.get(p.name), owner)
        for p in own
        if p.default is not p.empty
    }
    states = tuple(_state(p, hints.get(p.name), init, owner) for p in positional[2:])
    _check_starts(states, init, hyperparameters, owner)
    shared = tuple(p.name for p in own if p.default is p.empty)
    return Signature(states, hyperparameters, shared, counts=len(own) < len(scalars))


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


def _state(p: inspect.Parameter, hint: Any, init: Mapping[str, str | float], owner: str) -> State:
    if any(isinstance(mark, HostScalar) for mark in getattr(hint, "__metadata__", ())):
        return State(p.name, 0.0 if p.default is p.empty else float(p.default), scalar=True)
    if p.default is not p.empty:
        raise RuleError(
            f"{p.name} of {owner} must have no default, since it is an array; "
            f"write @rule(init={{{p.name!r}: {p.default!r}}})."
        )
    return State(p.name, init.get(p.name, 0.0))


def _check_starts(
    states: tuple[State, ...], init: Mapping[str, str | float], known: Mapping[str, Any], owner: str
) -> None:
    """``init`` names array states, and starts are numbers, x or hyperparameters."""
    wrong = [name for name in init if name not in {s.name for s in states if not s.scalar}]
    if wrong:
        raise RuleError(
            f"init of {owner} must name array states; got {', '.join(map(repr, wrong))}."
        )
    for s in states:
        number = isinstance(s.start, int | float) and not isinstance(s.start, bool)
        if not number and s.start != "x" and s.start not in known:
            raise RuleError(
                f"init of {s.name} of {owner} must be a number, 'x' or a hyperparameter; got {s.start!r}."
            )
