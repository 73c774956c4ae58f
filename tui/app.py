"""The console: looks at journals, appends human decisions to them, and does nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen

from core.errors import FumehoodError
from tui.app_style import STYLE
from tui.garbage import collect_again
from tui.paced_app import PacedApp
from tui.pacing import CutReply
from tui.screens.too_small import TooSmall, is_too_small
from tui.terminal import DRIVER, window_title
from tui.terminal_driver import TerminalDriver
from tui.widgets.first_frame import FirstFrame

if TYPE_CHECKING:  # slow to import, and needed by no first frame
    from core.config import Settings
    from core.record.events import Event
    from core.record.folder import RunFolder
    from core.record.state import RunState
    from tui.run_feed import RunFeed

LOOK_SECONDS = 1.0
"""How often the user's themes are looked at, and whether the terminal is still there."""

FIRST_SCREEN = 1
"""Where the first screen lies on the stack; Textual's own, below it, cannot be exchanged."""

LEAVING_HINT = "q detaches: the run goes on. Stopping it is an action of its own; see ? for the keys."


def _commands() -> type[Provider]:
    from tui.palette import ConsoleCommands

    return ConsoleCommands


class Console(PacedApp, inherit_bindings=False):
    """The console.

    Args:
        settings: what the user prefers; None to read it once something is on the screen.
        folder: the run to open; None for the list of runs.
        find: finds the run to open, once something is on the screen; None where it is known already.
        slow: whether to spare a slow line; None for as it was kept.
        theme: the theme to begin with; None for the one that was set or kept.

    Attributes:
        key_problems: what is wrong with the keys in the settings.
    """

    TITLE = "fumehood"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_commands}  # noqa: RUF012 - Textual's own form
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide"), (160, "-rail")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - Textual's own form
    CSS = STYLE
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", id="app.help", key_display="?"),
        Binding("colon,ctrl+p", "command_palette", "all commands", id="app.palette", show=False),
        Binding("comma", "settings", "settings", id="app.settings", show=False),
        Binding("escape", "back", "back", id="app.back", show=False),
        Binding("q", "detach", "detach", id="app.detach"),
        Binding("ctrl+l", "redraw", "paint the screen anew", id="app.redraw", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "to the shell; 'fg' comes back", id="app.suspend", show=False),
        Binding("ctrl+c", "hint", "how to leave", id="app.hint", show=False),
    ]

    def __init__(
        self,
        settings: Settings | None,
        folder: RunFolder | None = None,
        *,
        find: Callable[[], RunFolder | None] | None = None,
        slow: bool | None = None,
        theme: str | None = None,
    ) -> None:
        super().__init__(theme, None if os.environ.get(DRIVER) else TerminalDriver, slow=slow)
        self.folder = folder
        self.key_problems: list[str] = []
        self._find = find
        self._at_once = settings is not None
        self._awaits_paint = False
        self._opened = False
        self._early_keys: list[events.Key] = []
        self._waiting = 0
        self._cut_reply = CutReply()
        self._handed_on: events.Key | None = None
        if settings is not None:
            self.take_settings(settings)

    # What people see first

    def runs_screen(self) -> Screen[Any]:
        """A list of all runs."""
        from tui.screens.runs import RunsScreen

        return RunsScreen()

    def run_screen(self, folder: RunFolder) -> Screen[Any]:
        """A screen for one run."""
        from tui.screens.run import RunScreen

        return RunScreen(folder)

    def open_run(self, folder: RunFolder) -> None:
        """Show a run; escape comes back."""
        self.push_screen(self.run_screen(folder))

    def compose(self) -> ComposeResult:
        """What is seen until the first screen is there."""
        if not self._at_once:
            yield FirstFrame()

    async def on_mount(self) -> None:
        """Listen to the system, and show what was asked for as soon as something is on the screen."""
        if isinstance(driver := self._driver, TerminalDriver):
            self.pace_by(driver)
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self.leave)
            driver.call_window(window_title(0))
        self._awaits_paint = not self._at_once
        if self._at_once:
            await self._open_first()

    async def _read_and_open(self) -> None:
        """Read what the first frame did without, and open the first screen."""
        from core.config import read_settings

        self.take_settings(read_settings())
        if self._find is not None:
            self.folder = self._find()
        await self._open_first()

    async def _open_first(self) -> None:
        """Show the run that was asked for or the list of runs."""
        if small := isinstance(self.screen, TooSmall):
            await self.pop_screen()
        await self.push_screen(self.runs_screen() if self.folder is None else self.run_screen(self.folder))
        if small:
            self.push_screen(TooSmall())
        self.set_interval(LOOK_SECONDS, self._look_around)
        if self.settings.keys:
            self.set_keymap(self.settings.keys)
            self.call_after_refresh(self._check_keys)
        self.report_themes()
        self.call_after_refresh(collect_again)
        self._opened = True
        for key in self._early_keys:
            self.post_message(key)

    def decide(self, feed: RunFeed, decision: Callable[[RunState], Sequence[Event]], done: str = "") -> bool:
        """Append what the human decided; say in a toast what stands in the way, or that it is done.

        Args:
            feed: the run.
            decision: the events for a state, from ``core.decisions``.
            done: what to say when it is in the journal; empty for nothing.

        Returns:
            Whether it is in the journal.
        """
        try:
            feed.decide(decision)
        except FumehoodError as error:
            self.warn(error.message, error.next_step)
            return False
        if done:
            self.notify(done, markup=False)
        return True

    def call_attention(self, count: int) -> None:
        """Say in the window's title how many requests wait; ring once where there are more than before."""
        if count > self._waiting:
            self.bell()
        if count != self._waiting and isinstance(driver := self._driver, TerminalDriver):
            driver.call_window(window_title(count))
        self._waiting = count

    def post_display_hook(self) -> None:
        """Ask the terminal whether it has taken in the frame; behind the first, read the rest."""
        self.pacer.painted()
        if self._awaits_paint:
            self._awaits_paint = False
            self.call_next(self._read_and_open)

    async def on_event(self, event: events.Event) -> None:
        """Take an event, unless it is the rest of an answer that came apart; keys wait for a screen."""
        if isinstance(event, events.Key) and not self._opened:
            self._early_keys.append(event)
            return
        if isinstance(event, events.Key) and self._cut_reply.swallows(event.character):
            focused = self.focused
            if focused is None or not focused.check_consume_key(event.key, event.character):
                return
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Hand a key on that was pressed before the field it is meant for had the focus."""
        from tui.widgets.fields import PromptLine

        focused = self.focused
        early = focused is not None and focused.check_consume_key(event.key, event.character)
        if isinstance(focused, PromptLine) and event.key == "enter":
            early = not focused.entered  # it must not overtake what was typed before it
        if focused is not None and early and event is not self._handed_on:
            event.prevent_default()
            self._handed_on = events.Key(event.key, event.character)
            focused._forward_event(self._handed_on)

    def on_resize(self, event: events.Resize) -> None:
        """Say so where nothing useful fits."""
        small, shown = is_too_small(event.size), isinstance(self.screen, TooSmall)
        if small and not shown:
            self.push_screen(TooSmall())
        elif shown and not small:
            self.pop_screen()

    def _look_around(self) -> None:
        """Leave where the terminal is gone; take in the user's themes where they changed."""
        if isinstance(self._driver, TerminalDriver) and self._driver.gone:
            self.leave()
            return
        self.reload_themes()

    def _check_keys(self) -> None:
        from tui import keymap

        accepted, self.key_problems = keymap.check(self.settings.keys)
        self.set_keymap(accepted)
        for problem in self.key_problems:
            self.warn("a key in the settings cannot be used", problem)

    # Actions

    def get_key_display(self, binding: Binding) -> str:
        """What a key is called on screen: Enter by its name, as the other long keys are."""
        return "enter" if binding.key == "enter" else super().get_key_display(binding)

    def action_help(self) -> None:
        """Show the keys that work here."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_settings(self) -> None:
        """Show what is set."""
        from tui.screens.settings import SettingsScreen

        self.push_screen(SettingsScreen())

    def action_choose_theme(self) -> None:
        """Choose a theme, seeing each."""
        from tui.screens.theme_picker import ThemePicker

        self.push_screen(ThemePicker())

    async def action_back(self) -> None:
        """Go back to where this screen was opened from, or to the list of runs."""
        if len(self.screen_stack) > FIRST_SCREEN + 1:
            self.pop_screen()
        elif self.folder is not None:
            self.folder = None
            self.switch_screen(self.runs_screen())

    def action_redraw(self) -> None:
        """Paint everything anew, whatever something else has written over it."""
        self.screen.refresh(layout=True)

    def action_hint(self) -> None:
        """Say how to leave."""
        self.notify(LEAVING_HINT, markup=False)

    def action_detach(self) -> None:
        """Leave; runs go on."""
        self.leave()
