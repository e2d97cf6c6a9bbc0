"""What the finite-sum methods share: rows drawn by a seed, gradients counted, the step given to a rule, checkpoints."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from descend import _checkpoint as checkpoint
from descend._arrays import check_gradients
from descend._chain import Update, bind, check_driven
from descend._rule import Rule, Setting
from descend._stepper import Stepper
from descend.errors import CheckpointError, HyperparameterError, ShapeError
from descend.finite_sums._sum import Array, FiniteSum, Rows, is_whole
from descend.rules.momentum import sgd


class Method(ABC):
    """A direction from the gradients of a few rows, handed to a rule.

    A step draws its rows, computes the direction, lets the rule step, and only then changes what the method remembers: a gradient
    function that raises leaves everything as it was, but for the count of evaluations.
    """

    name: ClassVar[str]

    def __init__(
        self,
        finite_sum: FiniteSum,
        x: Array,
        *,
        lr: Setting | None,
        rule: Rule | Update | None,
        batch_size: int,
        seed: int,
    ) -> None:
        if not isinstance(finite_sum, FiniteSum):
            raise HyperparameterError(
                f"finite_sum of {self.name} must be a dd.FiniteSum; got {type(finite_sum).__name__}."
            )
        if not isinstance(x, np.ndarray):
            raise ShapeError(
                f"x of {self.name} must be one float32 or float64 array; got {type(x).__name__}."
            )
        self.finite_sum = finite_sum
        self.batch_size = self._whole("batch_size", batch_size, 1, finite_sum.n)
        self.evaluations = 0
        self._stepper = Stepper(self._rule(lr, rule), x)
        self._rng = np.random.Generator(np.random.PCG64(self._whole("seed", seed, 0)))
        self._x = x
        self._given = x.view()  # through it, the gradient function cannot change x
        self._given.flags.writeable = False
        self._memory: dict[str, Array] = {}
        """The method's own state by name."""

    @property
    def x(self) -> Array:
        """The parameters, as given and changed in place."""
        return self._x

    @property
    def t(self) -> int:
        """Steps taken."""
        return self._stepper.t

    @property
    def solution(self) -> Array:
        """The array that holds the answer: x, except for rules that average."""
        return self._stepper.solution  # type: ignore[no-any-return]

    @property
    def state(self) -> dict[str, Any]:
        """What the method remembers, by name, and the rule's own state under ``rule``."""
        return {**self._memory, "rule": self._stepper.state}

    def step(self) -> None:
        """Draw rows and take one step; x and state change in place.

        Raises
        ------
        ShapeError
            If the gradient function returns something that is no real array of x's shape; nothing but `evaluations` has changed then.
        """
        drawn = self._rng.bit_generator.state
        try:
            direction, memory = self._advance()
            self._stepper.step(np.asarray(direction))
        except BaseException:
            self._rng.bit_generator.state = drawn
            raise
        self._keep(memory)

    @abstractmethod
    def _advance(self) -> tuple[Array, Any]:
        """The next direction, and what `_keep` makes memory of; nothing of the method changes."""

    def _keep(self, memory: dict[str, Array]) -> None:
        self._memory.update(memory)

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """The arguments beside rule, batch size and seed, as a checkpoint holds them."""

    def _draw(self) -> Rows:
        """Different rows, every set of them as likely as any other."""
        n, size = self.finite_sum.n, self.batch_size
        if size == 1:
            return self._rng.integers(n, size=1)
        return self._rng.choice(n, size, replace=False, shuffle=False)

    def _gradient(self, x: Array, rows: Rows) -> Array:
        """The mean gradient of the rows, counted, checked, in x's dtype and in memory of its own."""
        self.evaluations += len(rows)
        given = np.asarray(self.finite_sum.gradient(x, rows))
        check_gradients("g", f"the finite sum of {self.name}", (), [self.x], [given])
        return np.array(given, dtype=self.x.dtype)

    def _full(self) -> Array:
        return self._gradient(self._given, np.arange(self.finite_sum.n))

    def _rule(self, lr: Setting | None, rule: Rule | Update | None) -> Update:
        if lr is not None and rule is None:
            update: Update = sgd(lr=lr)
        elif rule is not None and lr is None:
            update = bind(rule)
        else:
            got = "neither" if lr is None else "both"
            raise HyperparameterError(f"{self.name} takes lr or rule, one of the two; got {got}.")
        check_driven(update, self.name)
        if any("value" in link.rule.fresh for link in update.links):
            raise HyperparameterError(
                f"rule of {self.name} must do without the function's value, which no step computes; got {update.name}."
            )
        return update

    def _whole(self, name: str, value: Any, low: int, high: int | None = None) -> int:
        if not is_whole(value) or value < low or (high is not None and value > high):
            limits = f"of at least {low}" if high is None else f"from {low} to {high}"
            raise HyperparameterError(
                f"{name} of {self.name} must be an int {limits}; got {value!r}."
            )
        return int(value)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint as `Stepper.save` does, with the method's memory and its random numbers.

        Raises
        ------
        CheckpointError
            If the file cannot be written.
        """
        inner, arrays = self._stepper._contents()  # noqa: SLF001 - a method is a stepper and more
        values = {
            "method": self.name,
            "n": int(self.finite_sum.n),
            "batch_size": self.batch_size,
            "settings": self._settings(),
            "evaluations": self.evaluations,
            "random": self._rng.bit_generator.state,
            "stepper": inner,
        }
        arrays |= {f"{self.name}/{name}": array for name, array in self._memory.items()}
        checkpoint.write(Path(path), values, arrays)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        finite_sum: FiniteSum,
        *,
        rule: Rule | Update | None = None,
        x: Array | None = None,
    ) -> Self:
        """Go on from a checkpoint, bit for bit; from the previous one, with a warning, if it is damaged.

        Parameters
        ----------
        path : the file that `save` wrote
        finite_sum : the function, which must have as many rows; a checkpoint holds no data
        rule : the rule to go on with, which must be the one saved; needed for schedules that are functions of your own
        x : array to load the parameters into

        Raises
        ------
        CheckpointError
            If there is no undamaged checkpoint, or it belongs to another method, rule, number of rows or x.
        """
        values, arrays = checkpoint.read(Path(path))
        found = values.get("method", "Stepper")
        if found != cls.name:
            raise CheckpointError(f"{path} must be a checkpoint of {cls.name}; got one of {found}.")
        n = getattr(finite_sum, "n", None)
        if n != values["n"]:
            raise CheckpointError(f"finite_sum of {path} must have {values['n']} rows; got {n}.")
        stepper = Stepper._restored(values["stepper"], arrays, path, rule, x)  # noqa: SLF001
        start: Any = stepper.x  # one array was saved
        method = cls(
            finite_sum,
            start,
            rule=stepper.rule,
            batch_size=values["batch_size"],
            **values["settings"],
        )
        method._stepper = stepper
        method.evaluations = values["evaluations"]
        method._rng.bit_generator.state = values["random"]
        own = f"{cls.name}/"
        method._memory = {k.removeprefix(own): a for k, a in arrays.items() if k.startswith(own)}
        return method

    def __repr__(self) -> str:
        return (
            f"<dd.{self.name} of {self.finite_sum.n} rows with {self._stepper.rule!r}, t={self.t}>"
        )
