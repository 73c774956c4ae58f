"""What a human decides, as events: the same rules for the commands and for the console.

Every function is pure. It takes the state that the human saw and what the human typed, and gives the
events to append, or says why nothing waits for that decision. A decision that can be made once
carries an id that is made here, so that appending it twice is once.
"""

from core.decisions.approvals import ALL, answer, approvable, approve, reject
from core.decisions.checks import MAX_TEXT_CHARACTERS, run_id
from core.decisions.edits import FIXED, edit
from core.decisions.steering import (
    AGENTS,
    FEWEST_SEEDS,
    MAX_TITLE_CHARACTERS,
    MOST_SEEDS,
    budget,
    go_on,
    kill,
    pause,
    rename,
    reproduce,
    seeds,
    stop,
    tell,
)

__all__ = [
    "AGENTS",
    "ALL",
    "FEWEST_SEEDS",
    "FIXED",
    "MAX_TEXT_CHARACTERS",
    "MAX_TITLE_CHARACTERS",
    "MOST_SEEDS",
    "answer",
    "approvable",
    "approve",
    "budget",
    "edit",
    "go_on",
    "kill",
    "pause",
    "reject",
    "rename",
    "reproduce",
    "run_id",
    "seeds",
    "stop",
    "tell",
]
