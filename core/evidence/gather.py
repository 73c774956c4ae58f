"""Gathering a run's evidence from its journal and its state."""

from __future__ import annotations

from core.evidence.evidence import Evidence
from core.evidence.ledger import Ledger
from core.evidence.measurement import ExecFacts
from core.record.journal import Journal
from core.record.state import Exec, RunState


def gather(journal: Journal, state: RunState) -> Evidence:
    """Everything that was measured and judged so far.

    Raises:
        JournalError: the journal is damaged.
    """
    execs = {name: _facts(script) for name, script in state.execs.items()}
    locked = {x.id: x for x in state.experiments.values() if x.locked_at is not None}
    return Evidence(
        ledger=Ledger.from_records(journal.records(), execs),
        verdicts={name: x.verdict for name, x in locked.items() if x.verdict},
        hypotheses={name: x.spec.hypothesis for name, x in locked.items() if x.spec.hypothesis},
        locked_at={name: x.locked_at for name, x in locked.items() if x.locked_at},
    )


def _facts(script: Exec) -> ExecFacts:
    asked, ended = script.asked, script.ended
    return ExecFacts(
        exec_id=asked.exec_id,
        experiment_id=asked.experiment_id,
        code_sha256=asked.code_sha256,
        started_at=asked.at,
        ended=ended.end if ended else None,
        exit_code=ended.exit_code if ended else None,
        trial=asked.trial,
    )
