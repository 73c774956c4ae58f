"""The one who tells a run: which event is told by which lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.models.scripted import LABEL
from core.pricing import dollars
from core.record import events as e
from core.record.folder import RunFolder
from core.record.state import Request, RunState
from tui.plain import agents, approvals, execs, experiments, literature, paper, run, sandboxes, steering
from tui.plain.telling import Telling
from tui.plain.waiting import waits
from tui.safe_text import one_line
from tui.screen import Screen


class Narrator:
    """Tells a run.

    Args:
        folder: the run.
        screen: for colours and width; nothing is printed here.
    """

    def __init__(self, folder: RunFolder, screen: Screen) -> None:
        self.folder = folder
        self.screen = screen
        self._telling = Telling(folder, screen)

    def header(self, state: RunState) -> list[str]:
        """What the run is about and where it is."""
        assert state.created is not None
        settings = state.settings
        lines = [
            self.screen.paint(one_line(state.created.question), bold=True),
            f"{self.folder.run_id}  ·  {settings.sandbox} sandbox  ·  cap {dollars(state.cap_usd)}"
            f"  ·  approve: {one_line(settings.approve)}",
        ]
        if settings.model.startswith("scripted:"):
            lines.append(self.screen.paint(f"{LABEL} ({one_line(settings.model)})", "yellow"))
        return [*lines, ""]

    def lines(self, state: RunState, event: e.Event) -> list[str]:
        """What to print about an event; empty where it is of no interest.

        Args:
            state: the run with this event.
            event: the event.
        """
        tell = _TELLERS.get(type(event))
        about = getattr(event, "experiment_id", None)
        if tell is None or (about is not None and about not in state.experiments):
            return []  # the state ignores what is about nothing, too
        return list(tell(self._telling, state, event))

    def log(self, exec_id: str, line: str) -> str:
        """One line that a script printed."""
        subject = exec_id.partition("-")[0]
        return f"{'':10}{subject:<5} {self.screen.paint('│', dim=True)} {line}"

    def waits(self, state: RunState, request: Request) -> list[str]:
        """What waits for the human, and how to decide it from any terminal."""
        return waits(self._telling, state, request)


_TELLERS: dict[type[e.Event], Callable[[Telling, RunState, Any], Iterator[str]]] = {
    e.RunRenamed: steering.run_renamed,
    e.EngineStarted: run.engine_started,
    e.EngineStopped: run.engine_stopped,
    e.ExperimentProposed: experiments.experiment_proposed,
    e.ExperimentEdited: experiments.experiment_edited,
    e.ApprovalRequested: approvals.approval_requested,
    e.ApprovalDecided: approvals.approval_decided,
    e.ExperimentLocked: experiments.experiment_locked,
    e.ExperimentStarted: experiments.experiment_started,
    e.SandboxProgressed: sandboxes.sandbox_progressed,
    e.SandboxOpened: sandboxes.sandbox_opened,
    e.SandboxFailed: sandboxes.sandbox_failed,
    e.SandboxReaped: sandboxes.sandbox_reaped,
    e.SandboxBilled: sandboxes.sandbox_billed,
    e.ExecRequested: execs.exec_requested,
    e.ExecEnded: execs.exec_ended,
    e.TurnFinished: agents.turn_finished,
    e.TurnRetried: agents.turn_retried,
    e.TurnFailed: agents.turn_failed,
    e.ToolAnswered: agents.tool_answered,
    e.AgentEnded: agents.agent_ended,
    e.FindingRecorded: experiments.finding_recorded,
    e.ExperimentEnded: experiments.experiment_ended,
    e.VerdictReached: experiments.verdict_reached,
    e.PaperRefused: paper.paper_refused,
    e.PaperPublished: paper.paper_published,
    e.LiteratureSearched: literature.literature_searched,
    e.CitationVerified: literature.citation_verified,
    e.MessageSent: steering.message_sent,
    e.DataAdded: steering.data_added,
    e.SeedsRequested: steering.seeds_requested,
    e.ReproductionRequested: steering.reproduction_requested,
    e.BudgetSet: steering.budget_set,
    e.LaunchingPaused: steering.launching_paused,
    e.LaunchingContinued: steering.launching_continued,
    e.KillRequested: steering.kill_requested,
    e.StopRequested: steering.stop_requested,
}
