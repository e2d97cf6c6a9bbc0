"""Any rule as a method: one step of the rule an iteration, with the gradient of the whole function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from descend._catalogue import get_rule
from descend._chain import Update, bind, check_driven
from descend._rule import Rule
from descend._stepper import Stepper
from descend.methods._method import Oracle, Point, Step
from descend.methods.boxes import within_bounds
from descend.methods.gradient import Projected, evaluated, stuck


class RuleState:
    """A stepper, and f and its gradient at the stepper's x. A copy or a pickle continues bit for bit."""

    def __init__(self, update: Update, point: Point) -> None:
        self.update = update
        self.x = point.x.copy()
        self.stepper = Stepper(update, self.x)
        self.here = point
        self.lr = math.nan
        self.waits = False
        """Whether the last step was none: a gate gathers gradients."""
        self.moved = False
        """Whether the stepper has left ``here``: an evaluation may end the run, and the next one goes on from there."""

    def move(self, oracle: Oracle) -> None:
        """Take the step of the rule."""
        stepper, t = self.stepper, self.stepper.t
        stepper.step(self.here.g, self.here.f)
        feasible = within_bounds(oracle, self.x)
        if feasible is not self.x:
            self.x[...] = feasible
        self.waits = stepper.t == t
        self.lr = math.nan if self.waits else stepper.lr
        self.moved = True

    def settle(self, here: Point, *, moved: bool) -> None:
        """Take over from other code that moved the stepper, and evaluated last ``here``."""
        self.here, self.moved, self.waits = here, moved, False
        if moved:
            self.lr = self.stepper.lr

    def __getstate__(self) -> dict[str, Any]:
        values, arrays = self.stepper._contents()  # noqa: SLF001 - what a checkpoint holds
        copies = {name: array.copy() for name, array in arrays.items()}
        own = {name: getattr(self, name) for name in ("update", "here", "lr", "waits", "moved")}
        return {**own, "values": values, "arrays": copies}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.update, self.here = state["update"], state["here"]
        self.lr, self.waits, self.moved = state["lr"], state["waits"], state["moved"]
        # a schedule may have an address in the rule's text, another one after unpickling
        values = {**state["values"], "rule": self.update.text}
        arrays, self.x = state["arrays"], state["arrays"]["x"]
        self.stepper = Stepper._restored(  # noqa: SLF001 - as from a checkpoint
            values, arrays, "the state", self.update, self.x
        )


@dataclass(frozen=True)
class ByRule(Projected):
    """Minimize with a rule or chain: adam, momentum, lion …

    Each iteration takes one step of the rule at the gradient, and f for the rules that use it; with bounds, x is projected
    after it. The point of a step is the stepper's `solution`, which for rules that average (``schedule_free_sgd``, ``ema``)
    is not the x at which they take gradients: then f and its gradient are evaluated at both, so that every reported number is
    true of the point beside it. A link that takes a step only now and then (``accumulate``, ``sam``) leaves the solution
    where it is on the calls between, whose lr is nan. The iterates are the rule's definition, so units are left alone.

    Parameters
    ----------
    update : a rule, bound or not, a chain, or its text

    Examples
    --------
    >>> from descend.methods.by_rule import ByRule
    >>> ByRule("adam:lr=0.1")
    ByRule(update=dd.adam(lr=0.1))
    """

    name: ClassVar[str] = "rule"
    scales: ClassVar[bool] = False
    update: Rule | Update | str

    def __post_init__(self) -> None:
        found = get_rule(self.update) if isinstance(self.update, str) else bind(self.update)
        check_driven(found, "minimize")
        object.__setattr__(self, "update", found)

    def start(self, oracle: Oracle, point: Point) -> RuleState:  # noqa: ARG002 - it begins with the gradient
        return RuleState(bind(self.update), point)  # type: ignore[arg-type]  # no text since __post_init__

    def step(self, oracle: Oracle, point: Point, state: RuleState) -> Step:
        del point  # the state knows where the stepper is
        if not state.moved:
            state.move(oracle)
        state.here = new = evaluated(oracle, state.x.copy())
        ended = stuck(new)
        solution = state.stepper.solution
        if solution is not state.x:
            new = evaluated(oracle, within_bounds(oracle, solution.copy()))
            ended = ended or stuck(new)
        state.moved = False
        return Step(new, state, state.lr, ended)

    @property
    def label(self) -> str:
        return self.update.text  # type: ignore[union-attr]  # no text since __post_init__

    def iterations(self, n: int) -> int:
        return max(1000, 200 * n)
