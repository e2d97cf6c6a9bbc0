"""Which arrays parameters hold, and which of them are trained: gradients are taken apart, states put together."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from descend._arrays import Array, Arrays, as_array, check_gradients, flatten, like
from descend.errors import ShapeError


class Layout:
    """The structure of x.

    Parameters
    ----------
    x : array, or list or dict of arrays
    trained : for each array, whether it is; by default all are
    owner : the rule's name, for messages

    Attributes
    ----------
    keys : the names of the trained arrays; none where x is an array
    arrays : the trained arrays
    """

    def __init__(self, x: Arrays, trained: Sequence[bool], owner: str) -> None:
        self._x = x
        self._owner = owner
        self._all_keys, self._all = flatten(x, "x")
        self._dtype = self._all[0].dtype
        self._places = [i for i, is_trained in enumerate(trained) if is_trained]
        self.arrays = [self._all[i] for i in self._places]
        self.keys = tuple(self._all_keys[i] for i in self._places) if self._all_keys else ()
        if not self.arrays:
            raise ShapeError("x must hold an array that is not frozen; got none.")

    def spread(self, values: Sequence[Any]) -> Any:
        """One value for each trained array, in x's structure; None, or no key, for the frozen ones."""
        if isinstance(self._x, Mapping):
            return dict(zip(self.keys, values, strict=True))
        held = dict(zip(self._places, values, strict=True))
        return like(self._x, self._all_keys, [held.get(i) for i in range(len(self._all))])

    def filled(self, values: Sequence[Array]) -> Any:
        """Arrays in x's structure: these where they are trained, x's own where they are frozen."""
        held = dict(zip(self._places, values, strict=True))
        return like(self._x, self._all_keys, [held.get(i, a) for i, a in enumerate(self._all)])

    def taken_apart(self, g: Arrays, what: str) -> list[Array]:
        """The arrays of ``g`` for the trained ones, in x's order, all of them checked."""
        if isinstance(self._x, np.ndarray):
            if type(g) is np.ndarray and g.dtype == self._dtype and g.shape == self._x.shape:
                return [g]
            gradients = [as_array(g, f"{what} of {self._owner}")]
        else:
            keys, gradients = flatten(self._without_frozen(g), what, f" of {self._owner}")
            alike = isinstance(g, Mapping) == isinstance(self._x, Mapping)
            if not alike or set(keys) != set(self.keys):
                expected = f"{type(self._x).__name__} {list(self._all_keys)}"
                raise ShapeError(
                    f"{what} of {self._owner} must have the structure of x, {expected}; "
                    f"got {type(g).__name__} {list(keys)}."
                )
            if keys != self.keys:
                gradients = [dict(zip(keys, gradients, strict=True))[k] for k in self.keys]
        check_gradients(what, self._owner, self.keys, self.arrays, gradients)
        return gradients

    def apart_from_x(self, gradients: list[Array]) -> list[Array]:
        """The gradients, those that lie in x's memory copied: a stage may change x before another reads them."""
        return [g.copy() if self._in_x(g) else g for g in gradients]

    def _in_x(self, g: Array) -> bool:
        starts, stops = self._memory
        start, stop = np.lib.array_utils.byte_bounds(g)
        before = bisect.bisect_left(starts, stop) - 1
        return before >= 0 and stops[before] > start

    @functools.cached_property
    def _memory(self) -> tuple[list[int], list[int]]:
        """Where x's memory starts and stops, in order; parts that reach into each other are one."""
        starts: list[int] = []
        stops: list[int] = []
        for start, stop in sorted(np.lib.array_utils.byte_bounds(a) for a in self.arrays if a.size):
            if stops and start < stops[-1]:
                stops[-1] = max(stops[-1], stop)
            else:
                starts.append(start)
                stops.append(stop)
        return starts, stops

    @staticmethod
    def copy(given: Sequence[Array], kept: Sequence[Array]) -> None:
        """Write arrays into others of the same shapes."""
        with np.errstate(over="ignore"):
            for to, a in zip(kept, given, strict=True):
                np.copyto(to, a, casting="same_kind")

    def _without_frozen(self, g: Arrays) -> Arrays:
        """``g`` without what belongs to frozen arrays, which may be anything."""
        if len(self._places) == len(self._all):
            return g
        if isinstance(g, Mapping):
            frozen = set(self._all_keys).difference(self.keys)
            return {key: value for key, value in g.items() if key not in frozen}
        whole = isinstance(g, list | tuple) and len(g) == len(self._all)
        return {i: g[i] for i in self._places} if whole else g
