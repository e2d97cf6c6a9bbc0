"""The whole loop in one compiled function: where the user's function is Numba's, and the method a rule of elements.

Nothing of the rule is written again here: it is the code of `descend._minimize.driven_loop`, around a call of the function. A step
that leaves x where it was is a call of the function here, and none in the other ways, which remember the last points. Seconds
are exact at the ends of blocks and in proportion between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descend._minimize.block import Block, program_of
from descend._minimize.loop_code import WHOLE, source_of
from descend._slab import address
from descend.methods._status import Status

if TYPE_CHECKING:
    from descend._minimize.run import Run

COMPILE_AFTER = 10_000
"""Iterations after which compiling (one to three seconds) is worth its while."""
_MOST, _GROWTH = 65_536, 8
"""Steps of a block at most, and how much longer than the last one it may be."""
_SECONDS = 0.02
"""How long a block may take, so that the clock and Ctrl-C are heard."""
_COMPILING = 5.0
"""Seconds that must be left of ``maxtime`` where the loop is not compiled yet."""

_compiled: dict[tuple[Any, str], Any] = {}


def is_compiled(fun: Any) -> bool:
    """Whether ``fun`` is one of Numba's functions; Numba is not imported to find out."""
    return type(fun).__name__ == "CPUDispatcher" and type(fun).__module__.startswith("numba.")


class WholeLoop:
    """Blocks of iterations, each one compiled call; for a function that returns (f, gradient), where `driven_loop` applies."""

    _block: Block | None = None
    _loop: Any
    _seen: Any
    _source: str | None = None
    _size = 1
    _declined = _pause = False
    """Whether the compiler cannot do it, and whether another way must take the next step."""

    def __init__(self, fun: Any, args: tuple[Any, ...]) -> None:
        self._fun, self._args = fun, args

    def ready(self, run: Run) -> bool:
        """Whether it is time: the loop is compiled already, or the run has become a long one."""
        if run.state is None or self._declined or self._pause:
            self._pause = False
            return False
        if self._source is None:
            program = program_of(run)
            self._source = "" if program is None else source_of(program, WHOLE)
        if not self._source:
            return False
        if (self._fun, self._source) in _compiled:
            return True
        return run.done >= COMPILE_AFTER and run.objective.seconds_left() > _COMPILING

    def descend(self, run: Run) -> Status | None:
        objective, spent = run.objective, run.objective.calls
        objective.check_clock()
        steps = min(self._size, run.limits.maxiter - run.done, spent.maxfev - spent.nfev)
        block = self._block_of(run)
        if steps == 0 or block is None or not block.open(int(steps)):
            self._give_way()
            return None
        began = objective.seconds
        try:
            self._loop(*self._arguments(block))
            whole = block.usable
        except Exception:  # noqa: BLE001 - whatever it was: another way meets it again, and tells
            whole = False
        done, seconds = block.count("DONE"), objective.seconds
        times = np.linspace(began, seconds, done + 1)[1:]
        status = block.close(times, np.arange(spent.nfev + 1, spent.nfev + done + 1))
        spent.nfev += done
        spent.njev += done
        self._size = _next_size(max(done, 1), seconds - began, objective.seconds_left())
        if not whole:
            self._give_way()
        return status

    def _give_way(self) -> None:
        """Leave the next step to another way."""
        self._block, self._pause = None, True

    def _block_of(self, run: Run) -> Block | None:
        """The run's memory, and the loop compiled for what it has; None where the compiler cannot."""
        if self._block is not None and self._block.is_of(run):
            return self._block
        block, key = Block(run, _MOST), (self._fun, self._source or "")
        self._seen = np.empty_like(block.x)
        try:
            if key not in _compiled:
                from descend._compile.to_numba import compile_loop

                _compiled[key] = compile_loop(key[1], self._fun, self._arguments(block))
        except Exception:  # noqa: BLE001 - whatever it does not know, the other ways may
            self._declined = True
            return None
        self._loop, self._block = _compiled[key], block
        return block

    def _arguments(self, block: Block) -> tuple[Any, ...]:
        return self._args, address(block.memory), block.x, self._seen, block.fresh


def _next_size(steps: int, seconds: float, left: float) -> int:
    """Steps that take no longer than a block may, at the pace of the last ``steps``."""
    affordable = steps * min(_SECONDS, max(left, 0.0)) / max(seconds, 1e-9)
    return int(max(1, min(affordable, _GROWTH * steps, _MOST)))
