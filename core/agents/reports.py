"""What the orchestrator reads about an experiment: about a thousand tokens, and more where it asks."""

from __future__ import annotations

from collections.abc import Iterable

from core.agents.researcher import exec_line
from core.agents.tools import Section
from core.evidence.gather import gather
from core.evidence.sheet import report
from core.record.live import LiveRun
from core.record.state import Exec, ExperimentState

OVERVIEW_CHARACTERS = 4_000
"""About 1,000 tokens, at four characters each."""

SECTION_CHARACTERS = 16_000
"""About 4,000 tokens: the most that is told of one section at once."""

SHARES = {"summary": 900, "findings": 500, "scripts": 500}
"""Characters of an overview that each of these may take; measurements get the rest."""


def report_for_model(live: LiveRun, experiment_id: str, section: Section = "overview") -> str:
    """One experiment: what was done, found and measured.

    Args:
        live: the run.
        experiment_id: the experiment.
        section: ``overview`` for about a thousand tokens of everything; else all of one part, up to
            ``SECTION_CHARACTERS``.
    """
    if section == "overview":
        return _overview(live, experiment_id)
    text = _section(live, experiment_id, section, SECTION_CHARACTERS)
    return _cut(text or f"there are no {section}", SECTION_CHARACTERS)


def _overview(live: LiveRun, experiment_id: str) -> str:
    parts: list[str] = []
    for name, characters in SHARES.items():
        section: Section = name  # type: ignore[assignment]  # the keys of SHARES are sections
        if text := _section(live, experiment_id, section, characters, short=True):
            more = f' (all of it: read_report("{experiment_id}", "{name}"))'
            parts.append(f"{name.capitalize()}: {_cut(text, characters, more)}")
    left = OVERVIEW_CHARACTERS - sum(len(part) + 1 for part in parts)
    return "\n".join([*parts, _section(live, experiment_id, "measurements", left)])


def _section(
    live: LiveRun, experiment_id: str, section: Section, characters: int, *, short: bool = False
) -> str:
    """One part of what is known; short without the scripts' code."""
    experiment = live.state.experiments[experiment_id]
    match section:
        case "summary":
            return _summary(live, experiment_id)
        case "findings":
            return "\n".join(f"- {text}" for text in experiment.findings)
        case "scripts":
            return "\n".join(_scripts(live, experiment, code=not short))
    return report(gather(live.journal, live.state), experiment_id, characters)


def _summary(live: LiveRun, experiment_id: str) -> str:
    """What the researcher said when it submitted its result."""
    agent = live.state.agents.get(experiment_id)
    submitted = [
        str(call.arguments.get("summary", ""))
        for turn in (agent.turns if agent else ())
        for call in turn.calls
        if call.name == "submit_result"
    ]
    return submitted[-1] if submitted else ""


def _scripts(live: LiveRun, experiment: ExperimentState, *, code: bool) -> Iterable[str]:
    """The scripts, newest first: the last ones are those that counted, as a rule."""
    for name in reversed(experiment.execs):
        script: Exec = live.state.execs[name]
        purpose = f": {script.asked.purpose}" if script.asked.purpose else ""
        yield f"{exec_line(script)}{purpose}"
        if code:
            yield f"{script.asked.code}\n"


def _cut(text: str, longest: int, more: str = "") -> str:
    """The beginning of a text, with how much of it is left out."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 60 - len(more)]
    return f"{kept}… {len(text) - len(kept):,} characters are left out{more}"
