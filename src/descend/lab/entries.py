"""What takes part in a race: a rule or chain under a label, with a schedule for its lr if it asks for one.

Settings given with an entry are held; the other hyperparameters are tuned. ``adam+cosine`` is Adam whose lr follows half a cosine over
the run: the schedule is part of the entry, never silently different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from descend._catalogue import get_rule
from descend._rule import Bound, Chain, Rule, Setting, Update, bind
from descend.domains import Interval
from descend.errors import ProblemError, unknown_name
from descend.schedules import cosine, exponential, step, warmup

DEFAULT_ENTRIES = (
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "lion", "schedule_free_sgd",
)  # fmt: skip
"""The rules of a race that names none: one of each family, no form twice."""

Shape = Callable[[float | Callable[[int], float], int], Callable[[int], float]]


def _warm(value: float | Callable[[int], float], steps: int) -> Callable[[int], float]:
    return warmup(value, steps=max(steps // 20, 1))


def _cosine(value: float | Callable[[int], float], steps: int) -> Callable[[int], float]:
    return cosine(_number(value), steps=steps)


def _step(value: float | Callable[[int], float], steps: int) -> Callable[[int], float]:
    return step(_number(value), every=max(-(-steps // 3), 1))


def _exponential(value: float | Callable[[int], float], steps: int) -> Callable[[int], float]:
    return exponential(_number(value), rate=0.01 ** (1 / steps))


def _number(value: float | Callable[[int], float]) -> float:
    if callable(value):
        raise ProblemError(f"one schedule may follow a warm-up; got two, the first {value!r}.")
    return value


SHAPES: dict[str, Shape] = {"cosine": _cosine, "step": _step, "exponential": _exponential, "warmup": _warm}
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
        return dict(self.update.links[-1].given)

    @property
    def defaults(self) -> dict[str, float]:
        """The documented defaults of the hyperparameters that may be tuned."""
        return {h.name: h.default for h in self.rule.hyperparameters.values() if h.name not in self.held}

    @property
    def domains(self) -> dict[str, Interval]:
        return {h.name: h.domain for h in self.rule.hyperparameters.values()}

    def build(self, settings: dict[str, float], steps: int) -> Update:
        """The update with ``settings`` over the held ones, its lr shaped over ``steps``."""
        *before, last = self.update.links
        bound = last.replace(**settings) if settings else last
        if self.shapes:
            lr = bound.settings["lr"]
            for shape in sorted(self.shapes, key="warmup".__eq__):  # the warm-up goes around the rest
                lr = SHAPES[shape](lr, steps)
            bound = bound.replace(lr=lr)
        return Chain((*before, bound)) if before else bound

    def text(self, settings: dict[str, float]) -> str:
        """The tuned entry as text: ``adam+cosine:lr=0.01``."""
        given = {**self.held, **settings}
        name = "+".join((self.update.name, *self.shapes))
        return name + (":" + ",".join(f"{k}={v!r}" for k, v in given.items()) if given else "")


def read_entry(text: str) -> Entry:
    """An entry from text: ``adam``, ``adam:beta1=0.8``, ``adam+cosine:beta1=0.8``.

    Raises
    ------
    UnknownNameError, HyperparameterError
        For an unknown rule or schedule, or a bad setting.

    Examples
    --------
    >>> read_entry("adam+cosine").shapes
    ('cosine',)
    """
    name, colon, settings = text.partition(":")
    rule, *shapes = (part.strip() for part in name.split("+"))
    for shape in shapes:
        if shape not in SHAPES:
            raise unknown_name("schedule of an entry", shape, SHAPES)
    bound = get_rule(rule + colon + settings)
    if shapes and "lr" not in bound.settings:
        raise ProblemError(f"a scheduled entry must have an lr; {rule} has none.")
    if shapes and callable(bound.settings["lr"]):
        raise ProblemError(f"lr of {text} must be a number, since its schedule is given by the entry's name.")
    Entry("", bound, tuple(shapes)).build({}, steps=1000)  # two schedules on one lr show here
    label = name.strip() + (f":{settings.strip()}" if settings.strip() else "")
    return Entry(label, bound, tuple(shapes))


def read_entries(given: Sequence[str | Rule | Bound | Chain]) -> tuple[Entry, ...]:
    """Entries from text, rules or chains; a label that comes again gets a number."""
    entries = [_entry(item) for item in given] or [read_entry(name) for name in DEFAULT_ENTRIES]
    seen: Counter[str] = Counter()
    named = []
    for entry in entries:
        seen[entry.label] += 1
        again = f" #{seen[entry.label]}" if seen[entry.label] > 1 else ""
        named.append(Entry(entry.label + again, entry.update, entry.shapes))
    return tuple(named)


def _entry(item: str | Rule | Bound | Chain) -> Entry:
    if isinstance(item, str):
        return read_entry(item)
    update = bind(item)
    links = [
        link.name + (":" + ",".join(f"{k}={v!r}" for k, v in link.given) if link.given else "")
        for link in update.links
    ]
    return Entry(" > ".join(links), update)
