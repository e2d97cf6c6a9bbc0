"""All arrays of one dtype, with their state, as kernels see them: a table of addresses and a table of chunks."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend._arrays import Array
from descend._compile import kernels
from descend._compile.kernel_text import print_stage
from descend._compile.program import Program
from descend._compile.threads import CHUNK, run_chunks

_COPY_UP_TO = 8192
"""Elements up to which copying a gradient costs less than asking for its address."""


class Slab:
    """Arrays of one dtype in lockstep.

    Parameters
    ----------
    program : what a step computes
    arrays : the parameters; those that are not C-contiguous are stepped in a packed copy and written back
    starts : per state array, the number that fills it, or ``x``
    threads : the most threads that a pass may use
    """

    def __init__(
        self, program: Program, arrays: list[Array], starts: Mapping[str, float | str], threads: int
    ) -> None:
        self.dtype = arrays[0].dtype
        self.threads = threads
        self._packed = [(i, a, np.ascontiguousarray(a).copy()) for i, a in enumerate(arrays) if not a.flags.c_contiguous]
        self._gradients: list[Array | None] = [
            np.empty(a.shape, self.dtype) if a.size <= _COPY_UP_TO else None for a in arrays
        ]
        self.views = {name: _filled(start, arrays, self.dtype) for name, start in starts.items()}
        self._table = self._addresses(program, arrays)
        self._chunks = _chunk_table([a.size for a in arrays])
        self._kernels = [self._kernel(program, i) for i in range(len(program.stages))]

    def _addresses(self, program: Program, arrays: list[Array]) -> NDArray[np.int64]:
        packed = {i: copy for i, _, copy in self._packed}
        columns = {
            "x": [packed.get(i, a) for i, a in enumerate(arrays)],
            "g": [a if b is None else b for a, b in zip(arrays, self._gradients, strict=True)],
            **self.views,
        }
        rows = zip(*(columns[name] for name in program.arrays), strict=True)
        table = [[address(a) for a in row] for row in rows]
        return np.array(table, dtype=np.int64).reshape(len(arrays), len(program.arrays))

    def _kernel(self, program: Program, index: int) -> tuple[Any, Any, Array]:
        """A stage's call over chunks, its scalars and its sums per chunk."""
        stage = program.stages[index]
        real = ctypes.c_float if self.dtype == np.float32 and not stage.measures else ctypes.c_double
        ends = () if stage.measures else (float(np.finfo(self.dtype).tiny), 0.0)
        scalars = (real * (len(stage.scalars) + len(ends)))(*[0.0] * len(stage.scalars), *ends)
        sums = np.zeros((len(self._chunks), len(stage.results) if stage.measures else 0))
        kernel = kernels.load(print_stage(stage, program.arrays), self.dtype.name, stage.measures)
        tables = address(self._table), address(self._chunks)
        return functools.partial(kernel, *tables, ctypes.addressof(scalars), address(sums)), scalars, sums

    def take(self, gradients: list[Array]) -> None:
        """Make the gradients (of the parameters' shapes) readable for the kernels."""
        for i, g in enumerate(gradients):
            own = self._gradients[i]
            if own is not None:
                np.copyto(own, g, casting="same_kind")
            elif g.dtype == self.dtype and g.flags.c_contiguous and g.flags.aligned:
                self._table[i, 1] = address(g)
            else:
                own = self._gradients[i] = np.empty(g.shape, self.dtype)
                np.copyto(own, g, casting="same_kind")
                self._table[i, 1] = address(own)
        for _, array, copy in self._packed:
            np.copyto(copy, array)

    def measure(self, stage: int, scalars: tuple[float, ...]) -> Array:
        """The sums of a measuring stage per chunk, shape (n_chunks, n_sums)."""
        self._run(stage, scalars)
        return self._kernels[stage][2]

    def update(self, scalars: tuple[float, ...]) -> None:
        """Run the last stage: parameters and state change in place."""
        self._run(-1, scalars)
        for _, array, copy in self._packed:
            np.copyto(array, copy)

    def _run(self, stage: int, scalars: tuple[float, ...]) -> None:
        call, slots, _ = self._kernels[stage]
        slots[: len(scalars)] = scalars
        run_chunks(call, len(self._chunks), self.threads)


def address(array: Array) -> int:
    """Where an array's first element is."""
    return int(array.__array_interface__["data"][0])


def _filled(start: float | str, arrays: list[Array], dtype: np.dtype[Any]) -> list[Array]:
    """One state array per parameter, as views of one buffer."""
    buffer = np.zeros(sum(a.size for a in arrays), dtype)
    ends = np.cumsum([a.size for a in arrays])
    views = [buffer[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends, strict=True)]
    for view, a in zip(views, arrays, strict=True):
        if start != 0.0:
            view[...] = a if start == "x" else start
    return views


def _chunk_table(sizes: list[int]) -> NDArray[np.int64]:
    """(tensor, start, stop) of each chunk; cut the same way for any number of threads."""
    rows = [
        (tensor, start, min(start + CHUNK, size))
        for tensor, size in enumerate(sizes)
        for start in range(0, size, CHUNK)
    ]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3)
