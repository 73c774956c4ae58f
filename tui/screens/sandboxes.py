"""Sandboxes that are still there, of all runs: what runs in them, and what they cost."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker

from core.errors import FumehoodError
from core.pricing import dollars
from tui.open_sandboxes import StillOpen, kill_sandbox, open_sandboxes
from tui.safe_text import one_line
from tui.screens.dialogs import Confirm
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import spread
from tui.widgets.sandbox_list import SandboxList, head
from tui.wording import counted

if TYPE_CHECKING:
    from tui.app import Console

LOOK_SECONDS = 2.0
"""How often the sandboxes are looked at."""

NONE = "No sandbox is open: nothing runs, and nothing costs anything."


class SandboxesScreen(Screen[None]):
    """Shows what still runs and bills, and ends it."""

    BINDING_GROUP_TITLE = "Sandboxes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open its run", id="sandboxes.open"),
        Binding("x", "kill", "kill", id="sandboxes.kill"),
        Binding("escape", "app.back", "back", id="sandboxes.back"),
    ]

    DEFAULT_CSS = """
    SandboxesScreen { background: $background; }
    SandboxesScreen > .top { height: 2; padding: 0 1; border-bottom: solid $line; }
    SandboxesScreen > .head { height: 1; }
    SandboxesScreen > SandboxList { height: 1fr; }
    SandboxesScreen > .none { height: 1fr; padding: 1 2; color: $muted; }
    SandboxesScreen > .keys { height: auto; padding: 0 1; border-top: solid $line; }
    SandboxesScreen > .keys > .own { width: 1fr; }
    SandboxesScreen > .keys > .app { width: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: list[StillOpen] | None = None
        self._following: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The list."""
        yield Static(classes="top")
        yield Static(classes="head")
        yield SandboxList()
        yield Static("Looking …", classes="none", markup=False)
        with Horizontal(classes="keys"):
            yield KeyLine(self, gap=2).add_class("own")
            yield KeyLine(self.app, gap=2).add_class("app")

    def on_mount(self) -> None:
        """Begin with the keys on the list."""
        self._show()
        self.query_one(SandboxList).focus()

    def on_screen_resume(self) -> None:
        """Keep looking while somebody does."""
        self._following = self._follow()

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        if self._following is not None:
            self._following.cancel()

    def on_resize(self) -> None:
        """Fill another width."""
        self._show()

    @work(group="follow", exclusive=True)
    async def _follow(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        self._found = await open_sandboxes(self._console_app.settings.runs_folder)
        self._show()

    def _show(self) -> None:
        found = self._found or []
        self.query_one(SandboxList).show(found)
        self.query_one(SandboxList).display = bool(found)
        self.query_one(".head").display = bool(found)
        none = self.query_one(".none", Static)
        none.display = not found
        if self._found is not None:
            none.update(Content(NONE))
        width = self.size.width
        self.query_one(".head", Static).update(head(width))
        left = Content.styled("sandboxes", "$accent bold")
        self.query_one(".top", Static).update(spread(left, _in_short(found), max(0, width - 2)))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There must be one to open or kill."""
        if action in ("open", "kill") and self.is_mounted:
            return self.query_one(SandboxList).sandbox is not None
        return True

    def action_open(self) -> None:
        """Open the run of the sandbox under the cursor."""
        if found := self.query_one(SandboxList).sandbox:
            self._console_app.open_run(found.folder)

    def action_kill(self) -> None:
        """End the sandbox under the cursor, once it was confirmed."""
        if found := self.query_one(SandboxList).sandbox:
            self._kill(found)

    @work
    async def _kill(self, found: StillOpen) -> None:
        name = found.experiment_id or found.sandbox.name
        ends = f"{name} ends as killed and gets no verdict. What it has measured is kept."
        text = f"{one_line(found.title, 300)}\n{_runs_in(found)}"
        warns = ends if found.open else "What is in the sandbox is removed."
        if not await self.app.push_screen_wait(Confirm(f"Kill the sandbox of {name}?", text, warns)):
            return
        try:
            await kill_sandbox(found)
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)
        else:
            self.notify(f"{name} is being killed.", markup=False)
        await self._look()

    @property
    def _console_app(self) -> Console:
        return cast("Console", self.app)


def _runs_in(found: StillOpen) -> str:
    running = ", ".join(map(one_line, found.sandbox.running or ()))
    return f"{running} runs in it." if running else "Nothing runs in it."


def _in_short(found: list[StillOpen]) -> Content:
    if not found:
        return Content()
    prices = [it.usd_per_hour for it in found]
    known = sum((price for price in prices if price is not None), Decimal(0))
    burning = f"{dollars(known)}/h" + (" + ?" if None in prices else "")
    return Content.styled(
        f"{counted(len(found), 'sandbox').replace('sandboxs', 'sandboxes')}   burning {burning}", "$muted"
    )
