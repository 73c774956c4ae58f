"""How a script went or goes, in words, for every part of the console that shows scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.record.state import Exec
from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.screen import Mark
from tui.status import INTERRUPTED
from tui.wording import clock

CUT_SHORT = "was cut short"
NO_ENGINE = "no engine follows it"


@dataclass(frozen=True)
class Going:
    """What goes on around a script without an end of its own.

    Attributes:
        driven: whether an engine drives the run.
        over: whether its experiment or the run has ended.
        at: the time now; where no engine drives the run, that of the last event. UTC.
    """

    driven: bool
    over: bool
    at: datetime

    @classmethod
    def of(cls, feed: RunFeed, script: Exec, at: datetime) -> Going:
        """What goes on around a script of a run.

        Args:
            feed: the run.
            script: the script.
            at: the time now, UTC.
        """
        state = feed.state
        experiment = state.experiments.get(script.asked.experiment_id)
        over = state.ended is not None or (experiment is not None and not experiment.open)
        driven = feed.has_engine or not feed.caught_up  # who has not looked yet cannot say that there is none
        return cls(driven, over, at if driven else state.last_at or at)


def script_mark(script: Exec, going: Going) -> tuple[Mark, str]:
    """The mark of a script, and how it went: ``exit 0``, ``running``, ``was cut short``.

    Args:
        script: the script.
        going: what goes on around it.
    """
    ended = script.ended
    if ended is None:
        if going.over:
            return glyphs.FAILED, CUT_SHORT
        return (glyphs.RUNNING, glyphs.RUNNING.word) if going.driven else (INTERRUPTED, NO_ENGINE)
    if ended.end != "finished":
        return glyphs.FAILED, f"was ended ({one_line(ended.end, 20)})"
    return (glyphs.DONE if ended.exit_code == 0 else glyphs.FAILED), f"exit {ended.exit_code}"


def script_time(script: Exec, going: Going) -> str:
    """How long a script ran, or has run as far as it was followed."""
    ended = script.ended
    if ended is None:
        return "" if going.over else clock((going.at - script.asked.at).total_seconds())
    return f"{ended.seconds:.1f} s" if ended.seconds < 60 else clock(ended.seconds)
