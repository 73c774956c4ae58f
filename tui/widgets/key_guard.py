"""Keys that were meant for something else: held back for a moment after what they act on has changed."""

from __future__ import annotations

from time import monotonic

HELD_SECONDS = 0.4
"""How long a finger that is already on its way may take to arrive."""


def clock() -> float:
    """A clock that never goes back, in seconds."""
    return monotonic()


class KeyGuard:
    """Holds keys back for ``HELD_SECONDS`` after each change of what they would act on.

    An escape counts as a change, too: on a slow line the rest of an arrow key or of pasted text can
    arrive behind it as if it had been typed.
    """

    def __init__(self) -> None:
        self._held_until = 0.0
        self.restart()

    def restart(self) -> None:
        """Hold keys back from now on."""
        self._held_until = clock() + HELD_SECONDS

    @property
    def holds(self) -> bool:
        """Whether a key that arrives now must be ignored."""
        return clock() < self._held_until
