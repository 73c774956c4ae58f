"""The voices of headless following: plain lines for people, and JSON for programs."""

from __future__ import annotations

import json
from datetime import timedelta

from core.record.events import Event, ExecEnded, ExecRequested, RunCreated, now
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.log_tail import LogTail, thinned
from tui.plain.narrator import Narrator
from tui.safe_text import one_line
from tui.screen import Screen
from tui.status import full_disk
from tui.wording import cost_line

LINES_A_LOOK = 5
"""Lines of one script that are printed per look; more are counted."""

PATIENCE = timedelta(seconds=0.5)
"""How long a request waits before the human is told how to decide it: the policy may be quicker."""


class PlainVoice:
    """Tells a run in plain lines, scripts' output among them.

    Args:
        folder: the run.
        screen: where lines go.
    """

    asks = True

    def __init__(self, folder: RunFolder, screen: Screen) -> None:
        self.folder = folder
        self.screen = screen
        self.narrator = Narrator(folder, screen)
        self._tails: dict[str, LogTail] = {}
        self._told: set[str] = set()
        self._held: list[tuple[str, bool]] | None = None

    def begin(self, state: RunState) -> None:
        """Go on at the end of the logs of scripts that run already."""
        for name, script in state.execs.items():
            if script.ended is None:
                log = self.folder.log_path(name)
                self._tails[name] = LogTail(log, log.stat().st_size if log.exists() else 0)

    def tell(self, state: RunState, event: Event) -> None:
        """Print what an event says; what its script printed before comes first."""
        if isinstance(event, RunCreated):
            self._print(*self.narrator.header(state))
        if isinstance(event, ExecRequested):
            self._tails[event.exec_id] = LogTail(self.folder.log_path(event.exec_id))
        if isinstance(event, ExecEnded) and event.exec_id in self._tails:
            self._print_log(event.exec_id, self._tails.pop(event.exec_id), ended=True)
        self._print(*self.narrator.lines(state, event))

    def look(self, state: RunState) -> None:
        """Print what scripts say, and what waits for the human."""
        self.screen.must_be_read()
        for exec_id, tail in self._tails.items():
            self._print_log(exec_id, tail, ended=False)
        for request in state.waiting:
            asked = request.asked
            if asked.request_id not in self._told and now() - asked.at > PATIENCE:
                self._told.add(asked.request_id)
                self._print(*self.narrator.waits(state, request))

    def ended(self, state: RunState) -> None:
        """Print how it ended, what it cost and where the paper is."""
        self._print("", *closing_lines(self.folder, state, self.screen))

    def interrupted(self) -> None:
        """Print that the engine is gone, and how to go on."""
        self._print(
            "",
            f"{self.screen.paint('! interrupted', 'red')}: the engine is gone without a word"
            f"{full_disk(self.folder)}. Nothing that is in the journal is lost.",
            f"Go on with 'fumehood resume {self.folder.run_id}'; the engine's log is"
            f" {self.folder.logs / 'engine.log'}.",
        )

    def detached(self) -> None:
        """Print how to come back."""
        self._held = None
        run = self.folder.run_id
        self._print(
            "",
            "Detached: the run goes on."
            f" Come back with 'fumehood attach {run}'; end its engine with 'fumehood stop {run}'.",
        )

    def hold(self) -> None:
        """Keep lines until ``go_on``."""
        self._held = []

    def go_on(self, remark: str) -> None:
        """Print what was kept, and a remark."""
        kept, self._held = self._held or [], None
        for line, words in kept:
            self._print(line, words=words)
        self._print(remark)

    def _print_log(self, exec_id: str, tail: LogTail, *, ended: bool) -> None:
        lines = [line for line in tail.take(colours=self.screen.colours, ended=ended) if line.strip()]
        shown = (self.narrator.log(exec_id, line) for line in thinned(lines, LINES_A_LOOK))
        self._print(*shown, words=False)

    def _print(self, *lines: str, words: bool = True) -> None:
        """Print lines; what scripts print is laid out by them, and is not broken between words."""
        if self._held is not None:
            self._held.extend((line, words) for line in lines)
            return
        for line in lines:
            if words:
                self.screen.words(line)
            else:
                self.screen.line(line)


class JsonVoice:
    """Prints every event as one line of JSON.

    Args:
        screen: where lines go.
    """

    asks = False

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    def begin(self, state: RunState) -> None:
        """Print nothing."""

    def tell(self, state: RunState, event: Event) -> None:
        """Print the event's own JSON, in ASCII, so that no terminal acts on it."""
        self.screen.line(json.dumps(json.loads(event.model_dump_json())))

    def look(self, state: RunState) -> None:
        """Print nothing: only events are told."""
        self.screen.must_be_read()

    def ended(self, state: RunState) -> None:
        """Print nothing: the last events say it."""

    def interrupted(self) -> None:
        """Print nothing: the exit code says it."""

    def detached(self) -> None:
        """Print nothing: the exit code says it."""

    def hold(self) -> None:
        """Never asked for."""

    def go_on(self, remark: str) -> None:
        """Never asked for."""


def closing_lines(folder: RunFolder, state: RunState, screen: Screen) -> list[str]:
    """How a run ended, what it cost, where its paper is; or how to go on where only its engine ended."""
    if state.ended is None:
        return [cost_line(state), f"The run is not over. Go on with 'fumehood resume {folder.run_id}'."]
    said, colour = {
        "done": ("✓ The run is done", "green"),
        "killed": ("■ The run was killed", "red"),
        "failed": ("! The run failed", "red"),
    }[state.ended.outcome]
    note = f": {one_line(state.ended.message)}" if state.ended.message else "."
    lines = [f"{screen.paint(said, colour)}{note}", cost_line(state)]
    return [*lines, f"Paper: {folder.path / state.paper.path}"] if state.paper else lines
