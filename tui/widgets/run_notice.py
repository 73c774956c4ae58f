"""A line under the head of a run's screen: the engine is gone, the run failed, the paper is written."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.status import status_of
from tui.widgets.lines import colour_of, spread
from tui.wording import counted


class RunNotice(Static):
    """Hidden as long as there is nothing to say."""

    DEFAULT_CSS = """
    RunNotice {
        height: auto; max-height: 6; padding: 0 1; display: none;
        background: $background; border-bottom: solid $line;
    }
    RunNotice.-shown { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._feed: RunFeed | None = None
        self._said = Content()

    def show(self, feed: RunFeed, agent: str) -> None:
        """Say what there is to say about the run as it is now."""
        self._feed = feed
        notice = _notice(feed)
        self.set_class(notice is not None, "-shown")
        said = _laid_out(*notice, self.size.width) if notice is not None else Content()
        if not said.is_same(self._said):
            self._said = said
            self.update(said)

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self.show(self._feed, "")


def _laid_out(said: Content, next_step: Content, width: int) -> Content:
    """Both ends of one line or, where they do not fit, lines one below the other: nothing is cut."""
    if said.cell_length + 2 + next_step.cell_length <= width:
        return spread(said, next_step, width)
    return Content.assemble(said, "  ", next_step)


def _notice(feed: RunFeed) -> tuple[Content, Content] | None:
    """What there is to say, and what can be done about it; None for nothing."""
    state = feed.state
    if state.created is None:
        return None
    if state.ended is None:
        status = status_of(feed.folder, state)
        if not status.resumable:
            return None
        kept = "  Nothing that is in the journal is lost." if state.engine else ""
        reason = Content.styled(
            f"{status.mark.glyph} {one_line(status.explanation)}.", colour_of(status.mark)
        )
        return reason + Content.styled(kept, "$muted"), Content.assemble(("r", "$accent bold"), " resume")
    if state.ended.outcome == "done":
        if state.paper is None:
            return None
        struck = f", {state.paper.struck} struck: a draft" if state.paper.struck else ""
        no_pdf = f"  no PDF: {one_line(state.paper.no_pdf, 200)}" if state.paper.no_pdf else ""
        said = Content.assemble(
            (f"{glyphs.DONE.glyph} The paper is written.", "$supported"),
            (f"  {counted(state.paper.numbers, 'number')} bound to measurements{struck}", "$muted"),
            (no_pdf, "$waiting"),
        )
        return said, Content.assemble(("P", "$accent bold"), " read it")
    mark = glyphs.KILLED if state.ended.outcome == "killed" else glyphs.FAILED
    ending = "The run was killed" if state.ended.outcome == "killed" else "The run failed"
    because = f"  {one_line(state.ended.message)}" if state.ended.message else ""
    next_steps = Content.assemble(("5", "$accent bold"), " report   ", ("esc", "$accent bold"), " all runs")
    return Content.assemble((f"{mark.glyph} {ending}.", "$failed"), because), next_steps
