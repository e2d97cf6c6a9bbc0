"""The user's own Python files: read once, run as a module, and read again by worker processes."""

from __future__ import annotations

import hashlib
import sys
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from descend.errors import ProblemError, nearest
from descend.lab.deadline import within_limit

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a user's object comes from: enough to load the same one in another process."""

    path: str
    """Absolute."""
    name: str
    sha256: str
    """Of the file's bytes; what the file imports is not part of it."""

    @property
    def file(self) -> str:
        """The name of the file, without its folders."""
        return Path(self.path).name


def load(path: str, name: str) -> tuple[Origin, ModuleType, Any]:
    """Run the file at ``path`` and return where it lies, its module and its object ``name``.

    Raises
    ------
    ProblemError
        The file is missing, cannot be run, or has no such name.
    """
    file = Path(path)
    try:
        source = file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProblemError(f"{path} cannot be read: {reason}.") from error
    origin = Origin(str(file.resolve()), name, hashlib.sha256(source).hexdigest())
    module = _run(source, origin)
    if not name or not hasattr(module, name):
        raise ProblemError(_no_such_name(module, name, origin.file))
    return origin, module, getattr(module, name)


def reload(origin: Origin) -> tuple[ModuleType, Any]:
    """Load the same object again, in a worker process.

    Raises
    ------
    ProblemError
        The file has changed, or cannot be loaded any more.
    """
    now, module, thing = load(origin.path, origin.name)
    if now.sha256 != origin.sha256:
        raise ProblemError(
            f"{origin.file} must stay as it was while a race runs; it has changed."
            " Hint: start the race again."
        )
    return module, thing


def guarded(owner: str, action: Callable[[], T], path: str, error_type: type[ProblemError]) -> T:
    """Return ``action()``; what the user's code raises becomes one sentence about ``owner``.

    ``sys.exit()`` inside counts as an error too. Overflow on arrays is no error, only ``inf``.
    """
    try:
        with np.errstate(all="ignore"):
            return action()
    except (Exception, SystemExit) as error:
        raise error_type(f"{owner} raised {describe(error, path)}.") from error


def describe(error: BaseException, path: str) -> str:
    """Return the type and message of ``error``, with the last line of the file it went through.

    >>> describe(ZeroDivisionError("division by zero"), "f.py")
    'ZeroDivisionError: division by zero'
    """
    words = textwrap.shorten(str(error), 200, placeholder=" …").rstrip(".")
    if isinstance(error, SystemExit):
        words = f"sys.exit({error.code!r})"
    line = _line(error, path)
    told = f"{type(error).__name__}: {words}" if words else type(error).__name__
    if isinstance(error, SyntaxError):
        told = f"{type(error).__name__}: {error.msg}"
    return f"{told} (line {line})" if line else told


def _line(error: BaseException, path: str) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == path
    ]  # fmt: skip
    return lines[-1] if lines else None


def _run(source: bytes, origin: Origin) -> ModuleType:
    """Execute the file under a name of its own, with its folder at the end of the import path."""
    key = hashlib.sha256(f"{origin.path} {origin.sha256}".encode()).hexdigest()[:16]
    module = ModuleType(f"_descend_user_{key}")
    module.__file__ = origin.path
    sys.modules[module.__name__] = module  # dataclasses look their module up while it runs
    folder = str(Path(origin.path).parent)
    if folder not in sys.path:
        sys.path.append(folder)

    def execute() -> None:
        code = compile(source, origin.path, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - it is the user's own code

    within_limit(origin.file, lambda: guarded(origin.file, execute, origin.path, ProblemError))
    return module


def _no_such_name(module: ModuleType, name: str, file: str) -> str:
    own = sorted(
        key for key, thing in vars(module).items()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__
    )  # fmt: skip
    defined = f" It defines: {', '.join(own)}." if own else " It defines no function."
    if not name:
        return f"{file} must be followed by a name, as in {file}:f.{defined}"
    return f"{file} has no name {name!r}.{nearest(name, own)}{defined}"
