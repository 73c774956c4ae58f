"""Steering a run from its screen: messages, pausing, killing, the cap, more seeds, resuming."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.screen import Screen

from core import decisions
from core.errors import FumehoodError
from core.pricing import dollars
from core.process import start_engine
from core.rates import rates_of
from core.record.state import ExperimentState
from core.repeats import reproducible
from tui.file_words import files_typed
from tui.giving_data import give
from tui.run_feed import RunFeed
from tui.screens.steering_questions import (
    budget_question,
    data_question,
    kill_question,
    message_question,
    reproduce_question,
    seeds_question,
)
from tui.status import status_of
from tui.wording import usd

if TYPE_CHECKING:
    from tui.app import Console


STEERING = frozenset(
    {"resume", "kill", "message", "pause", "budget", "seeds", "paper", "reproduce", "add_data"}
)
"""Actions that need a run to act on."""


class Steering(Screen[None]):
    """What a human can do to a run beside deciding about what waits.

    Args:
        feed: the run.
        agent: the agent that is looked at first.

    Attributes:
        keyless: actions that no key does, and what the palette calls them.
        feed: the run, kept up to date.
        agent: the agent that is looked at; what a key does is done to it.
    """

    keyless: ClassVar[Mapping[str, str]] = {"add_data": "add data…"}

    def __init__(self, feed: RunFeed, agent: str) -> None:
        super().__init__()
        self.feed = feed
        self.agent = agent
        self._resuming = False

    @property
    def console(self) -> Console:
        """The app, which appends decisions."""
        return cast("Console", self.app)

    @property
    def experiment(self) -> ExperimentState | None:
        """The experiment that is looked at; None for the orchestrator and the writer."""
        return self.feed.state.experiments.get(self.agent)

    def _has_ended(self, next_step: str) -> bool:
        """Whether the experiment that is looked at has ended; then it is said what to do instead."""
        experiment = self.experiment
        if experiment is None or experiment.open:
            return False
        self.console.warn(f"{experiment.id} has ended", next_step)
        return True

    @work
    async def make_prices_ready(self) -> None:
        """Read the tables of prices before a question needs one."""
        # In a thread: reading them for the first time takes longer than the answer to a key may.
        await asyncio.to_thread(rates_of, self.feed.state)

    @work
    async def action_message(self) -> None:
        """Tell the agent something; it arrives at its next turn."""
        agent = self.agent
        if self._has_ended("It reads no more messages: choose the orchestrator in the plan."):
            return
        text = await self.app.push_screen_wait(message_question(agent))
        if text is not None:
            self.console.decide(
                self.feed, lambda state: decisions.tell(state, agent, text), f"Sent to {agent}."
            )

    def action_pause(self) -> None:
        """Let nothing new start, or let approved experiments start again."""
        if self.feed.state.paused:
            self.console.decide(self.feed, decisions.go_on, "Approved experiments start again.")
        else:
            self.console.decide(self.feed, decisions.pause, "Nothing new starts; what runs goes on.")

    @work
    async def action_kill(self) -> None:
        """End the experiment, or the run, for good; asked first."""
        name = self.experiment.id if self.experiment else None
        if self._has_ended("To kill the whole run, choose the orchestrator in the plan."):
            return
        if await self.app.push_screen_wait(kill_question(self.feed.state, name)):
            self.console.decide(
                self.feed,
                lambda state: decisions.kill(state, name, ""),
                f"{name or 'The run'} is being killed.",
            )

    @work
    async def action_budget(self) -> None:
        """Raise or lower the cap."""
        text = await self.app.push_screen_wait(budget_question(self.feed.state))
        if text is not None:
            self.console.decide(
                self.feed,
                lambda state: decisions.budget(state, usd(text)),
                f"The cap is {dollars(usd(text))}.",
            )

    @work
    async def action_seeds(self) -> None:
        """Run the experiment's scripts again with more seeds; that is priced and waits for approval, too."""
        name = self.agent
        if self.experiment is None:
            self.console.warn("only experiments have seeds", "Choose one in the plan first.")
            return
        text = await self.app.push_screen_wait(seeds_question(self.feed.state, name))
        if text is not None:
            self.console.decide(
                self.feed,
                lambda state: decisions.seeds(state, name, int(text)),
                "Asked for; its price will wait for you.",
            )

    @work
    async def action_add_data(self) -> None:
        """Give the run files that all its experiments can read."""
        try:
            question = data_question(self.feed.state)
        except FumehoodError as error:
            self.console.warn(error.message, error.next_step)
            return
        text = await self.app.push_screen_wait(question)
        if text is not None:
            self.notify("The data is being copied; you can go on meanwhile.", markup=False, timeout=3)
            # The app's, so that it goes on where somebody leaves this screen.
            self.app.run_worker(give(self.console, self.feed.folder, files_typed(text)), group="data")

    @work
    async def action_reproduce(self) -> None:
        """Run every script of a run that has ended again; asked first, and gated like any launch."""
        try:
            question = reproduce_question(self.feed.state)
        except FumehoodError as error:
            self.console.warn(error.message, error.next_step)
            return
        if await self.app.push_screen_wait(question) and self.console.decide(
            self.feed, decisions.reproduce, "Asked for; each experiment is priced and gated."
        ):
            self.action_resume()

    def action_resume(self) -> None:
        """Start an engine where none drives the run."""
        if self._resuming:
            return
        if not status_of(self.feed.folder, self.feed.state).resumable:
            self.console.warn("there is nothing to resume", "An engine drives this run, or it is over.")
            return
        self._resuming = True
        self.notify("An engine is starting …", markup=False)
        # A thread, because starting waits for up to half a minute for the engine's first word.
        self.run_worker(self._start_engine, thread=True, group="engine")

    def _start_engine(self) -> None:
        try:
            start_engine(self.feed.folder)
        except FumehoodError as error:
            self.app.call_from_thread(self.console.warn, error.message, error.next_step)
        finally:
            self._resuming = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that have nothing to act on are not offered."""
        state = self.feed.state
        if state.created is None:
            return action not in STEERING
        match action:
            case "resume":
                return status_of(self.feed.folder, state).resumable
            case "kill" | "pause" | "message" | "budget" | "add_data":
                return state.ended is None
            case "paper":
                return state.paper is not None
            case "reproduce":
                return state.ended is not None and bool(reproducible(state))
            case "seeds":
                return state.ended is None and self.experiment is not None and not self.experiment.open
        return True
