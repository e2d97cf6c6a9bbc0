"""Find rules by name, and read them from text such as ``adam:lr=1e-3,beta1=0.8``."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Any

from descend import gates, rules, transforms, wrappers
from descend._chain import Update, bind, chain
from descend._groups import per_group
from descend._plugins import file_and_rest, load_packages, load_rule
from descend._rule import REGISTRY, TRANSFORMS, Bound, Rule, Setting, rule
from descend._tensor_rule import tensor_rule, tensor_transform
from descend.errors import DescendError, HyperparameterError, RuleError, unknown_name
from descend.schedules import SCHEDULES

__all__ = [
    "find_rule",
    "get_rule",
    "list_rules",
    "rule",
    "tensor_rule",
    "tensor_transform",
]  # rule: from here, so no user's rule precedes ours

_LOADED = gates, rules, transforms, wrappers
"""What these define enters the registry when they are imported."""


def list_rules() -> list[str]:
    """The names of all rules, sorted.

    >>> "adam" in list_rules()
    True
    """
    load_packages()
    return sorted(REGISTRY)


def find_rule(name: str) -> Rule:
    """The unbound rule called ``name``; an `UnknownNameError` holds the nearest name."""
    if not isinstance(name, str):
        raise HyperparameterError(f"a rule's name must be a str such as 'adam'; got {name!r}.")
    if name not in REGISTRY:
        load_packages()
    if name not in REGISTRY:
        raise unknown_name("rule", name, REGISTRY)
    return REGISTRY[name]


def get_rule(text: str, *, files: bool = True) -> Update:
    """A bound rule, or a chain, from text.

    Parameters
    ----------
    text : ``name`` or ``name:hyperparameter=value,…``; a value is a number or a schedule, ``lr=cosine(1e-3, steps=100)``.
        Transforms come before the rule, ``clip_norm:max_norm=1 > adam``; groups behind it, ``adamw @ bias:weight_decay=0``. A rule of a file is named with it, ``my.py:signum:lr=0.1``.
    files : whether the text may name files, which are run; no text from an untrusted place may

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
    >>> get_rule("clip_norm:max_norm=1 > sgd")
    dd.chain(dd.clip_norm(max_norm=1.0), dd.sgd())
    """
    if not isinstance(text, str):
        raise HyperparameterError(
            f"a rule's text must be a str such as 'adam:lr=1e-3'; got {text!r}."
        )
    whole, *groups = text.split(" @ ")
    parts = whole.split(">")
    alone = len(parts) == 1
    links = [_link(part, find_rule if alone else _find_link, files) for part in parts]
    update = bind(links[0]) if alone else chain(*links)
    for group in groups:
        update = per_group(update, _group(group))
    return update


def _group(text: str) -> dict[str, dict[str, Setting] | None]:
    """The settings of ``bias:weight_decay=0``, or None for those of ``embed*:frozen``."""
    name, _, settings = (part.strip() for part in text.rpartition(":"))
    return {name: None if settings == "frozen" else _settings(settings, f"group {name!r}")}


def _link(text: str, find: Callable[[str], Rule], files: bool) -> Bound:
    """One part of a chain, with its settings."""
    file, rest = file_and_rest(text)
    name, _, settings = rest.partition(":")
    if file and not files:
        raise RuleError(f"a rule's text must name a rule by its name alone here; got {text!r}.")
    return _bound(load_rule(f"{file}:{name.strip()}") if file else find(name.strip()), settings)


def _find_link(name: str) -> Rule:
    """A rule, or what may stand before or after one in a chain."""
    if name not in TRANSFORMS and name not in REGISTRY:
        load_packages()
    known = {**TRANSFORMS, **REGISTRY}
    if name not in known:
        raise unknown_name("rule or transform", name, known)
    return known[name]


def _bound(found: Rule, settings: str) -> Bound:
    return found(**_settings(settings, found.name)) if settings.strip() else found()


def _settings(text: str, owner: str) -> dict[str, Setting]:
    wanted = HyperparameterError(f"settings of {owner} must read name=value,…; got {text!r}.")
    try:
        with warnings.catch_warnings(action="ignore", category=Warning):  # of `1if`, of "\d"
            call = ast.parse(f"_({text})", mode="eval").body
        names = _names(call)
        if names is None or not isinstance(call, ast.Call) or call.args or "#" in text:
            raise wanted
        return {n: _value(k.value, n, owner) for n, k in zip(names, call.keywords, strict=True)}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, DescendError):
            raise
        raise wanted from None


def _names(call: ast.expr) -> list[str] | None:
    """The keywords of ``name(…)``, each once; None for any other text."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    names = [k.arg for k in call.keywords if k.arg is not None]
    return names if len(set(names)) == len(call.keywords) else None


def _value(node: ast.expr, name: str, owner: str) -> Any:
    """A number, or a schedule's call on numbers and schedules."""
    if isinstance(node, ast.Call):
        return _schedule(node, name, owner)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise HyperparameterError(
            f"{name} of {owner} must be a number or a schedule; got {ast.unparse(node)!r}."
        )
    return value


def _argument(node: ast.expr, name: str, owner: str) -> Any:
    """What a schedule takes: a number, a schedule, or several of them, as in ``boundaries=(3, 5)``."""
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_argument(item, name, owner) for item in node.elts)
    return _value(node, name, owner)


def _schedule(node: ast.Call, name: str, owner: str) -> Any:
    """The schedule of ``cosine(1e-3, steps=100)``, or of the same as its repr has it, ``dd.cosine(…)``."""
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "dd":
        node.func = ast.Name(node.func.attr)
    names = _names(node)
    if names is None or not isinstance(node.func, ast.Name):
        raise HyperparameterError(
            f"{name} of {owner} must be a number or a schedule; got {ast.unparse(node)!r}."
        )
    if node.func.id not in SCHEDULES:
        raise unknown_name("schedule", node.func.id, SCHEDULES)
    arguments = [_argument(a, name, owner) for a in node.args]
    keywords = {
        n: _argument(k.value, name, owner) for n, k in zip(names, node.keywords, strict=True)
    }
    try:
        return SCHEDULES[node.func.id](*arguments, **keywords)
    except TypeError as error:
        raise HyperparameterError(f"{name} of {owner} is not a valid schedule: {error}.") from None
