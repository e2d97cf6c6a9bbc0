"""The whole loop in one compiled function: where the user's function is Numba's, and the method a rule of elements.

Nothing of the rule is written again here. The loop calls the very kernel that a `Stepper` runs, on the stepper's own memory,
and computes the kernel's scalars from the same printed text; so x, f and the gradient have the bits of the ordinary run, which
can take over, or be resumed, anywhere. It does so before a step whose f or gradient is not finite or of another size. Sums over elements (``ss``, ``sy``, ``yy``, ``step_norm`` of the history) are
added up in order here and by BLAS there, so they agree to rounding; seconds are exact at the ends of blocks and in proportion between.
A step that leaves x where it was is a call of the function here, and none in the ordinary run, which remembers the last points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from descend._fused import Fused
from descend._minimize.history import COLUMNS
from descend._minimize.loop_code import compiled, source_of
from descend._minimize.run import Run
from descend._slab import address
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.by_rule import ByRule

COMPILE_AFTER = 10_000
"""Iterations after which compiling (one to three seconds) is worth its while."""
_LARGEST = 8192
"""Variables beyond which an iteration costs so much that the interpreter's part does not show."""
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


def whole_loop(fun: Any, args: tuple[Any, ...], run: Run) -> WholeLoop | None:
    """The compiled loop for a run whose function returns (f, gradient); None where it does not apply."""
    limits, method = run.limits, run.method
    watched = limits.xtol is not None or limits.patience is not None
    if not (is_compiled(fun) and isinstance(method, ByRule)) or watched:
        return None
    if run.objective.n > _LARGEST or run.objective.lower is not None:
        return None
    return WholeLoop(fun, args)


class WholeLoop:
    """Blocks of iterations, each one compiled call; what a block did is judged after it, and undone where it went too far."""

    def __init__(self, fun: Any, args: tuple[Any, ...]) -> None:
        self._fun = fun
        self._args = args
        self._source = ""

    def ready(self, run: Run) -> bool:
        """Whether it is time: the loop is compiled already, or the run has become a long one."""
        if run.state is None:
            return False
        self._source = self._source or source_of(run.state)
        if (self._fun, self._source) in _compiled:
            return True
        return run.done >= COMPILE_AFTER and run.objective.seconds_left() > _COMPILING

    def descend(self, run: Run) -> Status | None:
        """Iterate until the run ends; None where the ordinary way must go on."""
        if not self._source:
            return None
        block = _Block(run, self._args)
        loop = _compiled.get((self._fun, self._source)) or compiled(self._fun, self._source)
        _compiled[self._fun, self._source] = loop
        if not block.fits(loop):
            return None
        size = 1
        while True:
            run.objective.check_clock()
            steps = min(size, run.limits.maxiter - run.done, run.evaluations_left())
            if steps == 0:
                return None
            began = run.objective.seconds
            kept = block.kept()
            done, whole = block.run(loop, steps)
            seconds = run.objective.seconds - began
            good, status = run.stopping.after_many(
                block.values(done), block.rows[:done], run.done, block.x
            )
            if good < done or not whole:
                block.put_back(kept)
                block.run(loop, good)
            block.hand_over(good, began)
            if status is not None or not whole:
                return status
            size = _next_size(done, seconds, run.objective.seconds_left())


def _next_size(steps: int, seconds: float, left: float) -> int:
    """Steps that take no longer than a block may, at the pace of the last ``steps``."""
    affordable = steps * min(_SECONDS, max(left, 0.0)) / max(seconds, 1e-9)
    return int(max(1, min(affordable, _GROWTH * steps, _MOST)))


class _Block:
    """The memory of a run that the compiled loop works on: the stepper's own, and room for the rows."""

    def __init__(self, run: Run, args: tuple[Any, ...]) -> None:
        self._run, self._args = run, args
        state = run.state
        self._state, self._stepper = state, state.stepper
        self._engine: Fused = self._stepper._engine  # noqa: SLF001 - its memory is what this is about
        self._program = self._engine._program  # noqa: SLF001
        slab = self._engine._slabs[0]  # noqa: SLF001
        values = [v for link in state.update.links for v in link.settings.values()]
        self._scheduled = any(map(callable, values))
        slab.take([state.here.g.copy()])
        last = slab._passes[-1]  # noqa: SLF001
        g = slab._gradients[0]  # noqa: SLF001
        self.g = np.zeros(0) if g is None else g
        self._frame = address(last.frames[0])
        self._k = np.ctypeslib.as_array(last.scalars)
        self.x = state.x
        self._scalars = np.array(list(self._engine.scalars[0].values()), dtype=np.float64)
        self._seen, self._old = np.empty_like(self.x), np.empty_like(self.x)
        self._best, self._best_x = np.array([run.best.f]), run.best.x.copy()
        self._best_g = run.best.g.copy()
        self.rows = np.empty((0, len(COLUMNS)))
        self._f = run.shown.f

    def fits(self, loop: Callable[..., int]) -> bool:
        """Compile the loop for what this run has, without a step; whether the compiler can."""
        try:
            loop(*self._arguments(0))
        except Exception:  # noqa: BLE001 - whatever it does not know, the ordinary way may
            return False
        return True

    def run(self, loop: Callable[..., int], steps: int) -> tuple[int, bool]:
        """Take up to ``steps`` steps: how many are good, and whether nothing went wrong after them.

        After a step that went wrong the arrays are to be put back.
        """
        if len(self.rows) < steps:
            self.rows = np.empty((steps, len(COLUMNS)))
        try:
            done = int(loop(*self._arguments(steps)))
        except Exception:  # noqa: BLE001 - whatever it was: the ordinary way meets it again, and tells
            return 0, False
        if done < 0:
            return ~done, False
        self._stepper.t += done
        return done, True

    def _arguments(self, steps: int) -> tuple[Any, ...]:
        run, stepper = self._run, self._stepper
        settings = stepper._settings[0]  # noqa: SLF001
        ahead = max(steps, 1) if self._scheduled else 1
        hyper = [settings.at(t) for t in range(stepper.t + 1, stepper.t + 1 + ahead)]
        return (
            *(self._args, self._frame, self._k, self.x, self._seen, self._old, self.g),
            *(np.array(hyper, dtype=np.float64).reshape(ahead, -1), self._scalars, stepper.t),
            *(self.rows, self._best, self._best_x, self._best_g),
            np.array([run.nit, run.objective.nfev]),
            np.array([run.limits.gtol or 0.0, run.stopping.target]),
            steps,
        )

    def values(self, done: int) -> Any:
        """Return f before the block and after each of its steps."""
        return np.concatenate([[self._f], self.rows[:done, 1]])

    def kept(self) -> tuple[Any, ...]:
        """What a block changes, as it was."""
        arrays = [a for part in self._arrays() for a in part]
        return self._stepper.t, [a.copy() for a in arrays]

    def put_back(self, kept: tuple[Any, ...]) -> None:
        self._stepper.t = kept[0]
        arrays = [a for part in self._arrays() for a in part]
        for array, old in zip(arrays, kept[1], strict=True):
            array[...] = old

    def _arrays(self) -> Iterator[list[Any]]:
        yield [self.x, self.g, self._scalars, self._best, self._best_x, self._best_g]
        for s in self._program.states:
            if not s.scalar:
                yield self._engine.listed(s.name)

    def hand_over(self, done: int, began: float) -> None:
        """Tell the run, and the ordinary state, what the block did."""
        if done == 0:
            return
        run, rows = self._run, self.rows[:done]
        rows[:, 5] = np.linspace(began, run.objective.seconds, done + 1)[1:]
        self._engine.scalars[0].update(
            zip(self._engine.scalars[0], self._scalars.tolist(), strict=True)
        )
        here = Point(self.x.copy(), float(rows[-1, 1]), self.g.copy())
        best = Point(self._best_x.copy(), float(self._best[0]), self._best_g.copy())
        before = self._f if done == 1 else float(rows[-2, 1])
        self._state.here = here
        self._f = here.f
        run.arrive_many(here, before, best, rows)
