"""A stepper as values and arrays by name, and back: what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from descend._arrays import Array, Arrays, check_parameters, flatten, like
from descend._catalogue import get_rule
from descend._chain import Update, bind
from descend._compile.names import name_links, states_of
from descend.errors import CheckpointError, DescendError

_KINDS = {"array": np.empty(0), "list": [], "dict": {}}


def describe(update: Update, x: Arrays, t: int, scalars: list[dict[str, float]]) -> dict[str, Any]:
    """The values of a checkpoint, all of them plain."""
    keys, _ = flatten(x, "x")
    plain = all(isinstance(key, str | int) and not isinstance(key, bool) for key in keys)
    if (
        not plain
        or len({str(key) for key in keys}) < len(keys)
        or any("\0" in str(key) for key in keys)
    ):
        raise CheckpointError(
            f"keys of x must be different str or int to be saved; got {list(keys)!r}."
        )
    kind = "array" if isinstance(x, np.ndarray) else "dict" if isinstance(x, dict) else "list"
    return {
        "rule": update.text,
        "states": _state_names(update),
        "t": t,
        "x": kind,
        "keys": list(keys),
        "scalars": [{name: value.hex() for name, value in row.items()} for row in scalars],
    }


def part_name(array: str, key: Hashable, keys: tuple[Hashable, ...]) -> str:
    """The name of one array in the file: ``x``, ``m/weights``, ``m/0``."""
    return f"{array}/{key}" if keys else array


def _state_names(update: Update) -> list[str]:
    return [state.name for state in states_of(update.links, name_links(update.links))]


def parts_of(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    """A state of one parameter under its name in the file; one that is several arrays by ``name[0]``, ``name[1]`` …"""
    if not isinstance(value, tuple):
        yield name, value
        return
    for i, part in enumerate(value):
        yield f"{name}[{i}]", part


def write_into(place: Array, arrays: dict[str, Array], name: str, path: object) -> None:
    """Fill a state from the file, which must hold it in the same shape and dtype."""
    stored = arrays.get(name)
    if stored is None or stored.shape != place.shape or stored.dtype != place.dtype:
        found = "none" if stored is None else f"{stored.dtype} of shape {stored.shape}"
        raise CheckpointError(
            f"{name} in {path} must be {place.dtype} of shape {place.shape}; got {found}."
        )
    place[...] = stored


def rule_of(values: dict[str, Any], given: Any, path: object) -> Update:
    """The update to go on with: the one in the file, which must be the one given, if one is."""
    if "rule" not in values:
        raise CheckpointError(
            f"{path} must be a checkpoint of a Stepper; got one of {values.get('method')}."
        )
    if given is None:
        try:
            found = get_rule(values["rule"], files=False)  # a checkpoint runs no code
        except DescendError as error:
            raise CheckpointError(
                f"the rule of {path} must be known here; {error} Hint: import its module, or pass rule=."
            ) from None
    else:
        found = bind(given)
        if found.text != values["rule"]:
            raise CheckpointError(f"rule of {path} must be {values['rule']}; got {found.text}.")
    states = set(_state_names(found))
    saved = set(values["states"])
    if states != saved:
        raise CheckpointError(
            f"states of {found.name} must be those of {path}, {sorted(saved)}; got {sorted(states)}."
        )
    return found


def parameters_of(
    values: dict[str, Any], arrays: dict[str, Array], x: Arrays | None, path: object
) -> Arrays:
    """The parameters, new or written into ``x``, which must have the same names, shapes and dtypes."""
    keys = tuple(values["keys"])
    stored = [arrays[part_name("x", key, keys)] for key in keys or ("",)]
    if x is None:
        return like(_KINDS[values["x"]], keys, stored)  # type: ignore[no-any-return]
    found, given = flatten(x, "x")
    check_parameters(found, given)
    if found != keys:
        raise CheckpointError(
            f"x of {path} must have the names {list(keys)}, in this order; got {list(found)}."
        )
    for key, old, new in zip(keys or ("",), stored, given, strict=True):
        if old.shape != new.shape or old.dtype != new.dtype:
            name = f"x[{key!r}]" if keys else "x"
            raise CheckpointError(
                f"{name} of {path} must be {old.dtype} of shape {old.shape}; got {new.dtype} of shape {new.shape}."
            )
    for old, new in zip(stored, given, strict=True):
        new[...] = old
    return x
