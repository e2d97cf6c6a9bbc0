"""Make transforms, and what comes after a rule in a chain, from their texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from descend._rule import PLACES, TRANSFORMS, After, Rule, Transform
from descend._signature import Starts
from descend.errors import RuleError

_Link = TypeVar("_Link", bound=Rule)


@overload
def after(function: Callable[..., Any], /) -> After: ...
@overload
def after(
    *, init: Starts | None = None, solution: str = "x"
) -> Callable[[Callable[..., Any]], After]: ...
def after(
    function: Callable[..., Any] | None = None,
    *,
    init: Starts | None = None,
    solution: str = "x",
) -> Any:
    """Make what comes after the rule of a chain from ``(x, g, before, *states, *, …) -> (x, *states)``.

    ``x`` is what the rule made of ``before``. ``init`` and ``solution`` are as for `rule`.
    """

    def made(f: Callable[..., Any]) -> After:
        return enter(After(f, init, solution))

    return made if function is None else made(function)


def enter(made: _Link) -> _Link:
    """Make a transform, or what comes after a rule, known by name; a user's namesake does not take the place of ours."""
    TRANSFORMS.setdefault(made.name, made)
    return made


@overload
def transform(function: Callable[..., Any], /) -> Transform: ...
@overload
def transform(*, place: str = "clip") -> Callable[[Callable[..., Any]], Transform]: ...
def transform(function: Callable[..., Any] | None = None, *, place: str = "clip") -> Any:
    """Make a transform from ``(x, g, *states, *, …) -> (x, g, *states)``; it is used in a `chain`, at its ``place``."""

    def made(f: Callable[..., Any]) -> Transform:
        return enter(placed(Transform(f), place))

    return made if function is None else made(function)


def placed(link: _Link, place: str) -> _Link:
    """The link, with its place in a chain."""
    if place not in PLACES:
        raise RuleError(f"place of {link.name} must be one of {', '.join(PLACES)}; got {place!r}.")
    link.place = place
    return link
