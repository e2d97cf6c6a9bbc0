"""The whole loop in one compiled function: where the user's function is Numba's, and the method a rule of elements.

Nothing of the rule is written again here: it is the code of `descend._minimize.driven_loop`, around a call of the function. A step
to one of the last points is a call of the function here, and none in the other ways, which remember them. Seconds are exact at
the ends of blocks and in proportion between. Schedules are evaluated ahead, so they must be descend's own, which are pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from descend._minimize.block import Block, program_of
from descend._minimize.faster import Faster
from descend._minimize.loop_code import WHOLE, source_of
from descend._slab import address
from descend.methods._status import Status
from descend.schedules import Schedule

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

_KEPT = 32
"""Loops that are kept compiled: each keeps its function and all that this refers to."""
_compiled: dict[tuple[Any, ...], Any] = {}


def whole_loop(fun: Any, args: tuple[Any, ...], run: Run) -> WholeLoop | None:
    """The loop around a function that returns (f, gradient); None where it is not Numba's, or sees x in more dimensions than one.

    Numba is not imported to find out.
    """
    compiled = type(fun).__name__ == "CPUDispatcher" and type(fun).__module__.startswith("numba.")
    flat = run.objective.calls.shape == (run.objective.n,)
    return WholeLoop(fun, args) if compiled and flat else None


class WholeLoop(Faster):
    """Blocks of iterations, each one compiled call, where a block `applies`."""

    _loop: Any
    _seen: Any
    _key: tuple[Any, ...] | None = None
    _size = 1

    def __init__(self, fun: Any, args: tuple[Any, ...]) -> None:
        self._fun, self._args = fun, args

    def _is_time(self, run: Run) -> bool:
        if self._key is None:
            program = program_of(run)
            schedules = run.state.stepper._settings[0].schedules  # noqa: SLF001
            self._declined = program is None or not all(isinstance(s, Schedule) for s in schedules)
            if program is None or self._declined:
                return False
            self._key = self._fun, source_of(program, WHOLE), tuple(map(_type_of, self._args))
        if self._key in _compiled:
            return True
        return run.done >= COMPILE_AFTER and run.objective.seconds_left() > _COMPILING

    def descend(self, run: Run) -> Status | None:
        objective, spent = run.objective, run.objective.calls
        objective.check_clock()
        steps = int(min(self._size, run.limits.maxiter - run.done, spent.maxfev - spent.nfev))
        block = self._block_of(run)
        if block is None or not block.open(steps, steps if block.settings.schedules else 1):
            self._give_way()
            return None
        began, whole = objective.seconds, False
        try:
            self._loop(*self._arguments(block))
            whole = block.usable
        except Exception:  # noqa: BLE001, S110 - whatever it was: another way meets it again, and tells
            pass
        finally:
            status, seconds = self._close(block, began, run), objective.seconds - began
        if not whole:
            self._give_way()
        done = block.count("DONE")
        self._size = _next_size(max(done, 1), seconds, objective.seconds_left())
        return status

    def _close(self, block: Block, began: float, run: Run) -> Status | None:
        spent, done = run.objective.calls, block.count("DONE")
        times = np.linspace(began, run.objective.seconds, done + 1)[1:]
        status = block.close(times, np.arange(spent.nfev + 1, spent.nfev + done + 1))
        spent.nfev += done
        spent.njev += done
        return status

    def _block_of(self, run: Run) -> Block | None:
        """The run's memory, and the loop compiled for what it has; None where the compiler cannot."""
        if self._block is not None and self._block.is_of(run):
            return self._block
        block, key = Block(run, _MOST), self._key
        assert key is not None  # it is ready
        self._seen = np.empty_like(block.x)
        try:
            if key not in _compiled:
                from descend._compile.to_numba import compile_loop

                _compiled[key] = compile_loop(key[1], self._fun, self._arguments(block))
                for oldest in list(_compiled)[:-_KEPT]:
                    del _compiled[oldest]
        except Exception:  # noqa: BLE001 - whatever the compiler does not know, the other ways may
            self._declined = True
            return None
        self._loop, self._block = _compiled[key], block
        return block

    def _arguments(self, block: Block) -> tuple[Any, ...]:
        return self._args, address(block.memory), block.x, self._seen, block.fresh


def _type_of(argument: Any) -> Any:
    """The type for which the compiler makes code; the value itself where it knows none."""
    from numba import typeof

    try:
        return typeof(argument)
    except ValueError:
        return None


def _next_size(steps: int, seconds: float, left: float) -> int:
    """Steps that take no longer than a block may, at the pace of the last ``steps``."""
    affordable = steps * min(_SECONDS, max(left, 0.0)) / max(seconds, 1e-9)
    return int(max(1, min(affordable, _GROWTH * steps, _MOST)))
