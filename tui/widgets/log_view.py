"""What the scripts of an experiment printed: one log at a time, of any size."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import ClassVar, Self

from textual import work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from core.errors import FumehoodError
from core.record.state import Exec
from tui.log_export import page_through, save
from tui.log_search import SLICE_SECONDS
from tui.open_log import OpenLog
from tui.pacing import FULL
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.widgets import lines
from tui.widgets.log_prompt import LogPrompt, Purpose
from tui.widgets.log_reader import LogReader
from tui.widgets.log_words import found, head, remark
from tui.widgets.script_state import Going

PLACE_COLUMNS = 32
"""Columns that the place in the log has at least, so that a longer number moves nothing."""

KEPT_LOGS = 8
"""Logs whose place and counts are remembered."""


class LogView(Vertical):
    """The log of an agent's newest script, or of the one that was chosen.

    Nothing of a log is kept but counts, and nothing is done while it is not on the screen.

    Attributes:
        feed: the run; None before anything is shown.
        reader: the lines on the screen.
        looks: whether it looks at the log from time to time now.
    """

    DEFAULT_CSS = """
    LogView { height: 1fr; background: $background; }
    LogView > .log-head { height: 1; padding: 0 1; color: $muted; }
    LogView > .log-foot { height: 1; }
    LogView .log-found { width: 1fr; height: 1; padding: 0 1; color: $muted; }
    LogView .log-place {
        width: auto; min-width: 34; height: 1; padding: 0 1; color: $muted; text-align: right;
    }
    LogView.-asking .log-place { min-width: 0; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask('search')", "search", key_display="/", id="log.search"),
        Binding("ampersand", "ask('filter')", "filter", key_display="&", id="log.filter"),
        Binding("s", "ask('save')", "save", id="log.save", show=False),
        Binding("v", "pager", "pager", id="log.pager", show=False),
        Binding("less_than_sign", "other(-1)", "earlier", key_display="<", id="log.earlier"),
        Binding("greater_than_sign", "other(1)", "later", key_display=">", id="log.later"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.feed: RunFeed | None = None
        self._agent = ""
        self._exec: Exec | None = None
        self._chosen: dict[str, str] = {}
        self._logs: OrderedDict[str, OpenLog] = OrderedDict()
        self._place = (0, 0, True)
        self._visible = False
        self._filters = False
        self.looks = False
        self._next_look: Timer | None = None
        self.reader = LogReader()
        self._prompt = LogPrompt(self._done)
        self._head = Static("", classes="log-head")
        self._found = Static("", classes="log-found")
        self._place_shown = Static("", classes="log-place")

    def compose(self) -> ComposeResult:
        """What the log is of, the log, and where the reader is in it."""
        yield self._head
        yield self.reader
        with Horizontal(classes="log-foot"):
            yield self._found
            yield self._prompt
            yield self._place_shown

    def on_show(self) -> None:
        """It came onto the screen."""
        self._visible = True
        self._look_on()
        self.look()

    def on_hide(self) -> None:
        """It left the screen: nothing is done for it any more."""
        self._visible = False
        self._look_on(False)
        if self._log is not None:
            self._log.look_away()

    def on_unmount(self) -> None:
        """Let go of the files."""
        for log in self._logs.values():
            log.look_away()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the lines, at once."""
        self.screen.set_focus(self.reader, scroll_visible)
        return self

    def _look_on(self, looks: bool = True) -> None:
        """Look at the log from time to time from now on, or no longer."""
        self.looks = looks and self._visible
        if self.looks and self._next_look is None:
            seconds = getattr(self.app, "frame_seconds", FULL.frame_seconds)
            self._next_look = self.set_timer(seconds, self._look_again)

    def _look_again(self) -> None:
        """Look once more, if the terminal has taken in what was painted before."""
        self._next_look = None
        may_repaint = getattr(self.app, "may_repaint", None)
        if self.looks and (may_repaint is None or may_repaint()):
            self.look()
        self._look_on(self.looks)

    @property
    def _log(self) -> OpenLog | None:
        return self.reader.opened

    # What is shown

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the log of an agent's newest script, or of the one that was chosen."""
        self.feed, self._agent = feed, agent
        exec_id = self._shown_exec()
        self._exec = feed.state.execs[exec_id] if exec_id is not None else None
        if (log := self._log_of(exec_id)) is not self._log:
            if self._log is not None:
                self._log.look_away()
            self.reader.open(log)
            self.look()
        if (said := remark(feed.state, agent, self._exec)) != self.reader.remark:
            self.reader.remark = said
            self.reader.repaint()
        if self._visible:
            self._look_on()
            self._tell()

    @property
    def exec_id(self) -> str | None:
        """The script whose log is shown; None for none."""
        return self._exec.asked.exec_id if self._exec is not None else None

    def _execs(self) -> list[str]:
        experiment = self.feed.state.experiments.get(self._agent) if self.feed else None
        return experiment.execs if experiment else []

    def _shown_exec(self) -> str | None:
        execs, reads = self._execs(), self.exec_id
        if (chosen := self._chosen.get(self._agent)) in execs:
            return chosen
        if not execs:
            return None
        if reads in execs and reads != execs[-1] and self._log is not None and not self._log.page.follows:
            # A new script must not take away what is being read.
            self._chosen[self._agent] = reads
            return reads
        return execs[-1]

    def _log_of(self, exec_id: str | None) -> OpenLog | None:
        if exec_id is None or self.feed is None:
            return None
        path = self.feed.folder.log_path(exec_id)
        log = self._logs.setdefault(str(path), OpenLog(path))
        self._logs.move_to_end(str(path))
        if len(self._logs) > KEPT_LOGS:
            self._logs.popitem(last=False)[1].look_away()
        return log

    def action_other(self, step: int) -> None:
        """Show an earlier or a later script."""
        execs, shown = self._execs(), self.exec_id
        if shown is None or self.feed is None:
            return
        place = min(max(0, execs.index(shown) + step), len(execs) - 1)
        self._choose(execs[place])

    def _choose(self, exec_id: str) -> None:
        """Show a script; the newest also stands for those that will follow it."""
        self._chosen.pop(self._agent, None)
        if exec_id != self._execs()[-1]:
            self._chosen[self._agent] = exec_id
        if self.feed is not None:
            self.show(self.feed, self._agent)

    # Looking

    def look(self) -> None:
        """See what has come and paint it; count on where something is not counted yet."""
        log = self._log
        if not self._visible or log is None or self._exec is None or not self.screen.is_current:
            return
        grown = log.look(max(0.0, (lines.moment() - self._exec.asked.at).total_seconds()))
        counted = log.work(SLICE_SECONDS)
        if grown or self._filters:
            self.reader.repaint()
        # What a filter finds until the next look is painted then, also if that was all.
        self._filters = log.document.filter is not None and not counted
        if not counted:
            self._count()
        elif self._exec.ended is not None and not grown:
            self._look_on(False)
        self._tell()

    @work(exclusive=True, group="log-count")
    async def _count(self) -> None:
        if self._log is not None:
            await self._log.count(lambda: self._visible)

    def _tell(self) -> None:
        """Bring the lines above and below up to date."""
        log, reader = self._log, self.reader
        width = max(1, self.size.width - 2)
        if self._exec is not None and self.feed is not None:
            going = Going.of(self.feed, self._exec, lines.moment())
            _update(self._head, head(self._exec, self._execs(), going, width))
        else:
            _update(self._head, Content())
        runs = self._exec is not None and self._exec.ended is None
        place = log.place_words(grows=runs) if log is not None and log.size else ""
        _update(self._place_shown, Content(place), 0 if self.has_class("-asking") else PLACE_COLUMNS)
        _update(
            self._found,
            found(log, reader.search_text, reader.filter_text, reader.marked) if log else Content(),
        )

    def on_log_scroll_moved(self) -> None:
        """Say where the reader is."""
        if self._log is not None:
            self._log.note_seen()
        self._look_on()
        self._tell()

    # Asking

    def action_ask(self, purpose: Purpose) -> None:
        """Ask what to search, what to filter, or where to save."""
        if (log := self._log) is None:
            return
        self._place = (log.page.top, log.page.skipped, log.page.follows)
        known = {
            "search": self.reader.search_text,
            "filter": self.reader.filter_text,
            "save": f"~/{self.exec_id}.log",
        }
        self._found.display = False
        self.add_class("-asking")
        self._prompt.ask(purpose, known[purpose])

    def on_log_prompt_typed(self, event: LogPrompt.Typed) -> None:
        """Search and filter while it is typed, from where the reader was."""
        if self._prompt.asks:
            self._take_typed(event.purpose, event.text)

    def _done(self, purpose: Purpose, text: str) -> None:
        """Take what was typed; the last of it may not have been seen yet."""
        self._close_prompt()
        if purpose == "save":
            self._save(text)
        elif text != (self.reader.search_text if purpose == "search" else self.reader.filter_text):
            self._take_typed(purpose, text)

    def _take_typed(self, purpose: Purpose, text: str) -> None:
        if purpose == "save" or (log := self._log) is None:
            return
        log.page.top, log.page.skipped, log.page.follows = self._place
        self._take(purpose, text)

    def on_log_prompt_given(self, event: LogPrompt.Given) -> None:
        """Go back to where the reader was."""
        self._close_prompt()
        if event.purpose != "save" and (log := self._log) is not None:
            self._take(event.purpose, "")
            log.page.top, log.page.skipped, log.page.follows = self._place
            self.reader.repaint()

    def _take(self, purpose: Purpose, text: str) -> None:
        if purpose == "search":
            self.reader.search(text)
        else:
            self.reader.filter(text)
        self._look_on()
        self.look()

    def _close_prompt(self) -> None:
        self._prompt.close()
        self._found.display = True
        self.remove_class("-asking")
        self.focus()

    @work(exclusive=True, group="log-save")
    async def _save(self, target: str) -> None:
        if (log := self._log) is None:
            return
        try:
            # A long log takes seconds to copy; in a thread of its own it does not hold up keys.
            path = await asyncio.to_thread(save, log.document.file.path, target)
        except FumehoodError as error:
            self.notify(error.next_step, title=error.message, severity="warning", markup=False)
        else:
            self.notify(f"Saved to {one_line(str(path))}.", markup=False)

    def action_pager(self) -> None:
        """Read the log in the pager."""
        if (log := self._log) is None:
            return
        try:
            # The console waits: the terminal is the pager's meanwhile.
            with self.app.suspend():
                page_through(log.document.file.path)
        except SuspendNotSupported:
            self.notify("A pager needs a terminal of its own.", severity="warning", markup=False)
        except FumehoodError as error:
            self.notify(error.next_step, title=error.message, severity="warning", markup=False)


def _update(part: Static, content: Content, columns: int | None = None) -> None:
    """Say something else.

    Args:
        part: where.
        content: what.
        columns: that the part has at least, where its width follows what it says; only a change beyond
            them moves other parts. None where its width is its own.
    """
    before = part.content
    if before != content:
        known = before.cell_length if isinstance(before, Content) else 0
        moves = columns is not None and max(known, columns) != max(content.cell_length, columns)
        part.update(content, layout=moves)
