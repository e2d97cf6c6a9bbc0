"""`Stepper`: a rule, its arrays and the step count. The one owner of optimizer state."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from descend import _checkpoint as checkpoint
from descend._arrays import (
    Array,
    Arrays,
    as_array,
    as_value,
    check_gradients,
    check_parameters,
    flatten,
    like,
)
from descend._chain import Update, bind
from descend._compile.program import Program
from descend._compile.threads import available_threads, check_threads
from descend._rule import Rule
from descend._slab import Slab
from descend._stored_state import describe, parameters_of, part_name, rule_of
from descend.errors import ShapeError


class Stepper:
    """Take steps of a rule on arrays, in place.

    Parameters
    ----------
    rule : a rule, bound or not, or a chain
    x : array, or list or dict of arrays, float32 or float64, writeable; updated in place
    threads : the most threads that a step may use; by default the processors at hand, or ``DESCEND_NUM_THREADS``

    Attributes
    ----------
    x : the parameters, as given
    t : int, steps taken
    state : dict from a state's name to arrays of x's structure, or to a float for a scalar state
    solution : the arrays that hold the answer: x, except for rules that average (``schedule_free_sgd``)

    Raises
    ------
    ShapeError
        If x holds anything but separate, writeable float32 or float64 arrays.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> x = np.array([1.0, -2.0])
    >>> s = dd.Stepper(dd.sgd(lr=0.25), x)
    >>> s.step(2 * x)
    >>> x, s.t
    (array([ 0.5, -1. ]), 1)
    """

    def __init__(self, rule: Rule | Update, x: Arrays, *, threads: int | None = None) -> None:
        self.rule = bind(rule)
        self.x = x
        self.t = 0
        self._keys, self._arrays = flatten(x, "x")
        check_parameters(self._keys, self._arrays)
        self._program = Program(self.rule.links)
        self._settings = _Settings(self.rule)
        first = dict(zip(self._program.hyperparameters, self._settings.at(1), strict=True))
        starts = {s.name: first.get(str(s.start), s.start) for s in self._program.states}
        scalars = {name: float(starts.pop(name)) for name in self._program.scalar_states}
        threads = available_threads() if threads is None else check_threads(threads)
        self._slab_of = self._divide()
        self._slabs = [
            Slab(self._program, part, starts, threads) for part in self._parts(self._arrays)
        ]
        # where arrays have sums of their own, each has scalars of its own
        self._row_of = [i if self._program.own_sums else 0 for i in range(len(self._slabs))]
        self._scalars = [dict(scalars) for _ in range(max(self._row_of, default=0) + 1)]

    def _divide(self) -> list[int]:
        """The slab of each array: one for all of a dtype, or one each where arrays have sums of their own."""
        if self._program.own_sums:
            return list(range(len(self._arrays)))
        dtypes = sorted({a.dtype for a in self._arrays}, key=str)
        return [dtypes.index(a.dtype) for a in self._arrays]

    def step(self, g: Arrays, value: float | None = None) -> None:
        """Take one step with the gradient ``g`` of x's structure and shapes; x and state change in place.

        ``value``, the function's at x, is needed by rules such as ``polyak_sgd`` and ignored by the rest.

        Raises
        ------
        ShapeError
            If the structure, a shape or a dtype of g does not fit; nothing has changed then.
        HyperparameterError
            If a schedule gives a value outside its domain, or a rule needs ``value`` and it is no number; nothing has changed then.
        """
        gradients = self._gradients(g)
        t = self.t + 1
        fresh = [t] if len(self._program.fresh) == 1 else [t, as_value(value, self.rule.name)]
        shared = [*fresh, *self._settings.at(t)]
        rows = [[*shared, *scalars.values()] for scalars in self._scalars]
        for slab, part in zip(self._slabs, self._parts(gradients), strict=True):
            slab.take(part)
        program = self._program
        if program.sums:
            self._measure(rows)
        updates = [program.host[-1](*row) for row in rows]
        following = [program.next_scalars(*row) for row in rows] if program.scalar_states else ()
        for slab, i in zip(self._slabs, self._row_of, strict=True):
            slab.update(updates[i])
        for scalars, values in zip(self._scalars, following, strict=False):
            scalars.update(zip(scalars, values, strict=True))
        self.t = t

    @property
    def state(self) -> dict[str, Any]:
        return {
            s.name: self._scalar(s.name) if s.scalar else self._collect(s.name)
            for s in self._program.states
        }

    def _scalar(self, name: str) -> Any:
        values = [scalars[name] for scalars in self._scalars]
        return like(self.x, self._keys, values) if self._program.own_sums else values[0]

    @property
    def solution(self) -> Any:
        name = self._program.solution
        return self.x if name == "x" else self._collect(name)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint: rule, settings, t, parameters and state, with checksums, whole or not at all.

        The file that was there is kept as ``PATH.previous``.

        Raises
        ------
        CheckpointError
            If the file cannot be written.

        Examples
        --------
        >>> import numpy as np, descend as dd, pathlib, tempfile
        >>> s = dd.Stepper(dd.adam(lr=0.1), np.ones(3))
        >>> s.step(np.ones(3))
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.ckpt"
        >>> s.save(path)
        >>> dd.Stepper.load(path).x
        array([0.9, 0.9, 0.9])
        """
        values = describe(self.rule, self.x, self.t, self._scalars)
        arrays = {
            part_name("x", k, self._keys): a
            for k, a in zip(self._keys or ("",), self._arrays, strict=True)
        }
        for name in self._state_arrays():
            views = self._listed(name)
            arrays |= {
                part_name(name, k, self._keys): a
                for k, a in zip(self._keys or ("",), views, strict=True)
            }
        checkpoint.write(Path(path), values, arrays)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        rule: Rule | Update | None = None,
        x: Arrays | None = None,
        threads: int | None = None,
    ) -> Stepper:
        """Go on from a checkpoint, bit for bit; from the previous one, with a warning, if it is damaged.

        Parameters
        ----------
        path : the file that `save` wrote
        rule : the rule to go on with, which must be the one saved; needed for schedules that are functions of your own
        x : arrays to load the parameters into, of the same names, shapes and dtypes; by default new ones
        threads : as for `Stepper`

        Raises
        ------
        CheckpointError
            If there is no undamaged checkpoint, or it belongs to another rule or to other parameters.
        """
        values, arrays = checkpoint.read(Path(path))
        update = rule_of(values, rule, path)
        stepper = cls(update, parameters_of(values, arrays, x, path), threads=threads)
        for name in stepper._state_arrays():
            for key, view in zip(stepper._keys or ("",), stepper._listed(name), strict=True):
                view[...] = arrays[part_name(name, key, stepper._keys)]
        stepper._scalars = [
            {name: float.fromhex(row[name]) for name in stepper._program.scalar_states}
            for row in values["scalars"]
        ]
        stepper.t = values["t"]
        return stepper

    def _state_arrays(self) -> list[str]:
        return [s.name for s in self._program.states if not s.scalar]

    def _collect(self, name: str) -> Any:
        return like(self.x, self._keys, self._listed(name))

    def _listed(self, name: str) -> list[Array]:
        """A state's arrays in the order of x."""
        views = [iter(slab.views[name]) for slab in self._slabs]
        return [next(views[i]) for i in self._slab_of]

    def _parts(self, arrays: list[Array]) -> list[list[Array]]:
        """The arrays of each slab."""
        slabs = max(self._slab_of, default=-1) + 1
        if slabs == 1:
            return [arrays]
        parts: list[list[Array]] = [[] for _ in range(slabs)]
        for array, slab in zip(arrays, self._slab_of, strict=True):
            parts[slab].append(array)
        return parts

    def _gradients(self, g: Arrays) -> list[Array]:
        """The arrays of ``g`` in x's order, all of them checked."""
        if isinstance(self.x, np.ndarray):
            if isinstance(g, np.ndarray) and g.dtype == self.x.dtype and g.shape == self.x.shape:
                return [g]
            gradients = [as_array(g, f"g of {self.rule.name}")]
        else:
            keys, gradients = flatten(g, "g", f" of {self.rule.name}")
            alike = isinstance(g, Mapping) == isinstance(self.x, Mapping)
            if not alike or set(keys) != set(self._keys):
                expected = f"{type(self.x).__name__} {list(self._keys)}"
                raise ShapeError(
                    f"g of {self.rule.name} must have the structure of x, {expected}; "
                    f"got {type(g).__name__} {list(keys)}."
                )
            if keys != self._keys:
                gradients = [dict(zip(keys, gradients, strict=True))[k] for k in self._keys]
        check_gradients(self.rule.name, self._keys, self._arrays, gradients)
        return gradients

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


class _Settings:
    """The hyperparameters of an update at each step, schedules evaluated and checked against their domains."""

    def __init__(self, update: Update) -> None:
        links = [(link, name) for link in update.links for name in link.settings]
        given = [link.settings[name] for link, name in links]
        self._constant = [math.nan if callable(v) else v for v in given]
        self._scheduled = [
            (
                i,
                v,
                links[i][0].rule.hyperparameters[links[i][1]].domain,
                f"scheduled {links[i][1]}",
                links[i][0].name,
            )
            for i, v in enumerate(given)
            if callable(v)
        ]

    def at(self, t: int) -> list[float]:
        """The values for step t, in the program's order."""
        values = self._constant.copy()
        for i, schedule, domain, name, owner in self._scheduled:
            values[i] = domain.check(schedule(t), name, owner)
        return values
