"""A line under the head of a run's screen: the engine is gone, the run failed, the paper is written."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.status import status_of
from tui.widgets.lines import colour_of
from tui.wording import counted


class RunNotice(Static):
    """Hidden as long as there is nothing to say."""

    DEFAULT_CSS = """
    RunNotice {
        height: auto; max-height: 2; padding: 0 1; display: none;
        background: $background; border-bottom: solid $line;
    }
    RunNotice.-shown { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._said: Content | None = None

    def show(self, feed: RunFeed, agent: str) -> None:
        """Say what there is to say about the run as it is now."""
        said = _notice(feed)
        if said is self._said or (said is not None and self._said is not None and said.is_same(self._said)):
            return
        self._said = said
        self.set_class(said is not None, "-shown")
        self.update(said or Content())


def _notice(feed: RunFeed) -> Content | None:
    state = feed.state
    if state.created is None:
        return None
    if state.ended is None:
        status = status_of(feed.folder, state)
        if not status.resumable:
            return None
        kept = "  Nothing that is in the journal is lost.  " if state.engine else "  "
        return Content.assemble(
            (f"{status.mark.glyph} {one_line(status.explanation)}.", colour_of(status.mark)),
            (kept, "$muted"),
            ("r", "$accent bold"),
            " resume",
        )
    if state.ended.outcome == "done":
        if state.paper is None:
            return None
        struck = f", {state.paper.struck} struck: a draft" if state.paper.struck else ""
        return Content.assemble(
            (f"{glyphs.DONE.glyph} The paper is written", "$supported"),
            (f"  {counted(state.paper.numbers, 'number')} bound to measurements{struck}  ", "$muted"),
            one_line(str(feed.folder.path / state.paper.path)),
        )
    mark = glyphs.KILLED if state.ended.outcome == "killed" else glyphs.FAILED
    said = "The run was killed" if state.ended.outcome == "killed" else "The run failed"
    reason = f"  {one_line(state.ended.message)}" if state.ended.message else ""
    return Content.assemble((f"{mark.glyph} {said}.", "$failed"), reason)
