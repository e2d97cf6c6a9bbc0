"""The engine of rules that are computed element by element: one compiled program over all arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from descend._arrays import Array
from descend._compile.program import Program
from descend._slab import Lent, Slab


class Fused:
    """Run a traced chain on arrays, in place.

    Parameters
    ----------
    program : what a step computes
    arrays : the parameters
    first : the hyperparameters' values at the first step, which states may start from, for each group of arrays
    groups : the group of each array
    threads : the most threads that a step may use

    Attributes
    ----------
    scalars : the scalar states of each group; where arrays have sums of their own, of each array
    in_stages : whether some arrays change before others are read: then no gradient may lie in x's memory
    """

    def __init__(
        self,
        program: Program,
        arrays: list[Array],
        first: Sequence[Mapping[str, float]],
        groups: Sequence[int],
        threads: int,
    ) -> None:
        self._program = program
        self._slab_of, kinds = self._divide(arrays, groups)
        self._count = len(kinds)
        self.in_stages = self._count > 1
        self._slabs = [
            Slab(program, part, _starts(program, first[group], program.arrays), threads)
            for part, (_, group) in zip(self._parts(arrays), kinds, strict=True)
        ]
        # a row of scalars for each array, or for each group
        self._row_of = [i if program.own_sums else group for i, (_, group) in enumerate(kinds)]
        self._group_of = [g for _, g in kinds] if program.own_sums else list(range(len(first)))
        self.scalars = [
            {n: float(v) for n, v in _starts(program, first[g], program.scalar_states).items()}
            for g in self._group_of
        ]
        self._last = program.host[-1]
        """Scalars of the stage that changes parameters and states."""
        measured = program.sums or program.scalar_states
        self._plain = None if measured or len(self._slabs) != 1 else self._slabs[0]
        """All there is, where a step is one pass: small arrays feel every further line."""

    def _divide(
        self, arrays: list[Array], groups: Sequence[int]
    ) -> tuple[list[int], list[tuple[Any, int]]]:
        """The slab of each array, and what tells slabs apart: dtype and group, or the array where it has sums of its own."""
        own = self._program.own_sums
        kinds = [
            (i if own else a.dtype.str, group)
            for i, (a, group) in enumerate(zip(arrays, groups, strict=True))
        ]
        known = sorted(set(kinds))
        return [known.index(kind) for kind in kinds], known

    def step(self, gradients: list[Array], shared: list[list[float]]) -> bool:
        """Change parameters and state; ``shared`` holds, for each group, what the step brings, then the hyperparameters."""
        if self._plain is not None:
            self._plain.take(gradients)
            self._plain.update(self._last(*shared[0]))
            return True
        program = self._program
        rows = shared
        if program.scalar_states or program.own_sums:
            rows = [
                [*shared[g], *scalars.values()]
                for g, scalars in zip(self._group_of, self.scalars, strict=True)
            ]
        for slab, part in zip(self._slabs, self._parts(gradients), strict=True):
            slab.take(part)
        if program.sums:
            self._measure(rows)
        following = [program.next_scalars(*row) for row in rows] if program.scalar_states else ()
        for slab, i in zip(self._slabs, self._row_of, strict=True):
            slab.update(self._last(*rows[i]))
        if following:
            for scalars, values in zip(self.scalars, following, strict=True):
                scalars.update(zip(scalars, map(float, values), strict=True))
        return True

    @property
    def plain(self) -> Program | None:
        """The program, where a step is one pass over one small array, with scalars known before it; None elsewhere."""
        program = self._program
        simple = program.fresh == ("t",) and program.solution == "x" and not program.sums
        small = len(self._slabs) == 1 and self._slabs[0].is_small
        return program if simple and small else None

    def lend(self, g: Array) -> Lent:
        """The means to run a `plain` program elsewhere; the gradient ``g`` is taken."""
        return self._slabs[0].lend(g)

    def scalar(self, name: str) -> Any:
        """A scalar state: one number, or a list with one for each array where they differ by array or group."""
        values = [scalars[name] for scalars in self.scalars]
        if len(values) == 1 and not self._program.own_sums:
            return values[0]
        return [values[self._row_of[slab]] for slab in self._slab_of]

    @property
    def solution(self) -> None:
        """No gate can hold x elsewhere; see `Staged`."""

    def listed(self, name: str) -> list[Any]:
        """A state's arrays in the order of x."""
        views = [iter(slab.views[name]) for slab in self._slabs]
        return [next(views[i]) for i in self._slab_of]

    def _parts(self, arrays: list[Array]) -> list[list[Array]]:
        """The arrays of each slab."""
        if self._count == 1:
            return [arrays]
        parts: list[list[Array]] = [[] for _ in range(self._count)]
        for array, slab in zip(arrays, self._slab_of, strict=True):
            parts[slab].append(array)
        return parts

    def _measure(self, rows: list[list[float]]) -> None:
        """Append every sum to the rows, stage by stage: a later one may need an earlier one."""
        program, known = self._program, len(rows[0])
        for row in rows:
            row.extend([0.0] * len(program.sums))
        for index, stage in enumerate(program.stages[:-1]):
            scalars = [program.host[index](*row) for row in rows]
            partial = [
                slab.measure(index, scalars[i])
                for slab, i in zip(self._slabs, self._row_of, strict=True)
            ]
            for column, (name, _) in enumerate(stage.results):
                place = known + program.sums.index(name)
                if name in program.own_sums:
                    for row, part in zip(rows, partial, strict=True):
                        row[place] = _sum(part[:, column].tolist())
                else:
                    whole = _sum(np.concatenate([part[:, column] for part in partial]).tolist())
                    for row in rows:
                        row[place] = whole


def _starts(program: Program, first: Mapping[str, float], names: Sequence[str]) -> dict[str, Any]:
    """What the states of these names start as: a number, or ``x``."""
    return {s.name: first.get(str(s.start), s.start) for s in program.states if s.name in names}


def _sum(values: list[float]) -> float:
    """The sum, rounded once; the order of chunks does not show."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # fsum refuses inf − inf and sums beyond float64
        return float(np.sum(values))
