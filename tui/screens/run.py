"""One run: its plan at the left, what an agent does at the right."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from core.record.folder import RunFolder
from tui.recorded_doubts import RecordedDoubts
from tui.run_feed import RunFeed
from tui.run_places import Place, keep_place, last_place
from tui.run_records import RunRecords
from tui.screens.edit_experiment import EditExperiment
from tui.screens.run_sides import RunSides
from tui.screens.run_style import STYLE
from tui.status import waiting_count
from tui.widgets.agent_tabs import VIEWS, AgentTabs, shown_agents
from tui.widgets.approval_card import ApprovalCard
from tui.widgets.code_view import CodeView
from tui.widgets.findings import Findings
from tui.widgets.key_bar import KeyBar
from tui.widgets.log_view import LogView
from tui.widgets.metrics_view import MetricsView
from tui.widgets.page_reader import PageReader
from tui.widgets.plan_rows import ORCHESTRATOR, WRITER
from tui.widgets.plan_tree import PlanTree
from tui.widgets.report_view import ReportView
from tui.widgets.run_header import RunHeader
from tui.widgets.run_notice import RunNotice
from tui.widgets.search_line import SearchLine
from tui.widgets.thoughts_view import ThoughtsView

CLOCK_SECONDS = 1.0
"""How often times and running costs are shown anew."""


class _Part(Protocol):
    """A part of the screen that shows a piece of the run."""

    def show(self, feed: RunFeed, agent: str) -> None: ...


class RunScreen(RunSides):
    """The screen of one run.

    Args:
        folder: the run.
    """

    BINDING_GROUP_TITLE = "Run"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("exclamation_mark", "next_waiting", "waiting", key_display="!", id="run.next_waiting"),
        Binding("tab", "switch_pane", "other side", id="run.pane"),
        Binding("shift+tab", "switch_pane", "other side", show=False, id="run.pane_back"),
        *(
            Binding(str(number), f"view('{view}')", view, show=False, id=f"run.view_{view}")
            for number, view in enumerate(VIEWS, start=1)
        ),
        Binding(
            "left_square_bracket", "step_agent(-1)", "previous agent", show=False, id="run.previous_agent"
        ),
        Binding("right_square_bracket", "step_agent(1)", "next agent", show=False, id="run.next_agent"),
        Binding("z", "zoom", "zoom", show=False, id="run.zoom"),
        Binding("m", "message", "message", id="run.message"),
        Binding("p", "pause", "pause", id="run.pause"),
        Binding("x", "kill", "kill", id="run.kill"),
        Binding("b", "budget", "cap", show=False, id="run.budget"),
        Binding("n", "seeds", "more seeds", show=False, id="run.seeds"),
        Binding("r", "resume", "resume", id="run.resume"),
        Binding("R", "reproduce", "reproduce", show=False, id="run.reproduce"),
        Binding("P", "paper", "paper", id="run.paper"),
    ]

    DEFAULT_CSS = STYLE

    def __init__(self, folder: RunFolder) -> None:
        place = last_place(folder.run_id)
        super().__init__(RunFeed(folder), place.agent, place.views)
        self._records = RunRecords(folder)

    def compose(self) -> ComposeResult:
        """Head, plan, views, card, keys."""
        tree = PlanTree(id="tree")
        views = (
            LogView(id="log"),
            ThoughtsView(id="thoughts"),
            MetricsView(self._records, id="metrics"),
            CodeView(id="code"),
            ReportView(RecordedDoubts(self.feed.folder), id="report"),
        )
        yield RunHeader(id="header")
        yield RunNotice(id="notice")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield tree
                yield Findings(self._records, id="findings")
            with Vertical(id="right"):
                yield AgentTabs(id="tabs")
                with ContentSwitcher(id="views", initial="thoughts"):
                    yield from views
                yield ApprovalCard(id="card")
            yield Findings(self._records, id="rail")
        yield SearchLine(id="search")
        yield KeyBar(self._key_words, frozenset({"card"}), id="keys")

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one("#tree").focus()
        self.set_interval(CLOCK_SECONDS, self._tick)
        # Only after the first layout: Textual forgets to measure what changes between two of them anew.
        self.call_after_refresh(self.follow)

    def on_unmount(self) -> None:
        """Stop looking; the run goes on."""
        self._records.close()
        self.feed.close()

    @property
    def card(self) -> ApprovalCard:
        """What waits for the human."""
        return self.query_one(ApprovalCard)

    def _tick(self) -> None:
        """Times and running costs go on by themselves."""
        if self.is_current and self.console.may_repaint():
            self.query_one(RunHeader).show(self.feed, self.agent)
            self.query_one(PlanTree).show(self.feed, self.agent)
            if self.view == "metrics":
                self.query_one(MetricsView).show(self.feed, self.agent)

    def show_all(self) -> None:
        """Show the run as it is now in every part that is seen."""
        state = self.feed.state
        if state.created is None:
            return
        if self.agent not in state.experiments and self.agent not in (ORCHESTRATOR, WRITER):
            self.agent = ORCHESTRATOR
        self.query_one(AgentTabs).view = self.view
        self.query_one("#views", ContentSwitcher).current = self.view
        for part in self._parts():
            part.show(self.feed, self.agent)
        self.refresh_bindings()

    def _parts(self) -> list[_Part]:
        always: list[_Part] = [self.query_one(RunHeader), self.query_one(RunNotice), self.card]
        shown = self.query_one(f"#views > #{self.view}")
        others = (self.query_one(PlanTree), *self.query(Findings), self.query_one(AgentTabs), shown)
        return always + [cast(_Part, part) for part in others if _is_seen(part)]

    # Looking around.

    def look_at(self, agent: str, view: str | None = None) -> None:
        """Look at another agent, or at another side of it."""
        self.agent = agent
        if view is not None:
            self.chosen_views[self.kind()] = view
        self.show_all()
        keep_place(self.feed.folder.run_id, Place(agent=self.agent, views=self.chosen_views))

    def action_view(self, view: str) -> None:
        """Choose a view of the agent."""
        self.card.close()
        if self.narrow:
            self.turn(True)
        self.look_at(self.agent, view)
        if self.narrow or self.focused is None or self.focused.id != "tree":
            self.focus_view()

    def action_step_agent(self, step: int) -> None:
        """Look at the agent before or after this one."""
        agents = shown_agents(self.feed.state, self.agent)
        self.look_at(agents[(agents.index(self.agent) + step) % len(agents)])

    def action_next_waiting(self) -> None:
        """Open the card of what waits."""
        if self.card.open():
            self.turn(True)
            self.set_class(True, "-card")
        else:
            self.notify("Nothing waits for you.", markup=False)

    def action_paper(self) -> None:
        """Read the paper."""
        from tui.screens.paper import PaperScreen  # only now: a Markdown parser is of no use before

        self.app.push_screen(PaperScreen(self.feed.folder))

    def on_plan_tree_moved(self, message: PlanTree.Moved) -> None:
        """The cursor of the plan says what is looked at; it is painted before what it leads to."""
        self.agent = message.agent
        self.call_after_refresh(lambda: self.look_at(self.agent))

    def on_plan_tree_chosen(self, message: PlanTree.Chosen) -> None:
        """Open an agent; what waits opens its card."""
        self.look_at(message.agent)
        if self._waits(message.agent) and self.card.open(message.agent):
            self.set_class(True, "-card")
            self.turn(True)
            return
        self.turn(True)
        self.focus_view()
        self.call_after_refresh(self.show_all)

    def on_plan_tree_edit_asked(self, message: PlanTree.EditAsked) -> None:
        """Change what no approval has locked; it is priced again."""
        self.app.push_screen(EditExperiment(self.feed, message.agent))

    def on_agent_tabs_chosen(self, message: AgentTabs.Chosen) -> None:
        """A tab was clicked."""
        self.look_at(message.agent)

    def on_agent_tabs_view_chosen(self, message: AgentTabs.ViewChosen) -> None:
        """A view was clicked."""
        self.action_view(message.view)

    def on_approval_card_changed(self, message: ApprovalCard.Changed) -> None:
        """The window's title and the bell say that something waits."""
        self.console.call_attention(message.count)

    def on_approval_card_left(self, message: ApprovalCard.Left) -> None:
        """Back to the run."""
        self.set_class(False, "-card")
        if self.focused is None or self.focused.id == "card":
            self.turn(False)
            self.set_focus(self.query_one("#tree"))
        self.call_after_refresh(self.show_all)

    def ask_search(self, page: PageReader) -> None:
        """Type what to search for on a page."""
        self.query_one(SearchLine).ask(page)

    def on_page_reader_searched(self, message: PageReader.Searched) -> None:
        """Say what was found."""
        self.query_one(SearchLine).tell(message.page)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show where keys go; what is searched for is that of the page that is read."""
        right = self.query_one("#right")
        self.query_one(AgentTabs).set_class(right in event.widget.ancestors, "-active")
        line = self.query_one(SearchLine)
        if isinstance(event.widget, PageReader):
            line.tell(event.widget)
        elif line not in event.widget.ancestors:
            line.hide()

    def _key_words(self, action: str, words: str) -> str:
        """What keys are called now."""
        if action == "pause" and self.feed.state.paused:
            return "go on"
        if action == "next_waiting" and not waiting_count(self.feed.state):
            return ""
        if action in ("kill", "message") and self.experiment is not None and not self.experiment.open:
            return ""
        if action == "switch_pane":
            return "agent" if self.focused is None or self.focused.id == "tree" else "plan"
        return words

    def _waits(self, agent: str) -> bool:
        state = self.feed.state
        return state.ended is None and any(it.asked.experiment_id == agent for it in state.waiting)


def _is_seen(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))
