"""One link that is computed on whole arrays, one array after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from descend._arrays import Array
from descend._rule import Bound
from descend._signature import INDEX, State, first_value
from descend.errors import RuleError


class Whole:
    """Run one tensor rule or transform on arrays, in place.

    Parameters
    ----------
    link : the rule or transform
    arrays : the parameters
    first : the values that states may start from, by the link's own names, for each group of arrays
    groups : the group of each array
    into : where the rule's x is written: the parameters themselves, or arrays for what comes after it

    Attributes
    ----------
    states : the array states by the link's own names, a value (an array or a tuple of arrays) for each parameter
    scalars : the scalar states of each parameter
    """

    def __init__(
        self,
        link: Bound,
        arrays: list[Array],
        first: Sequence[Mapping[str, float]],
        groups: Sequence[int],
        into: list[Array],
    ) -> None:
        self.link = link
        self._arrays = [_with_axes(a) for a in arrays]
        self._into = [_with_axes(a) for a in into]
        self._groups = groups
        own = [first[group] for group in groups]
        states = link.rule.states
        self.states = {
            s.name: [_started(s, link.name, a, f) for a, f in zip(self._arrays, own, strict=True)]
            for s in states
            if not s.scalar
        }
        self.scalars = [
            {s.name: float(f.get(str(s.start), s.start)) for s in states if s.scalar}  # type: ignore[arg-type]
            for f in own
        ]

    def step(self, gradients: list[Array], settings: Sequence[Mapping[str, float]]) -> list[Array]:
        """Change the parameters and the states, with each group's settings; the gradients that the next link gets."""
        handed = []
        # as in kernels, an overflow is inf and an undefined value nan: neither is a warning
        with np.errstate(all="ignore"):
            for i, (x, g) in enumerate(zip(self._arrays, gradients, strict=True)):
                own = settings[self._groups[i]]
                handed.append(self._step_one(i, g, own) if x.size else g)
        return handed

    def _step_one(self, i: int, g: Array, settings: Mapping[str, float]) -> Array:
        rule, x, row = self.link.rule, self._arrays[i], self.scalars[i]
        now = [row[s.name] if s.scalar else self.states[s.name][i] for s in rule.states]
        read: list[Any] = [
            _sealed(x, x.dtype),
            _sealed(_with_axes(g), x.dtype),
            *(a if isinstance(a, float) else _sealed_all(a, x.dtype) for a in now),
        ]
        number = {INDEX: i} if INDEX in rule.fresh else {}
        returned = rule.function(*read, **settings, **number)
        values = returned if isinstance(returned, tuple) else (returned,)
        places = [self._into[i] if rule.outputs == ("x",) else x]
        passed = [np.empty_like(x)] if rule.outputs == ("x", "g") else []
        self._check((*places, *passed, *now), values)
        for place, value in zip((*places, *passed), values, strict=False):
            np.copyto(place, value, casting="same_kind")
        for s, kept, value in zip(rule.states, now, values[len(rule.outputs) :], strict=True):
            if s.scalar:
                row[s.name] = float(value)
            else:
                _keep(kept, value)
        return passed[0].reshape(g.shape) if passed else g

    def _check(self, places: tuple[Any, ...], values: tuple[Any, ...]) -> None:
        """The text must return what it took, in the same shapes: broadcasting would hide a mistake."""
        rule = self.link.rule
        names = (*rule.outputs, *(s.name for s in rule.states))
        if len(values) != len(names):
            raise RuleError(
                f"{rule.name} must return {len(names)} values, {', '.join(names)}; got {len(values)}."
            )
        for name, place, value in zip(names, places, values, strict=True):
            if _shapes(place) != _shapes(value):
                raise RuleError(
                    f"{name} that {rule.name} returns must have shape {_shapes(place)}; got {_shapes(value)}."
                )


def _with_axes(a: Array) -> Array:
    """A view with at least one axis: rules of whole arrays see a number as an array of one element."""
    return a if a.ndim else a.reshape(1)


def _started(state: State, owner: str, x: Array, first: Mapping[str, float]) -> Any:
    """The first value of a state: an array of x's dtype, or a tuple of them."""
    start = state.start
    if callable(start):
        value = first_value(start, x.shape, first)
        parts = value if isinstance(value, tuple) else (value,)
        if any(not isinstance(p, np.ndarray) or p.dtype.kind not in "fiu" for p in parts):
            raise RuleError(
                f"init of {state.name} of {owner} must give an array or a tuple of arrays; got {value!r}."
            )
        # an order of its own, so that no layout of x shows in a sum
        made = tuple(np.array(p, x.dtype, order="C") for p in parts)
        return made if isinstance(value, tuple) else made[0]
    if start == "x":
        return np.array(x, order="C")
    return np.full(x.shape, first.get(str(start), start), x.dtype)


def _sealed(a: Array, dtype: np.dtype[Any]) -> Array:
    """``a`` for reading only: C-contiguous, aligned and of the dtype, so that equal values give equal bits."""
    view = np.require(a, dtype, ["C_CONTIGUOUS", "ALIGNED"]).view()
    view.flags.writeable = False
    return view


def _sealed_all(a: Any, dtype: np.dtype[Any]) -> Any:
    return tuple(_sealed(p, dtype) for p in a) if isinstance(a, tuple) else _sealed(a, dtype)


def _shapes(value: Any) -> Any:
    return tuple(np.shape(p) for p in value) if isinstance(value, tuple) else np.shape(value)


def _keep(place: Any, value: Any) -> None:
    """Write a state, subnormal numbers as 0, as kernels do."""
    if isinstance(place, tuple):
        for p, v in zip(place, value, strict=True):
            _keep(p, v)
        return
    np.copyto(place, value, casting="same_kind")
    place[np.abs(place) < np.finfo(place.dtype).tiny] = 0
