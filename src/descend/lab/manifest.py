"""Under what a race was run: versions, hardware, and the hash of the user's code and data."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

from descend import __version__

_COMPUTING = ("numpy", "scipy", "numba")
_PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "pyarrow")


def versions() -> dict[str, str]:
    """The versions of what computes a run: with others its bits may be others."""
    found = {name: importlib.metadata.version(name) for name in _COMPUTING}
    return {"descend": __version__, "python": platform.python_version(), **found}


def manifest(fingerprint: str, jobs: int) -> dict[str, Any]:
    """The manifest of a race on the problem with this fingerprint."""
    found = {
        "descend": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "byte order": sys.byteorder,
        "workers": jobs,
        "problem": fingerprint,
    }
    return dict(sorted(found.items()))  # in the order in which the store gives it back


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - a device of the system
            names = [
                line.partition(":")[2].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
