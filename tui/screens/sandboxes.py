"""Sandboxes that are still there, here and at Modal: what runs in them, what they cost, and ending them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime
from time import monotonic
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
from tui.ending_sandboxes import kill_sandbox
from tui.open_sandboxes import (
    IN_WORDS,
    ModalLook,
    StillOpen,
    look_at_modal,
    open_sandboxes,
    per_hour,
    together,
)
from tui.safe_text import one_line
from tui.screens.dialogs import Confirm
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import moment, spread
from tui.widgets.sandbox_list import SandboxList, head
from tui.wording import age

if TYPE_CHECKING:
    from tui.app import Console

LOOK_SECONDS = 2.0
"""How often the sandboxes of this machine are looked at."""

MODAL_SECONDS = 20.0
"""How long after Modal's answer it is asked again: each question is a login, and a process of its own."""

NONE = "No sandbox is open: nothing runs, and nothing costs anything."
NONE_HERE = "No sandbox is open on this machine."


class SandboxesScreen(Screen[None]):
    """Shows what still runs and bills, and ends it."""

    BINDING_GROUP_TITLE = "Sandboxes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="sandboxes.open"),
        Binding("r", "resume", "resume", id="sandboxes.resume"),
        Binding("x", "kill", "kill", id="sandboxes.kill"),
        Binding("m", "ask_modal", "ask Modal", id="sandboxes.ask_modal"),
        Binding("escape", "app.back", "back", id="sandboxes.back"),
    ]

    DEFAULT_CSS = """
    SandboxesScreen { background: $background; }
    SandboxesScreen > .top { height: 2; padding: 0 1; border-bottom: solid $line; }
    SandboxesScreen > .head { height: 1; }
    SandboxesScreen > SandboxList { height: 1fr; }
    SandboxesScreen > .none { height: 1fr; padding: 1 2; color: $muted; }
    SandboxesScreen > .said { height: auto; max-height: 6; padding: 0 1; border-top: solid $line; }
    SandboxesScreen > .modal { height: auto; max-height: 3; padding: 0 1; color: $muted; }
    SandboxesScreen > .modal.-troubled { color: $failed; }
    SandboxesScreen > .keys { height: auto; padding: 0 1; border-top: solid $line; }
    SandboxesScreen > .keys > .own { width: 1fr; }
    SandboxesScreen > .keys > .app { width: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: list[StillOpen] | None = None
        self._told: ModalLook | None = None
        self._asked_at: datetime | None = None
        self._asking = False
        self._ask_now = asyncio.Event()
        self._ask_again = 0.0
        self._look_inside = True  # a look keeps an idle sandbox alive, so there are few
        self._workers: list[Worker[None]] = []
        self._resuming = False

    def compose(self) -> ComposeResult:
        """The list, what is known of the sandbox under the cursor, and what Modal said."""
        yield Static(classes="top")
        yield Static(classes="head")
        yield SandboxList()
        yield Static("Looking …", classes="none", markup=False)
        yield Static(classes="said")
        yield Static(classes="modal", markup=False)
        with Horizontal(classes="keys"):
            yield KeyLine(self, gap=2).add_class("own")
            yield KeyLine(self.app, gap=2).add_class("app")

    def on_mount(self) -> None:
        """Begin with the keys on the list."""
        self._show()
        self.query_one(SandboxList).focus()

    def on_screen_resume(self) -> None:
        """Keep looking while somebody does."""
        self._workers = [self._follow(), self._keep_asking()]

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        for worker in self._workers:
            worker.cancel()

    def on_resize(self) -> None:
        """Fill another width."""
        self._show()

    def on_sandbox_list_moved(self) -> None:
        """Say something about the sandbox under the cursor."""
        self._show()

    # Looking

    @work(group="follow", exclusive=True)
    async def _follow(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        at_modal = self._told.sandboxes if self._told else ()
        self._found = await open_sandboxes(self._console_app.settings.runs_folder, at_modal)
        self._show()

    @work(group="ask", exclusive=True)
    async def _keep_asking(self) -> None:
        """Ask Modal at once, and again now and then."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._ask_again - monotonic())):
                    await self._ask_now.wait()
            self._ask_now.clear()
            self._asking = True
            self._show()
            try:
                look = await look_at_modal(inside=self._look_inside)
            finally:
                self._asking = False
            self._ask_again = monotonic() + MODAL_SECONDS
            self._take(look)
            await self._look()

    def _take(self, look: ModalLook) -> None:
        """Take in what Modal said; where it does not answer, what it said before is still shown."""
        before = self._told.sandboxes if self._told else ()
        if look.trouble is not None:
            look = replace(look, sandboxes=before)
        else:
            self._look_inside = False
            seen = {sandbox.id: sandbox.running for sandbox in before}
            look = replace(
                look,
                sandboxes=tuple(
                    sandbox if sandbox.running is not None else replace(sandbox, running=seen.get(sandbox.id))
                    for sandbox in look.sandboxes
                ),
            )
            self._asked_at = moment()
        self._told = look

    # Showing

    def _show(self) -> None:
        if not self.is_mounted:
            return
        found = self._found or []
        sandboxes = self.query_one(SandboxList)
        sandboxes.show(found)
        sandboxes.display = self.query_one(".head").display = bool(found)
        none = self.query_one(".none", Static)
        none.display = not found
        if self._found is not None:
            told = self._told is not None and not self._told.unasked and self._told.trouble is None
            none.update(Content(NONE if told else NONE_HERE))
        width = self.size.width
        self.query_one(".head", Static).update(head(width))
        left = Content.styled("sandboxes", "$accent bold")
        self.query_one(".top", Static).update(spread(left, _in_short(found), max(0, width - 2)))
        said = self.query_one(".said", Static)
        said.display = sandboxes.sandbox is not None
        if sandboxes.sandbox is not None:
            said.update(_about(sandboxes.sandbox))
        modal = self.query_one(".modal", Static)
        modal.update(Content(self._modal_line()))
        modal.set_class(not self._asking and bool(self._told and self._told.trouble), "-troubled")
        self.refresh_bindings()

    def _modal_line(self) -> str:
        """What there is to say of Modal itself."""
        when = f"Modal answered {age(self._asked_at, moment())} ago" if self._asked_at else ""
        if self._asking:
            return f"asking Modal …   {when}".rstrip()
        if self._told is None:
            return ""
        if self._told.unasked:
            return one_line(f"{self._told.unasked}.")
        if self._told.trouble is not None:
            trouble = one_line(str(self._told.trouble)).rstrip(".")
            stale = f"   {when}; what is shown of it is from then." if when else ""
            return f"{trouble}.{stale}"
        return f"{when}."

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There must be one to open, resume or kill."""
        if not self.is_mounted or action not in ("open", "kill", "resume"):
            return True
        found = self.query_one(SandboxList).sandbox
        if action == "resume":
            return found is not None and found.standing == "no engine"
        return found is not None and (action == "kill" or found.folder is not None)

    # Actions

    def action_open(self) -> None:
        """Open the run of the sandbox under the cursor."""
        if (found := self.query_one(SandboxList).sandbox) and found.folder is not None:
            self._console_app.open_run(found.folder)

    def action_ask_modal(self) -> None:
        """Ask Modal now, and let it look inside."""
        self._look_inside = True
        self._ask_now.set()

    def action_resume(self) -> None:
        """Start an engine for the run of the sandbox under the cursor, which goes on with it."""
        if (found := self.query_one(SandboxList).sandbox) and found.standing == "no engine":
            self._resume(found)

    @work
    async def _resume(self, found: StillOpen) -> None:
        from core.process import start_engine

        if self._resuming or found.folder is None:
            return
        self._resuming = True
        self.notify("The engine is being started …", markup=False, timeout=2)
        try:
            # A thread, because an engine takes a second to come up, or thirty to say that it cannot.
            await asyncio.to_thread(start_engine, found.folder)
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)
        else:
            self._console_app.open_run(found.folder)
        finally:
            self._resuming = False

    def action_kill(self) -> None:
        """End the sandbox under the cursor, once it was confirmed."""
        if found := self.query_one(SandboxList).sandbox:
            self._kill(found)

    @work
    async def _kill(self, found: StillOpen) -> None:
        name = one_line(found.experiment_id)
        text = f"{one_line(found.title, 300)}\n{_runs_in(found)} It costs {dollars(found.usd_per_hour)}/h."
        if not await self.app.push_screen_wait(
            Confirm(f"Kill the sandbox of {name}?", text, _warning(found, name))
        ):
            return
        self.notify(f"{name} is being killed …", markup=False)
        try:
            await kill_sandbox(found)
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)
        self._ask_now.set()
        await self._look()

    @property
    def _console_app(self) -> Console:
        return cast("Console", self.app)


def _warning(found: StillOpen, name: str) -> str:
    """What is lost with a sandbox."""
    if found.open:
        return f"{name} ends as killed and gets no verdict. What it has measured is kept."
    if found.folder is None:
        return "It is of another machine or a deleted run: somebody else may be at work in it."
    return "What is in the sandbox is removed."


def _runs_in(found: StillOpen) -> str:
    if found.running is None:
        return "Nobody could look what runs in it."
    running = ", ".join(map(one_line, found.running))
    return f"{running} runs in it." if running else "Nothing runs in it."


def _about(found: StillOpen) -> Content:
    """Everything about the sandbox under the cursor, the whole names, too."""
    cost = f"{dollars(found.usd_per_hour)}/h, {dollars(found.cost_usd(moment()))} so far"
    return Content.assemble(
        (f"{one_line(found.title, 300)}\n", "$foreground"),
        (f"{one_line(found.name)}   {one_line(found.machine)}   {cost}\n", "$muted"),
        (f"{one_line(found.sandbox.run_id)}   " if found.provider == "modal" else "", "$muted"),
        (f"{IN_WORDS[found.standing]}", "$muted" if found.standing == "driven" else "$waiting"),
    )


def _in_short(found: list[StillOpen]) -> Content:
    if not found:
        return Content()
    count = together(found).partition(" at ")[0]
    return Content.styled(f"{count}   burning {per_hour(found)}", "$muted")
