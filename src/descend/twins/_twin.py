"""What a twin is: another library's optimizer by name, its own arguments, and the rule or chain that computes the same."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from descend._chain import Update, chain
from descend._rule import Setting
from descend.domains import brief
from descend.errors import HyperparameterError, nearest

Pair = tuple[Setting, Setting]


@dataclass(frozen=True)
class Fixed:
    """An argument that is always so in the calls for a rule."""

    value: Any


@dataclass(frozen=True)
class Times:
    """An argument that is a hyperparameter times a number."""

    name: str
    factor: float


@dataclass(frozen=True)
class Spelt:
    """An argument that is a hyperparameter, and has a spelling of its own for one value of it."""

    name: str
    here: float
    there: Any


Part = str | Fixed | Times | Spelt | tuple["Part", ...]
"""What an argument takes of a rule: a hyperparameter, or several of them."""


class UnfitError(Exception):
    """An argument that no rule of descend can follow; `Twin` says whose it is."""

    def __init__(self, name: str, expected: str, value: Any) -> None:
        super().__init__(name, expected, value)
        self.name, self.expected, self.value = name, expected, value


@dataclass(frozen=True)
class Twin:
    """One optimizer of a framework.

    Attributes
    ----------
    framework, name : its library and its own name
    make : the function of its own arguments, with its own defaults, that gives the rule or chain
    ignored : arguments that do not change the result, with their defaults
    """

    framework: str
    name: str
    make: Callable[..., Update]
    ignored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, Any]:
        """Every argument in the library's order, with its default; `inspect.Parameter.empty` where it must be given."""
        own = {p.name: p.default for p in inspect.signature(self.make).parameters.values()}
        return {**own, **self.ignored}

    def __call__(self, **arguments: Any) -> Update:
        known, owner = self.defaults, f"{self.framework}.{self.name}"
        for name in arguments:
            if name not in known:
                raise HyperparameterError(
                    f"{owner} has no argument {name!r}.{nearest(name, known)} It has: {', '.join(known)}."
                )
        for name, default in known.items():
            if default is inspect.Parameter.empty and name not in arguments:
                raise HyperparameterError(f"{name} of {owner} must be given; it has no default.")
        own = {k: v for k, v in arguments.items() if k not in self.ignored}
        try:
            return self.make(**own)
        except UnfitError as error:
            raise HyperparameterError(
                f"{error.name} of {owner} must be {error.expected}; got {brief(error.value)}."
            ) from None
        except HyperparameterError as error:
            raise HyperparameterError(f"{owner}: {error}") from None


@dataclass(frozen=True)
class Framework:
    """A library: its optimizers, why some have no twin, and how calls there are written."""

    name: str
    prefix: str
    twins: Mapping[str, Twin]
    missing: Mapping[str, str]
    calls: Mapping[str, tuple[str, Mapping[str, Part]]]
    """For a rule of descend, the optimizer there and what each of its arguments takes of the rule."""
    first: str = ""
    """What comes before the arguments of a call."""


def composed(*parts: Update | None) -> Update:
    """The parts that there are, as one update."""
    there = [part for part in parts if part is not None]
    return there[0] if len(there) == 1 else chain(*there)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_zero(value: Any) -> bool:
    return _is_number(value) and value == 0


def above_zero(name: str, value: Any) -> bool:
    """Whether a number is above 0; anything else is refused."""
    if not _is_number(value):
        raise UnfitError(name, "a number", value)
    return bool(value > 0)


def negated(name: str, value: Any) -> float:
    """The exponent of a power that falls, written without its minus."""
    if above_zero(name, value):
        raise UnfitError(name, "a number of at most 0", value)
    return float(abs(value))


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnfitError(name, "True or False", value)
    return value


def pair(name: str, value: Any) -> Pair:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise UnfitError(name, "a pair of floats", value)
    return value[0], value[1]


def only(name: str, value: Any, allowed: Any, why: str) -> None:
    """Refuse all but the one value that a rule of descend can follow."""
    same = value is allowed or (
        type(value) in (int, float) and type(allowed) in (int, float) and value == allowed
    )
    if not same:
        raise UnfitError(name, f"{allowed!r}, since {why}", value)
