"""All arrays of one dtype, with their state, as kernels see them: a table of addresses and a table of chunks."""

from __future__ import annotations

import bisect
import ctypes
import functools
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend._arrays import Array
from descend._compile import kernels
from descend._compile.kernel_text import print_stage
from descend._compile.program import Program
from descend._compile.threads import CHUNK, run_together, split

_COPY_UP_TO = 8192
"""Elements up to which copying a gradient costs less than asking for its address."""


class Slab:
    """Arrays of one dtype in lockstep.

    Parameters
    ----------
    program : what a step computes
    arrays : the parameters; those that are not C-contiguous and aligned are stepped in a packed copy and written back
    starts : per state array, the number that fills it, or ``x``
    threads : the most threads that a pass may use
    """

    def __init__(
        self, program: Program, arrays: list[Array], starts: Mapping[str, float | str], threads: int
    ) -> None:
        self.dtype = arrays[0].dtype
        self._packed = [
            (i, a, np.array(a, order="C")) for i, a in enumerate(arrays) if not a.flags.carray
        ]
        packed = {i for i, _, _ in self._packed}
        direct = sorted((address(a), i) for i, a in enumerate(arrays) if a.size and i not in packed)
        self._starts = [start for start, _ in direct]
        self._owners = [(start + arrays[i].nbytes, i) for start, i in direct]
        self._direct: list[Callable[[], Array | None]] = [_nothing] * len(arrays)
        self._copied = self._direct.copy()
        self._gradients: list[Array | None] = [
            np.empty(a.shape, self.dtype) if a.size <= _COPY_UP_TO else None for a in arrays
        ]
        self.views = {name: _filled(start, arrays, self.dtype) for name, start in starts.items()}
        self._table = self._addresses(program, arrays)
        self._chunks = _chunk_table([a.size for a in arrays])
        self._changes = bool(program.stages[-1].results)
        parts = split(len(self._chunks), threads)
        stages = [i for i, stage in enumerate(program.stages) if stage.results]
        self._passes = [self._pass(program, i, parts) for i in stages]

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

    def _pass(self, program: Program, index: int, parts: list[tuple[int, int]]) -> _Pass:
        stage = program.stages[index]
        single = self.dtype == np.float32 and not stage.measures
        ends = () if stage.measures else (float(np.finfo(self.dtype).tiny), 0.0)
        scalars = (
            (ctypes.c_float if single else ctypes.c_double) * (len(stage.scalars) + len(ends))
        )()
        scalars[len(stage.scalars) :] = ends
        sums = np.zeros((len(self._chunks), len(stage.results) if stage.measures else 0))
        tables = (
            address(self._table),
            address(self._chunks),
            ctypes.addressof(scalars),
            address(sums),
        )
        frames = np.array([(*tables, first, last) for first, last in parts], dtype=np.int64)
        kernel = kernels.load(print_stage(stage, program.arrays), self.dtype.name, stage.measures)
        calls: list[Callable[[], object]] = [
            functools.partial(kernel, address(frame)) for frame in frames
        ]
        return _Pass(calls, scalars, len(stage.scalars), sums, frames)

    def take(self, gradients: list[Array]) -> None:
        """Make the gradients (of the parameters' shapes) readable for the kernels."""
        for i, g in enumerate(gradients):
            if self._direct[i]() is not g:
                self._take(i, g)
        for _, array, copy in self._packed:
            np.copyto(copy, array)

    @property
    def is_small(self) -> bool:
        """Whether it is one array of one chunk, whose gradients are copied."""
        alone = len(self._chunks) == len(self._gradients) == 1 and not self._packed
        return alone and self._changes and self._gradients[0] is not None

    def lend(self, g: Array) -> Lent:
        """The means to run the last stage elsewhere, where it `is_small`; the gradient ``g`` is taken."""
        self.take([g.copy()])  # which it has not seen, so that it copies it
        last, own = self._passes[-1], self._gradients[0]
        assert own is not None
        return Lent(address(last.frames[0]), ctypes.addressof(last.scalars), own)

    def _take(self, i: int, g: Array) -> None:
        """Read a small new gradient by copying it, one that is large or comes again where it is."""
        small = g.size <= _COPY_UP_TO and self._copied[i]() is not g
        if not small and self._readable(g, i):
            self._table[i, 1] = address(g)
            self._direct[i] = weakref.ref(g)
            return
        own = self._gradients[i]
        if own is None:
            own = self._gradients[i] = np.empty(g.shape, self.dtype)
            self._table[i, 1] = address(own)
        elif self._direct[i] is not _nothing:
            self._table[i, 1] = address(own)
            self._direct[i] = _nothing
        self._copied[i] = weakref.ref(g)
        if g.dtype == self.dtype:
            own[...] = g
        else:
            _cast(own, g)

    def _readable(self, g: Array, i: int) -> bool:
        """Whether kernels can read ``g`` where it is: a step must not overwrite it through another parameter."""
        if g.dtype != self.dtype or not g.flags.c_contiguous or not g.flags.aligned:
            return False
        start = address(g)
        before = bisect.bisect_left(self._starts, start + g.nbytes) - 1  # parameters do not overlap
        if before < 0:
            return True
        stop, owner = self._owners[before]
        return stop <= start or (owner == i and self._starts[before] == start)

    def measure(self, stage: int, scalars: tuple[float, ...]) -> Array:
        """The sums of a measuring stage per chunk, shape (n_chunks, n_sums)."""
        self._passes[stage].run(scalars)
        return self._passes[stage].sums

    def update(self, scalars: tuple[float, ...]) -> None:
        """Run the last stage: parameters and state change in place."""
        if self._changes:
            self._passes[-1].run(scalars)
        for _, array, copy in self._packed:
            np.copyto(array, copy)


@dataclass(frozen=True)
class Lent:
    """What code needs that runs the last stage of a single small array itself."""

    frame: int
    """The address of the kernel's frame."""
    scalars: int
    """The address where the kernel reads its scalars, in the arrays' dtype."""
    g: Array
    """Where it reads the gradient."""


@dataclass(frozen=True)
class _Pass:
    """One stage over all chunks: a call per thread, and the memory that the calls read and write."""

    calls: list[Callable[[], object]]
    scalars: Any
    count: int
    sums: Array
    frames: NDArray[np.int64]

    def run(self, scalars: tuple[float, ...]) -> None:
        self.scalars[: self.count] = scalars
        if len(self.calls) == 1:
            self.calls[0]()
        else:
            run_together(self.calls)


def _nothing() -> None:
    """A reference to no array."""


def address(array: Array) -> int:
    """Where an array's first element is."""
    return int(array.__array_interface__["data"][0])


def _cast(to: Array, g: Array) -> None:
    with np.errstate(over="ignore"):  # a float64 gradient beyond float32 is inf, not a warning
        np.copyto(to, g, casting="same_kind")


def _filled(start: float | str, arrays: list[Array], dtype: np.dtype[Any]) -> list[Array]:
    """One state array per parameter, as views of one buffer."""
    buffer = np.zeros(sum(a.size for a in arrays), dtype)
    ends = np.cumsum([a.size for a in arrays])
    views = [
        buffer[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends, strict=True)
    ]
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
