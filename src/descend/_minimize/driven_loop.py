"""Iterations of a rule whose arithmetic is one compiled call: between two calls of the user's function nothing else is left.

The rule's kernel, the measures and the stopping test are compiled together and kept as a kernel file; x, f and the gradient have
the bits of the ordinary way, which takes over before a step whose f or gradient is not finite. Sums over elements (``ss``, ``sy``,
``yy``, ``step_norm`` of the history) are added up in order here and by BLAS there, so they agree to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from descend._compile import kernels
from descend._minimize.block import Block, program_of
from descend._minimize.faster import Faster
from descend._minimize.loop_code import COUNTS, DRIVEN, JUDGED, source_of
from descend._slab import address
from descend.methods._status import Status

if TYPE_CHECKING:
    from descend._minimize.run import Run

COMPILE_AFTER = 1000
"""Iterations after which compiling (about a second, once on a machine) is worth its while."""
_STEPS = 1024
"""Iterations of a block at most."""
_COMPILING = 2.0
"""Seconds that must be left of ``maxtime`` where the code is not compiled yet."""
_WAITING, _EVENT = COUNTS.index("WAITING"), COUNTS.index("EVENT")


class DrivenLoop(Faster):
    """Blocks of iterations in Python, with one compiled call in each, where a block `applies`."""

    _call: Callable[[], object]
    _source: str | None = None
    _kernel: kernels.Kernel | None = None

    def _is_time(self, run: Run) -> bool:
        if self._source is None:
            program = program_of(run)
            self._source = "" if program is None else source_of(program, DRIVEN)
            self._kernel = kernels.find(self._source, "float64", measures=False)
        return bool(self._source) and (self._kernel is not None or self._compiles(run))

    def _compiles(self, run: Run) -> bool:
        """Compile it where the run has become a long one."""
        if run.done < COMPILE_AFTER or run.objective.seconds_left() < _COMPILING:
            return False
        try:
            self._kernel = kernels.load(self._source or "", "float64", measures=False)
        except Exception:  # noqa: BLE001 - whatever the compiler does not know, the ordinary way does
            self._declined = True
        return self._kernel is not None

    def descend(self, run: Run) -> Status | None:
        block, objective = self._block_of(run), run.objective
        call = self._call
        if not block.open(min(_STEPS, run.limits.maxiter - run.done)):
            self._give_way()
            return None
        scheduled, spent, counts = bool(block.settings.schedules), objective.calls, block.counts
        seconds, calls, start = [], [], objective.seconds - perf_counter()
        try:
            if not counts[_WAITING]:
                call()
            while not counts[_EVENT]:
                block.reals[0], block.fresh[:] = objective.value_and_gradient(block.x.copy())
                seconds.append(perf_counter())
                calls.append(spent.nfev)
                if scheduled and not block.due():
                    break
                call()
        finally:
            status = block.close(np.array(seconds) + start, calls)
        if block.count("EVENT") != JUDGED:
            self._give_way()
        return status

    def _block_of(self, run: Run) -> Block:
        if self._block is None or not self._block.is_of(run):
            assert self._kernel is not None  # it is ready
            self._block = Block(run, _STEPS)
            self._call = functools.partial(self._kernel, address(self._block.memory))
        return self._block
