"""Where a race looks for hyperparameters: the ranges of ``space.toml``, the points and the trials.

All entries share one set of points in the unit cube, and each kind of hyperparameter reads its own
coordinate, so that trial k of every entry asks the same question.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from descend.errors import HyperparameterError, ProblemError, unknown_name

Measure = Literal["value", "times decade of default", "one minus value"]

EDGE = 0.1
"""Share of the log interval, at either end, in which a best value is flagged."""


class SearchDomain(Protocol):
    """What a hyperparameter may be, as far as the search needs to know."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def closed_low(self) -> bool: ...
    def __contains__(self, value: float, /) -> bool: ...


@dataclass(frozen=True)
class Kind:
    """One table of ``space.toml``: hyperparameters that mean the same in different rules."""

    names: Sequence[str]
    coordinate: int
    from_budget: int
    measure: Measure
    range: Sequence[float]


@dataclass(frozen=True)
class SearchInterval:
    """The values of one hyperparameter that a race searches, log-uniformly.

    ``reflected`` intervals are log-uniform in 1 − value instead of in the value.
    """

    name: str
    low: float
    high: float
    default: float
    reflected: bool = False

    def at(self, coordinate: float) -> float:
        """The value at ``coordinate``: ``low`` at 0, ``high`` at 1, growing in between.

        >>> round(SearchInterval("lr", 1e-4, 1e0, 1e-2).at(0.5), 12)
        0.01
        """
        start, end = self._ends()
        position = math.exp(start + coordinate * (end - start))
        value = 1.0 - position if self.reflected else position
        return min(max(value, self.low), self.high)

    def coordinate(self, value: float) -> float:
        """Where ``value`` lies: the inverse of ``at``, below 0 or above 1 outside the interval."""
        position = 1.0 - value if self.reflected else value
        if position <= 0.0:
            return math.inf if self.reflected else -math.inf
        start, end = self._ends()
        return (math.log(position) - start) / (end - start)

    def _ends(self) -> tuple[float, float]:
        if self.reflected:
            return math.log1p(-self.low), math.log1p(-self.high)
        return math.log(self.low), math.log(self.high)


@cache
def _space() -> tuple[int, dict[str, Kind]]:
    tables = tomllib.loads(files("descend.lab").joinpath("space.toml").read_text("utf-8"))
    version = int(tables.pop("version"))
    return version, {kind: Kind(**table) for kind, table in tables.items()}


def space_version() -> int:
    """The version of the ranges: results of different versions are not comparable."""
    return _space()[0]


def _kind_of(name: str) -> Kind:
    kinds = _space()[1].values()
    for kind in kinds:
        if name in kind.names:
            return kind
    known = [known for kind in kinds for known in kind.names]
    raise unknown_name("searched hyperparameter", name, known)


def tuned_names(defaults: Mapping[str, float], budget: int) -> tuple[str, ...]:
    """The hyperparameters that a race with ``budget`` trials tunes.

    Parameters
    ----------
    defaults : mapping from hyperparameter to default value
    budget : int
        Trials per entry. Fewer than 10 tune ``lr`` alone, 10 to 25 also the momentum, more also
        ``eps`` and ``weight_decay``.

    Returns
    -------
    tuple of str
        At most one name of each kind; empty for a rule that has none of them.

    Raises
    ------
    ProblemError
        If ``budget`` is below 1.

    Examples
    --------
    >>> tuned_names({"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}, budget=16)
    ('lr', 'beta1')
    """
    if budget < 1:
        raise ProblemError(f"budget of a race must be at least 1 trial; got {budget}.")
    kinds = [kind for kind in _space()[1].values() if budget >= kind.from_budget]
    own = [[name for name in kind.names if name in defaults] for kind in kinds]
    return tuple(names[0] for names in own if names)


def interval(
    name: str, default: float, domain: SearchDomain | None = None, extend: int = 0
) -> SearchInterval:
    """The values of ``name`` to search: its range in ``space.toml``, cut to the rule's domain.

    Parameters
    ----------
    name : str
    default : float
        The rule's default; the range of ``lr`` is relative to its decade.
    domain : domain, optional
        Values that the rule allows.
    extend : int
        Decades to add at both ends, before the cut.

    Returns
    -------
    SearchInterval
        Both ends are in the domain.

    Raises
    ------
    UnknownNameError
        If the space has no range for ``name``.
    HyperparameterError
        If no value of the range is in the domain.

    Examples
    --------
    >>> lr = interval("lr", 1e-3)
    >>> float(f"{lr.low:.6g}"), float(f"{lr.high:.6g}")
    (1e-05, 1.0)
    """
    kind = _kind_of(name)
    unit = 1.0
    if kind.measure == "times decade of default":
        if default <= 0.0:
            raise HyperparameterError(
                f"default {name} must be positive to be searched; got {default}."
            )
        unit = 10.0 ** round(math.log10(default))
    low = kind.range[0] * unit * 10.0**-extend
    high = kind.range[1] * unit * 10.0**extend
    reflected = kind.measure == "one minus value"
    if reflected:  # no memory at all is the end of the road: a momentum is not negative
        low, high = 1.0 - min(high, 1.0), 1.0 - low
    if domain is not None:
        low, high = _cut(name, low, high, domain)
    return SearchInterval(name, low, high, default, reflected)


def _cut(name: str, low: float, high: float, domain: SearchDomain) -> tuple[float, float]:
    inner_low, inner_high = max(low, domain.low), min(high, domain.high)
    if inner_low not in domain:
        inner_low = math.nextafter(inner_low, math.inf)
    if inner_high not in domain:
        inner_high = math.nextafter(inner_high, -math.inf)
    if not (inner_low < inner_high and inner_low in domain and inner_high in domain):
        raise HyperparameterError(
            f"domain of {name} must overlap the searched range, {low:g} to {high:g}; "
            f"got {domain.low:g} to {domain.high:g}."
        )
    return inner_low, inner_high


def intervals(
    defaults: Mapping[str, float],
    domains: Mapping[str, SearchDomain],
    names: Sequence[str],
    extend: int = 0,
) -> dict[str, SearchInterval]:
    """The interval of each of ``names``, for ``trial_settings``, ``at_edge`` and the report."""
    return {name: interval(name, defaults[name], domains.get(name), extend) for name in names}


def sobol_points(count: int, seed: int, dims: int = 4) -> NDArray[np.float64]:
    """Scrambled Sobol points, array of shape (count, dims), shared by all entries of a race.

    The points of a smaller count are the first ones of a larger count with the same seed.

    Raises
    ------
    ProblemError
        If ``count`` is negative.

    Examples
    --------
    >>> sobol_points(7, seed=0).shape
    (7, 4)
    """
    from scipy.stats import qmc

    if count < 0:
        raise ProblemError(f"count of points must not be negative; got {count}.")
    sampler = qmc.Sobol(d=dims, scramble=True, rng=seed)
    points = sampler.random_base2(max(count - 1, 0).bit_length())  # other counts warn
    return np.asarray(points[:count], dtype=np.float64)


def trial_settings(
    defaults: Mapping[str, float],
    domains: Mapping[str, SearchDomain],
    names: Sequence[str],
    points: NDArray[np.float64],
    extend: int = 0,
) -> list[dict[str, float]]:
    """The trials of one entry: the documented default, then one per point.

    Parameters
    ----------
    defaults, domains : mappings from hyperparameter to default and domain
    names : sequence of str
        Hyperparameters to tune, as from ``tuned_names``.
    points : array of shape (budget - 1, dims)
        Points of the unit cube, as from ``sobol_points``.
    extend : int
        Decades to add at both ends of every interval, the same for all entries of a race.

    Returns
    -------
    list of dict
        ``budget`` settings by name; the first is empty.

    Examples
    --------
    >>> trials = trial_settings({"lr": 0.1}, {}, ["lr"], np.array([[0.4, 0.0, 0.0, 0.0]]))
    >>> [{name: round(value, 12) for name, value in trial.items()} for trial in trials]
    [{}, {'lr': 0.1}]
    """
    ranges = intervals(defaults, domains, names, extend)
    columns = {name: _kind_of(name).coordinate for name in names}
    drawn = [
        {name: ranges[name].at(float(point[column])) for name, column in columns.items()}
        for point in points
    ]
    return [{}, *drawn]


def at_edge(settings: Mapping[str, float], ranges: Mapping[str, SearchInterval]) -> tuple[str, ...]:
    """The names whose value lies within 10 % of an end of its log interval.

    A name that ``settings`` leaves out stands at its default. A default outside the interval
    (a weight decay of 0) is not flagged: widening the search says nothing about it.

    Examples
    --------
    >>> at_edge({"lr": 2e-5}, {"lr": interval("lr", 1e-3)})
    ('lr',)
    """
    return tuple(
        name for name, span in ranges.items() if _near_edge(span, settings.get(name, span.default))
    )


def _near_edge(span: SearchInterval, value: float) -> bool:
    from_middle = abs(span.coordinate(value) - 0.5)
    slack = 1e-9  # rounding of the logarithm: a value at the very end must stay inside
    return 0.5 - EDGE - slack <= from_middle <= 0.5 + slack
