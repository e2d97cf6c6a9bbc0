"""What all optimizers of Keras share: decoupled ``weight_decay``, clips, ``use_ema``.

One of ``clipnorm`` (each array), ``clipvalue`` and ``global_clipnorm``; the average of ``use_ema`` is `Stepper.solution`. Ignored:
``name``, ``loss_scale_factor=None``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from descend._chain import Update
from descend._rule import Bound
from descend.gates import accumulate
from descend.schedules import join
from descend.schedules._schedule import is_count
from descend.transforms import clip_norm, clip_norm_each, clip_value, decay
from descend.twins._twin import Twin, UnfitError, above_zero, composed, flag, is_zero, only
from descend.wrappers import ema, ema_restart

_COMMON: dict[str, Any] = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None,
    "use_ema": False, "ema_momentum": 0.99, "ema_overwrite_frequency": None,
    "loss_scale_factor": None, "gradient_accumulation_steps": None, "name": None,
}  # fmt: skip


def entering(twins: dict[str, Twin]) -> Callable[[Callable[..., Bound]], Callable[..., Bound]]:
    """Enter optimizers of Keras into ``twins``: their own arguments, then the common ones, then their own that are keywords only."""

    def enter(make: Callable[..., Bound]) -> Callable[..., Bound]:
        twins[make.__name__] = Twin("keras", make.__name__, _whole(make))
        return make

    return enter


def _whole(make: Callable[..., Bound]) -> Callable[..., Update]:
    own = inspect.signature(make).parameters

    def whole(**given: Any) -> Update:
        rule = make(**{k: v for k, v in given.items() if k in own})
        shared = {**_COMMON, **{k: p.default for k, p in own.items()}, **given}
        only(
            "loss_scale_factor",
            shared["loss_scale_factor"],
            None,
            "the loss is the user's to scale",
        )
        parts = (
            _accumulation(shared),
            _clip(shared),
            _decay(shared["weight_decay"], rule),
            rule,
            _average(shared, rule),
        )
        return composed(*parts)

    whole.__signature__ = _signature(own)  # type: ignore[attr-defined]
    return whole


def _accumulation(shared: dict[str, Any]) -> Bound | None:
    """One update for so many gradients; schedules count gradients there, and so does the average."""
    steps = shared["gradient_accumulation_steps"]
    if steps is None:
        return None
    if callable(shared["learning_rate"]):
        why = "None beside a schedule, which counts gradients in Keras: give the learning rate per_micro_step"
        raise UnfitError("gradient_accumulation_steps", why, steps)
    if shared["use_ema"]:
        why = "None beside use_ema, whose average moves with every gradient in Keras"
        raise UnfitError("gradient_accumulation_steps", why, steps)
    return accumulate(steps)


def _signature(own: Mapping[str, inspect.Parameter]) -> inspect.Signature:
    """In Keras's order, in which arguments may be given by their places."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    common = [inspect.Parameter(k, kind, default=v) for k, v in _COMMON.items() if k not in own]
    before = [p for p in own.values() if p.kind is kind]
    after = [p.replace(kind=kind) for p in own.values() if p.kind is not kind]
    return inspect.Signature([*before, *common, *after])


def _clip(shared: dict[str, Any]) -> Bound | None:
    """At most one of three; one that is not above 0 does not clip."""
    transforms = {"clipnorm": clip_norm_each, "clipvalue": clip_value, "global_clipnorm": clip_norm}
    given = [name for name in transforms if shared[name] is not None]
    if len(given) > 1:
        raise UnfitError(
            given[1],
            f"None beside {given[0]}, since Keras takes one of the three",
            shared[given[1]],
        )
    if not given or not above_zero(given[0], shared[given[0]]):
        return None
    return transforms[given[0]](shared[given[0]])


def _decay(weight_decay: Any, rule: Bound) -> Bound | None:
    if weight_decay is None or is_zero(weight_decay):
        return None
    if "schedule_free" in rule.name:
        why = "None, since Keras decays the point of the gradients there, which moves its average alone"
        raise UnfitError("weight_decay", why, weight_decay)
    return decay(weight_decay=weight_decay)


def _average(shared: dict[str, Any], rule: Bound) -> Bound | None:
    """The average starts at the first iterate: its factor is 0 for one step."""
    if not flag("use_ema", shared["use_ema"]):
        return None
    momentum, every = shared["ema_momentum"], shared["ema_overwrite_frequency"]
    if not is_zero(momentum):
        ema(beta=momentum)  # its check
    beta = join((0.0, momentum), boundaries=(1,))
    if every is None:
        return ema(beta=beta)
    if "schedule_free" in rule.name:
        why = "None, since the rule keeps its own average, from which Keras would take x away"
        raise UnfitError("ema_overwrite_frequency", why, every)
    if not is_count(every, 1):
        raise UnfitError("ema_overwrite_frequency", "None or an int of at least 1", every)
    return ema_restart(beta=beta, every=every)
