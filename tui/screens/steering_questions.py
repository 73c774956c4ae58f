"""What is asked before a run is steered: killing, more seeds, the cap, a message to an agent.

Each gives a dialog; whoever shows it appends the decision with what it answers.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core import decisions
from core.agents.data import added
from core.budget import estimate
from core.errors import InputError
from core.pricing import at_most_dollars, dollars
from core.rates import rates_of
from core.record.state import ExperimentState, RunState
from core.repeats import reproducible
from core.sandbox.machines import MODAL
from tui.file_words import FileSuggester, files_in_words
from tui.run_feed import cost_so_far
from tui.safe_text import one_line
from tui.screens.answer import text_length
from tui.screens.dialogs import Ask, Confirm
from tui.wording import counted, data_in_short, usd

TITLE_CHARACTERS = 80


def kill_question(state: RunState, experiment_id: str | None, at: datetime | None = None) -> Confirm:
    """Asks before an experiment, or with None the whole run, is ended for good.

    Args:
        state: the run.
        experiment_id: the experiment.
        at: when its cost is reckoned; None for now.
    """
    if experiment_id is not None:
        experiment = state.experiments[experiment_id]
        text = f"{one_line(experiment.spec.title, TITLE_CHARACTERS)}\n\n{what_a_kill_keeps(experiment, at)}"
        warning = "It ends without a verdict, for good: it cannot be started again."
        return Confirm(f"Kill {experiment_id}?", text, warning)
    running = [experiment for experiment in state.experiments.values() if experiment.stage == "running"]
    costs = [cost_so_far(experiment, at) for experiment in running]
    known = sum((cost for cost in costs if cost is not None), Decimal(0))
    booked = sum((experiment.cost_usd or Decimal(0) for experiment in running), Decimal(0))
    unknown = " and what is unknown" if state.unknown_costs or None in costs else ""
    question = one_line(state.title, TITLE_CHARACTERS)
    text = (
        f"{question}\n\nIt has cost {dollars(state.spent_usd + known - booked)}{unknown};"
        f" {counted(len(running), 'experiment')} running."
        " The journal, logs, measurements and verdicts so far are kept."
    )
    return Confirm("Kill the whole run?", text, "It ends for good and gets no paper. Detaching is q.")


def what_a_kill_keeps(experiment: ExperimentState, at: datetime | None = None) -> str:
    """What an experiment has cost, and what of it stays when it is killed now.

    Args:
        experiment: the experiment.
        at: when its cost is reckoned; None for now.
    """
    if experiment.started_at is None:
        return "It has not started, and has cost nothing."
    kept = [f"the logs and measurements of {counted(len(experiment.execs), 'script')}"]
    if experiment.findings:
        kept.append(counted(len(experiment.findings), "finding"))
    return (
        f"It has cost {dollars(cost_so_far(experiment, at))} so far. What is kept: {' and '.join(kept)}."
        " Files that it left in its sandbox are lost."
    )


def seeds_question(state: RunState, experiment_id: str) -> Ask:
    """Asks how many seeds more."""
    experiment = state.experiments[experiment_id]

    def reading(text: str) -> str:
        if not text.isdecimal():
            raise InputError("type a whole number", f"From {decisions.FEWEST_SEEDS} up.")
        decisions.seeds(state, experiment_id, int(text[:9]))
        return f"Its scripts run again with {int(text):,} new seeds, {repeat_price(state, experiment)}."

    return Ask(
        f"More seeds for {experiment_id}",
        f"{one_line(experiment.spec.title, TITLE_CHARACTERS)}\n\nHow many more?"
        " The repeat is priced, and waits for approval like any other.",
        initial="10",
        reading=reading,
        extension=None,
        sends="ask for them",
    )


def reproduce_question(state: RunState) -> Confirm:
    """Asks before the scripts of a run that has ended are run again.

    Raises:
        DecisionError: it cannot be reproduced.
    """
    decisions.reproduce(state)
    sources = reproducible(state)
    rates = rates_of(state)
    repeats = [source.spec.model_copy(update={"repeats": source.id}) for source in sources]
    most = [estimate(repeat, rates).maximum for repeat in repeats]
    known = [maximum for maximum in most if maximum is not None]
    price = (
        f"together for never more than {dollars(sum(known, Decimal(0)))}"
        if len(known) == len(most)
        else "at a price that only the engine can tell"
    )
    text = (
        f"Every script of {', '.join(source.id for source in sources)} runs again in a fresh sandbox, without"
        f" a model, {price}. Each measurement is compared with its first; the paper then says which were"
        " reproduced."
    )
    policy = one_line(state.settings.approve)
    return Confirm("Reproduce this run?", text, f"Approval is as for any launch here: {policy}.")


def repeat_price(state: RunState, experiment: ExperimentState) -> str:
    """What a repeat may cost: its sandbox for the whole time limit, and no model."""
    repeat = experiment.spec.model_copy(update={"repeats": experiment.spec.repeats or experiment.id})
    price = estimate(repeat, rates_of(state))
    if price.maximum is None:
        return "at a price that only the engine can tell"
    return f"for never more than {at_most_dollars(price.maximum).removeprefix('≤ ')}"


def budget_question(state: RunState) -> Ask:
    """Asks for another cap, and shows what is committed of it."""
    committed = state.spent_usd + state.reserved_usd

    def reading(text: str) -> str:
        (asked,) = decisions.budget(state, usd(text))
        return f"{dollars(asked.cap_usd - committed)} of {dollars(asked.cap_usd)} would be free."

    return Ask(
        f"The cap is {dollars(state.cap_usd)}",
        f"{dollars(state.spent_usd)} is spent and {dollars(state.reserved_usd)} reserved, so"
        f" {dollars(committed)} is the lowest it can be.\n\nWhat shall it be, in USD?",
        initial=f"{state.cap_usd.normalize():f}",
        reading=reading,
        extension=None,
        sends="set the cap",
    )


def message_question(agent: str) -> Ask:
    """Asks what to tell an agent."""
    return Ask(
        f"Message to {one_line(agent)}",
        "It arrives at its next turn.",
        multiline=True,
        reading=text_length,
        extension=".md",
    )


def data_question(state: RunState) -> Ask:
    """Asks for files that all experiments can read; each is checked as it is typed.

    Raises:
        DecisionError: no experiment would see them any more.
    """
    added(state, ())
    at_modal = (
        "; another goes to Modal, into a volume of the run's own" if state.settings.sandbox == MODAL else ""
    )
    there = f"\n\nIt has {data_in_short(state)} already." if state.data else ""
    return Ask(
        "Add data",
        "Paths of files, with spaces between them; right completes one. A copy is kept with the"
        f" run{at_modal}. Agents are told, and what is there once never changes. Leaving the console before"
        f" it is done adds nothing.{there}",
        reading=lambda text: files_in_words(text, state),
        extension=None,
        sends="add",
        suggester=FileSuggester(),
    )
