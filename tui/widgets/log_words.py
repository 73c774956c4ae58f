"""What is said about a log: whose it is, how its script went, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from core.record.state import Exec, RunState
from tui import glyphs
from tui.log_lines import settled
from tui.open_log import OpenLog
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, spread
from tui.widgets.script_state import Going, script_mark, script_time


def head(script: Exec | None, execs: Sequence[str], going: Going, width: int) -> Content:
    """The line above a log: ``E1-2 · single and bagged trees · ✓ exit 0 · 4.6 s``.

    Args:
        script: the script; None where none is shown.
        execs: all scripts of its experiment, oldest first.
        going: what goes on around the script.
        width: columns of the line.
    """
    if script is None:
        return Content()
    mark, how = script_mark(script, going)
    seconds = script_time(script, going)
    asked = script.asked
    purpose = one_line(asked.purpose)
    left = Content.assemble(
        (one_line(asked.exec_id), "$foreground bold"),
        (" · trial, nothing in it counts" if asked.trial else "", "$waiting"),
        f" · {purpose}" if purpose else "",
    )
    gap = " " if mark == glyphs.RUNNING else " · "
    right = Content.styled(f"{mark.glyph} {how}{f'{gap}{seconds}' if seconds else ''}", colour_of(mark))
    if len(execs) > 1:
        place = f"   {execs.index(asked.exec_id) + 1} of {len(execs)}"
        right = Content.assemble(right, place)
    return spread(left, right, width)


def found(log: OpenLog, search: str, shown: str, marked: int | None) -> Content:
    """What is searched for and filtered, with counts: ``/val_acc  3/17``.

    Args:
        log: the log.
        search: what is searched for; empty for nothing.
        shown: what is filtered by; empty for no filter.
        marked: where the line starts that was jumped to, bytes.
    """
    parts: list[str | tuple[str, str]] = []
    if search:
        parts += [("/", "$accent"), f"{settled(one_line(search))}  "]
        parts += [(log.found_words(marked), "$foreground"), "   "]
    if shown:
        parts += [("& ", "$accent"), f"{settled(one_line(shown))}  ", (log.filter_words(), "$foreground")]
    return Content.assemble(*parts)


def remark(state: RunState, agent: str, script: Exec | None) -> str:
    """Why there is no line to show, and where to look instead.

    Args:
        state: the run.
        agent: whose log it is.
        script: the script that is shown; None where there is none.
    """
    if script is not None:
        exec_id = one_line(script.asked.exec_id)
        return f"{exec_id} printed nothing." if script.ended else f"{exec_id} has printed nothing yet."
    experiment = state.experiments.get(agent)
    if experiment is None:
        return f"Only experiments run scripts. What the {one_line(agent)} does is among its thoughts."
    match experiment.stage:
        case "proposed" | "waiting":
            return f"{experiment.id} waits for your approval. What its scripts print will be here."
        case "approved" | "queued":
            return f"{experiment.id} is approved and waits for a free place."
        case "running":
            return (
                f"{experiment.id} has started no script yet. What its researcher does is among its thoughts."
            )
        case _:
            return f"{experiment.id} ran no script."
