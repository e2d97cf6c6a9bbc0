"""Whether a run that ended goes on from the point it reached: in other units, or with better differences."""

from __future__ import annotations

from dataclasses import dataclass

from descend._minimize.scaling import differ
from descend.methods._method import Vector
from descend.methods._status import Status

_FALL = 1e-4
"""Least relative fall of f since the last start that makes another one worth its evaluations."""
UNFINISHED = frozenset({Status.FUNCTION, Status.STEP, Status.LINE_SEARCH, Status.ROUNDOFF})
"""Ends after which other units, or better differences, may lead on."""


@dataclass(frozen=True, slots=True)
class Restart:
    """What another start changes; nothing where there is none."""

    rescaled: bool = False
    sharper: bool = False


def has_fallen(before: float, f: float) -> bool:
    """Whether f fell by more than rounding since the last start."""
    return before - f > _FALL * abs(before)


def restart_after(
    status: Status, units: Vector, x: Vector, *, fell: bool, scales: bool, doubtful: bool
) -> Restart:
    """Return what to change after a run ended at ``x`` with ``status``, an unfinished one.

    Parameters
    ----------
    units : those of the run
    fell : whether f did since the last start
    scales : whether other units may be taken
    doubtful : whether the gradient is one-sided differences, and still steep: small steps, which noise in it
        makes too, are then no success yet

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones(1)
    >>> restart_after(Status.FUNCTION, one, one, fell=True, scales=True, doubtful=True)
    Restart(rescaled=False, sharper=True)
    """
    poor = not status.success
    rescaled = fell and scales and (poor or differ(units, x))
    return Restart(rescaled, rescaled or (fell and poor) or (doubtful and not poor))
