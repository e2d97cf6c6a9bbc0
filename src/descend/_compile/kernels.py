"""Compiled kernels: from this process, else from a kernel file, else from Numba.

A kernel file is named by a hash of everything that its code depends on and carries a SHA-256 of its content, so a stale,
truncated or damaged file is never used; it is made again. The folder is private to the user. Where it cannot be written, kernels
live in memory alone. Loading a file needs LLVM's loader, not Numba, and takes a few milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.metadata
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

_FORMAT = b"descend kernel 1\n"
_DIGEST = hashlib.sha256().digest_size
# (return slot, exception slot, frame) -> status, Numba's calling convention; one argument costs less than six
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_slots = (ctypes.c_int64 * 2)()

Kernel = Callable[[int], object]
_lock = threading.RLock()
if hasattr(
    os, "register_at_fork"
):  # a fork waits for a compilation, else its child would wait for ever
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )
_loaded: dict[str, Kernel] = {}
_engines: list[Any] = []  # the code lives as long as its engine


def load(source: str, dtype: str, measures: bool) -> Kernel:
    """The machine code of a printed kernel: ``kernel(frame)``, with the frame's address.

    Parameters
    ----------
    source : the kernel's text
    dtype : ``float32`` or ``float64``
    measures : whether it sums (in float64) instead of updating
    """
    with _lock:
        found = find(source, dtype, measures)
        if found is None:
            key = _key(source, dtype, measures)
            found = _loaded[key] = _compile(key, source, dtype, measures)
        return found


def find(source: str, dtype: str, measures: bool) -> Kernel | None:
    """The machine code of a printed kernel where it is at hand, in this process or in a file; None where it must be compiled."""
    key = _key(source, dtype, measures)
    with _lock:
        found = _loaded.get(key) or _read(key)
        if found is not None:
            _loaded[key] = found
        return found


@functools.cache
def _platform() -> str:
    features = llvm.get_host_cpu_features().flatten()
    numba = importlib.metadata.version("numba")
    texts = (Path(__file__).with_name(name).read_bytes() for name in ("to_numba.py", "host.py"))
    words = hashlib.sha256(b"".join(texts)).hexdigest()
    platform = f"{sys.platform}|{llvm.get_host_cpu_name()}|{features}"
    return f"{numba}|{llvm.llvm_version_info}|{words}|{platform}"


def _key(source: str, dtype: str, measures: bool) -> str:
    text = "\0".join((_platform(), dtype, str(measures), source))
    return hashlib.sha256(_FORMAT + text.encode()).hexdigest()


def cache_folder() -> Path | None:
    """The private folder of kernel files, or None where there can be none.

    ``DESCEND_CACHE_DIR`` overrides ``$XDG_CACHE_HOME/descend`` and ``~/.cache/descend``.
    """
    try:
        root = os.environ.get("DESCEND_CACHE_DIR")
        home = os.environ.get("XDG_CACHE_HOME")
        folder = (
            Path(root) if root else (Path(home) if home else Path.home() / ".cache") / "descend"
        )
        folder = folder / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder) else None
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None


def _is_private(folder: Path) -> bool:
    """Nobody else can write here: machine code is run from these files."""
    if not hasattr(os, "getuid"):
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(key: str) -> Kernel | None:
    folder = cache_folder()
    if folder is None:
        return None
    try:
        content = (folder / f"{key}.kernel").read_bytes()
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if _digest(key, payload) != digest or not payload.startswith(_FORMAT):
        return None
    symbol, _, code = payload[len(_FORMAT) :].partition(b"\n")
    try:
        return _link(symbol.decode(), code)
    except (RuntimeError, ValueError):  # an object file without the symbol
        return None


def _digest(key: str, payload: bytes) -> bytes:
    """The key is part of it, so a file under another's name is damaged too."""
    return hashlib.sha256(key.encode() + payload).digest()


def _compile(key: str, source: str, dtype: str, measures: bool) -> Kernel:
    from descend._compile import to_numba

    symbol, code = to_numba.compile_object(source, dtype, measures)
    _write(key, _FORMAT + symbol.encode() + b"\n" + code)
    return _link(symbol, code)


def _write(key: str, payload: bytes) -> None:
    folder = cache_folder()
    if folder is None:
        return
    # a full or read-only disk costs a compilation next time, nothing more
    with contextlib.suppress(OSError):
        file = tempfile.NamedTemporaryFile(dir=folder, delete=False)  # noqa: SIM115 - closed below, then renamed
        try:
            with file:
                file.write(_digest(key, payload) + payload)
            Path(file.name).replace(folder / f"{key}.kernel")
        finally:
            Path(file.name).unlink(missing_ok=True)


@functools.cache
def _target() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple()


def _link(symbol: str, code: bytes) -> Kernel:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target().create_target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    start = engine.get_function_address(symbol)
    if not start:
        raise ValueError(f"the kernel file must define {symbol!r}; it does not.")
    function = _PROTOTYPE(start)
    base = ctypes.addressof(_slots)
    return functools.partial(function, base, base + 8)
