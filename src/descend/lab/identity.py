"""A hash of what a function computes: its code, its constants and what it refers to, not its text.

Races are resumed only where this is the same, so it must not change between two starts of one script:
no addresses, no line numbers, no order of sets.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from descend._rule import Rule

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))


def identity(*things: Any) -> str:
    """Return a hash of functions, or of any values, by what they do.

    A function counts with its bytecode, constants, defaults, closure and the globals that it reads;
    a module of the user's with the bytes of its file; what is installed with its name alone.

    Examples
    --------
    >>> identity(lambda x: x + 1) == identity(lambda x: x + 1)
    True
    >>> identity(lambda x: x + 1) == identity(lambda x: x + 2)
    False
    """
    return _digest("all", *(_Walk().hash(thing, True) for thing in things))


class _Walk:
    """One walk through values that may refer to each other in circles."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._kept: list[Any] = []  # an id is taken again when its owner is gone

    def hash(self, thing: Any, forced: bool = False) -> str:
        """The hash of ``thing``; what is installed is looked into only when ``forced``."""
        if isinstance(thing, _PLAIN):
            return _digest(type(thing).__name__, repr(thing))
        if id(thing) in self._places:
            return _digest("again", str(self._places[id(thing)]))
        self._places[id(thing)] = len(self._kept)
        self._kept.append(thing)
        return _digest(type(thing).__qualname__, *self._parts(thing, forced))

    def _parts(self, thing: Any, forced: bool) -> Iterator[str]:
        match thing:
            case types.FunctionType() if forced or not _installed(thing.__module__):
                yield from self._function(thing)
            case Rule():
                parts = (thing.function, thing._init, thing.solution)  # noqa: SLF001 - its start is its own
                yield from (thing.name, *(self.hash(part, True) for part in parts))
            case types.MethodType():
                yield from (self.hash(thing.__func__, forced), self.hash(thing.__self__, forced))
            case functools.partial():
                yield self.hash(thing.func, forced)
                yield from map(self.hash, (thing.args, thing.keywords))
            case types.CodeType():
                yield from self._code(thing)
            case types.ModuleType():
                yield from (thing.__name__, _file_of(thing))
            case np.ndarray() if thing.dtype != object:
                yield from (str(thing.dtype), str(thing.shape), _digest_bytes(thing.tobytes()))
            case list() | tuple():
                yield from map(self.hash, thing)
            case set() | frozenset():
                yield from sorted(_Walk().hash(item) for item in thing)
            case Mapping():
                yield from self._mapping(thing)
            case type() if not _installed(thing.__module__):
                yield thing.__qualname__
                yield from map(self.hash, thing.__bases__)
                yield from self._mapping(_written(thing))
            case type() | types.FunctionType() | types.BuiltinFunctionType() | np.ufunc():
                yield f"{getattr(thing, '__module__', '')}.{thing.__name__}"
            case _:
                yield from self._object(thing)

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        yield self.hash(function.__code__)
        yield self.hash(function.__defaults__)
        yield self.hash(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                yield self.hash(cell.cell_contents)
            except ValueError:  # still empty
                yield "empty"
        for name in sorted(_globals_read(function.__code__)):
            if name in function.__globals__:
                yield from (name, self.hash(function.__globals__[name]))

    def _code(self, code: types.CodeType) -> Iterator[str]:
        yield _digest_bytes(code.co_code)
        yield from (*code.co_names, *code.co_varnames, *code.co_freevars)
        yield from map(self.hash, code.co_consts)

    def _mapping(self, items: Mapping[Any, Any]) -> Iterator[str]:
        yield from sorted(_Walk().hash(key) + self.hash(value) for key, value in items.items())

    def _object(self, thing: Any) -> Iterator[str]:
        kind = type(thing)
        yield f"{kind.__module__}.{kind.__qualname__}"
        ours = kind.__module__.startswith("descend.")  # a schedule may hold a user's function
        if hasattr(thing, "__dict__") and (ours or not _installed(kind.__module__)):
            yield self.hash(kind)
            yield self.hash(vars(thing))
            return
        try:
            yield _digest_bytes(cloudpickle.dumps(thing))
        except Exception:  # noqa: BLE001 - an open file, a lock: its class must do
            return


def _globals_read(code: types.CodeType) -> set[str]:
    """Names that the code reads and does not write: what it counts up for itself is no input."""
    read, written = set(), set()
    for part in (code, *_inner(code)):
        for instruction in dis.get_instructions(part):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                read.add(instruction.argval)
            elif instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                written.add(instruction.argval)
    return read - written


def _inner(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _inner(constant)


def _written(kind: type) -> dict[str, Any]:
    """What the body of a class says; Python adds the rest."""
    added = ("__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__")
    return {
        name: value.__func__ if isinstance(value, staticmethod | classmethod) else value
        for name, value in vars(kind).items()
        if name not in added and not isinstance(value, types.GetSetDescriptorType)
    }


def _installed(module: str | None) -> bool:
    """Whether a module comes with Python or a package: its version stands for its code."""
    top = (module or "").partition(".")[0]
    if top in sys.builtin_module_names or top in sys.stdlib_module_names or top == "descend":
        return top != "__main__"
    found = sys.modules.get(module or "")
    return _is_package_file(getattr(found, "__file__", None))


def _is_package_file(file: str | None) -> bool:
    return file is not None and any(
        p in Path(file).parts for p in ("site-packages", "dist-packages")
    )


def _file_of(module: types.ModuleType) -> str:
    """A hash of the file of a user's module; empty for what is installed."""
    file = getattr(module, "__file__", None)
    if file is None or _installed(module.__name__):
        return ""
    try:
        return _digest_bytes(Path(file).read_bytes())
    except OSError:
        return ""


def _digest_bytes(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _digest(*words: str) -> str:
    return hashlib.sha256(_joined(words)).hexdigest()


def _joined(words: Iterable[str]) -> bytes:
    return b"".join(f"{len(word)}:{word}".encode("utf-8", "surrogatepass") for word in words)
