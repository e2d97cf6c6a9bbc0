"""The hyperparameters of an update at each step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from descend._chain import Update
from descend.domains import Interval
from descend.errors import HyperparameterError


class Settings:
    """The hyperparameters of an update at each step, schedules evaluated and checked against their domains.

    Attributes
    ----------
    schedules : those that are functions of the step
    """

    def __init__(self, update: Update, dtypes: set[np.dtype[Any]]) -> None:
        self._dtypes = dtypes
        links = [(link, name) for link in update.links for name in link.settings]
        given = [link.settings[name] for link, name in links]
        domains = [link.rule.hyperparameters[name].domain for link, name in links]
        self._constant = [
            math.nan if callable(v) else self._above_zero(v, domain, name, link.name)
            for v, domain, (link, name) in zip(given, domains, links, strict=True)
        ]
        self._scheduled = [
            (i, v, domains[i], f"scheduled {links[i][1]}", links[i][0].name)
            for i, v in enumerate(given)
            if callable(v)
        ]
        self.schedules = tuple(s for _, s, *_ in self._scheduled)
        self._lr = update.core.settings.get("lr", math.nan)

    def lr_at(self, t: int) -> float:
        """The rule's lr at step t; nan for rules that have none."""
        return float(self._lr(t) if callable(self._lr) else self._lr)

    def at(self, t: int) -> list[float]:
        """The values for step t, in the program's order; not to be changed."""
        if not self._scheduled:
            return self._constant
        values = self._constant.copy()
        for i, schedule, domain, name, owner in self._scheduled:
            value = domain.check(schedule(t), name, owner)
            values[i] = self._above_zero(value, domain, name, owner)
        return values

    def _above_zero(self, value: float, domain: Interval, name: str, owner: str) -> float:
        """``value``, which must not become 0 in the arrays' dtype where 0 is outside its domain: 0 / 0 would follow."""
        for dtype in self._dtypes:
            if dtype.type(value) == 0 and 0.0 not in domain:
                raise HyperparameterError(
                    f"{name} of {owner} must be above 0 in {dtype}, the dtype of x; got {value!r}."
                )
        return value
