"""What may run iterations in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from descend.methods._status import Status

if TYPE_CHECKING:
    from descend._minimize.block import Block
    from descend._minimize.run import Run


class Faster(ABC):
    """Another way to run the same iterations, in blocks of them."""

    _block: Block | None = None
    _declined = _pause = False
    """Whether it cannot do it, and whether another way must take the next step."""

    def ready(self, run: Run) -> bool:
        """Whether it can run the next ones, and should."""
        if run.state is None or self._declined or self._pause:
            self._pause = False
            return False
        return self._is_time(run)

    @abstractmethod
    def _is_time(self, run: Run) -> bool:
        """Whether its code is at hand, or worth compiling now; it may decline for good."""

    @abstractmethod
    def descend(self, run: Run) -> Status | None:
        """Run some of them: why they ended the run, None where it goes on."""

    def _give_way(self) -> None:
        """Leave the next step to another way."""
        self._block, self._pause = None, True
