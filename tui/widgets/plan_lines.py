"""The lines of a plan: agents, rounds and experiments, with what they cost."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from textual.content import Content

from core.pricing import dollars
from core.record.events import Call
from core.record.state import AgentState, ExperimentState, RunState
from tui import glyphs
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, cost_of, mark_of, total_cost

DOING = {
    "wait_for_results": "waits for results",
    "ask_human": "asks you",
    "submit_paper": "submits the paper",
}
"""What an agent does while a tool call of it has no answer yet."""


def agent_line(state: RunState, name: str) -> Content:
    """An agent, and what it does now."""
    agent = state.agents.get(name)
    if agent is None:
        mark, doing = glyphs.PROPOSED, "not begun"
    elif agent.ended is not None:
        mark = glyphs.DONE if agent.ended.outcome == "done" else glyphs.FAILED
        doing = one_line(agent.ended.outcome)
    elif agent.retry is not None:
        mark, doing = glyphs.RUNNING, f"tries again in {agent.retry.after_seconds:.0f} s"
    elif (call := _unanswered(agent)) is not None:
        mark, doing = glyphs.QUEUED, DOING.get(call.name, f"uses {one_line(call.name, 20)}")
    elif state.blocked is not None and agent.under_way is None:
        mark, doing = glyphs.PAUSED, "paused"
    else:
        mark, doing = glyphs.RUNNING, "thinks"
    if state.ended is not None and (agent is None or agent.ended is None):
        mark, doing = glyphs.DONE, "done" if state.ended.outcome == "done" else "ended"
    return Content.assemble((f"{mark.glyph} ", colour_of(mark)), (name, "bold"), "  ", (doing, "$muted"))


def round_line(state: RunState, number: str, experiments: list[ExperimentState], *, folded: bool) -> Content:
    """A round; where it is folded, how many of its experiments are in which state."""
    line = Content.assemble(("▸ " if folded else "▾ ", "$muted"), (f"Round {number}", "bold"))
    if folded:
        for mark, count in Counter(mark_of(state, x) for x in experiments).items():
            line = Content.assemble(line, "  ", (f"{mark.glyph}{count}", colour_of(mark)))
    return line


def experiment_line(state: RunState, experiment: ExperimentState, word_columns: int) -> Content:
    """An experiment: its state by glyph, word and colour, and its title.

    Args:
        state: the run.
        experiment: the experiment.
        word_columns: columns of the widest word in the plan.
    """
    mark = mark_of(state, experiment)
    colour = colour_of(mark)
    word = "being killed" if experiment.kill and experiment.open else mark.word
    waits = _waits(state, experiment)
    title = one_line(experiment.spec.title)
    gpu = one_line(experiment.spec.compute.gpu or "", 12)
    settled = (not experiment.open or state.ended is not None) and experiment.verdict is None
    return Content.assemble(
        "  ",
        (f"{mark.glyph} ", colour),
        (f"{experiment.id:<3} ", "bold" if waits else ""),
        (f"{word:<{word_columns}} ", f"{colour} bold" if waits else colour),
        " ",
        (title, "$muted" if settled else ""),
        (f" · {gpu}" if gpu else "", "$muted"),
    )


def experiment_cost(state: RunState, experiment: ExperimentState, at: datetime) -> Content:
    """What an experiment cost so far, or the most that it may cost; what waits for a decision stands out."""
    cost = cost_of(state, experiment, at)
    if not cost.startswith("≤"):
        return Content(cost)
    return Content.styled(cost, "$waiting" if _waits(state, experiment) else "$muted")


def round_cost(experiments: list[ExperimentState], at: datetime) -> Content:
    """What a round cost so far; empty before anything in it ran."""
    started = [experiment for experiment in experiments if experiment.started_at is not None]
    return Content.styled(dollars(total_cost(started, at)) if started else "", "$muted")


def _waits(state: RunState, experiment: ExperimentState) -> bool:
    return experiment.stage == "waiting" and state.ended is None


def _unanswered(agent: AgentState) -> Call | None:
    """The tool call that the agent waits for."""
    calls = agent.turns[-1].calls if agent.turns else ()
    return next((call for call in calls if call.id not in agent.answers), None)
