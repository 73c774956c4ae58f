"""Steering a run from its screen: messages, pausing, killing, the cap, more seeds, resuming."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual import work
from textual.screen import Screen

from core import decisions
from core.errors import FumehoodError, InputError
from core.pricing import dollars
from core.process import start_engine
from core.record.state import ExperimentState
from tui.run_feed import RunFeed, cost_so_far
from tui.safe_text import one_line
from tui.screens.dialogs import Ask, Confirm
from tui.status import status_of
from tui.wording import counted, usd

if TYPE_CHECKING:
    from tui.app import Console


class Steering(Screen[None]):
    """What a human can do to a run beside deciding about what waits.

    Args:
        feed: the run.
        agent: the agent that is looked at first.

    Attributes:
        feed: the run, kept up to date.
        agent: the agent that is looked at; what a key does is done to it.
    """

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

    @work
    async def action_message(self) -> None:
        """Tell the agent something; it arrives at its next turn."""
        agent = self.agent
        prompt = "It arrives at the agent's next turn."
        text = await self.app.push_screen_wait(Ask(f"A message to {agent}", prompt, multiline=True))
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
        experiment = self.experiment
        state = self.feed.state
        if experiment is None:
            running = len(state.in_stage("running"))
            name = None
            question = Confirm(
                "Kill the whole run?",
                f"It has cost {dollars(state.spent_usd)} so far; {counted(running, 'experiment')} of it"
                " would end now. What was measured until then is kept, and no paper is written.",
                "A killed run cannot be resumed. To go on later, stop its engine instead.",
            )
        else:
            name = experiment.id
            scripts = counted(len(experiment.execs), "script")
            records = sum(state.execs[exec_id].records for exec_id in experiment.execs)
            question = Confirm(
                f"Kill {name}: {one_line(experiment.spec.title, 60)}?",
                f"It has cost {dollars(cost_so_far(experiment))} so far. Its {scripts} and"
                f" {counted(records, 'record')} are kept; it gets no verdict.",
                "A killed experiment cannot be resumed.",
            )
        if await self.app.push_screen_wait(question):
            self.console.decide(
                self.feed,
                lambda state: decisions.kill(state, name, ""),
                f"{name or 'The run'} is being killed.",
            )

    @work
    async def action_budget(self) -> None:
        """Raise or lower the cap."""
        state = self.feed.state
        prompt = (
            f"The cap is {dollars(state.cap_usd)}; {dollars(state.spent_usd)} is spent and"
            f" {dollars(state.reserved_usd)} reserved."
        )
        dialog = Ask("A new cap, in USD", prompt, initial=f"{state.cap_usd:.2f}", reading=self._cap_in_words)
        text = await self.app.push_screen_wait(dialog)
        if text is not None:
            self.console.decide(
                self.feed,
                lambda state: decisions.budget(state, usd(text)),
                f"The cap is {dollars(usd(text))}.",
            )

    def _cap_in_words(self, text: str) -> str:
        """What a cap would mean.

        Raises:
            InputError: it is no amount, or too low.
        """
        cap, state = usd(text), self.feed.state
        decisions.budget(state, cap)
        free = cap - state.spent_usd - state.reserved_usd
        waiting = [request.asked.estimate for request in state.waiting if request.asked.estimate]
        maximum = sum(
            (estimate.maximum for estimate in waiting if estimate.maximum is not None), start=free * 0
        )
        if maximum:
            enough = "enough" if maximum <= free else "not enough"
            return f"{dollars(free)} would be free: {enough} for all that waits ({dollars(maximum)})."
        return f"{dollars(free)} would be free."

    @work
    async def action_seeds(self) -> None:
        """Run the experiment's scripts again with more seeds; that is priced and waits for approval, too."""
        name = self.agent
        if self.experiment is None:
            self.console.warn("only experiments have seeds", "Choose one in the plan first.")
            return
        prompt = (
            "Its scripts are run again with seeds of their own. That becomes an experiment with a price,"
            " and waits for your approval."
        )
        dialog = Ask(
            f"How many more seeds for {name}?",
            prompt,
            initial="10",
            reading=partial(self._seeds_in_words, name),
        )
        text = await self.app.push_screen_wait(dialog)
        if text is not None:
            self.console.decide(
                self.feed,
                lambda state: decisions.seeds(state, name, _count(text)),
                "Asked for; its price will wait for you.",
            )

    def _seeds_in_words(self, name: str, text: str) -> str:
        """What a number of seeds would mean.

        Raises:
            InputError: it is no number, or does not fit.
        """
        decisions.seeds(self.feed.state, name, _count(text))
        return f"{counted(_count(text), 'seed')} more."

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


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{text!r} is no number", "Type one like 10.") from None
