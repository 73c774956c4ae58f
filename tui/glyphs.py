"""States as people see them: a glyph and a word and a colour, so that each alone is enough."""

from __future__ import annotations

from core.experiment import Verdict
from core.record.state import ExperimentState
from tui.screen import Mark

PROPOSED = Mark("○", "proposed")
WAITS = Mark("◆", "waits", "yellow")
QUEUED = Mark("◔", "queued", "cyan")
RUNNING = Mark("●", "running", "blue")
DONE = Mark("✓", "done", "green")
REJECTED = Mark("⊘", "rejected", "bright_black")
KILLED = Mark("■", "killed", "red")
FAILED = Mark("!", "failed", "red")
PAUSED = Mark("‖", "paused", "yellow")

VERDICTS = {
    "supported": Mark("✓", "supported", "green"),
    "refuted": Mark("✗", "refuted", "red"),
    "inconclusive": Mark("≈", "inconclusive", "yellow"),
}


def verdict_mark(verdict: Verdict) -> Mark:
    """The mark of a verdict."""
    return VERDICTS[verdict.outcome]


def experiment_mark(experiment: ExperimentState) -> Mark:
    """The mark of an experiment: how far it is, or how it ended."""
    match experiment.stage:
        case "proposed":
            return PROPOSED
        case "waiting":
            return WAITS
        case "approved" | "queued":
            return QUEUED
        case "running":
            return RUNNING
    match experiment.outcome:
        case "done":
            return verdict_mark(experiment.verdict) if experiment.verdict else DONE
        case "rejected":
            return REJECTED
        case "killed":
            return KILLED
        case outcome:
            return Mark(FAILED.glyph, outcome or FAILED.word, FAILED.colour)
