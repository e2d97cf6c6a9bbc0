"""The names that states and hyperparameters have in a chain, where two links may call theirs the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from descend._gate import Gate
from descend._rule import Bound
from descend._signature import FRESH, State


@dataclass(frozen=True)
class Names:
    """How one link's own names read in the whole chain, where two links may both have an ``m``."""

    states: dict[str, str]
    hyperparameters: dict[str, str]


def name_links(links: tuple[Bound, ...]) -> tuple[Names, ...]:
    """One name per state and hyperparameter of a chain: its own where unique or the rule's, else with its link's in front."""
    taken = Counter(
        name for link in links for name in (*link.settings, *(s.name for s in link.rule.states))
    )
    seen = Counter[str]()
    named = []
    for link in links:
        seen[link.name] += 1
        prefix = link.name if seen[link.name] == 1 else f"{link.name}{seen[link.name]}"
        own = {n: n if taken[n] == 1 or link.is_rule else f"{prefix}_{n}" for n in taken}
        named.append(
            Names(
                {s.name: own[s.name] for s in link.rule.states}, {h: own[h] for h in link.settings}
            )
        )
    return tuple(named)


def states_of(links: tuple[Bound, ...], names: tuple[Names, ...]) -> tuple[State, ...]:
    """The states of a chain by the names that they have there."""
    return tuple(
        _renamed(s, n) for link, n in zip(links, names, strict=True) for s in link.rule.states
    )


def hyperparameters_of(names: tuple[Names, ...]) -> tuple[str, ...]:
    """The hyperparameters of a chain in the order of its links."""
    return tuple(h for n in names for h in n.hyperparameters.values())


def fresh_of(links: tuple[Bound, ...]) -> tuple[str, ...]:
    """What every step brings: t, and the function's value if a link reads it."""
    return tuple(f for f in FRESH if f == "t" or any(f in k.rule.fresh for k in links))


def solution_of(links: tuple[Bound, ...], names: tuple[Names, ...]) -> str:
    """The array that holds the answer: x, or a state of the last link that names one; a gate's holds it only while it is closed."""
    named = [
        own.states[link.rule.solution]
        for link, own in zip(links, names, strict=True)
        if link.rule.solution != "x" and not isinstance(link.rule, Gate)
    ]
    return named[-1] if named else "x"


def _renamed(state: State, names: Names) -> State:
    start = state.start
    if isinstance(start, str):
        start = names.hyperparameters.get(start, names.states.get(start, start))
    return State(names.states[state.name], start, state.scalar)
