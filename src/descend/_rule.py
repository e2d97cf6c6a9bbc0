"""Rules and how they are bound and chained: the signature is the schema.

``@rule`` turns the text of an update into a `Rule`. Positional names are ``x``, ``g``, then one name per state;
keyword-only names are scalars, fresh at every step: ``t`` (1, 2, 3 …), ``value`` (of the function, at x) and hyperparameters, each annotated with its domain.
Calling a rule with settings binds it; calling it with arrays computes one step, which is the reference for every backend.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any, overload

from descend._signature import Signature, Starts, read_signature
from descend.errors import HyperparameterError, RuleError, nearest

Schedule = Callable[[int], float]
Setting = float | Schedule

REGISTRY: dict[str, Rule] = {}
TRANSFORMS: dict[str, Rule] = {}
"""What may stand before or after a rule in a chain, by name."""
PLACES = ("accumulate", "unscale", "skip", "clip", "sam", "decay", "update", "average")
"""The order of a chain: what changes the gradient is at "clip", the rule at "update", what works on its x at "average"."""


class Rule:
    """The text of one optimizer (or, as a `Transform`, of one change to its input)."""

    takes: tuple[str, ...] = ("x", "g")
    outputs: tuple[str, ...] = ("x",)
    whole: bool = False
    """Whether the text sees one whole array at a time, not its elements."""
    alone: bool = False
    """Whether it is a stage of its own in a chain, not traced to one program with its neighbours."""
    place: str = "update"
    """Where it stands in a chain, one of `PLACES`."""

    def __init__(
        self,
        function: Callable[..., Any],
        init: Starts | None = None,
        solution: str = "x",
        signature: Signature | None = None,
    ) -> None:
        self.function = function
        self.name = function.__name__
        self.address = self.name
        """How text names it: ``get_rule`` finds a rule of the user's file as ``file.py:name``."""
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self.__module__ = function.__module__
        self.__qualname__ = function.__qualname__
        self.solution = solution
        self._init = dict(init or {})
        signature = signature or read_signature(function, self._init, self.takes, whole=self.whole)
        self._signature = signature
        self.states = signature.states
        self.hyperparameters = signature.hyperparameters
        self.shared = signature.shared
        self.fresh = signature.fresh
        if self.shared and not isinstance(self, Transform | After):
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
        wanted = [*self.takes, *(s.name for s in self.states)]
        if len(args) != len(wanted):
            raise RuleError(
                f"a step of {self.name} takes {', '.join(wanted)}; got {len(args)} arguments."
            )
        fresh = (*self.shared, *self.fresh)
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
        own = f"dd.{self.name}"
        return own if self.address == self.name else f"dd.load_rule({self.address!r})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A rule of an importable module travels by name, one of a notebook as its function (cloudpickle can)."""
        home = sys.modules.get(self.__module__)
        if self.__module__ != "__main__" and getattr(home, self.__qualname__, None) is self:
            return str(self.__qualname__)
        # with its schema: names in annotations do not travel with a function
        made = (self.function, self._init, self.solution, self._signature)
        return type(self), made, {"address": self.address, "place": self.place}


class Transform(Rule):
    """A rule-shaped change of ``x`` and ``g`` that comes before the rule of a chain."""

    outputs = ("x", "g")
    place = "clip"


class After(Rule):
    """A change of what a rule made of ``x``; it comes after the rule of a chain and sees ``before``, the rule's own x."""

    takes = ("x", "g", "before")
    place = "average"


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
    def core(self) -> Bound:
        return self

    @property
    def is_rule(self) -> bool:
        """Whether it can stand alone."""
        return not isinstance(self.rule, Transform | After)

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
        given = ",".join(f"{k}={told(v)}" for k, v in self.given)
        return f"{self.rule.address}:{given}" if given else self.rule.address

    def __repr__(self) -> str:
        return f"{self.rule!r}({', '.join(f'{k}={v!r}' for k, v in self.given)})"


def told(setting: Setting) -> str:
    """A setting in a rule's text; a function of the user's own by name, which is the same in every process."""
    if isinstance(setting, FunctionType):
        return f"<{setting.__module__}.{setting.__qualname__}>"
    return repr(setting)


@overload
def rule(function: Callable[..., Any], /) -> Rule: ...
@overload
def rule(
    *, init: Starts | None = None, solution: str = "x"
) -> Callable[[Callable[..., Any]], Rule]: ...
def rule(
    function: Callable[..., Any] | None = None,
    *,
    init: Starts | None = None,
    solution: str = "x",
) -> Any:
    """Make a rule from the text of an update, and enter it in the registry, where it takes the place of a namesake (with a warning).

    A rule may be defined again in its own module, as cells of a notebook are; no other module's rule is replaced.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, value, **hyperparameters) -> x`` or ``(x, *states)``
    init : for each state that does not start at 0, a number or the name ``x``, or a hyperparameter's (of a scalar, that alone)
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
        return lambda f: register(Rule(f, init, solution))
    return register(Rule(function, init, solution))


def register(made: Rule) -> Rule:
    """Make a rule known by its name; a namesake of another module gives way, with a warning."""
    namesake = REGISTRY.get(made.name, made)
    if namesake.__module__ != made.__module__:
        warnings.warn(
            f"the rule {made.name!r} of {made.__module__} takes the name from that of {namesake.__module__}.",
            stacklevel=3,
        )
    REGISTRY[made.name] = made
    return made
