"""Steps that bring nothing that can be told from rounding: a few are worth taking, many in a row are the end."""

from __future__ import annotations

from descend.methods._inner import inner
from descend.methods._method import Point, Vector
from descend.methods._status import Status
from descend.methods.lines import rounding

PATIENCE = 10
"""Idle steps in a row after which a method ends: the gradient may still fall, and the approximate Wolfe conditions see it."""
_RESOLUTION = 2.0**-46
"""The length of a step, relative to x, below which entries of x change by some units in their last places: 64 at most."""
_SLOW = 0.1
"""The least relative fall of f in one step that needs no second look."""


def idle_steps(before: int, old: Point, new: Point) -> int:
    """Return how many steps in a row were idle, this one included, when ``before`` were so far.

    A step is idle where f does not fall beyond its rounding, or where x `rests`.
    """
    idle = not old.f - new.f > rounding(old.f) or rests(old, new)
    return before + 1 if idle else 0


def rests(old: Point, new: Point) -> bool:
    """Whether x changed by its rounding alone.

    Where f is near 0, or loses digits, such steps may go on by the thousand: each lowers f a little, by chance, and leads nowhere.
    """
    if old.f - new.f > _SLOW * abs(old.f):
        return False
    s: Vector = new.x - old.x
    return inner(s, s) <= _RESOLUTION**2 * inner(new.x, new.x)


def ended(idle: int) -> Status | None:
    """Return `Status.ROUNDOFF` after too many idle steps."""
    return Status.ROUNDOFF if idle >= PATIENCE else None
