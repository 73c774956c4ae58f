"""A run as plain lines: each event that people care about becomes one, or a few.

From here come the words that the console shares. ``tui.plain.narrator`` tells a run; the console has to be
on the screen at once and does without it.
"""

from tui.plain.execs import code_warnings
from tui.plain.experiments import verdict_in_words
from tui.plain.waiting import CAP_CANNOT_HOLD, commands_for

__all__ = ["CAP_CANNOT_HOLD", "code_warnings", "commands_for", "verdict_in_words"]
