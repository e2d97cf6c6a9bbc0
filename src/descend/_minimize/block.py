"""The memory of a run that compiled code works on: the stepper's own, and room for what happens in a block of iterations."""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from descend._compile.program import Program
from descend._fused import Fused
from descend._minimize.history import COLUMNS
from descend._minimize.loop_code import COUNTS, POINTERS, REALS, UNUSABLE
from descend._settings import Settings
from descend._slab import Lent, address
from descend.methods._method import Point, Vector
from descend.methods._status import Status
from descend.methods.by_rule import ByRule

if TYPE_CHECKING:
    from descend._minimize.run import Run

_FIELD = {name: i for i, name in enumerate(COUNTS)}
_CLOCKED = COLUMNS.index("time"), COLUMNS.index("nfev")


def applies(run: Run) -> bool:
    """Whether all that happens between two calls of the function is what `descend._minimize.loop_code` prints."""
    limits = run.limits
    free = not run.objective.has_bounds and run.units is None
    watched = limits.xtol is not None or limits.patience is not None
    return isinstance(run.method, ByRule) and free and not watched


def program_of(run: Run) -> Program | None:
    """What a step of the run's rule computes, where other code can: in one pass over one small array."""
    engine = run.state.stepper._engine  # noqa: SLF001 - whoever runs its steps works on its memory
    return engine.plain if isinstance(engine, Fused) else None


class Block:
    """Iterations that run elsewhere, and are told to the run when they are over.

    Parameters
    ----------
    run : a run by a rule, begun, that has a `program_of`
    most : the most iterations of a block

    Attributes
    ----------
    x, fresh : arrays of shape (n,): where the function is to be evaluated, and room for its gradient there
    reals : array whose first entry takes its value there
    counts : what the code counts, by the places of ``COUNTS``
    settings : the hyperparameters at each step
    memory : the table of addresses
    """

    def __init__(self, run: Run, most: int) -> None:
        self._run, self._state = run, run.state
        self._stepper = stepper = run.state.stepper
        self._engine: Fused = stepper._engine  # noqa: SLF001 - as `program_of`
        self.settings: Settings = stepper._settings[0]  # noqa: SLF001
        own, self._scalar_states = self._lent(), self._engine.scalars[0]
        n, width = self._state.x.size, len(self.settings.at(1))
        self._arrays: dict[str, Vector] = {
            "x": self._state.x,
            "g": own.g,
            **{name: np.empty(n) for name in ("fresh", "old", "best_x", "best_g")},
            "hyper": np.empty((most if self.settings.schedules else 1, width)),
            "scalars": np.empty(len(self._scalar_states)),
            "rows": np.empty((most, len(COLUMNS))),
            "reals": np.empty(len(REALS)),
        }
        self.x, self.fresh, self.reals = (self._arrays[a] for a in ("x", "fresh", "reals"))
        self.counts: Any = (ctypes.c_int64 * len(COUNTS))()
        places = {name: address(a) for name, a in self._arrays.items()}
        places |= {"frame": own.frame, "k": own.scalars, "counts": ctypes.addressof(self.counts)}
        self.memory = np.array([places[name] for name in POINTERS], dtype=np.int64)

    def open(self, steps: int, ahead: int = 1) -> bool:
        """Begin a block of so many iterations at most; whether there can be one.

        Parameters
        ----------
        ahead : for how many of them the hyperparameters are written down; `due` writes those of the next into the first row
        """
        run, state = self._run, self._state
        if ahead > 1:
            steps = ahead = self._look_ahead(min(ahead, steps))
        self._lent()
        now = {"old": state.here.x, "best_x": run.best.x, "best_g": run.best.g}
        for name, values in {**now, "scalars": list(self._scalar_states.values())}.items():
            self._arrays[name][:] = values
        tally = run.stopping.tally
        self.reals[:] = (
            *(math.nan, state.lr, run.shown.f, run.best.f, tally.least_norm),
            *run.stopping.thresholds,
        )
        steps = min(steps, len(self._arrays["rows"]))
        fields = {"N": self.x.size, "STEPS": steps, "T": self._stepper.t, "NIT": run.nit}
        fields |= {"FLAT": tally.flat, "WAITING": int(state.moved), "AHEAD": ahead}
        self.counts[:] = [fields.get(name, 0) for name in COUNTS]
        return steps > 0 and (ahead > 1 or self.due())

    def due(self) -> bool:
        """Write down the hyperparameters of the next step; whether they can be had.

        A schedule that fails does so in the ordinary way, if the run comes to that step.
        """
        try:
            self._arrays["hyper"][0] = self.settings.at(self.count("T") + 1)
        except Exception:  # noqa: BLE001 - a user's schedule
            return False
        return True

    def _look_ahead(self, steps: int) -> int:
        """Write down the hyperparameters of steps to come: for how many of them they can be had."""
        first = self._stepper.t + (0 if self._state.moved else 1)  # a step that was taken has a row
        for i in range(min(steps, len(self._arrays["hyper"]))):
            try:
                self._arrays["hyper"][i] = self.settings.at(first + i)
            except Exception:  # noqa: BLE001 - as above
                return i
        return steps

    def _lent(self) -> Lent:
        """The stepper's own memory, the last gradient in it."""
        return self._engine.lend(self._state.here.g)

    def is_of(self, run: Run) -> bool:
        """Whether the run still has the state whose memory this is."""
        return self._state is run.state

    def count(self, name: str) -> int:
        return int(self.counts[_FIELD[name]])

    @property
    def usable(self) -> bool:
        """Whether f and its gradient were finite at the last step."""
        return self.count("EVENT") != UNUSABLE

    def close(self, seconds: Any, calls: Any) -> Status | None:
        """Tell the run what happened: why it ends.

        Parameters
        ----------
        seconds, calls : the clock and the calls of the function after each iteration, and maybe after more
        """
        run, state, arrays, done = self._run, self._state, self._arrays, self.count("DONE")
        self._stepper.t = self.count("T")
        scalars = zip(self._scalar_states, arrays["scalars"].tolist(), strict=True)
        self._scalar_states.update(scalars)
        moved = self.count("WAITING") == 1
        if done == 0:
            state.settle(state.here, moved=moved)
            return None
        rows = arrays["rows"][:done]
        for column, values in zip(_CLOCKED, (seconds, calls), strict=True):
            rows[:, column] = values[:done]
        x, f = arrays["old" if moved else "x"].copy(), float(rows[-1, COLUMNS.index("fun")])
        here = Point(x, f, arrays["g"].copy())
        state.settle(here, moved=moved)
        status = run.stopping.after_many(run.shown.f, rows, self.count("FLAT"), run.done, x)
        run.arrive_many(here, self._best(here), rows)
        return status

    def _best(self, here: Point) -> Point:
        """The best point so far; of several that are as good, the last."""
        f = float(self.reals[REALS.index("BEST")])
        if f == here.f:
            return here
        return Point(self._arrays["best_x"].copy(), f, self._arrays["best_g"].copy())
