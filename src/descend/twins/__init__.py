"""Optimizers of torch, Keras and optax by their own names and arguments, as the rules and chains that compute the same.

No framework is imported. Rates may be descend's schedules, which count updates from 1. In float64 a twin takes the same steps up to
rounding; where a framework rounds to float32 itself, or a flag of it only chooses how it computes, the twin's own dtype counts.
"""

from __future__ import annotations

from typing import Any

from descend._chain import Update
from descend.errors import HyperparameterError, UnknownNameError, unknown_name
from descend.twins._translate import Translation, parsed, translated
from descend.twins._twin import Framework, Twin
from descend.twins.keras import KERAS
from descend.twins.optax import OPTAX
from descend.twins.torch import TORCH

__all__ = ["FRAMEWORKS", "Translation", "find_twin", "list_twins", "translate", "twin"]

FRAMEWORKS = {framework.name: framework for framework in (TORCH, KERAS, OPTAX)}


def twin(framework: str, name: str, /, **arguments: Any) -> Update:
    """The rule or chain that computes what another library's optimizer computes.

    Parameters
    ----------
    framework : ``"torch"``, ``"keras"`` or ``"optax"``
    name : the optimizer there, as it is spelt there
    **arguments : its own arguments, with its own defaults; a rate may be one of descend's schedules

    Returns
    -------
    a rule with its settings, or a chain

    Raises
    ------
    UnknownNameError
        If the library has no such optimizer; the message holds the nearest one.
    HyperparameterError
        If the optimizer has no twin, or an argument is unknown, unsupported or outside its domain.

    Examples
    --------
    >>> import descend as dd
    >>> dd.twin("keras", "RMSprop", learning_rate=1e-3, rho=0.9)
    dd.rmsprop_eps_inside(lr=0.001, alpha=0.9, eps=1e-07)
    >>> dd.twin("torch", "SGD", lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    dd.chain(dd.l2(weight_decay=0.0001), dd.nesterov(lr=0.1, momentum=0.9))
    """
    return find_twin(framework, name)(**arguments)


def find_twin(framework: str, name: str) -> Twin:
    """The twin of an optimizer, with its arguments and defaults."""
    found = _framework(framework)
    if not isinstance(name, str):
        raise HyperparameterError(
            f"an optimizer's name must be a str such as 'adam'; got {name!r}."
        )
    if name in found.missing:
        raise HyperparameterError(f"{found.name}.{name} has no twin: {found.missing[name]}.")
    if name not in found.twins:
        spelt = [known for known in found.twins if known.lower() == name.lower()]
        if spelt:
            raise UnknownNameError(
                f"no optimizer of {found.name} is called {name!r}. Did you mean {spelt[0]!r}?"
            )
        raise unknown_name(f"optimizer of {found.name}", name, found.twins)
    return found.twins[name]


def list_twins(framework: str) -> list[str]:
    """The optimizers of a library that have a twin, sorted.

    >>> "adam" in list_twins("optax")
    True
    """
    return sorted(_framework(framework).twins)


def translate(text: str, to: str) -> Translation:
    """The nearest call in another library, and in words what cannot be translated.

    Parameters
    ----------
    text : a call such as ``"keras.Adam(learning_rate=1e-3)"``, of literals alone; nothing is evaluated
    to : ``"torch"``, ``"keras"``, ``"optax"``, or ``"descend"``

    Returns
    -------
    Translation
        Its ``str`` is the call; ``exact`` says whether it computes the same, ``notes`` what does not.

    Raises
    ------
    UnknownNameError, HyperparameterError
        As for `twin`, if the text is no such call, or if nothing there is near.

    Examples
    --------
    >>> import descend as dd
    >>> print(dd.translate("torch.optim.AdamW(params, lr=2e-4)", to="optax"))
    optax.adamw(learning_rate=0.0002, weight_decay=0.01)
    >>> dd.translate("keras.Adam(learning_rate=1e-3)", to="torch").exact
    False
    """
    target = None if to == "descend" else _framework(to)
    framework, name, arguments = parsed(text, FRAMEWORKS)
    update = twin(framework, name, **arguments)
    if target is None:
        return Translation(repr(update), exact=True)
    return translated(update, target)


def _framework(name: Any) -> Framework:
    if not isinstance(name, str) or name not in FRAMEWORKS:
        raise unknown_name("framework", str(name)[:80], FRAMEWORKS)
    return FRAMEWORKS[name]
