"""Text from models and experiments, made safe for a terminal.

Such text is hostile: an escape sequence in it could move the cursor over what was printed, write to
the clipboard or answer in the user's name, and direction overrides could make a line read otherwise
than it is. Only colours (SGR) survive, and only where they are asked for. What joins or varies other
characters goes, too: terminals disagree about the width of the result, and a line that is broken in
the middle of it loses text.
"""

from __future__ import annotations

import re

ESCAPES = re.compile(
    r"""
      (?P<colour>\x1b\[[0-9;:]{0,64}m)
    | (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?                              # CSI
    | (?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])                           # OSC, DCS, SOS, PM, APC,
      [^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?                        #   up to their end or the line's
    | \x1b[ -/]*[0-~]?                                               # any other escape
    | [\x00-\x08\x0b-\x1f\x7f-\x9f]                                  # control characters but tab and newline
    | [\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]                 # direction marks and overrides
    | [\u00ad\u180b-\u180f\u200b-\u200d\u2060-\u206f\ufe00-\ufe0f]   # characters that nobody can see, and
    | [\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]                     #   those that only join or vary others
    """,
    re.VERBOSE,
)

CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

SEPARATORS = str.maketrans({"\u2028": "\n", "\u2029": "\n"})
SURROGATES = re.compile(r"[\ud800-\udfff]")
RESET = "\x1b[0m"
TAB_COLUMNS = 8


def safe(text: str, *, colours: bool = False) -> str:
    """Text without anything that a terminal would act on; newlines and tabs stay.

    Args:
        text: whatever a model or an experiment said.
        colours: let SGR sequences through; colours are reset at the end.
    """

    def keep(match: re.Match[str]) -> str:
        return (match["colour"] or "") if colours else ""

    # Lone surrogates cannot be written as UTF-8 at all.
    text = SURROGATES.sub("\ufffd", text.replace("\r\n", "\n").translate(SEPARATORS))
    cleaned = ESCAPES.sub(keep, text)
    return f"{cleaned}{RESET}" if "\x1b" in cleaned else cleaned


def without_controls(text: str) -> str:
    """Text without the characters that make a terminal act; what is left of a sequence stays."""
    return CONTROLS.sub("", text)


def one_line(text: str, limit: int | None = None) -> str:
    """Safe text on one line: white space becomes single spaces, and what is too long ends in ``…``.

    Args:
        text: whatever a model or an experiment said.
        limit: the most characters; None for all.
    """
    # A carriage return would otherwise vanish and glue words together.
    line = " ".join(safe(text.replace("\r", "\n")).split())
    return line if limit is None or len(line) <= limit else f"{line[: max(0, limit - 1)].rstrip()}…"


def log_line(raw: bytes, *, colours: bool = False) -> str:
    """One line of a script's output as a terminal would show it at last.

    A progress bar that redraws itself with carriage returns becomes its last state.

    Args:
        raw: the line without its newline.
        colours: let SGR sequences through.
    """
    states = raw.decode("utf-8", errors="replace").split("\r")
    last = next((state for state in reversed(states) if state.strip()), "")
    return safe(last, colours=colours).replace("\n", " ").expandtabs(TAB_COLUMNS).rstrip()
