"""Reading a log: searching, filtering, going from error to error, copying."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from tui.clipboard import copy
from tui.log_search import LinePattern, LogMatches
from tui.open_log import OpenLog
from tui.widgets.log_scroll import LogScroll
from tui.wording import counted


class LogReader(LogScroll):
    """The lines of a log, and what a reader does with them.

    What is searched and filtered stays when another log is shown.

    Attributes:
        opened: the log; None for none.
        search_text: what is searched for; empty for nothing.
        filter_text: what shown lines contain; empty for all lines.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next(1)", "next match", id="log.next_match", show=False),
        Binding("N", "next(-1)", "previous match", id="log.previous_match", show=False),
        Binding("e", "next_error(1)", "next error", id="log.next_error"),
        Binding("E", "next_error(-1)", "previous error", id="log.previous_error", show=False),
        Binding("w", "wrap", "wrap", id="log.wrap"),
        Binding("o", "fold", "fold progress", id="log.fold", show=False),
        Binding("t", "times", "times", id="log.times", show=False),
        Binding("y", "copy", "copy", id="log.copy", show=False),
        Binding("escape", "clear", "clear", id="log.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.opened: OpenLog | None = None
        self.search_text = ""
        self.filter_text = ""
        self._wraps = False
        self._folds = True
        self._shows_times = False
        self._steps_ahead: list[int] = []

    def open(self, log: OpenLog | None) -> None:
        """Show another log, or none, as this reader likes it."""
        self.opened = log
        if log is not None:
            log.page.wraps = self._wraps
            log.document.set_folds(self._folds)
            self._apply_patterns(log)
        self.times = log.times if log is not None and self._shows_times else None
        self.show_page(log.page if log is not None else None)

    def _apply_patterns(self, log: OpenLog) -> None:
        search, shown = (
            LinePattern.of(text) if text else None for text in (self.search_text, self.filter_text)
        )
        if (log.document.filter and log.document.filter.pattern) != shown:
            log.filter_by(shown)
        if (log.found and log.found.pattern) != search:
            log.search_for(search)
        self.highlight = search or shown

    def search(self, text: str) -> None:
        """Search for a text, from the top of the screen on; empty for nothing."""
        self.search_text = text
        self.marked = None
        if (log := self.opened) is None:
            return
        self.workers.cancel_group(self, "log-seek")
        self._apply_patterns(log)
        self.repaint()
        if log.found is not None:
            self._seek(log.found, log.page.top - 1, 1)

    def filter(self, text: str) -> None:
        """Show only lines that contain a text; empty for all lines."""
        self.filter_text = text
        self.marked = None
        if (log := self.opened) is None:
            return
        self.workers.cancel_group(self, "log-seek")
        self._apply_patterns(log)
        self.repaint()

    @work(exclusive=True, group="log-seek")
    async def _seek(self, matches: LogMatches, offset: int, step: int) -> None:
        """Go to the nearest match, and from there on as far as was asked for meanwhile."""
        self._steps_ahead.clear()
        await self._go_to_nearest(matches, offset, step)
        while self._steps_ahead:
            step = self._steps_ahead.pop(0)
            await self._go_to_nearest(matches, self._from_here(step), step)

    async def _go_to_nearest(self, matches: LogMatches, offset: int, step: int) -> None:
        """Go to the nearest match; round the end or the beginning where there is none before it."""
        log = self.opened
        if log is None or not log.size:
            return
        found = await matches.nearest(offset, step)
        if found is None:
            found = await matches.nearest(-1 if step > 0 else log.size, step)
            if found is not None and self.search_text and self.marked is not None:
                where = "beginning" if step > 0 else "end"
                self.notify(f"Nothing more; on from the {where}.", timeout=2, markup=False)
        if found is None:
            self.post_message(self.Moved())
        elif log is self.opened:
            self.go_to(found)

    def _from_here(self, step: int) -> int:
        """Where to look from: the line that was jumped to while it is on the screen, else its edge."""
        page = self.lay_out()
        if page is None or not page.rows:
            return -1
        shown = range(page.rows[0].item.first, page.rows[-1].item.shown + 1)
        if self.marked is not None and self.marked in shown:
            return self.marked
        return shown[0] - 1 if step > 0 else shown[-1] + 1

    def action_next(self, step: int) -> None:
        """Go to the next match, or the one before."""
        if self.opened is None or self.opened.found is None:
            self.notify("Nothing is searched for: press /.", timeout=2, markup=False)
            return
        if self._seeks_match():
            self._steps_ahead.append(step)
        else:
            self._seek(self.opened.found, self._from_here(step), step)

    def _seeks_match(self) -> bool:
        """Whether a match is being looked for already, so that the next one is not known yet."""
        return any(
            worker.node is self
            and worker.name == "_seek"
            and not worker.is_finished
            and not worker.is_cancelled
            for worker in self.workers
        )

    def action_next_error(self, step: int) -> None:
        """Go to the next line that says that something went wrong, or the one before."""
        if self.opened is None:
            return
        self._seek_error(step)

    @work(exclusive=True, group="log-seek")
    async def _seek_error(self, step: int) -> None:
        log = self.opened
        if log is None:
            return
        start = self._from_here(step)
        if log.page.follows and step > 0:
            # Nothing lies behind the end, so the first error is meant.
            start = -1
        found = await log.errors.nearest(start, step)
        if found is not None and log is self.opened:
            self.go_to(found)
        elif found is None:
            where = "behind" if step > 0 else "before"
            self.notify(f"No error {where} this place.", timeout=2, markup=False)

    def action_wrap(self) -> None:
        """Break long lines, or cut them."""
        self._wraps = not self._wraps
        if (page := self.page) is not None:
            page.wraps, page.skipped = self._wraps, 0
            self.repaint()

    def action_fold(self) -> None:
        """Fold progress bars, or show all their lines."""
        self._folds = not self._folds
        if self.opened is not None:
            self.opened.document.set_folds(self._folds)
            self.repaint()

    def action_times(self) -> None:
        """Show when lines came, or hide it."""
        if self.opened is None:
            return
        self._shows_times = not self._shows_times
        self.times = self.opened.times if self._shows_times else None
        if self._shows_times and not len(self.opened.times):
            self.notify("Times are known of lines that come while you watch.", timeout=4, markup=False)
        self.repaint()

    async def action_copy(self) -> None:
        """Copy what is selected, else what is on the screen."""
        selection = self.screen.selections.get(self)
        selected = self.get_selection(selection) if selection is not None else None
        text = selected[0] if selected is not None else self.shown_text()
        if not text:
            return
        where = await copy(self.app, text)
        self.screen.clear_selection()
        self.notify(f"{counted(text.count(chr(10)) + 1, 'line')} copied to {where}.", timeout=2, markup=False)

    def action_clear(self) -> None:
        """End the search, else the filter."""
        if self.search_text:
            self.search("")
        elif self.filter_text:
            self.filter("")
        else:
            raise SkipAction
        self.post_message(self.Moved())
