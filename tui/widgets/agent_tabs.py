"""Which agent is looked at, and which of its sides."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from core.record.state import RunState
from tui.run_feed import RunFeed
from tui.widgets.lines import colour_of, fitted, mark_of
from tui.widgets.plan_rows import ORCHESTRATOR, WRITER

VIEWS = ("log", "thoughts", "metrics", "code", "report")
"""The sides of an agent, in the order of their keys."""

MOST_TABS = 12


class AgentTabs(Widget):
    """One line of agents, one of views."""

    DEFAULT_CSS = """
    AgentTabs { height: 3; padding: 0 1; background: $background; border-bottom: solid $line; }
    AgentTabs.-active { border-bottom: solid $accent; }
    AgentTabs.-active:nocolor { border-bottom: heavy $accent; }
    """

    class Chosen(Message):
        """A click on an agent."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    class ViewChosen(Message):
        """A click on a view."""

        def __init__(self, view: str) -> None:
            super().__init__()
            self.view = view

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.view = VIEWS[0]
        self._feed: RunFeed | None = None
        self._agent = ORCHESTRATOR
        self._lines = (Content(), Content())

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the agents there are, and mark one."""
        self._feed, self._agent = feed, agent
        if not self.size.width:
            return
        lines = self._agents_line(feed.state), self._views_line()
        if not all(new.is_same(old) for new, old in zip(lines, self._lines, strict=True)):
            self._lines = lines
            self.refresh()

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self.show(self._feed, self._agent)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as there is room."""
        return container.width

    def render_line(self, y: int) -> Strip:
        """Agents, then views."""
        width = self.size.width
        if y >= len(self._lines) or not width:
            return Strip.blank(width, self.rich_style)
        return Visual.to_strips(self, fitted(self._lines[y], width), width, 1, self.visual_style)[0]

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        meta = event.style.meta
        if agent := meta.get("agent"):
            self.post_message(self.Chosen(agent))
        elif view := meta.get("view"):
            self.post_message(self.ViewChosen(view))

    def _agents_line(self, state: RunState) -> Content:
        names = shown_agents(state, self._agent)
        parts = [self._tab(state, name) for name in names]
        chosen = names.index(self._agent)
        first = 0
        while sum(part.cell_length + 3 for part in parts[first : chosen + 1]) > self.size.width - 4:
            first += 1
        more = Content.styled("‹  " if first else "", "$muted")
        return Content.assemble(more, Content("   ").join(parts[first:]))

    def _tab(self, state: RunState, name: str) -> Content:
        label = Content.styled(name, "$accent bold underline" if name == self._agent else "$muted")
        if experiment := state.experiments.get(name):
            mark = mark_of(state, experiment)
            label = Content.assemble(label, (f" {mark.glyph}", colour_of(mark)))
        return label.stylize(Style.from_meta({"agent": name}))

    def _views_line(self) -> Content:
        parts = []
        for number, view in enumerate(VIEWS, start=1):
            chosen = view == self.view
            part = Content.assemble(
                (f"{number} ", "$accent"), (view, "bold underline" if chosen else "$muted")
            )
            parts.append(part.stylize(Style.from_meta({"view": view})))
        return Content("   ").join(parts)


def shown_agents(state: RunState, chosen: str) -> list[str]:
    """Agents that have a tab: the orchestrator, experiments that run or ran, the chosen one, the writer."""
    begun = [
        name
        for name, experiment in state.experiments.items()
        if experiment.started_at is not None or name == chosen
    ]
    if len(begun) > MOST_TABS:
        place = begun.index(chosen) if chosen in begun else len(begun)
        first = max(0, min(place - MOST_TABS // 2, len(begun) - MOST_TABS))
        begun = begun[first : first + MOST_TABS]
    return [ORCHESTRATOR, *begun, *([WRITER] if WRITER in state.agents or chosen == WRITER else [])]
