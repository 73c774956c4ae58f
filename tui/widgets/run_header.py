"""The head of a run's screen: the question, how the run stands, what it costs, what waits."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from core.models.scripted import LABEL
from core.record.state import RunState
from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.status import Status, status_of, waiting_count
from tui.widgets.lines import colour_of, moment, spread, words
from tui.widgets.spend_meter import Spend, meter, short_meter
from tui.wording import clock

WIDE_COLUMNS = 120


class RunHeader(Widget):
    """Two lines about the whole run."""

    DEFAULT_CSS = """
    RunHeader { height: 3; padding: 0 1; background: $background; border-bottom: solid $line; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lines = (Content(), Content())
        self._feed: RunFeed | None = None
        self._looks: tuple[object, ...] = ()

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the run as it is now."""
        self._feed = feed
        looks = (feed.state.seq, feed.has_engine, int(moment().timestamp()), self.size.width)
        if feed.state.created is None or not self.size.width or looks == self._looks:
            return
        self._looks = looks
        lines = self._wide(feed) if self.size.width >= WIDE_COLUMNS - 2 else self._narrow(feed)
        if not all(new.is_same(old) for new, old in zip(lines, self._lines, strict=True)):
            self._lines = lines
            self.refresh()

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self.show(self._feed, "")

    def render(self) -> RenderResult:
        """Both lines."""
        return Content("\n").join(self._lines)

    def _wide(self, feed: RunFeed) -> tuple[Content, Content]:
        state, status = feed.state, status_of(feed.folder, feed.state)
        width = self.size.width
        assert state.created is not None
        left = Content.assemble(("fumehood", "$accent bold"), "   ", words(state.title, "bold"))
        right = Content.assemble(_stands(feed, status, word=True), "     ", (_where(state), "$muted"))
        if waiting_count(state):
            right = Content.assemble(right, "     ", _waits(state), (" wait", "$waiting bold"))
        money = meter(Spend.of(state, moment()), state, width)
        label = _scripted(state, width - money.cell_length - 4)
        return spread(left, right, width), spread(money, label, width)

    def _narrow(self, feed: RunFeed) -> tuple[Content, Content]:
        state, status = feed.state, status_of(feed.folder, feed.state)
        width = self.size.width
        assert state.created is not None
        right = _stands(feed, status, word=width >= 60)
        if waiting_count(state):
            right = Content.assemble(right, "  ", _waits(state))
        money = short_meter(Spend.of(state, moment()), width)
        rest = width - money.cell_length - 2
        label = _scripted(state, min(rest, 12)) or (
            Content.styled(_where(state), "$muted") if rest >= len(_where(state)) else Content()
        )
        return spread(words(state.title, "bold"), right, width), spread(money, label, width)


def _stands(feed: RunFeed, status: Status, *, word: bool) -> Content:
    """The run's state and for how long it goes or went."""
    state = feed.state
    assert state.created is not None
    if state.ended is not None:
        until = state.ended.at
    elif status.resumable and state.last_at is not None:
        until = state.last_at
    else:
        until = moment()
    seconds = (until - state.created.at).total_seconds()
    name = f" {status.mark.word}" if word else ""
    if state.kill is not None and state.ended is None:
        name = " being killed" if word else ""
    return Content.assemble(
        (f"{status.mark.glyph}{name}", f"{colour_of(status.mark)} bold"), f" {clock(seconds)}"
    )


def _waits(state: RunState) -> Content:
    return Content.styled(f"{glyphs.WAITS.glyph} {waiting_count(state)}", "$waiting bold")


def _where(state: RunState) -> str:
    """What experiments run on."""
    settings = state.settings
    parts = [settings.sandbox, settings.gpu or (state.engine.isolation if state.engine else "")]
    return one_line(" · ".join(part for part in parts if part), 40)


def _scripted(state: RunState, width: int) -> Content:
    """The label of runs without a language model, as long as there is room for."""
    if not state.settings.model.startswith("scripted:"):
        return Content()
    return Content.styled(LABEL if len(LABEL) <= width else LABEL.partition(":")[0], "$waiting")
