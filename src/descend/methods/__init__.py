"""Methods: algorithms that call the function themselves, found by name or read from text such as ``lbfgs:memory=20``."""

from __future__ import annotations

import ast
import importlib
from typing import Any

from descend.errors import HyperparameterError, nearest, unknown_name

_HOMES = {
    "adgd": ("gradient", "AdGD"),
    "bb": ("gradient", "BarzilaiBorwein"),
    "bfgs": ("quasi_newton", "BFGS"),
    "cg": ("conjugate", "CG"),
    "cg_hz": ("conjugate", "CGHZ"),
    "gd": ("gradient", "GD"),
    "lbfgs": ("quasi_newton", "LBFGS"),
    "nesterov_restart": ("gradient", "NesterovRestart"),
    "newton": ("newton", "Newton"),
    "newton_cg": ("trust", "NewtonCG"),
    "owlqn": ("orthant", "OWLQN"),
}
_SEARCHES = {
    "armijo": ("searches", "Armijo"),
    "exact": ("searches", "Exact"),
    "fixed": ("searches", "Fixed"),
    "hager_zhang": ("hager_zhang", "HagerZhang"),
    "strong_wolfe": ("searches", "StrongWolfe"),
}

__all__ = sorted([*_HOMES, *_SEARCHES])  # noqa: PLE0605 - the tables say what there is


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name) or _SEARCHES.get(name)
    if home is None:
        hint = nearest(name, __all__)
        raise AttributeError(f"descend.methods has no {name!r}.{hint}")
    return _load(home)


def list_methods() -> list[str]:
    """Return the names of all methods, sorted.

    Examples
    --------
    >>> from descend.methods import list_methods
    >>> "lbfgs" in list_methods()
    True
    """
    return sorted(_HOMES)


def is_method(text: str) -> bool:
    """Whether ``text`` begins with the name of a method, as in ``lbfgs:memory=20``."""
    return _spelt(text.partition(":")[0]) in _HOMES


def get_method(text: str) -> Any:
    """Return the method that ``text`` names, with its settings.

    Parameters
    ----------
    text : a name of `list_methods`, or ``name:setting=value,…``; a value is a number or the name of a line search

    Raises
    ------
    UnknownNameError
        If there is no such method; the message has the nearest name.
    HyperparameterError
        If a setting is unknown, unreadable or outside its domain.

    Examples
    --------
    >>> from descend.methods import get_method
    >>> get_method("lbfgs:memory=20").memory
    20
    """
    name, _, settings = text.partition(":")
    if _spelt(name) not in _HOMES:
        raise unknown_name("method", name.strip(), _HOMES)
    made = _load(_HOMES[_spelt(name)])
    given = _settings(settings, _spelt(name))
    known = [f for f, field in made.__dataclass_fields__.items() if field.init]
    for setting in given:
        if setting not in known:
            hint = nearest(setting, known)
            has = ", ".join(known) or "none"
            raise HyperparameterError(
                f"{_spelt(name)} has no setting {setting!r}.{hint} It has: {has}."
            )
    return made(**given)


def _spelt(name: str) -> str:
    """The name as the table has it: SciPy's ``Newton-CG`` and ``L-BFGS-B`` are known too."""
    plain = name.strip().lower().replace("-", "_")
    return {"l_bfgs_b": "lbfgs", "l_bfgs": "lbfgs"}.get(plain, plain)


def _load(home: tuple[str, str]) -> Any:
    module, name = home
    return getattr(importlib.import_module(f"descend.methods.{module}"), name)


def _settings(text: str, owner: str) -> dict[str, Any]:
    wanted = HyperparameterError(f"settings of {owner} must read name=value,…; got {text!r}.")
    if not text.strip():
        return {}
    try:
        call = ast.parse(f"_({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise wanted from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise wanted
    names = [k.arg for k in call.keywords]
    if None in names or len(set(names)) < len(names):
        raise wanted
    return {str(k.arg): _value(k.value, str(k.arg), owner) for k in call.keywords}


def _value(node: ast.expr, name: str, owner: str) -> Any:
    """A number, or a line search by its name, with settings of its own in parentheses."""
    call = node if isinstance(node, ast.Call) else None
    word = call.func if call else node
    if isinstance(word, ast.Name):
        if word.id not in _SEARCHES:
            raise unknown_name("line search", word.id, _SEARCHES)
        given = ast.unparse(call)[len(word.id) + 1 : -1] if call else ""
        return _load(_SEARCHES[word.id])(**_settings(given, word.id))
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        value = None
    if not isinstance(value, int | float):
        raise HyperparameterError(
            f"{name} of {owner} must be a number or the name of a line search; "
            f"got {ast.unparse(node)!r}."
        )
    return value
