"""What takes part in a race: a rule or chain under a label, with a schedule for its lr if it asks for one.

Settings given with an entry are held; the other hyperparameters are tuned. ``adam+cosine`` is Adam whose lr follows half a cosine over
the run: the schedule is part of the entry, never silently different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from descend._catalogue import get_rule
from descend._chain import Chain, Grouped, Update, bind, check_driven
from descend._plugins import file_and_rest
from descend._rule import Bound, Rule, Setting
from descend.domains import Interval
from descend.errors import ProblemError, unknown_name
from descend.schedules import cosine, exponential, step, warmup

DEFAULT_ENTRIES = (
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "lion", "schedule_free_sgd",
)  # fmt: skip
"""The rules of a race that names none: one of each family, no form twice."""

SHAPES: dict[str, Callable[[Any, int], Callable[[int], float]]] = {
    "cosine": lambda lr, steps: cosine(lr, steps=steps),
    "step": lambda lr, steps: step(lr, every=max(-(-steps // 3), 1)),
    "exponential": lambda lr, steps: exponential(lr, rate=0.01 ** (1 / steps)),
    "warmup": lambda lr, steps: warmup(lr, steps=max(steps // 20, 1)),
}
"""Schedules an entry may ask for: to 0; ÷10 at each third; to 1 %; a linear first twentieth."""


@dataclass(frozen=True)
class Entry:
    """One contender: how it is called, its update with the held settings, and the shapes of its lr."""

    label: str
    update: Update
    shapes: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        return self.update.rule

    @property
    def held(self) -> dict[str, Setting]:
        """Settings that came with the entry; they are not tuned."""
        return dict(self.update.core.given)

    @property
    def defaults(self) -> dict[str, float]:
        """The documented defaults of the hyperparameters that may be tuned."""
        return {
            h.name: h.default for h in self.rule.hyperparameters.values() if h.name not in self.held
        }

    @property
    def domains(self) -> dict[str, Interval]:
        return {h.name: h.domain for h in self.rule.hyperparameters.values()}

    def build(self, settings: dict[str, float], steps: int) -> Update:
        """The update with ``settings`` over the held ones, its lr shaped over ``steps``."""
        bound = self.update.core.replace(**settings)
        if self.shapes:
            lr = bound.settings["lr"]
            for shape in sorted(self.shapes, key="warmup".__eq__):  # a warm-up goes around the rest
                lr = SHAPES[shape](lr, steps)
            bound = bound.replace(lr=lr)
        links = tuple(bound if link.is_rule else link for link in self.update.links)
        return Chain(links) if len(links) > 1 else bound

    def text(self, settings: dict[str, float]) -> str:
        """The tuned entry as text: ``adam+cosine:lr=0.01``, ``clip_norm:max_norm=1.0 > adam``."""
        tuned = self.update.core.replace(**settings)
        name, colon, given = tuned.text.rpartition(":") if tuned.given else (tuned.text, "", "")
        shaped = "+".join((name, *self.shapes)) + colon + given
        return " > ".join(shaped if link.is_rule else link.text for link in self.update.links)


def read_entry(text: str) -> Entry:
    """An entry from text: ``adam``, ``adam:beta1=0.8``, ``adam+cosine:beta1=0.8``, ``clip_norm > adam``.

    Raises
    ------
    UnknownNameError, HyperparameterError, ProblemError
        For an unknown rule or schedule, a bad setting, or schedules that exclude each other.

    Examples
    --------
    >>> read_entry("adam+cosine").shapes
    ('cosine',)
    """
    parts = [_part(part.strip()) for part in text.split(">")]
    update = _raceable(get_rule(" > ".join(plain for plain, _, _ in parts)))
    shapes = [shape for _, own, _ in parts for shape in own]
    _check_shapes(text, update.core, shapes)
    return Entry(" > ".join(label for _, _, label in parts), update, tuple(shapes))


def _raceable(update: Update) -> Bound | Chain:
    if isinstance(update, Grouped):
        raise ProblemError(
            f"an entry must have no groups, since a race's parameters are one array; got {update.text}."
        )
    check_driven(update, "a race")
    return update


def _part(text: str) -> tuple[str, list[str], str]:
    """``adam+cosine: lr=1`` as ``adam:lr=1``, its schedules, and a label without stray blanks; a file's path is left alone."""
    file, rest = file_and_rest(text)
    name, _, settings = (word.strip() for word in rest.partition(":"))
    words = [word.strip() for word in name.split("+")]
    front, back = f"{file}:" if file else "", f":{settings}" if settings else ""
    return f"{front}{words[0]}{back}", words[1:], f"{front}{'+'.join(words)}{back}"


def _check_shapes(text: str, bound: Bound, shapes: list[str]) -> None:
    for shape in shapes:
        if shape not in SHAPES:
            raise unknown_name("schedule of an entry", shape, SHAPES)
    if len(set(shapes)) < len(shapes) or len({*shapes} - {"warmup"}) > 1:
        raise ProblemError(f"an entry must have at most one schedule and one warm-up; got {text}.")
    if shapes and "lr" not in bound.settings:
        raise ProblemError(f"a scheduled entry must have an lr; {bound.name} has none.")
    if shapes and callable(bound.settings["lr"]):
        raise ProblemError(
            f"lr of {text} must be a number, since its schedule is given by the entry's name."
        )


def read_entries(given: Sequence[str | Rule | Bound | Chain]) -> tuple[Entry, ...]:
    """Entries from text, rules or chains; a label that comes again gets a number."""
    entries = [_entry(item) for item in given] or [read_entry(name) for name in DEFAULT_ENTRIES]
    seen: Counter[str] = Counter()
    named = []
    for entry in entries:
        seen[entry.label] += 1
        again = f" #{seen[entry.label]}" if seen[entry.label] > 1 else ""
        named.append(replace(entry, label=entry.label + again))
    return tuple(named)


def _entry(item: str | Rule | Bound | Chain) -> Entry:
    if isinstance(item, str):
        return read_entry(item)
    entry = Entry("", _raceable(bind(item)))
    return replace(entry, label=entry.text({}))
