"""What the paper's screen reads: the paper itself, and the code and log behind a number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import RunError
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.log_passage import passage_of_result
from tui.paper_evidence import Measured, Number
from tui.widgets.evidence_view import Source

MOST_BYTES = 20_000_000
MOST_SOURCES = 4
"""Code lines of one number that are shown; a table's may have dozens."""


def read_paper(path: Path) -> str:
    """The paper's text.

    Raises:
        RunError: there is none, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", errors="replace")
    except FileNotFoundError:
        raise RunError("this run has no paper yet", "It is written when the experiments are over.") from None
    except OSError as error:
        raise RunError(f"the paper cannot be read: {error.strerror}", f"Look into {path.parent}.") from None


def sources_of(
    folder: RunFolder, state: RunState, number: Number, measured: Sequence[Measured]
) -> list[Source]:
    """Where a number was measured: the code as the journal has it, and the log around the result."""
    found = []
    for exec_id, line in number.places[:MOST_SOURCES]:
        script = state.execs.get(exec_id)
        # Only what the journal knows is a name that can be put into a path.
        if script is None:
            found.append(Source(exec_id, line, "", None))
            continue
        passage = None
        if first := next((m for m in measured if m.exec_id == exec_id and m.line == line), None):
            levels = dict(first.condition) | ({} if first.seed is None else {"seed": first.seed})
            passage = passage_of_result(folder.log_path(exec_id), first.name, first.value, levels)
        found.append(Source(exec_id, line, script.asked.code, passage))
    return found
