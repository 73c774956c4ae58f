"""The two sides of a run's screen: which of them is seen, in which view, and where keys go."""

from __future__ import annotations

from collections.abc import Mapping

from tui.run_feed import RunFeed
from tui.screens.followed_run import FollowedRun
from tui.widgets.agent_tabs import VIEWS
from tui.widgets.log_view import LogView

ROOMY_ROWS = 30
"""From this height on there is room for a hairline above the keys."""

FIRST_VIEWS = {"conversation": "thoughts", "running": "log", "planned": "report"}
"""What is shown of an agent before a view was chosen, by its kind."""


class RunSides(FollowedRun):
    """A screen with the plan at the left and a view of an agent at the right.

    Args:
        feed: the run.
        agent: the agent that is looked at first.
        views: the view that was chosen for each kind of agent.

    Attributes:
        chosen_views: the view that was chosen for each kind of agent.
    """

    def __init__(self, feed: RunFeed, agent: str, views: Mapping[str, str]) -> None:
        super().__init__(feed, agent)
        self.chosen_views = dict(views)

    @property
    def view(self) -> str:
        """The view of the agent."""
        kind = self.kind()
        view = self.chosen_views.get(kind, FIRST_VIEWS[kind])
        return view if view in VIEWS else FIRST_VIEWS[kind]

    @property
    def narrow(self) -> bool:
        """Whether only one side has room."""
        return not (self.has_class("-wide") or self.has_class("-rail"))

    def action_switch_pane(self) -> None:
        """Go to the other side; where only one has room, turn the page."""
        at_left = self.focused is None or self.focused.id == "tree"
        self.turn(at_left)
        if at_left:
            self.focus_view()
        else:
            self.remove_class("-zoomed")
            self.set_focus(self.query_one("#tree"))
        self.show_all()

    def action_zoom(self) -> None:
        """Give the right side the whole screen, or take it back."""
        zoomed = not self.has_class("-zoomed")
        self.set_class(zoomed, "-zoomed")
        self.turn(zoomed)
        if zoomed:
            self.focus_view()
        self.call_after_refresh(self.show_all)

    def on_resize(self) -> None:
        """Parts that came into sight show the run, too."""
        self.set_class(self.size.height >= ROOMY_ROWS, "-roomy")
        self.call_after_refresh(self.show_all)

    def kind(self) -> str:
        """The kind of the agent that is looked at, as in ``FIRST_VIEWS``."""
        experiment = self.feed.state.experiments.get(self.agent)
        if experiment is None:
            return "conversation"
        return "running" if experiment.started_at is not None else "planned"

    def turn(self, turned: bool) -> None:
        """Where only one side has room, show the right one, or the left one again."""
        self.set_class(turned, "-turned")

    def focus_view(self) -> None:
        """Let keys go to the view of the agent."""
        view = self.query_one(f"#views > #{self.view}")
        self.set_focus(view.reader if isinstance(view, LogView) else view)
