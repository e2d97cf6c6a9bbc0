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
from descend._minimize.loop_code import COUNTS, DRIVEN, source_of
from descend._slab import address
from descend.methods._status import Status
from descend.methods.by_rule import ByRule

if TYPE_CHECKING:
    from descend._minimize.run import Run

_STEPS, _GROWTH = 1024, 4
"""Iterations of a block at most, and how much longer than the last one it may be."""
_WAITING, _EVENT = COUNTS.index("WAITING"), COUNTS.index("EVENT")


def driven_loop(run: Run) -> DrivenLoop | None:
    """The loop for a run by a rule; None where it does not apply."""
    limits, free = run.limits, run.objective.lower is None and run.objective.upper is None
    watched = limits.xtol is not None or limits.patience is not None
    applies = isinstance(run.method, ByRule) and free and not watched
    return DrivenLoop() if applies else None


class DrivenLoop:
    """Blocks of iterations in Python, with one compiled call in each."""

    _block: Block | None = None
    _call: Callable[[], object]
    _steps = 32
    _declined = _pause = False
    """Whether the rule is none for it, and whether the ordinary way must take the next step."""

    def ready(self, run: Run) -> bool:
        if run.state is None or self._declined or self._pause:
            self._pause = False
            return False
        if self._block is None or not self._block.is_of(run):
            program = program_of(run)
            if program is None:
                self._declined = True
                return False
            self._block = Block(run, _STEPS)
            kernel = kernels.load(source_of(program, DRIVEN), "float64", measures=False)
            self._call = functools.partial(kernel, address(self._block.memory))
        return True

    def descend(self, run: Run) -> Status | None:
        block, call, objective = self._block, self._call, run.objective
        assert block is not None  # it is ready
        if not block.open(min(self._steps, run.limits.maxiter - run.done)):
            self._give_way()
            return None
        self._steps = min(_GROWTH * self._steps, _STEPS)
        x, fresh, reals, counts = block.x, block.fresh, block.reals, block.counts
        spent, seconds, calls = objective.calls, [], []
        start = objective.seconds - perf_counter()
        try:
            if not counts[_WAITING]:
                call()
            while not counts[_EVENT]:
                reals[0], fresh[:] = objective.value_and_gradient(x.copy())
                seconds.append(perf_counter())
                calls.append(spent.nfev)
                call()
        finally:
            status = block.close(np.array(seconds) + start, calls)
        if not block.usable:
            self._give_way()
        return status

    def _give_way(self) -> None:
        """Leave the next step to the ordinary way."""
        self._block, self._pause = None, True
