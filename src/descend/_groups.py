"""Groups of arrays: one update with other settings for some of them, or none at all, and the table that says so.

A group is chosen by a pattern of names (``head.*``) or by a role (``bias``, ``norm``, ``embedding``, ``1-D``).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from descend._arrays import Array, Arrays, flatten
from descend._chain import Chain, Grouped, Own, Update, bind
from descend._gate import Gate
from descend._rule import Bound, Rule, Setting
from descend.domains import brief
from descend.errors import HyperparameterError, RuleError, ShapeError, nearest

Settings = Mapping[str, Setting] | None
"""The settings of a group; None for one that is not trained."""

_NAMED = {
    # of the last part of a name
    "bias": re.compile(r"(^|[./])((\w+_)?bias(_\w+)?|b\d*)$", re.IGNORECASE),
    # of any part, which may be LayerNorm, bn1, ln_f, q_norm, norm2
    "norm": re.compile(
        r"(^|[./])(\w+_)?((layer|batch|group|instance|rms)_?)?norm(_?\d+[a-z]?)?([./]|$)"
        r"|(^|[./])(\w+_)?(bn|ln)(_?\d*|_f)([./]|$)",
        re.IGNORECASE,
    ),
    "embedding": re.compile(
        r"(^|[./])(\w+_)?(embed(ding)?s?|emb|wte|wpe)(_\w+)?([./]|$)", re.IGNORECASE
    ),
}
ROLES = (*_NAMED, "1-D")
"""What arrays are by their names, and by having at most one axis."""


def per_group(update: Rule | Update, groups: Mapping[str, Settings]) -> Grouped:
    """One update with other settings for some arrays.

    Parameters
    ----------
    update : a rule, bound or not, or a chain
    groups : settings by what they are for: a role (``bias``, ``norm``, ``embedding``, ``1-D``) or a pattern of names
        (``head.*``; positions where x is a list); None for arrays that are not trained, whatever else is said of them. Where two
        groups hold one array, the later one takes precedence. Settings go to every link of the chain that has them, but to no
        gate, which is one decision for all arrays.

    Raises
    ------
    HyperparameterError
        If no link has a setting, or its value is outside the domain.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> x = {"body": np.ones(1), "head": np.ones(1)}
    >>> update = dd.per_group(dd.sgd(lr=0.1), {"head": {"lr": 0.5}})
    >>> dd.Stepper(update, x).step({"body": np.ones(1), "head": np.ones(1)})
    >>> x
    {'body': array([0.9]), 'head': array([0.5])}
    """
    given = bind(update)
    bound, before = (given.update, given.groups) if isinstance(given, Grouped) else (given, ())
    if not isinstance(groups, Mapping) or not groups:
        raise RuleError(f"groups must map roles or patterns to settings; got {brief(groups)}.")
    made = tuple((_selector(name), _checked(bound, name, own)) for name, own in groups.items())
    return Grouped(bound, (*before, *made))


def freeze(update: Rule | Update, *selectors: str) -> Grouped:
    """The update, but arrays of these roles or patterns stay as they are.

    They count in no norm and have no state; their gradients may be None.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> x = {"body": np.ones(1), "head": np.ones(1)}
    >>> dd.Stepper(dd.freeze(dd.sgd(lr=0.1), "body"), x).step({"body": None, "head": np.ones(1)})
    >>> x
    {'body': array([1.]), 'head': array([0.9])}
    """
    if not selectors:
        raise RuleError("freeze must be given a role or a pattern of names; got none.")
    return per_group(update, dict.fromkeys(selectors))


def no_decay(update: Rule | Update, *selectors: str) -> Grouped:
    """The update without weight decay on arrays of these roles or patterns; by default on all that are no weights.

    Parameters
    ----------
    update : a rule or chain with ``weight_decay``
    *selectors : roles or patterns; by default ``bias``, ``norm``, ``embedding`` and ``1-D``

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> x = {"layer.weight": np.ones((2, 2)), "layer.bias": np.ones(2)}
    >>> print(dd.audit(dd.no_decay(dd.adamw(weight_decay=0.1)), x))
    array         shape   roles      settings
    layer.weight  (2, 2)             weight_decay=0.1
    layer.bias    (2,)    bias, 1-D  weight_decay=0
    """
    return per_group(update, {name: {"weight_decay": 0.0} for name in selectors or ROLES})


def _selector(name: object) -> str:
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if not isinstance(name, str) or not name or name != name.strip() or " @ " in name:
        raise RuleError(
            f"a group must be a role or a pattern of names, without blanks around it or ' @ ' in it; got {brief(name)}."
        )
    return name


def _checked(update: Bound | Chain, group: str, own: Settings) -> Own | None:
    if own is None:
        return None
    if not isinstance(own, Mapping) or not own:
        raise RuleError(f"settings of group {group!r} must be a dict of them or None; got {own!r}.")
    links = [link for link in update.links if not isinstance(link.rule, Gate)]
    known = [name for link in links for name in link.settings]
    checked: dict[str, Setting] = {}
    for name, value in own.items():
        owners = [link for link in links if name in link.settings]
        if not owners:
            raise HyperparameterError(
                f"{update.name} has no hyperparameter {name!r} for group {group!r}."
                f"{nearest(str(name), known)} It has: {', '.join(known) or 'none'}."
            )
        for link in owners:
            checked |= link.rule.check({name: value})
    return tuple(checked.items())


def roles_of(name: str, array: Array) -> tuple[str, ...]:
    """The roles of an array of this name."""
    named = [role for role, pattern in _NAMED.items() if pattern.search(name)]
    return (*named, *(["1-D"] if array.ndim <= 1 else []))


def divide(
    update: Update, keys: tuple[Hashable, ...], arrays: Sequence[Array]
) -> list[Bound | Chain | None]:
    """The update of each array, None where it is frozen; equal settings give the very same update.

    Raises
    ------
    RuleError
        If a pattern matches no array.
    """
    if not isinstance(update, Grouped):
        return [update] * len(arrays)
    names = [str(key) for key in keys] or ["x"]
    for selector, _ in update.groups:
        if selector not in ROLES and selector not in names and not fnmatch.filter(names, selector):
            raise RuleError(
                f"group {selector!r} must match an array of x; it has {brief(names)}.{nearest(selector, names)}"
            )
    made: dict[object, Bound | Chain | None] = {}
    return [
        made.setdefault(own, _update_of(update.update, own))
        for own in (_own(update, *pair) for pair in zip(names, arrays, strict=True))
    ]


def _own(update: Grouped, name: str, array: Array) -> Own | None:
    """The settings of one array that differ from the update's; None if it is frozen."""
    merged: dict[str, Setting] = {}
    for selector, own in update.groups:
        if selector in (name, *roles_of(name, array)) or fnmatch.fnmatchcase(name, selector):
            if own is None:
                return None
            merged |= dict(own)
    return tuple(sorted(merged.items(), key=lambda item: item[0]))


def _update_of(update: Bound | Chain, own: Own | None) -> Bound | Chain | None:
    if own is None:
        return None
    links = tuple(
        link
        if isinstance(link.rule, Gate)
        else link.replace(**{k: v for k, v in own if k in link.settings})
        for link in update.links
    )
    return Chain(links) if isinstance(update, Chain) else links[0]


@dataclass(frozen=True)
class AuditRow:
    """What an update does to one array."""

    name: str
    shape: tuple[int, ...]
    roles: tuple[str, ...]
    frozen: bool
    settings: Own
    """Weight decay, and whatever some group changes; of links that are not the rule with their names, ``decay.weight_decay``."""


@dataclass(frozen=True)
class Audit:
    """A row for each array; printed, a table."""

    rows: tuple[AuditRow, ...]

    def __str__(self) -> str:
        cells = [
            (r.name, str(r.shape), ", ".join(r.roles), _shown(r.settings, r.frozen))
            for r in self.rows
        ]
        table = [("array", "shape", "roles", "settings"), *cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = (zip(row, widths, strict=True) for row in table)
        return "\n".join("  ".join(f"{c:<{w}}" for c, w in line).rstrip() for line in lines)


def audit(update: Rule | Update, x: Arrays) -> Audit:
    """Which settings each array gets, and which roles say so.

    Parameters
    ----------
    update : a rule, a chain, or either with groups
    x : array, or list or dict of arrays

    Returns
    -------
    Audit
        Its ``rows`` are one for each array; ``str`` makes a table of them.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> x = {"norm.weight": np.ones(2), "weight": np.ones((2, 2))}
    >>> print(dd.audit(dd.per_group(dd.adamw(), {"norm": {"lr": 0.1}, "weight": None}), x))
    array        shape   roles      settings
    norm.weight  (2,)    norm, 1-D  lr=0.1, weight_decay=0.01
    weight       (2, 2)             frozen
    """
    update = bind(update)
    keys, arrays = flatten(x, "x")
    if not arrays:
        raise ShapeError("x must hold at least one array; got none.")
    changed = {"weight_decay"}
    if isinstance(update, Grouped):
        changed |= {name for _, own in update.groups for name, _ in own or ()}
    names = [str(key) for key in keys] or ["x"]
    updates = divide(update, keys, arrays)
    return Audit(
        tuple(
            AuditRow(name, a.shape, roles_of(name, a), own is None, _settings(own, changed))
            for name, a, own in zip(names, arrays, updates, strict=True)
        )
    )


def _settings(update: Bound | Chain | None, names: set[str]) -> Own:
    links = () if update is None else update.links
    return tuple(
        (n if link.is_rule else f"{link.name}.{n}", v)
        for link in links
        for n, v in link.settings.items()
        if n in names and not isinstance(link.rule, Gate)
    )


def _shown(settings: Own, frozen: bool) -> str:
    told = (f"{n}={v:g}" if isinstance(v, float) else f"{n}={v!r}" for n, v in settings)
    return "frozen" if frozen else ", ".join(told)
