"""Chains: transforms, one rule, and what works on the rule's x, composed into one update."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from descend._rule import PLACES, After, Bound, Rule, Setting, Transform, told
from descend.errors import RuleError


@dataclass(frozen=True)
class Chain:
    """Transforms, one rule, and what comes after it, traced to one kernel."""

    links: tuple[Bound, ...]

    @property
    def name(self) -> str:
        return "+".join(link.name for link in self.links)

    @property
    def core(self) -> Bound:
        """The one link that is a rule."""
        return next(link for link in self.links if link.is_rule)

    @property
    def rule(self) -> Rule:
        return self.core.rule

    @property
    def text(self) -> str:
        """The update as text that ``get_rule`` reads: ``clip_norm:max_norm=1.0 > adam``."""
        return " > ".join(link.text for link in self.links)

    def __repr__(self) -> str:
        return f"dd.chain({', '.join(map(repr, self.links))})"


Own = tuple[tuple[str, Setting], ...]
"""The settings that a group of arrays has for itself."""


@dataclass(frozen=True)
class Grouped:
    """An update with settings of its own for some arrays; later groups take precedence."""

    update: Bound | Chain
    groups: tuple[tuple[str, Own | None], ...]

    @property
    def name(self) -> str:
        return self.update.name

    @property
    def links(self) -> tuple[Bound, ...]:
        return self.update.links

    @property
    def core(self) -> Bound:
        return self.update.core

    @property
    def rule(self) -> Rule:
        return self.update.rule

    @property
    def text(self) -> str:
        """The update as text that ``get_rule`` reads: ``adamw:lr=0.01 @ bias:weight_decay=0.0 @ embed*:frozen``."""
        return " @ ".join([self.update.text, *map(_text_of, self.groups)])

    def __repr__(self) -> str:
        groups = {name: None if own is None else dict(own) for name, own in self.groups}
        return f"dd.per_group({self.update!r}, {groups!r})"


def _text_of(group: tuple[str, Own | None]) -> str:
    name, own = group
    return f"{name}:" + ("frozen" if own is None else ",".join(f"{k}={told(v)}" for k, v in own))


Update = Bound | Chain | Grouped


def bind(update: Rule | Update) -> Update:
    """``update`` as something a stepper can run: a bare rule gets its defaults."""
    if isinstance(update, Transform | After):
        own = f"dd.{update.name}()"
        order = f"{own}, dd.sgd()" if isinstance(update, Transform) else f"dd.sgd(), {own}"
        raise RuleError(f"{update.name} is not a rule alone; put it in a chain: dd.chain({order}).")
    if isinstance(update, Rule):
        return update()
    if isinstance(update, Bound) and not update.is_rule:
        return bind(update.rule)
    if isinstance(update, Update):
        return update
    raise RuleError(f"the optimizer must be a rule such as dd.adam(lr=1e-3); got {update!r}.")


def chain(*parts: Rule | Update) -> Chain:
    """Compose transforms and one rule, applied from left to right, into one update.

    Parameters
    ----------
    *parts : in this order: ``accumulate``; ``unscale`` and ``skip_nonfinite``; what changes the gradient (clipping, ``l2``, noise
        …, among themselves in any order); ``sam``; ``decay``; one rule; what works on the rule's x (``ema``, ``cautious`` …).
        Chains are taken apart.

    Raises
    ------
    RuleError
        If there is not exactly one rule, or a part is out of its place.

    Examples
    --------
    >>> import descend as dd
    >>> dd.chain(dd.clip_norm(1.0), dd.decay(0.01), dd.adam(lr=1e-3))
    dd.chain(dd.clip_norm(max_norm=1.0), dd.decay(weight_decay=0.01), dd.adam(lr=0.001))
    """
    links = tuple(_links(parts))
    cores = [i for i, link in enumerate(links) if link.is_rule]
    if len(cores) != 1:
        found = ", ".join(links[i].name for i in cores) or "none"
        raise RuleError(
            f"a chain must have exactly one rule, such as dd.sgd(); got {found} in {list(parts)!r}."
        )
    core = links[cores[0]]
    for link, following in itertools.pairwise(links):
        if PLACES.index(link.rule.place) > PLACES.index(following.rule.place):
            raise _out_of_place(link, following, core)
    _check_gates(links)
    for link in links:
        missing = [name for name in link.rule.shared if name not in core.settings]
        if missing:
            raise RuleError(
                f"{link.name} needs {missing[0]} of the chain's rule, and {core.name} has none."
            )
    return Chain(links)


def _check_gates(links: tuple[Bound, ...]) -> None:
    """Every gate once; and nobody reads a value of the function that belongs to one of several gradients alone."""
    gates = [link.name for link in links if link.rule.alone and not link.rule.whole]
    again = [name for name in gates if gates.count(name) > 1]
    if again:
        raise RuleError(f"a chain must have {again[0]} once; got it {gates.count(again[0])} times.")
    reading = [link.name for link in links if "value" in link.rule.fresh]
    if reading and any(link.rule.place == "accumulate" for link in links):
        raise RuleError(
            f"{reading[0]} reads the function's value, of which accumulate makes no mean."
        )


def check_driven(update: Update, by: str) -> None:
    """Refuse what needs more of each step than gradients and values.

    Raises
    ------
    RuleError
        If ``update`` needs an estimate of the curvature, or the loss multiplied by its scale.
    """
    for link in update.links:
        if any(state.name == "curvature" for state in link.rule.states):
            raise RuleError(f"{by} gives no curvature, which {link.name} needs.")
        if link.rule.place == "unscale":
            raise RuleError(f"{by} does not multiply the loss by the scale of {link.name}.")


def _out_of_place(link: Bound, following: Bound, core: Bound) -> RuleError:
    if following is core:
        return RuleError(f"{link.name} must come after the rule of its chain, {core.name}.")
    if link is core:
        return RuleError(f"{following.name} must come before the rule of its chain, {core.name}.")
    return RuleError(
        f"{following.name} must come before {link.name} in a chain; the order is {', '.join(PLACES)}."
    )


def _links(parts: tuple[Rule | Update, ...]) -> Iterator[Bound]:
    for part in parts:
        if isinstance(part, Rule):
            yield part()
        elif isinstance(part, Bound | Chain):
            yield from part.links
        elif isinstance(part, Grouped):
            raise RuleError(
                f"groups must be put around the whole chain, dd.per_group(dd.chain(…), …); got {part!r}."
            )
        else:
            raise RuleError(f"a chain takes rules and transforms; got {part!r}.")
