"""What may take over a long run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from descend.methods._status import Status

if TYPE_CHECKING:
    from descend._minimize.run import Run


class Faster(Protocol):
    """Another way to run the same iterations, from when it is ready; None where the ordinary way must go on."""

    def ready(self, run: Run) -> bool: ...
    def descend(self, run: Run) -> Status | None: ...
