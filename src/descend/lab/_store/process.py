"""Which process owns a race, and whether it still lives.

A process id alone lies: it is used again after a crash. The machine's name, its boot and the
moment the process started make it unique where the system tells them (Linux); elsewhere the
process id has to do.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Owner:
    """One process on one machine; ``boot`` and ``started`` are empty where unknown."""

    pid: int
    host: str
    boot: str
    started: str


def this_process() -> Owner:
    """The process that asks."""
    pid = os.getpid()
    return Owner(pid, socket.gethostname(), _boot(), _state_and_start(pid)[1])


def is_alive(owner: Owner) -> bool | None:
    """Whether ``owner`` still runs; None when that cannot be seen from here.

    Parameters
    ----------
    owner : Owner
        The process to look for.

    Returns
    -------
    bool or None
        None for a process on another machine, and on Windows.
    """
    if owner.host != socket.gethostname():
        return None
    boot = _boot()
    if not (owner.boot and boot):
        return _answers(owner.pid)
    state, started = _state_and_start(owner.pid)
    # A zombie (Z) has ended and only waits for its parent to look.
    return owner.boot == boot and owner.started == started and state not in ("", "Z", "X")


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, str]:
    """State letter and start time (clock ticks after boot) of a process; empty when unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    fields = stat.rpartition(")")[2].split()  # the program's name may hold spaces and brackets
    return fields[0], fields[19]


def _answers(pid: int) -> bool | None:
    if os.name == "nt" or pid <= 0:
        return None  # on Windows signal 0 is Ctrl-C; ids below 1 address whole groups
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
