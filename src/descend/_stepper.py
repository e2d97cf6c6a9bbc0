"""`Stepper`: a rule, its arrays and the step count. The one owner of optimizer state."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from descend import _checkpoint as checkpoint
from descend._arrays import Array, Arrays, as_value, check_parameters, flatten
from descend._chain import Chain, Update, bind
from descend._compile.names import (
    fresh_of,
    hyperparameters_of,
    name_links,
    solution_of,
    states_of,
)
from descend._compile.program import Program
from descend._compile.threads import available_threads, check_threads
from descend._fused import Fused
from descend._groups import divide
from descend._layout import Layout
from descend._rule import Bound, Rule
from descend._settings import Settings
from descend._staged import Staged
from descend._stored_state import (
    describe,
    parameters_of,
    part_name,
    parts_of,
    rule_of,
    write_into,
)
from descend.errors import CheckpointError, HyperparameterError


class Stepper:
    """Take steps of a rule on arrays, in place.

    Parameters
    ----------
    rule : a rule, bound or not, or a chain, with groups or without
    x : array, or list or dict of arrays, float32 or float64, writeable; updated in place
    threads : the most threads that a step may use; by default the processors at hand, or ``DESCEND_NUM_THREADS``

    Attributes
    ----------
    x : the parameters, as given
    t : int, steps taken; a gate such as ``accumulate`` takes one only now and then
    lr : float, the rule's at the last step, of the first group where there are groups; nan before it, and for rules that have none
    state : dict from a state's name to arrays of x's structure, or to a float for a scalar state; frozen arrays have none
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
        links = self.rule.links
        names = name_links(links)
        self._states = states_of(links, names)
        self._solution = solution_of(links, names)
        self._takes_value = "value" in fresh_of(links)
        updates = divide(self.rule, self._keys, self._arrays)
        self._layout = Layout(x, [own is not None for own in updates], self.rule.name)
        trained = self._layout.arrays
        kinds, groups = _numbered([own for own in updates if own is not None])
        self._settings = [Settings(kind, {a.dtype for a in trained}) for kind in kinds]
        columns = hyperparameters_of(names)
        first = [dict(zip(columns, own.at(1), strict=True)) for own in self._settings]
        threads = available_threads() if threads is None else check_threads(threads)
        self._engine: Fused | Staged = (
            Staged(links, trained, first, groups, threads)
            if any(link.rule.alone for link in links)
            else Fused(Program(links), trained, first, groups, threads)
        )

    def step(
        self, g: Arrays, value: float | None = None, *, curvature: Arrays | None = None
    ) -> None:
        """Take one step; x and state change in place.

        Parameters
        ----------
        g : the gradient, of x's structure and shapes
        value : the function's at x; needed by rules such as ``polyak_sgd`` and ignored by the rest
        curvature : an estimate of the Hessian's diagonal at x, of x's structure and shapes, for rules that keep one (``sophia``);
            they keep it until the next is given

        Raises
        ------
        ShapeError
            If the structure, a shape or a dtype of g or curvature does not fit; nothing has changed then.
        HyperparameterError
            If a schedule gives a value outside its domain, or a rule needs ``value`` and it is no number; nothing has changed then.
        """
        gradients = self._layout.taken_apart(g, "g")
        if self._engine.in_stages:
            gradients = self._layout.apart_from_x(gradients)
        t = self.t + 1
        fresh = [t, as_value(value, self.rule.name)] if self._takes_value else [t]
        settings = [[*fresh, *own.at(t)] for own in self._settings]
        before = None if curvature is None else self._keep_curvature(curvature)
        if self._engine.step(gradients, settings):
            self.t = t
        elif before is not None:  # a gate closed
            self._layout.copy(before, self._engine.listed("curvature"))

    @property
    def lr(self) -> float:
        return self._settings[0].lr_at(self.t) if self.t else math.nan

    def _keep_curvature(self, curvature: Arrays) -> list[Array]:
        """Write the estimate into the state; what was there."""
        if all(s.name != "curvature" for s in self._states):
            raise HyperparameterError(
                f"curvature of a step must be given to a rule that keeps it, such as sophia; {self.rule.name} does not."
            )
        given, kept = (
            self._layout.taken_apart(curvature, "curvature"),
            self._engine.listed("curvature"),
        )
        before = [a.copy() for a in kept]
        self._layout.copy(given, kept)
        return before

    @property
    def state(self) -> dict[str, Any]:
        return {
            s.name: self._scalar(s.name)
            if s.scalar
            else self._layout.spread(self._engine.listed(s.name))
            for s in self._states
        }

    def _scalar(self, name: str) -> Any:
        value = self._engine.scalar(name)
        return self._layout.spread(value) if isinstance(value, list) else value

    @property
    def solution(self) -> Any:
        name = self._solution
        if name == "x":
            name = self._engine.solution or "x"
        return self.x if name == "x" else self._layout.filled(self._engine.listed(name))

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
        checkpoint.write(Path(path), *self._contents())

    def _contents(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The values and arrays of a checkpoint."""
        keys, held = flatten(self.x, "x")
        if keys != self._keys or any(a is not b for a, b in zip(held, self._arrays, strict=True)):
            raise CheckpointError(
                "x must hold the arrays that the Stepper was made with; it has changed."
            )
        values = describe(self.rule, self.x, self.t, self._engine.scalars)
        arrays = {
            part_name("x", k, self._keys): a
            for k, a in zip(self._keys or ("",), self._arrays, strict=True)
        }
        return values, arrays | dict(self._state_parts())

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
        return cls._restored(*checkpoint.read(Path(path)), path, rule, x, threads)

    @classmethod
    def _restored(
        cls,
        values: dict[str, Any],
        arrays: dict[str, Array],
        path: object,
        rule: Rule | Update | None,
        x: Arrays | None,
        threads: int | None = None,
    ) -> Stepper:
        """A stepper from what `_contents` gave."""
        update = rule_of(values, rule, path)
        stepper = cls(update, parameters_of(values, arrays, x, path), threads=threads)
        for name, part in stepper._state_parts():
            write_into(part, arrays, name, path)
        stepper._engine.scalars = [
            {name: float.fromhex(row[name]) for name in fresh}
            for fresh, row in zip(stepper._engine.scalars, values["scalars"], strict=True)
        ]
        stepper.t = values["t"]
        return stepper

    def _state_parts(self) -> Iterator[tuple[str, Array]]:
        """Every array of the state with its name in a checkpoint."""
        for name in (s.name for s in self._states if not s.scalar):
            keys = self._layout.keys or ("",)
            for key, value in zip(keys, self._engine.listed(name), strict=True):
                yield from parts_of(part_name(name, key, self._keys), value)


def _numbered(updates: list[Bound | Chain]) -> tuple[list[Bound | Chain], list[int]]:
    """The different updates, and the number of each array's."""
    kinds = list({id(update): update for update in updates}.values())
    return kinds, [next(i for i, kind in enumerate(kinds) if kind is update) for update in updates]
