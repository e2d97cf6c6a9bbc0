"""`plateau`: a rate that falls when a measurement stops improving. It has a state, so it is no schedule."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from descend.domains import Interval, brief
from descend.errors import HyperparameterError
from descend.schedules._schedule import Checked, is_count


@dataclass
class _Progress:
    """What a plateau has seen: the value now, the best measurement, those in a row without improvement, those of rest to come."""

    value: float
    best: float | None = None
    bad: int = 0
    resting: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class plateau(Checked):  # noqa: N801 - it stands where a schedule does
    """A value that is multiplied by ``factor`` when more than ``patience`` measurements in a row have brought no improvement.

    No function of the step alone can do this: whoever measures tells it, at any interval, with `observe`. Give it to a rule in place
    of a number; every update takes its present value. One object serves one run, and its `state` is saved beside the stepper's.

    Parameters
    ----------
    value : the value at the start
    mode : ``"min"`` if small measurements are good, ``"max"`` if large ones are
    factor : in (0, 1)
    patience : measurements without improvement that are borne
    threshold, threshold_mode : an improvement is one by more than ``threshold · |best|`` (``"rel"``) or ``threshold`` (``"abs"``)
    cooldown : measurements after a fall that are not counted as bad
    least : the value never falls below it
    eps : a fall by no more than this is not made

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> lr, x = dd.plateau(0.5, factor=0.1, patience=1), np.array([8.0])
    >>> stepper = dd.Stepper(dd.sgd(lr=lr), x)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     stepper.step(np.array([1.0]))
    ...     _ = lr.observe(loss)
    >>> x, lr.observe(1.0), lr.scale
    (array([6.]), 0.05, 0.1)
    >>> resumed = dd.plateau(0.5, factor=0.1, patience=1)
    >>> resumed.restore(lr.state)
    >>> resumed(t=5)
    0.05

    Same as: ``torch.optim.lr_scheduler.ReduceLROnPlateau(mode=mode, factor=factor, patience=patience, threshold=threshold,
    threshold_mode=threshold_mode, cooldown=cooldown, min_lr=least, eps=eps)``.
    Differs: with a best below 0, torch's relative threshold takes slightly worse measurements for improvements. An infinite
    measurement is no improvement here, in neither direction; one that is not a number is none in both.
    """

    value: float
    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: str = "rel"
    cooldown: int = 0
    least: float = 0.0
    eps: float = 1e-8
    _progress: _Progress = field(init=False)

    def __post_init__(self) -> None:
        self._number("value")
        self._one_of("mode", "min", "max")
        self._number("factor", Interval(0.0, 1.0))
        self._count("patience", least=0)
        self._number("threshold")
        self._one_of("threshold_mode", "rel", "abs")
        self._count("cooldown", least=0)
        self._number("least")
        self._number("eps")
        if self.least > self.value:
            raise self._must("least", f"at most value, {self.value}")
        self._keep("_progress", _Progress(self.value))

    def _one_of(self, name: str, *names: str) -> None:
        if not isinstance(getattr(self, name), str) or getattr(self, name) not in names:
            raise self._must(name, " or ".join(map(repr, names)))

    def __call__(self, t: int) -> float:  # noqa: ARG002 - a rule calls it like a schedule
        return self._progress.value

    @property
    def scale(self) -> float:
        """The present value as a part of the first: the factor for another schedule, ``lambda t: cosine(t) * p.scale``."""
        return self._progress.value / self.value if self.value else 1.0

    def observe(self, measurement: Any) -> float:
        """Take a measurement into account.

        Parameters
        ----------
        measurement : a number, such as the loss on validation data

        Returns
        -------
        float
            The value from now on.

        Raises
        ------
        HyperparameterError
            If the measurement is not a number; nothing has changed then.
        """
        if isinstance(measurement, bool) or not isinstance(measurement, numbers.Real):
            raise HyperparameterError(
                f"measurement of plateau must be a number; got {brief(measurement)}."
            )
        now = self._progress
        if _finite(measurement) and self._improves(float(measurement)):
            now.best, now.bad = float(measurement), 0
        else:
            now.bad += 1
        if now.resting:
            now.resting, now.bad = now.resting - 1, 0
        if now.bad > self.patience:
            self._fall()
        return now.value

    def _improves(self, measurement: float) -> bool:
        best = self._progress.best
        if best is None:
            return True
        margin = self.threshold * (abs(best) if self.threshold_mode == "rel" else 1.0)
        return measurement < best - margin if self.mode == "min" else measurement > best + margin

    def _fall(self) -> None:
        now = self._progress
        lower = max(now.value * self.factor, self.least)
        if now.value - lower > self.eps:
            now.value = lower
        now.bad, now.resting = 0, self.cooldown

    @property
    def state(self) -> dict[str, float | int | None]:
        """A copy of the state, of plain values."""
        return asdict(self._progress)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` that a plateau with the same settings had.

        Raises
        ------
        HyperparameterError
            If a part is missing, unknown or impossible; nothing has changed then.
        """
        names = tuple(asdict(self._progress))
        if not isinstance(state, Mapping) or set(state) != set(names):
            raise HyperparameterError(
                f"state of plateau must hold {', '.join(names)}; got {brief(state)}."
            )
        best = state["best"]
        checks = {
            "value": (f"a float from {self.least} to {self.value}", self._may_have(state["value"])),
            "best": ("a finite float or None", best is None or _finite(best)),
            "bad": (f"an int from 0 to {self.patience}", _upto(state["bad"], self.patience)),
            "resting": (
                f"an int from 0 to {self.cooldown}",
                _upto(state["resting"], self.cooldown),
            ),
        }
        for name, (expected, fits) in checks.items():
            if not fits:
                raise HyperparameterError(
                    f"{name} in the state of plateau must be {expected}; got {brief(state[name])}."
                )
        fresh = _Progress(
            float(state["value"]),
            None if best is None else float(best),
            int(state["bad"]),
            int(state["resting"]),
        )
        self._keep("_progress", fresh)

    def _may_have(self, value: Any) -> bool:
        return _finite(value) and self.least <= value <= self.value


def _finite(value: Any) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    try:
        return real and math.isfinite(value)
    except OverflowError:  # an int beyond float64
        return False


def _upto(value: Any, most: int) -> bool:
    return is_count(value, 0) and value <= most
