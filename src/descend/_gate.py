"""Gates: what decides, before the rule of a chain, whether a step is taken at all.

``@gate`` turns the text ``(x, g, *states, *, …) -> (opened, x, *states)`` into a link. While ``opened`` is not above 0 the rest of the chain
rests, and ``t`` does not advance: so gradients are accumulated, bad ones skipped, or asked for at another point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from descend._links import enter, placed
from descend._rule import Bound, Rule, Transform
from descend._signature import Signature, Starts, State
from descend.errors import RuleError
from descend.ops import where

OPENED = "_opened"


class Gate(Transform):
    """A link that opens or closes the way to the rule; it sees every gradient."""

    alone = True

    def __init__(
        self,
        function: Callable[..., Any],
        init: Starts | None = None,
        solution: str = "x",
        signature: Signature | None = None,
        gives: str = "g",
    ) -> None:
        super().__init__(function, init, solution, signature)
        self.gives = gives
        if self.shared:
            raise RuleError(f"{self.shared[0]} of {self.name} must have a default; got none.")
        if gives not in {"g", *(s.name for s in self.states if not s.scalar)}:
            raise RuleError(f"{self.name} must give g or an array state; got {gives!r}.")

    def as_rule(self) -> Rule:
        """The gate as an update of its own, whether it opened being one more scalar state."""

        def text(x: Any, g: Any, *states: Any, **scalars: Any) -> tuple[Any, ...]:
            opened, moved, *kept = self.function(x, g, *states[:-1], **scalars)
            return moved, *kept, where(opened > 0, 1.0, 0.0)

        text.__name__ = self.name
        states = (*self.states, State(OPENED, 1.0, scalar=True))
        return Rule(text, signature=Signature(states, self.hyperparameters, (), self.fresh))

    def __reduce__(self) -> str | tuple[Any, ...]:
        reduced = super().__reduce__()
        if isinstance(reduced, str):
            return reduced
        kind, made, state = reduced
        return kind, (*made, self.gives), state


def opens_as(link: Bound) -> Bound:
    """The gate of a chain as an update of its own, with the same settings."""
    if not isinstance(link.rule, Gate):
        raise RuleError(f"{link.name} must be a gate to stand alone.")
    return Bound(link.rule.as_rule(), link.given)


@overload
def gate(function: Callable[..., Any], /) -> Gate: ...
@overload
def gate(
    *, init: Starts | None = None, solution: str = "x", gives: str = "g", place: str = ...
) -> Callable[[Callable[..., Any]], Gate]: ...
def gate(
    function: Callable[..., Any] | None = None,
    *,
    init: Starts | None = None,
    solution: str = "x",
    gives: str = "g",
    place: str = "unscale",
) -> Any:
    """Make a gate from ``(x, g, *states, *, …) -> (opened, x, *states)``; it is used in a `chain`.

    Parameters
    ----------
    function : the text; ``opened`` is computed from scalars (``total``, ``norm`` and `Scalar` states among them)
    init : as for `rule`
    solution : the state that holds the answer while the gate is closed
    gives : the state that the rest of the chain gets as its gradient; by default the gradient as it came
    place : where it stands in a chain, one of `descend._rule.PLACES`

    Raises
    ------
    RuleError
        If the signature does not follow the schema.

    Examples
    --------
    Steps only along gradients that are long enough:

    >>> import numpy as np, descend as dd
    >>> from descend.domains import NonNegative
    >>> from descend.ops import norm
    >>> @dd.gate
    ... def long_enough(x, g, *, least: NonNegative = 1.0):
    ...     return norm(g) >= least, x
    >>> s = dd.Stepper(dd.chain(long_enough(1.0), dd.sgd(lr=1.0)), np.zeros(1))
    >>> s.step(np.array([0.5]))
    >>> s.step(np.array([2.0]))
    >>> s.x, s.t
    (array([-2.]), 1)
    """

    def made(f: Callable[..., Any]) -> Gate:
        return enter(placed(Gate(f, init, solution, gives=gives), place))

    return made if function is None else made(function)
