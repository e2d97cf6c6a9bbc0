"""The exceptions of descend: one family, each also a built-in error that ordinary handlers catch.

A message names what is wrong, its owner, what was expected and what was got:
``beta1 of adam must be a float in [0, 1); got 1.0.``
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DescendError(Exception):
    """Any error that descend raises on purpose."""


class HyperparameterError(DescendError, ValueError):
    """A hyperparameter is unknown, or its value is outside its domain."""


class RuleError(DescendError, TypeError):
    """A rule's text cannot be compiled, or its signature does not follow the schema."""


class ShapeError(DescendError, ValueError):
    """An array has the wrong shape, structure or dtype."""


class DataError(DescendError, ValueError):
    """A table cannot be read or cannot be learned from."""


class ProblemError(DescendError, ValueError):
    """A problem, built-in or the user's own, is unusable."""


class StoreError(DescendError, ValueError):
    """A run store cannot be opened, read or written."""


class CheckpointError(DescendError, ValueError):
    """A checkpoint cannot be written, is damaged, or belongs to something else."""


class MissingDependencyError(DescendError, ImportError):
    """An optional package is needed and not installed."""


class UnknownNameError(DescendError, KeyError):
    """A name is not in its registry; the message holds the nearest one."""

    def __str__(self) -> str:  # KeyError would print the repr of the sentence
        return str(self.args[0])


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint ``Did you mean 'adam'?`` with a leading space, or nothing when no name is close.

    >>> nearest("adma", ["adam", "adamax", "lion"])
    " Did you mean 'adam'?"
    """
    close = difflib.get_close_matches(name, sorted(known), n=10)
    swapped = [k for k in close if sorted(k) == sorted(name)]  # the commonest slip of all
    return f" Did you mean {(swapped or close)[0]!r}?" if close else ""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for ``name`` when no ``kind`` is called so.

    >>> str(unknown_name("rule", "adma", ["lion", "adam"]))
    "no rule is called 'adma'. Did you mean 'adam'? Known: adam, lion."
    """
    names = sorted(known)
    return UnknownNameError(
        f"no {kind} is called {name!r}.{nearest(name, names)} Known: {', '.join(names)}."
    )
