"""Rules and how they are bound and chained: the signature is the schema.

``@rule`` turns the text of an update into a `Rule`. Positional names are ``x``, ``g``, then one name per state;
keyword-only names are scalars, fresh at every step: ``t`` (1, 2, 3 …) and hyperparameters, each annotated with its domain.
Calling a rule with settings binds it; calling it with arrays computes one step, which is the reference for every backend.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, overload

from descend._signature import read_signature
from descend.errors import HyperparameterError, RuleError, nearest

Schedule = Callable[[int], float]
Setting = float | Schedule

REGISTRY: dict[str, Rule] = {}
TRANSFORMS: dict[str, Transform] = {}


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
        self.__qualname__ = function.__qualname__
        self.solution = solution
        self._init = dict(init or {})
        signature = read_signature(function, self._init)
        self.states = signature.states
        self.hyperparameters = signature.hyperparameters
        self.shared = signature.shared
        self.counts = signature.counts
        if self.shared and not isinstance(self, Transform):
            raise RuleError(f"{self.shared[0]} of {self.name} must have a default; got none.")
        if solution not in {"x", *(s.name for s in self.states if not s.scalar)}:
            raise RuleError(
                f"solution of {self.name} must be x or an array state; got {solution!r}."
            )

    @overload
    def __call__(self, x: Any, g: Any, /, *states: Any, **scalars: Any) -> Any: ...
    @overload
    def __call__(self, first: Setting = ..., /, **settings: Setting) -> Bound: ...
    def __call__(self, /, *args: Any, **scalars: Any) -> Any:
        """Bind hyperparameters, or compute one step on arrays.

        With settings only (the first hyperparameter may be positional) the answer is a `Bound` rule. With ``x``, ``g`` and the
        states it is one step of the rule's text: the new ``x`` (a transform: ``x, g``), then the states.
        """
        if len(args) >= 2:
            return self._compute(args, scalars)
        if args:
            first = next(iter(self.hyperparameters), None)
            if first is None or first in scalars:
                raise HyperparameterError(
                    f"{self.name} takes no positional setting; got {args[0]!r}."
                )
            scalars = {first: args[0], **scalars}
        checked = self.check(scalars)
        return Bound(
            self, tuple((name, checked[name]) for name in self.hyperparameters if name in checked)
        )

    def _compute(self, args: tuple[Any, ...], scalars: dict[str, Any]) -> Any:
        """One step of the rule's text, with defaults for the hyperparameters that are not given."""
        wanted = ["x", "g", *(s.name for s in self.states)]
        if len(args) != len(wanted):
            raise RuleError(
                f"a step of {self.name} takes {', '.join(wanted)}; got {len(args)} arguments."
            )
        fresh = (*self.shared, *(["t"] if self.counts else []))
        missing = [name for name in fresh if name not in scalars]
        unknown = [name for name in scalars if name not in (*fresh, *self.hyperparameters)]
        if missing or unknown:
            raise RuleError(
                f"a step of {self.name} takes {', '.join((*fresh, *self.hyperparameters)) or 'no scalar'} by name; "
                f"got {', '.join(scalars) or 'none'}."
            )
        defaults = {h.name: h.default for h in self.hyperparameters.values()}
        return self.function(*args, **{**defaults, **scalars})

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

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A rule of an importable module travels by name, one of a notebook as its function (cloudpickle can)."""
        home = sys.modules.get(self.__module__)
        if self.__module__ != "__main__" and getattr(home, self.__qualname__, None) is self:
            return str(self.__qualname__)
        return type(self), (self.function, self._init, self.solution)


class Transform(Rule):
    """A rule-shaped change of ``x`` and ``g`` that comes before the rule of a chain."""

    outputs = ("x", "g")


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

    @property
    def settings(self) -> dict[str, Setting]:
        """Every hyperparameter by name: the settings given over the defaults."""
        defaults: dict[str, Setting] = {
            h.name: h.default for h in self.rule.hyperparameters.values()
        }
        return {**defaults, **dict(self.given)}

    def replace(self, **settings: Setting) -> Bound:
        """The same rule with some settings changed."""
        return self.rule(**{**dict(self.given), **settings})

    @property
    def text(self) -> str:
        """The update as text that ``get_rule`` reads: ``adam:lr=0.01``."""
        given = ",".join(f"{k}={v!r}" for k, v in self.given)
        return f"{self.name}:{given}" if given else self.name

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

    @property
    def text(self) -> str:
        """The update as text that ``get_rule`` reads: ``clip_norm:max_norm=1.0 > adam``."""
        return " > ".join(link.text for link in self.links)

    def __repr__(self) -> str:
        return f"dd.chain({', '.join(map(repr, self.links))})"


Update = Bound | Chain


def bind(update: Rule | Update) -> Update:
    """``update`` as something a stepper can run: a bare rule gets its defaults."""
    if isinstance(update, Transform):
        raise RuleError(
            f"{update.name} is a transform; put it before a rule: dd.chain(dd.{update.name}(), dd.sgd())."
        )
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
            raise RuleError(
                f"a chain must have one rule, at its end; {link.name} comes before {links[-1].name}."
            )
    for link in links:
        missing = [name for name in link.rule.shared if name not in links[-1].settings]
        if missing:
            raise RuleError(
                f"{link.name} needs {missing[0]} of the chain's rule, and {links[-1].name} has none."
            )
    return Chain(links)


def _links(parts: tuple[Rule | Update, ...]) -> Iterator[Bound]:
    for part in parts:
        if isinstance(part, Rule):
            yield part()
        elif isinstance(part, Bound | Chain):
            yield from part.links
        else:
            raise RuleError(f"a chain takes rules and transforms; got {part!r}.")


@overload
def rule(function: Callable[..., Any], /) -> Rule: ...
@overload
def rule(
    *, init: Mapping[str, str | float] | None = None, solution: str = "x"
) -> Callable[[Callable[..., Any]], Rule]: ...
def rule(
    function: Callable[..., Any] | None = None,
    *,
    init: Mapping[str, str | float] | None = None,
    solution: str = "x",
) -> Any:
    """Make a rule from the text of an update, and enter it in the registry.

    A rule may be defined again in its own module, as cells of a notebook are; no other module's rule is replaced.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, **hyperparameters) -> x`` or ``(x, *states)``
    init : for each state that does not start at 0, a number or the name ``x``, or a hyperparameter's
    solution : the name of the state that holds the answer, for rules whose gradients are taken elsewhere

    Raises
    ------
    RuleError
        If the signature does not follow the schema, or another module has a rule of that name.

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
        return lambda f: _register(Rule(f, init, solution))
    return _register(Rule(function, init, solution))


def _register(made: Rule) -> Rule:
    namesake = REGISTRY.get(made.name, made)
    if namesake.__module__ != made.__module__:
        raise RuleError(
            f"a new rule must have a name of its own; {made.name!r} is the rule of {namesake.__module__}."
        )
    REGISTRY[made.name] = made
    return made


def transform(function: Callable[..., Any]) -> Transform:
    """Make a transform from ``(x, g, *states, *, …) -> (x, g, *states)``; it is used in a `chain`."""
    made = Transform(function)
    TRANSFORMS.setdefault(made.name, made)  # a user's namesake does not take the place of ours
    return made
