"""Rules from elsewhere: of installed packages, through the entry-point group ``descend.rules``, and of the user's own files."""

from __future__ import annotations

import copy
import functools
import hashlib
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from descend._rule import REGISTRY, TRANSFORMS, Rule
from descend.errors import RuleError, nearest

GROUP = "descend.rules"
"""An entry point of this group names a rule, or a module whose import defines rules."""

_begun: list[str] = []


def load_packages() -> None:
    """Load the rules of all packages, once; what is broken is one warning that names the package.

    A package's rule never takes the place of another one.
    """
    if _begun:
        return
    _begun.append(GROUP)
    broken = [_load(point) for point in sorted(entry_points(group=GROUP))]
    for sentence in filter(None, broken):
        warnings.warn(sentence, stacklevel=3)


def _load(point: EntryPoint) -> str:
    """What is wrong with one entry point, or nothing."""
    package = point.dist.name if point.dist else point.value
    before = [(known, dict(known)) for known in (REGISTRY, TRANSFORMS)]
    try:
        found = _quiet(point.load)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any package may be installed
        return f"the rules of the package {package} are left out; got {_told(error)}."
    finally:
        taken = [name for known, old in before for name in old if known[name] is not old[name]]
        for known, old in before:
            known.update(old)
    if taken:
        return (
            f"the rule {taken[0]!r} of the package {package} is left out, since its name is taken."
        )
    if not isinstance(found, Rule | types.ModuleType):
        return (
            f"the entry point {point.name} of the package {package} must be a rule or a module; "
            f"got {type(found).__name__}."
        )
    return ""


def _quiet(action: Callable[[], Any]) -> Any:
    """``action()``, without the warning that a rule takes another's name: here it does not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the rule .* takes the name")
        return action()


def file_and_rest(text: str) -> tuple[str, str]:
    """The Python file that text begins with, or nothing, and what follows.

    >>> file_and_rest("my.py:signum:lr=0.1")
    ('my.py', 'signum:lr=0.1')
    >>> file_and_rest("adam:lr=0.1")
    ('', 'adam:lr=0.1')
    """
    drive, path = os.path.splitdrive(text.strip())  # on Windows a path may hold a colon
    name, _, rest = path.partition(":")
    return (drive + name.strip(), rest) if name.strip().endswith(".py") else ("", text)


def load_rule(text: str) -> Rule:
    """The rule or transform that a file of one's own defines: ``my.py:signum``.

    The file is run. Its rules are known by this text alone: none takes the place of a namesake. They travel to other processes
    by what they compute (with cloudpickle), so a worker needs no file.

    Parameters
    ----------
    text : the path of a Python file, a colon, and the name of a rule in it

    Raises
    ------
    RuleError
        If the file cannot be read or run, or has no such rule.
    """
    if not isinstance(text, str):
        raise RuleError(f"a rule of a file must be named as in 'my.py:signum'; got {text!r}.")
    file, name = file_and_rest(text)
    if not file:
        raise RuleError(f"a rule of a file must be named as in 'my.py:signum'; got {text!r}.")
    try:
        source = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RuleError(f"the file of a rule must be readable; got {file!r} ({reason}).") from None
    return _found(file, name.strip(), str(Path(file).resolve()), source)


@functools.cache
def _found(file: str, name: str, path: str, source: bytes) -> Rule:
    module = _run(path, source)
    made = vars(module).get(name)
    if not isinstance(made, Rule):
        own = sorted(key for key, value in vars(module).items() if isinstance(value, Rule))
        got = "none" if made is None else f"{type(made).__name__}"
        hint = " Hint: put @dd.rule above it." if isinstance(made, types.FunctionType) else ""
        raise RuleError(
            f"{name!r} of {file} must be a rule; got {got}.{hint or nearest(name, own)} "
            f"It defines: {', '.join(own) or 'no rule'}."
        )
    named = copy.copy(made) if made.__module__ == module.__name__ else made
    if named is not made:
        named.address = f"{file}:{name}"
    return named


@functools.cache
def _run(path: str, source: bytes) -> types.ModuleType:
    """Run a file as a module that only its own code knows."""
    key = hashlib.sha256(path.encode() + b"\0" + source).hexdigest()[:16]
    module = types.ModuleType(f"_descend_rules_{key}")
    module.__file__ = path
    folder = str(Path(path).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # for its neighbours
    before = [(known, dict(known)) for known in (REGISTRY, TRANSFORMS)]
    sys.modules[module.__name__] = module  # dataclasses look their module up while it runs
    try:
        code = compile(source, path, "exec", dont_inherit=True)
        _quiet(lambda: exec(code, module.__dict__))  # noqa: S102 - it is the user's own code
    except (Exception, SystemExit) as error:
        raise RuleError(
            f"{Path(path).name} must run as a Python file; got {_told(error, path)}."
        ) from error
    finally:
        # what no process can import travels by value
        del sys.modules[module.__name__]
        for known, old in before:
            _forget(known, old, module.__name__)
    return module


def _forget(known: dict[str, Rule], old: dict[str, Rule], module: str) -> None:
    """Take the rules of one module out of a registry."""
    for name in [n for n, made in known.items() if made.__module__ == module]:
        del known[name]
        if name in old:
            known[name] = old[name]


def _told(error: BaseException, path: str = "") -> str:
    """The type and message of an error, on one line, and the line of the file that it came from."""
    words = " ".join(str(getattr(error, "msg", error)).split()).rstrip(".")[:200]
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    place = f" (line {line})" if line and path else ""
    return f"{type(error).__name__}{': ' if words else ''}{words}{place}"
