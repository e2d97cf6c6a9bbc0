"""What may run iterations in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from descend.methods._status import Status

if TYPE_CHECKING:
    from descend._minimize.run import Run


class Faster(Protocol):
    """Another way to run the same iterations."""

    def ready(self, run: Run) -> bool:
        """Whether it can run the next ones."""

    def descend(self, run: Run) -> Status | None:
        """Run some of them: why they ended the run, None where it goes on."""
