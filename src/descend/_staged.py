"""The engine of chains that hold a link on whole arrays: stages that hand on the gradients and x.

Neighbouring links that work element by element stay one compiled program. Before the rule, such a program ends in a
stand-in that stores its gradients for the next stage; after the rule, it begins with one that takes up what the rule made.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from descend._arrays import Array
from descend._compile.names import Names, fresh_of, hyperparameters_of, name_links
from descend._compile.program import Program
from descend._fused import Fused
from descend._rule import Bound, Rule
from descend._signature import Signature, State
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

    def __init__(
        self,
        links: tuple[Bound, ...],
        arrays: list[Array],
        first: Mapping[str, float],
        threads: int,
    ) -> None:
        names = name_links(links)
        self._columns = (*fresh_of(links), *hyperparameters_of(names))
        named = tuple(zip(links, names, strict=True))
        self._core = next(pair for pair in named if pair[0].is_rule)
        groups = [
            (whole, tuple(pairs))
            for whole, pairs in itertools.groupby(named, lambda pair: pair[0].rule.whole)
        ]
        stages: list[_Elements | _WholeLink] = []
        into = arrays  # where a rule on whole arrays writes x: from the last link to the first, as that is told
        for whole, pairs in reversed(groups):
            if whole:
                stages += [self._whole(pair, arrays, first, into) for pair in reversed(pairs)]
                continue
            made = self._elements(pairs, arrays, first, threads)
            stages.append(made)
            into = made.listed(_MADE) if made.takes_up else into
        self._stages = stages[::-1]

    def _whole(
        self,
        pair: tuple[Bound, Names],
        arrays: list[Array],
        first: Mapping[str, float],
        into: list[Array],
    ) -> _WholeLink:
        own = {name: first[column] for name, column in pair[1].hyperparameters.items()}
        return _WholeLink(Whole(pair[0], arrays, own, into), pair[1], self._scalars_of(pair))

    def _elements(
        self, pairs: _Named, arrays: list[Array], first: Mapping[str, float], threads: int
    ) -> _Elements:
        holds = any(link.is_rule for link, _ in pairs)
        before = not holds and pairs[0][0].rule.outputs == ("x", "g")
        if before:
            pairs = (*pairs, self._stand_in(_hand_on, _HANDED))
        elif not holds:
            pairs = (self._stand_in(_take_up, _MADE), *pairs)
        program = Program(tuple(link for link, _ in pairs), tuple(own for _, own in pairs))
        columns = [self._columns.index(n) for n in (*program.fresh, *program.hyperparameters)]
        return _Elements(Fused(program, arrays, first, threads), columns, program)

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
        taken = {n: n for n in link.rule.fresh} | own.hyperparameters
        taken |= {n: core[n] for n in link.rule.shared}
        return {name: self._columns.index(column) for name, column in taken.items()}

    def step(self, gradients: list[Array], shared: list[float]) -> None:
        for stage in self._stages:
            gradients = stage.step(gradients, shared)

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

    def _stage_of(self, name: str) -> _Elements | _WholeLink:
        return next(stage for stage in self._stages if name in stage.names)


class _Elements:
    """A program of neighbouring links that work element by element."""

    def __init__(self, engine: Fused, columns: list[int], program: Program) -> None:
        self.engine = engine
        self.names = [s.name for s in program.states]
        self.takes_up = _MADE in self.names
        self._columns = columns
        self._hands_on = _HANDED in self.names

    def step(self, gradients: list[Array], shared: list[float]) -> list[Array]:
        self.engine.step(gradients, [shared[i] for i in self._columns])
        return self.engine.listed(_HANDED) if self._hands_on else gradients

    def scalar(self, name: str) -> Any:
        return self.engine.scalar(name)

    def listed(self, name: str) -> list[Any]:
        return self.engine.listed(name)


class _WholeLink:
    """A link on whole arrays, with the names that it has in the chain."""

    def __init__(self, engine: Whole, names: Names, scalars: dict[str, int]) -> None:
        self.engine = engine
        self.names = list(names.states.values())
        self._own = {chain: own for own, chain in names.states.items()}
        self._scalars = scalars

    def step(self, gradients: list[Array], shared: list[float]) -> list[Array]:
        return self.engine.step(gradients, {n: shared[i] for n, i in self._scalars.items()})

    def scalar(self, name: str) -> Any:
        return [row[self._own[name]] for row in self.engine.scalars]

    def listed(self, name: str) -> list[Any]:
        return self.engine.states[self._own[name]]
