"""How often, and after how long, a turn that was not complete is asked for again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import ModelBusy

MINUTE, HOUR = 60, 3600

RESUME = "Resume the run when the provider is well again."


@dataclass(frozen=True)
class Retries:
    """When to ask again, and when to stop.

    Attributes:
        most: attempts after the first before the run pauses.
        first_seconds: the pause before the second attempt, where the server names none; it doubles.
        longest_seconds: the longest such pause.
        longest_asked_seconds: the longest pause that a server may ask for; beyond it the run pauses
            rather than hold machines that somebody pays for.
        jitter: a number from 0 up to 1, so that agents turned away together do not come back together.
    """

    most: int = 8
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    longest_asked_seconds: float = 600.0
    jitter: Callable[[], float] = random.random

    def delay(self, model: str, attempt: int, error: ModelBusy) -> float:
        """Seconds to wait before the next attempt.

        Args:
            model: its name, for people.
            attempt: attempts that were made before this one.
            error: what this attempt ended in.

        Raises:
            ModelBusy: there will be no next attempt.
        """
        if attempt >= self.most:
            step = f"{error.next_step} Then resume the run." if error.next_step else RESUME
            raise ModelBusy(
                f"{model} gave no complete turn in {attempt + 1} attempts: {error.message}", next_step=step
            )
        if error.after_seconds is None:
            pause: float = min(self.longest_seconds, self.first_seconds * 2.0**attempt)
            return pause * (0.5 + self.jitter() / 2)
        asked = max(0.0, error.after_seconds)
        if asked > self.longest_asked_seconds:
            raise ModelBusy(
                f"{model} is to be asked again only in {_in_words(asked)}: {error.message}",
                next_step="Resume the run then.",
            )
        return asked + self.first_seconds * self.jitter() / 2


PATIENT = Retries()


def _in_words(seconds: float) -> str:
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} minutes"
    return f"{seconds / HOUR:.1f} hours"
