"""Chains: transforms, one rule, and what works on the rule's x, composed into one update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from descend._rule import After, Bound, Rule, Transform
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


Update = Bound | Chain


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
    if isinstance(update, Bound | Chain):
        return update
    raise RuleError(f"the optimizer must be a rule such as dd.adam(lr=1e-3); got {update!r}.")


def chain(*parts: Rule | Update) -> Chain:
    """Compose transforms and one rule, applied from left to right, into one update.

    Parameters
    ----------
    *parts : transforms, one rule, then what works on the rule's x (``ema``, ``cautious`` …); chains are taken apart

    Raises
    ------
    RuleError
        If there is not exactly one rule, or a part is on the wrong side of it.

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
    for i, link in enumerate(links):
        side = "before" if isinstance(link.rule, Transform) else "after"
        if link is not core and (i < cores[0]) != (side == "before"):
            raise RuleError(f"{link.name} must come {side} the rule of its chain, {core.name}.")
        missing = [name for name in link.rule.shared if name not in core.settings]
        if missing:
            raise RuleError(
                f"{link.name} needs {missing[0]} of the chain's rule, and {core.name} has none."
            )
    return Chain(links)


def _links(parts: tuple[Rule | Update, ...]) -> Iterator[Bound]:
    for part in parts:
        if isinstance(part, Rule):
            yield part()
        elif isinstance(part, Bound | Chain):
            yield from part.links
        else:
            raise RuleError(f"a chain takes rules and transforms; got {part!r}.")
