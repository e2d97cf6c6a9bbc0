"""Checkpoint files: named arrays and plain values, written whole or not at all, read only if undamaged.

The file is an uncompressed ``.npz`` that NumPy opens too. Nothing in it is ever unpickled. Every array has its SHA-256 in the
description, and the description has its own. Saving keeps the file that was there as ``NAME.previous``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.errors import CheckpointError

_FORMAT = 1
_DESCRIPTION = "__description__"  # no state is called so
_LARGEST_DESCRIPTION = 1 << 26
_DTYPES = ("float32", "float64")

Arrays = dict[str, NDArray[Any]]


def previous(path: Path) -> Path:
    """Where the checkpoint before the one at ``path`` is kept."""
    return path.parent / f"{path.name}.previous"


def write(path: Path, values: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a checkpoint; a crash at any moment leaves the old one or the new one.

    Raises
    ------
    CheckpointError
        If the file cannot be written.
    """
    description = {
        "format": _FORMAT,
        "values": values,
        "arrays": {name: _facts(a) for name, a in arrays.items()},
    }
    text = json.dumps(description, sort_keys=True, allow_nan=False).encode()
    sealed = hashlib.sha256(text).hexdigest().encode() + b"\n" + text
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                parts: dict[str, Any] = {n: np.array(a, order="C") for n, a in arrays.items()}
                parts[_DESCRIPTION] = np.frombuffer(sealed, np.uint8)
                np.savez(file, **parts)
                file.flush()
                os.fsync(file.fileno())
                _keep(path)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_folder(path.parent)
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint must be a file that can be written; got {str(path)!r} ({error.strerror})."
        ) from None


def read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """The values and arrays of a checkpoint; of the previous one, with a warning, if this one is damaged.

    Raises
    ------
    CheckpointError
        If there is no undamaged checkpoint.
    """
    try:
        return _read(path)
    except CheckpointError as error:
        older = previous(path)
        if not older.exists():
            raise
        found = _read(older)
        warnings.warn(f"{error} The previous one, {older}, is used.", stacklevel=3)
        return found


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            return _parse(archive, size)
    except OSError as error:
        reason = error.strerror or "not readable"
        raise CheckpointError(
            f"the checkpoint must be a readable file; got {str(path)!r} ({reason})."
        ) from None
    except _MALFORMED as error:
        raise CheckpointError(
            f"the checkpoint {path} must be undamaged; got {_reason(error)}."
        ) from None


def _parse(archive: zipfile.ZipFile, size: int) -> tuple[dict[str, Any], Arrays]:
    members = {member.filename: member for member in archive.infolist()}
    if len(members) != len(archive.infolist()):
        raise ValueError("two parts of one name")
    # parts are stored as they are, so none can be larger than the file: no small file fills the memory
    if any(m.compress_type != zipfile.ZIP_STORED or m.file_size > size for m in members.values()):
        raise ValueError("a compressed or oversized part")
    sealed = _array(archive, members, _DESCRIPTION).tobytes()
    seal, _, text = sealed.partition(b"\n")
    if len(text) > _LARGEST_DESCRIPTION or hashlib.sha256(text).hexdigest().encode() != seal:
        raise ValueError("a description that does not match its checksum")
    description = json.loads(text)
    if description["format"] != _FORMAT:
        raise ValueError(f"format {description['format']}, and this version reads {_FORMAT}")
    if set(members) != {f"{name}.npy" for name in (_DESCRIPTION, *description["arrays"])}:
        raise ValueError("parts that the description does not name")
    arrays = {name: _array(archive, members, name) for name in description["arrays"]}
    for name, facts in description["arrays"].items():
        if _facts(arrays[name]) != facts:
            raise ValueError(f"{name} with other content than was written")
    return description["values"], arrays


def _array(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str
) -> NDArray[Any]:
    content = archive.read(members[f"{name}.npy"])
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} in another format of array")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or fortran or dtype.name not in (*_DTYPES, "uint8"):
        raise ValueError(f"{name} of dtype {dtype}")
    data = content[stream.tell() :]
    return np.frombuffer(bytearray(data), dtype).reshape(shape)


def _facts(a: NDArray[Any]) -> dict[str, Any]:
    digest = hashlib.sha256(np.array(a, order="C", copy=None).data).hexdigest()
    return {"dtype": a.dtype.name, "shape": list(a.shape), "sha256": digest}


_MALFORMED = (
    zipfile.BadZipFile,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,  # zip features that nobody asked for
    RuntimeError,  # an encrypted part
    RecursionError,
    MemoryError,
    OverflowError,
    SyntaxError,
)


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:120]
    return f"{type(error).__name__}: {text}" if type(error) is not ValueError else text


def _keep(path: Path) -> None:
    """Give the file at ``path`` a second name; at no moment is ``path`` missing."""
    if not path.exists():
        return
    second = path.with_name(f".{path.name}.{os.getpid()}.previous")
    with contextlib.suppress(FileNotFoundError):
        second.unlink()
    try:
        os.link(path, second)
    except OSError:  # a file system without hard links
        shutil.copy2(path, second)
    second.replace(previous(path))


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
