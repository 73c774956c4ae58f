"""Gathering a run's evidence from its journal and its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias
from weakref import WeakKeyDictionary

from core.evidence.code_checks import check_code
from core.evidence.evidence import Evidence
from core.evidence.ledger import Ledger
from core.evidence.measurement import ExecFacts, Flag
from core.evidence.references import reference
from core.record.journal import Journal
from core.record.state import Exec, RunState
from core.repeats import repeated_exec

_Version: TypeAlias = tuple[int, ...]

LONGEST_TEXT = 300
"""Characters of what a check of code found."""

_gathered: WeakKeyDictionary[Journal, tuple[_Version, Evidence]] = WeakKeyDictionary()
"""What was gathered last. Many reports are asked for at once, and each would read every record anew."""


def gather(journal: Journal, state: RunState) -> Evidence:
    """Everything that was measured and judged so far.

    Raises:
        JournalError: the journal is damaged.
    """
    version, evidence = _gathered.get(journal, (None, None))
    if evidence is None or version != _version(state):
        evidence = _gather(journal, state)
        _gathered[journal] = _version(state), evidence
    return evidence


def own_ledger(journal: Journal, state: RunState, experiment_id: str) -> Ledger:
    """What one experiment measured, by its own records: all that its verdict rests on.

    Whether another experiment reproduced it is not in it.

    Raises:
        JournalError: the journal is damaged.
    """
    execs = {name: _facts(state.execs[name], state) for name in state.experiments[experiment_id].execs}
    return Ledger.from_records((record for name in execs for record in journal.records(name)), execs)


def _gather(journal: Journal, state: RunState) -> Evidence:
    execs = {name: _facts(script, state) for name, script in state.execs.items()}
    locked = {x.id: x for x in state.experiments.values() if x.locked_at is not None}
    ledger = Ledger.from_records(journal.records(), execs)
    return Evidence(
        ledger=replace(ledger, flags=(*ledger.flags, *_code_flags(state.execs.values(), execs))),
        verdicts={name: x.verdict for name, x in locked.items() if x.verdict},
        hypotheses={name: x.spec.hypothesis for name, x in locked.items() if x.spec.hypothesis},
        locked_at={name: x.locked_at for name, x in locked.items() if x.locked_at},
        references={key: reference(verified) for key, verified in state.citations.items()},
        unverified=frozenset(state.works.keys() - state.citations.keys()),
    )


def _code_flags(scripts: Iterable[Exec], facts: Mapping[str, ExecFacts]) -> Iterator[Flag]:
    """What looks wrong in the code of execs that count."""
    for script in scripts:
        asked = script.asked
        if facts[asked.exec_id].doubt or facts[asked.exec_id].again_of:
            continue
        for warning in check_code(asked.code):
            text = f"{warning.kind}: {warning.text}"[:LONGEST_TEXT]
            yield Flag("code check", asked.exec_id, asked.experiment_id, warning.line, text)


def _version(state: RunState) -> _Version:
    """Numbers of which one is larger as soon as there is more evidence; none ever gets smaller."""
    scripts, experiments = state.execs.values(), state.experiments.values()
    return (
        len(scripts),
        sum(script.records for script in scripts),
        sum(script.ended is not None for script in scripts),
        sum(script.void for script in scripts),
        sum(experiment.locked_at is not None for experiment in experiments),
        sum(experiment.verdict is not None for experiment in experiments),
        len(state.works),
        sum(map(len, state.citations.values())),
    )


def _facts(script: Exec, state: RunState) -> ExecFacts:
    asked, ended = script.asked, script.ended
    reproduces = state.experiments[asked.experiment_id].spec.reproduces
    return ExecFacts(
        exec_id=asked.exec_id,
        experiment_id=asked.experiment_id,
        code_sha256=asked.code_sha256,
        started_at=asked.at,
        ended="lost" if script.void else ended.end if ended else None,
        exit_code=ended.exit_code if ended else None,
        trial=asked.trial,
        again_of=repeated_exec(script) if reproduces else "",
    )
