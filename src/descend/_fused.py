"""The engine of rules that are computed element by element: one compiled program over all arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from descend._arrays import Array
from descend._compile.program import Program
from descend._slab import Slab


class Fused:
    """Run a traced chain on arrays, in place.

    Parameters
    ----------
    program : what a step computes
    arrays : the parameters
    first : the hyperparameters' values at the first step, which states may start from
    threads : the most threads that a step may use

    Attributes
    ----------
    scalars : the scalar states; where arrays have sums of their own, each has scalars of its own
    """

    def __init__(
        self, program: Program, arrays: list[Array], first: Mapping[str, float], threads: int
    ) -> None:
        self._program = program
        starts: dict[str, Any] = {s.name: first.get(str(s.start), s.start) for s in program.states}
        scalars = {name: float(starts.pop(name)) for name in program.scalar_states}
        self._slab_of = self._divide(arrays)
        self._count = max(self._slab_of, default=-1) + 1
        self._slabs = [Slab(program, part, starts, threads) for part in self._parts(arrays)]
        self._row_of = [i if program.own_sums else 0 for i in range(len(self._slabs))]
        self.scalars = [dict(scalars) for _ in range(max(self._row_of, default=0) + 1)]

    def _divide(self, arrays: list[Array]) -> list[int]:
        """The slab of each array: one for all of a dtype, or one each where arrays have sums of their own."""
        if self._program.own_sums:
            return list(range(len(arrays)))
        dtypes = sorted({a.dtype for a in arrays}, key=str)
        return [dtypes.index(a.dtype) for a in arrays]

    def step(self, gradients: list[Array], shared: list[float]) -> None:
        """Change parameters and state; ``shared`` holds what the step brings, then the hyperparameters."""
        program = self._program
        rows = [shared]
        if program.scalar_states or program.own_sums:
            rows = [[*shared, *scalars.values()] for scalars in self.scalars]
        for slab, part in zip(self._slabs, self._parts(gradients), strict=True):
            slab.take(part)
        if program.sums:
            self._measure(rows)
        following = [program.next_scalars(*row) for row in rows] if program.scalar_states else ()
        for slab, i in zip(self._slabs, self._row_of, strict=True):
            slab.update(program.host[-1](*rows[i]))
        if following:
            for scalars, values in zip(self.scalars, following, strict=True):
                scalars.update(zip(scalars, values, strict=True))

    def scalar(self, name: str) -> Any:
        """A scalar state: one number, or a list with one for each array."""
        values = [scalars[name] for scalars in self.scalars]
        return values if self._program.own_sums else values[0]

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


def _sum(values: list[float]) -> float:
    """The sum, rounded once; the order of chunks does not show."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # fsum refuses inf − inf and sums beyond float64
        return float(np.sum(values))
