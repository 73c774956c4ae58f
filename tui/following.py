"""Following a run without a console.

The follower only ever looks. The engine is a process of its own and goes on whatever happens here;
the one thing that a follower may append is the human's wish that the engine stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

from core.decisions import stop
from core.errors import FumehoodError
from core.racing import first_of
from core.record.events import Event
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.state import RunState
from tui.exit_codes import ExitCode
from tui.open_run import decide
from tui.outer_edge import silence
from tui.screen import NobodyReads, is_terminal

LOOK_SECONDS = 0.25
"""How often logs, waiting requests and the engine's lock are looked at."""

OUTCOMES = {"done": ExitCode.DONE, "failed": ExitCode.RUN_FAILED, "killed": ExitCode.RUN_KILLED}

QUESTION = "Stop the run's engine, or detach and leave it working? [d]etach / [s]top "


class Voice(Protocol):
    """Who tells what the follower sees."""

    asks: bool
    """Whether the human can be asked something in between."""

    def begin(self, state: RunState) -> None:
        """Start to tell; the state holds what is known already and is not told."""

    def tell(self, state: RunState, event: Event) -> None:
        """Tell one event; the state holds it."""

    def look(self, state: RunState) -> None:
        """Tell what has changed besides the journal."""

    def ended(self, state: RunState) -> None:
        """Tell how it ended: the run is over, or its engine stopped in an orderly way."""

    def interrupted(self) -> None:
        """Tell that the engine is gone without a word."""

    def detached(self) -> None:
        """Tell that the run goes on without being watched."""

    def hold(self) -> None:
        """Keep what is told from now on to yourself, because the human is being asked something."""

    def go_on(self, remark: str) -> None:
        """Tell what was held, and a remark."""


class Follower:
    """Follows one run.

    Args:
        folder: the run.
        voice: who tells what is seen.
        after: events up to this ``seq`` are taken in without a word.
    """

    def __init__(self, folder: RunFolder, voice: Voice, after: int = 0) -> None:
        self.folder = folder
        self.voice = voice
        self.after = after
        self.state = RunState()
        self._asking = False
        self._leaving: asyncio.Event | None = None

    async def run(self) -> ExitCode:
        """Follow until the run is over, its engine is gone, or the human turns away.

        Raises:
            JournalError: the journal cannot be read.
        """
        self._leaving = asyncio.Event()
        with self.folder.journal() as journal, self._signals():
            try:
                fold((event for event in journal.read() if event.seq <= self.after), self.state)
                self.voice.begin(self.state)
                return await first_of(self._follow(journal), self._look(), self._left())
            except NobodyReads:
                silence()
                return ExitCode.DETACHED

    async def _follow(self, journal: Journal) -> ExitCode:
        """Tell every event, until the journal says that the run is over or its engine ended."""
        async for batch in journal.follow(self.state.seq):
            for event in batch:
                fold([event], self.state)
                self.voice.tell(self.state, event)
            if self.state.engine_stopped is not None:
                return self._ended()
        raise AssertionError("a journal is followed for ever")

    async def _look(self) -> ExitCode:
        """Look at what is not in the journal, until the engine is gone."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.voice.look(self.state)
            if self.folder.has_engine():
                continue
            latest = self.folder.state()  # an engine says its last word before it lets go of the lock
            if latest.engine_stopped is None:
                self.voice.interrupted()
                return ExitCode.ENGINE_GONE
            if self.state.seq >= latest.seq:
                return self._ended()

    def _ended(self) -> ExitCode:
        self.voice.ended(self.state)
        return OUTCOMES[self.state.ended.outcome] if self.state.ended else ExitCode.ENGINE_GONE

    async def _left(self) -> ExitCode:
        assert self._leaving is not None
        await self._leaving.wait()
        return ExitCode.DETACHED

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let Ctrl-C ask or detach, and a closed terminal or a polite end detach quietly."""
        assert self._leaving is not None
        loop = asyncio.get_running_loop()
        handlers: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGINT: self._on_interrupt,
            signal.SIGTERM: self._leaving.set,
            signal.SIGHUP: self._leaving.set,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _on_interrupt(self) -> None:
        """First Ctrl-C on a terminal asks; a second one, or one without a terminal, detaches."""
        if self._asking or not (self.voice.asks and is_terminal(sys.stdin) and is_terminal(sys.stdout)):
            self._detach()
            return
        self._asking = True
        self.voice.hold()
        sys.stdout.write(f"\n{QUESTION}")
        sys.stdout.flush()
        asyncio.get_running_loop().add_reader(sys.stdin, self._on_reply)

    def _on_reply(self) -> None:
        """Take the answer to the question; whatever is no clear ``s`` leaves the engine alone."""
        asyncio.get_running_loop().remove_reader(sys.stdin)
        self._asking = False
        if sys.stdin.readline().strip().lower() not in ("s", "stop"):
            self._detach()
            return
        try:
            decide(self.folder, lambda state: stop(state, close_sandboxes=False))
        except FumehoodError as error:
            self.voice.go_on(str(error))
        else:
            self.voice.go_on("Stopping: what is under way is written down first.")

    def _detach(self) -> None:
        assert self._leaving is not None
        self.voice.detached()
        self._leaving.set()
