"""`Stepper`: a rule, its arrays and the step count. The one owner of optimizer state."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
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
from descend._rule import Rule
from descend._staged import Staged
from descend._stored_state import (
    describe,
    parameters_of,
    part_name,
    parts_of,
    rule_of,
    write_into,
)
from descend.domains import Interval
from descend.errors import HyperparameterError, ShapeError


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
        self._active = [i for i, own in enumerate(updates) if own is not None]
        self._trained = [self._arrays[i] for i in self._active]
        self._trained_keys = tuple(self._keys[i] for i in self._active) if self._keys else ()
        if not self._trained:
            raise ShapeError("x must hold an array that is not frozen; got none.")
        own = [update for update in updates if update is not None]
        kinds = list({id(update): update for update in own}.values())
        groups = [next(i for i, kind in enumerate(kinds) if kind is update) for update in own]
        self._settings = [_Settings(kind, {a.dtype for a in self._trained}) for kind in kinds]
        columns = hyperparameters_of(names)
        first = [dict(zip(columns, own.at(1), strict=True)) for own in self._settings]
        threads = available_threads() if threads is None else check_threads(threads)
        self._engine: Fused | Staged = (
            Staged(links, self._trained, first, groups, threads)
            if any(link.rule.alone for link in links)
            else Fused(Program(links), self._trained, first, groups, threads)
        )

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
        fresh = [t, as_value(value, self.rule.name)] if self._takes_value else [t]
        if self._engine.step(gradients, [[*fresh, *own.at(t)] for own in self._settings]):
            self.t = t

    @property
    def state(self) -> dict[str, Any]:
        return {
            s.name: self._scalar(s.name) if s.scalar else self._collect(s.name)
            for s in self._states
        }

    def _scalar(self, name: str) -> Any:
        value = self._engine.scalar(name)
        return self._spread(value) if isinstance(value, list) else value

    @property
    def solution(self) -> Any:
        name = self._solution
        if name == "x":
            name = self._engine.solution or "x"
        if name == "x":
            return self.x
        held = dict(zip(self._active, self._engine.listed(name), strict=True))
        return like(self.x, self._keys, [held.get(i, a) for i, a in enumerate(self._arrays)])

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
            keys = self._trained_keys or ("",)
            for key, value in zip(keys, self._engine.listed(name), strict=True):
                yield from parts_of(part_name(name, key, self._keys), value)

    def _collect(self, name: str) -> Any:
        return self._spread(self._engine.listed(name))

    def _spread(self, values: list[Any]) -> Any:
        """One value for each array that is trained, in x's structure; None, or no key, for the frozen ones."""
        if isinstance(self.x, Mapping):
            return dict(zip(self._trained_keys, values, strict=True))
        held = dict(zip(self._active, values, strict=True))
        return like(self.x, self._keys, [held.get(i) for i in range(len(self._arrays))])

    def _gradients(self, g: Arrays) -> list[Array]:
        """The arrays of ``g`` in x's order, all of them checked."""
        if isinstance(self.x, np.ndarray):
            if isinstance(g, np.ndarray) and g.dtype == self.x.dtype and g.shape == self.x.shape:
                return [g]
            gradients = [as_array(g, f"g of {self.rule.name}")]
        else:
            keys, gradients = flatten(self._without_frozen(g), "g", f" of {self.rule.name}")
            wanted = self._trained_keys
            alike = isinstance(g, Mapping) == isinstance(self.x, Mapping)
            if not alike or set(keys) != set(wanted):
                expected = f"{type(self.x).__name__} {list(self._keys)}"
                raise ShapeError(
                    f"g of {self.rule.name} must have the structure of x, {expected}; "
                    f"got {type(g).__name__} {list(keys)}."
                )
            if keys != wanted:
                gradients = [dict(zip(keys, gradients, strict=True))[k] for k in wanted]
        check_gradients(self.rule.name, self._trained_keys, self._trained, gradients)
        return gradients

    def _without_frozen(self, g: Arrays) -> Arrays:
        """``g`` without what belongs to frozen arrays, which may be anything."""
        if len(self._active) == len(self._arrays):
            return g
        if isinstance(g, Mapping):
            frozen = set(self._keys).difference(self._trained_keys)
            return {key: value for key, value in g.items() if key not in frozen}
        whole = isinstance(g, list | tuple) and len(g) == len(self._arrays)
        return {i: g[i] for i in self._active} if whole else g


class _Settings:
    """The hyperparameters of an update at each step, schedules evaluated and checked against their domains."""

    def __init__(self, update: Update, dtypes: set[np.dtype[Any]]) -> None:
        self._dtypes = dtypes
        links = [(link, name) for link in update.links for name in link.settings]
        given = [link.settings[name] for link, name in links]
        domains = [link.rule.hyperparameters[name].domain for link, name in links]
        self._constant = [
            math.nan if callable(v) else self._above_zero(v, domain, name, link.name)
            for v, domain, (link, name) in zip(given, domains, links, strict=True)
        ]
        self._scheduled = [
            (i, v, domains[i], f"scheduled {links[i][1]}", links[i][0].name)
            for i, v in enumerate(given)
            if callable(v)
        ]

    def at(self, t: int) -> list[float]:
        """The values for step t, in the program's order."""
        values = self._constant.copy()
        for i, schedule, domain, name, owner in self._scheduled:
            value = domain.check(schedule(t), name, owner)
            values[i] = self._above_zero(value, domain, name, owner)
        return values

    def _above_zero(self, value: float, domain: Interval, name: str, owner: str) -> float:
        """``value``, which must not become 0 in the arrays' dtype where 0 is outside its domain: 0 / 0 would follow."""
        for dtype in self._dtypes:
            if dtype.type(value) == 0 and 0.0 not in domain:
                raise HyperparameterError(
                    f"{name} of {owner} must be above 0 in {dtype}, the dtype of x; got {value!r}."
                )
        return value
