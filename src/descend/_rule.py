"""Rules and how they are bound and chained: the signature is the schema.

``@rule`` turns the text of an update into a `Rule`. Positional names are ``x``, ``g``, then one name per state;
keyword-only names are scalars, fresh at every step: ``t`` (1, 2, 3 …) and hyperparameters, each annotated with its domain.
Calling a rule with settings binds it; calling it with arrays computes one step, which is the reference for every backend.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints, overload

from descend.domains import HostScalar, Interval
from descend.errors import HyperparameterError, RuleError, nearest

Schedule = Callable[[int], float]
Setting = float | Schedule

REGISTRY: dict[str, Rule] = {}


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


class Rule:
    """The text of one optimizer (or, as a `Transform`, of one change to its input)."""

    outputs: tuple[str, ...] = ("x",)

    def __init__(
        self,
        function: Callable[..., Any],
        init: Mapping[str, str | float] | None = None,
        solution: str = "x",
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        self.solution = solution
        self._read_signature(dict(init or {}))

    def _read_signature(self, init: dict[str, str | float]) -> None:
        parameters = inspect.signature(self.function).parameters.values()
        hints = get_type_hints(self.function, include_extras=True)
        positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        if [p.name for p in positional[:2]] != ["x", "g"]:
            raise RuleError(f"{self.name} must take x and g first; got {inspect.signature(self.function)}.")
        self.states = tuple(_state(p, hints, init) for p in positional[2:])
        if init:
            raise RuleError(f"init of {self.name} must name states; got {', '.join(map(repr, init))}.")
        scalars = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.counts = any(p.name == "t" for p in scalars)
        self.hyperparameters: dict[str, Hyperparameter] = {}
        self.shared: tuple[str, ...] = ()
        for p in scalars:
            if p.name == "t":
                continue
            if p.default is p.empty:
                self.shared += (p.name,)
            else:
                self.hyperparameters[p.name] = self._hyperparameter(p, hints)
        known = {"x", *(s.name for s in self.states)}
        if self.solution not in known:
            raise RuleError(f"solution of {self.name} must be x or a state; got {self.solution!r}.")

    def _hyperparameter(self, p: inspect.Parameter, hints: dict[str, Any]) -> Hyperparameter:
        for mark in getattr(hints.get(p.name), "__metadata__", ()):
            if isinstance(mark, Interval):
                return Hyperparameter(p.name, mark.check(p.default, p.name, self.name), mark)
        raise RuleError(
            f"{p.name} of {self.name} must be annotated with a domain, for example "
            f"`{p.name}: Positive`; got {hints.get(p.name)!r}."
        )

    @overload
    def __call__(self, x: Any, g: Any, /, *states: Any, **scalars: Any) -> Any: ...
    @overload
    def __call__(self, first: Setting = ..., /, **settings: Setting) -> Bound: ...
    def __call__(self, *args: Any, **scalars: Any) -> Any:
        """Bind hyperparameters, or compute one step on arrays.

        With settings only (the first hyperparameter may be positional) the answer is a `Bound` rule. With ``x``, ``g`` and the
        states it is one step of the rule's text: the new ``x`` (a transform: ``x, g``), then the states.
        """
        if len(args) >= 2:
            defaults = {h.name: h.default for h in self.hyperparameters.values()}
            return self.function(*args, **{**defaults, **scalars})
        if args:
            first = next(iter(self.hyperparameters), None)
            if first is None or first in scalars:
                raise HyperparameterError(f"{self.name} takes no positional setting; got {args[0]!r}.")
            scalars = {first: args[0], **scalars}
        return Bound(self, tuple(self.check(scalars).items()))

    def check(self, settings: Mapping[str, Any]) -> dict[str, Setting]:
        """The settings as floats and schedules, or a `HyperparameterError` for the first bad one."""
        checked: dict[str, Setting] = {}
        for name, value in settings.items():
            if name not in self.hyperparameters:
                known = ", ".join(self.hyperparameters) or "none"
                raise HyperparameterError(
                    f"{self.name} has no hyperparameter {name!r}.{nearest(name, self.hyperparameters)} It has: {known}."
                )
            domain = self.hyperparameters[name].domain
            checked[name] = value if callable(value) else domain.check(value, name, self.name)
        return checked

    def __repr__(self) -> str:
        return f"dd.{self.name}"


class Transform(Rule):
    """A rule-shaped change of ``x`` and ``g`` that comes before the rule of a chain."""

    outputs = ("x", "g")


def _state(p: inspect.Parameter, hints: dict[str, Any], init: dict[str, str | float]) -> State:
    marks = getattr(hints.get(p.name), "__metadata__", ())
    if any(isinstance(mark, HostScalar) for mark in marks):
        return State(p.name, 0.0 if p.default is p.empty else float(p.default), scalar=True)
    return State(p.name, init.pop(p.name, 0.0))


@dataclass(frozen=True)
class Bound:
    """A rule with its settings: frozen, validated, and its repr can be pasted.

    >>> import descend as dd
    >>> dd.adam(lr=0.01)
    dd.adam(lr=0.01)
    """

    rule: Rule
    given: tuple[tuple[str, Setting], ...] = ()

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def links(self) -> tuple[Bound, ...]:
        return (self,)

    @cached_property
    def settings(self) -> dict[str, Setting]:
        """Every hyperparameter by name: the settings given over the defaults."""
        defaults: dict[str, Setting] = {
            h.name: h.default for h in self.rule.hyperparameters.values()
        }
        return {**defaults, **dict(self.given)}

    def replace(self, **settings: Setting) -> Bound:
        """The same rule with some settings changed."""
        return self.rule(**{**dict(self.given), **settings})

    def __repr__(self) -> str:
        return f"{self.rule!r}({', '.join(f'{k}={v!r}' for k, v in self.given)})"


@dataclass(frozen=True)
class Chain:
    """Transforms, then one rule, traced to one kernel."""

    links: tuple[Bound, ...]

    @property
    def name(self) -> str:
        return "+".join(link.name for link in self.links)

    @property
    def rule(self) -> Rule:
        return self.links[-1].rule

    def __repr__(self) -> str:
        return f"dd.chain({', '.join(map(repr, self.links))})"


Update = Bound | Chain


def bind(update: Rule | Update) -> Update:
    """``update`` as something a stepper can run: a bare rule gets its defaults."""
    if isinstance(update, Transform):
        raise RuleError(f"{update.name} is a transform; put it before a rule: dd.chain(dd.{update.name}(), dd.sgd()).")
    if isinstance(update, Rule):
        return update()
    if isinstance(update, Bound) and isinstance(update.rule, Transform):
        return bind(update.rule)
    if isinstance(update, Bound | Chain):
        return update
    raise RuleError(f"the optimizer must be a rule such as dd.adam(lr=1e-3); got {update!r}.")


def chain(*parts: Rule | Update) -> Chain:
    """Compose transforms and one rule, applied from left to right, into one update.

    Parameters
    ----------
    *parts : transforms, then one rule last; chains are taken apart

    Raises
    ------
    RuleError
        If the last part is not a rule, or another one is not a transform.

    Examples
    --------
    >>> import descend as dd
    >>> dd.chain(dd.clip_norm(1.0), dd.decay(0.01), dd.adam(lr=1e-3))
    dd.chain(dd.clip_norm(max_norm=1.0), dd.decay(weight_decay=0.01), dd.adam(lr=0.001))
    """
    links = tuple(_links(parts))
    if not links or isinstance(links[-1].rule, Transform):
        raise RuleError(f"a chain must end with a rule such as dd.sgd(); got {list(parts)!r}.")
    for link in links[:-1]:
        if not isinstance(link.rule, Transform):
            raise RuleError(f"a chain must have one rule, at its end; {link.name} comes before {links[-1].name}.")
    for link in links:
        missing = [name for name in link.rule.shared if name not in links[-1].settings]
        if missing:
            raise RuleError(f"{link.name} needs {missing[0]} of the chain's rule, and {links[-1].name} has none.")
    return Chain(links)


def _links(parts: tuple[Rule | Update, ...]) -> Iterator[Bound]:
    for part in parts:
        if isinstance(part, Rule):
            yield part()
        elif isinstance(part, Bound | Chain):
            yield from part.links
        else:
            raise RuleError(f"a chain takes rules and transforms; got {part!r}.")


def rule(
    function: Callable[..., Any] | None = None,
    *,
    init: Mapping[str, str | float] | None = None,
    solution: str = "x",
) -> Any:
    """Make a rule from the text of an update, and enter it in the registry.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, **hyperparameters) -> x`` or ``(x, *states)``
    init : for each state that does not start at 0, a number or the name ``x``, or a hyperparameter's
    solution : the name of the state that holds the answer, for rules whose gradients are taken elsewhere

    Raises
    ------
    RuleError
        If the signature does not follow the schema.

    Examples
    --------
    >>> import descend as dd
    >>> from descend.domains import NonNegative
    >>> @dd.rule
    ... def half_step(x, g, *, lr: NonNegative = 0.1):
    ...     return x - lr / 2 * g
    >>> half_step(lr=0.2)
    dd.half_step(lr=0.2)
    """
    if function is None:
        return lambda f: rule(f, init=init, solution=solution)
    made = Rule(function, init, solution)
    REGISTRY[made.name] = made
    return made


def transform(function: Callable[..., Any]) -> Transform:
    """Make a transform from ``(x, g, *states, *, …) -> (x, g, *states)``; it is used in a `chain`."""
    return Transform(function)
