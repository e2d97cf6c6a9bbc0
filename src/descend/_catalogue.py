"""Find rules by name, and read them from text such as ``adam:lr=1e-3,beta1=0.8``."""

from __future__ import annotations

import ast
from typing import Any

import descend.rules  # noqa: F401 - its rules register themselves
from descend._rule import REGISTRY, Bound, Rule, Setting
from descend.errors import HyperparameterError, unknown_name
from descend.schedules import SCHEDULES


def list_rules() -> list[str]:
    """The names of all rules, sorted.

    >>> "adam" in list_rules()
    True
    """
    return sorted(REGISTRY)


def find_rule(name: str) -> Rule:
    """The unbound rule called ``name``; an `UnknownNameError` holds the nearest name."""
    if name not in REGISTRY:
        raise unknown_name("rule", name, REGISTRY)
    return REGISTRY[name]


def get_rule(text: str) -> Bound:
    """A bound rule from text.

    Parameters
    ----------
    text : ``name`` or ``name:hyperparameter=value,…``; a value is a number or a schedule, ``lr=cosine(1e-3, steps=100)``

    Raises
    ------
    UnknownNameError
        If no rule has that name; the message holds the nearest one.
    HyperparameterError
        If a setting is malformed, unknown or outside its domain.

    Examples
    --------
    >>> get_rule("adam:lr=1e-2,beta1=0.8")
    dd.adam(lr=0.01, beta1=0.8)
    """
    if not isinstance(text, str):
        raise HyperparameterError(f"a rule's text must be a str such as 'adam:lr=1e-3'; got {text!r}.")
    name, _, settings = text.partition(":")
    rule = find_rule(name.strip())
    return rule(**_settings(settings, rule.name)) if settings.strip() else rule()


def _settings(text: str, owner: str) -> dict[str, Setting]:
    wanted = f"settings of {owner} must read name=value,…; got {text!r}."
    try:
        call = ast.parse(f"_({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise HyperparameterError(wanted) from None
    if not isinstance(call, ast.Call) or call.args or any(k.arg is None for k in call.keywords):
        raise HyperparameterError(wanted)
    return {str(k.arg): _value(k.value, str(k.arg), owner) for k in call.keywords}


def _value(node: ast.expr, name: str, owner: str) -> Any:
    """A number, or a schedule call on numbers and schedules."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id not in SCHEDULES:
            raise unknown_name("schedule", node.func.id, SCHEDULES)
        arguments = [_value(a, name, owner) for a in node.args]
        keywords = {str(k.arg): _value(k.value, name, owner) for k in node.keywords}
        try:
            return SCHEDULES[node.func.id](*arguments, **keywords)
        except TypeError as error:
            raise HyperparameterError(f"{name} of {owner} is not a valid schedule: {error}.") from None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HyperparameterError(
            f"{name} of {owner} must be a number or a schedule; got {ast.unparse(node)!r}."
        )
    return value
