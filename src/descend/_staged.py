"""The engine of chains that hold a link on whole arrays, or a gate: stages that hand on the gradients and x.

Neighbouring links that work element by element stay one compiled program. Before the rule, such a program ends in a
stand-in that stores its gradients for the next stage; after the rule, it begins with one that takes up what the rule made. A gate
that is closed ends the step.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from descend._arrays import Array
from descend._compile.names import Names, fresh_of, hyperparameters_of, name_links
from descend._compile.program import Program
from descend._fused import Fused
from descend._gate import OPENED, Gate, opens_as
from descend._rule import Bound, Rule
from descend._signature import FRESH, Signature, State
from descend._whole import Whole

_HANDED, _MADE = "_handed", "_made"
_Named = tuple[tuple[Bound, Names], ...]


def _hand_on(x: Any, g: Any, handed: Any, **_: Any) -> Any:
    """Store the gradients as the transforms made them."""
    return x, g


def _take_up(x: Any, g: Any, made: Any, **_: Any) -> Any:
    """Start from what the rule made; x is still what it saw."""
    return made, made


class Staged:
    """Run a chain stage by stage; parameters, attributes and methods are those of `Fused`."""

    in_stages = True

    def __init__(
        self,
        links: tuple[Bound, ...],
        arrays: list[Array],
        first: Sequence[Mapping[str, float]],
        groups: Sequence[int],
        threads: int,
    ) -> None:
        names = name_links(links)
        self._columns = (*fresh_of(links), *hyperparameters_of(names))
        self._arrays, self._first, self._groups, self._threads = arrays, first, groups, threads
        named = tuple(zip(links, names, strict=True))
        self._core = next(pair for pair in named if pair[0].is_rule)
        parts = [
            (alone, tuple(pairs))
            for alone, pairs in itertools.groupby(named, lambda pair: pair[0].rule.alone)
        ]
        stages: list[_Elements | _WholeLink | _GateLink] = []
        into = arrays  # where a rule on whole arrays writes x: from the last link to the first, as that is told
        for alone, pairs in reversed(parts):
            if alone:
                stages += [self._alone(pair, into) for pair in reversed(pairs)]
                continue
            made = self._elements(pairs)
            stages.append(made)
            into = made.listed(_MADE) if made.takes_up else into
        self._stages = stages[::-1]

    def _alone(self, pair: tuple[Bound, Names], into: list[Array]) -> _WholeLink | _GateLink:
        link, own = pair
        if isinstance(link.rule, Gate):
            renamed = Names({**own.states, OPENED: OPENED}, own.hyperparameters)
            engine, columns, program = self._compiled(((opens_as(link), renamed),), grouped=False)
            gives = own.states.get(link.rule.gives)
            return _GateLink(engine, columns, program, gives, own.states.get(link.rule.solution))
        first = [
            {n: row[column] for n, column in own.hyperparameters.items()} for row in self._first
        ]
        whole = Whole(link, self._arrays, first, self._groups, into)
        return _WholeLink(whole, own, self._scalars_of(pair))

    def _elements(self, pairs: _Named) -> _Elements:
        holds = any(link.is_rule for link, _ in pairs)
        before = not holds and pairs[0][0].rule.outputs == ("x", "g")
        if before:
            pairs = (*pairs, self._stand_in(_hand_on, _HANDED))
        elif not holds:
            pairs = (self._stand_in(_take_up, _MADE), *pairs)
        return _Elements(*self._compiled(pairs))

    def _compiled(self, pairs: _Named, *, grouped: bool = True) -> tuple[Fused, list[int], Program]:
        """Links in one program: its engine, and where it finds what it takes in the rows of a step."""
        program = Program(tuple(link for link, _ in pairs), tuple(own for _, own in pairs))
        columns = [self._columns.index(n) for n in (*program.fresh, *program.hyperparameters)]
        first, groups = self._first, self._groups
        if not grouped:  # a gate is one decision
            first, groups = first[:1], [0] * len(self._arrays)
        engine = Fused(program, self._arrays, first, groups, self._threads)
        return engine, columns, program

    def _stand_in(self, function: Any, state: str) -> tuple[Bound, Names]:
        """A rule that only moves arrays, with the settings of the chain's rule for links that share them."""
        core, own = self._core
        signature = Signature((State(state),), core.rule.hyperparameters, (), ())
        stand_in = Rule(function, signature=signature)
        return Bound(stand_in, core.given), Names({state: state}, own.hyperparameters)

    def _scalars_of(self, pair: tuple[Bound, Names]) -> dict[str, int]:
        """Where a link on whole arrays finds each scalar that it takes."""
        link, own = pair
        core = self._core[1].hyperparameters
        taken = {n: n for n in link.rule.fresh if n in FRESH} | own.hyperparameters
        taken |= {n: core[n] for n in link.rule.shared}
        return {name: self._columns.index(column) for name, column in taken.items()}

    def step(self, gradients: list[Array], shared: list[list[float]]) -> bool:
        """Whether the step was taken: a gate that closed ended it."""
        for stage in self._stages:
            handed = stage.step(gradients, shared)
            if handed is None:
                return False
            gradients = handed
        return True

    @property
    def solution(self) -> str | None:
        """The state that holds the answer because a gate is closed: x is somewhere else then."""
        gates = (stage for stage in self._stages if isinstance(stage, _GateLink))
        return next((gate.solution for gate in gates if gate.solution and gate.closed), None)

    @property
    def scalars(self) -> list[dict[str, float]]:
        return [row for stage in self._stages for row in stage.engine.scalars]

    @scalars.setter
    def scalars(self, rows: list[dict[str, float]]) -> None:
        left = iter(rows)
        for stage in self._stages:
            stage.engine.scalars = [next(left) for _ in stage.engine.scalars]

    def scalar(self, name: str) -> Any:
        return self._stage_of(name).scalar(name)

    def listed(self, name: str) -> list[Any]:
        return self._stage_of(name).listed(name)

    def _stage_of(self, name: str) -> _Elements | _WholeLink | _GateLink:
        return next(stage for stage in self._stages if name in stage.names)


class _Elements:
    """A program of neighbouring links that work element by element."""

    def __init__(self, engine: Fused, columns: list[int], program: Program) -> None:
        self.engine = engine
        self.names = [s.name for s in program.states]
        self.takes_up = _MADE in self.names
        self._columns = columns
        self._gives = _HANDED if _HANDED in self.names else None

    def step(self, gradients: list[Array], shared: list[list[float]]) -> list[Array] | None:
        self.engine.step(gradients, [[row[i] for i in self._columns] for row in shared])
        return self.engine.listed(self._gives) if self._gives else gradients

    def scalar(self, name: str) -> Any:
        return self.engine.scalar(name)

    def listed(self, name: str) -> list[Any]:
        return self.engine.listed(name)


class _GateLink(_Elements):
    """A gate: a program of its own, after which the step may be over."""

    def __init__(
        self,
        engine: Fused,
        columns: list[int],
        program: Program,
        gives: str | None,
        solution: str | None,
    ) -> None:
        super().__init__(engine, columns, program)
        self._gives = gives
        self.solution = solution

    @property
    def closed(self) -> bool:
        return not all(row[OPENED] for row in self.engine.scalars)

    def step(self, gradients: list[Array], shared: list[list[float]]) -> list[Array] | None:
        handed = super().step(gradients, shared[:1])
        return None if self.closed else handed


class _WholeLink:
    """A link on whole arrays, with the names that it has in the chain."""

    def __init__(self, engine: Whole, names: Names, scalars: dict[str, int]) -> None:
        self.engine = engine
        self.names = list(names.states.values())
        self._own = {chain: own for own, chain in names.states.items()}
        self._scalars = scalars

    def step(self, gradients: list[Array], shared: list[list[float]]) -> list[Array]:
        settings = [{n: row[i] for n, i in self._scalars.items()} for row in shared]
        return self.engine.step(gradients, settings)

    def scalar(self, name: str) -> Any:
        return [row[self._own[name]] for row in self.engine.scalars]

    def listed(self, name: str) -> list[Any]:
        return self.engine.states[self._own[name]]
