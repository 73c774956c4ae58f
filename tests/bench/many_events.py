"""A million events of a very long run, a hundred experiments to a block, in the mix that runs have.

Each experiment is proposed, priced, approved, locked, run by a researcher of twenty turns with ten
scripts, and judged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from core.config import RunSettings
from core.experiment import Compute, Experiment, Hypothesis, Verdict
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from core.record.journal import Journal

EVENTS = 1_000_000
EXPERIMENTS_OF_A_BLOCK = 100
TURNS = 20
RECORDS_TAKEN = 24
CODE = "import lab\n\nfor seed in lab.seeds():\n    lab.result('error', 0.1 * seed)\n" * 20
HASH = "0" * 64
RESULTS = (("error", 0.1),) * 5


def blocks() -> Iterator[list[Event]]:
    """Events in the journal's order, until there are a million."""
    settings = RunSettings(model="m", researcher_model="m", writer_model="m", budget_usd=Decimal(1_000_000))
    block: list[Event] = [e.RunCreated(run_id="long", question="How long?", settings=settings, version="0")]
    count = number = 0
    while count + len(block) < EVENTS:
        for _ in range(EXPERIMENTS_OF_A_BLOCK):
            number += 1
            block += _experiment(number)
        block = [
            event.model_copy(update={"seq": count + place})
            for place, event in enumerate(block[: EVENTS - count], 1)
        ]
        yield block
        count += len(block)
        block = []


def write_journal(path: Path) -> int:
    """Write the same events into a journal, without its own checks; the number of events."""
    Journal(path, create=True).close()
    database = sqlite3.connect(path, isolation_level=None)
    count = 0
    for block in blocks():
        rows = [(event.seq, event.type, event.model_dump_json(exclude={"seq"})) for event in block]
        database.execute("BEGIN")
        database.executemany("INSERT INTO events (seq, type, body) VALUES (?, ?, ?)", rows)
        database.execute("COMMIT")
        count += len(block)
    database.close()
    return count


def _experiment(number: int) -> Iterator[Event]:
    name = f"E{number}"
    yield e.ExperimentProposed(experiment=_SPEC.model_copy(update={"id": name}), call_id=f"call-{number}")
    yield e.ApprovalRequested(
        request_id=f"{name}.1", kind="launch", experiment_id=name, subject=_sha256(name), title="t",
        estimate=Estimate(maximum=Decimal(1)),
    )  # fmt: skip
    yield e.ApprovalDecided(
        by="policy", decision_id=f"p:{name}", request_id=f"{name}.1", subject=_sha256(name),
        decision="approve", maximum_usd=Decimal(1),
    )  # fmt: skip
    yield e.ExperimentLocked(
        experiment_id=name, decision_id=f"p:{name}", sha256=_sha256(name), hypothesis_sha256=HASH,
        reserved_usd=Decimal(1),
    )  # fmt: skip
    yield e.ExperimentStarted(experiment_id=name)
    yield e.SandboxRequested(experiment_id=name, name=name, provider="local")
    yield from (e.SandboxProgressed(experiment_id=name, line=f"Installed package {n}") for n in range(5))
    yield e.SandboxOpened(
        experiment_id=name, sandbox_id=name, isolation="namespaces", usd_per_hour=Decimal(1)
    )
    yield e.AgentStarted(
        agent=name, model="m", scripted=False, system="s" * 2000, tools=(), prompt="p", prompts_version="1"
    )
    for turn in range(1, TURNS + 1):
        yield from _turn(name, turn)
    yield e.AgentEnded(agent=name, outcome="done")
    yield e.SandboxClosed(experiment_id=name, sandbox_id=name, seconds=60.0, cost_usd=Decimal("0.5"))
    yield e.ExperimentEnded(experiment_id=name, outcome="done")
    yield e.VerdictReached(experiment_id=name, verdict=Verdict(outcome="supported", reason="it does"))


def _turn(agent: str, number: int) -> Iterator[Event]:
    """A turn; every second one runs a script."""
    call = e.Call(id=f"{agent}-{number}", name="run_python", arguments={"code": CODE})
    yield e.TurnStarted(agent=agent, number=number)
    yield e.TurnFinished(
        agent=agent, number=number, raw={"content": [{"type": "text", "text": "x" * 400}]}, text="x" * 400,
        thoughts="", calls=(call,), input_tokens=9000, output_tokens=400, cost_usd=Decimal("0.01"),
    )  # fmt: skip
    if number % 2:
        exec_id = f"{agent}-{number // 2 + 1}"
        yield e.ExecRequested(
            exec_id=exec_id, experiment_id=agent, call_id=call.id, code=CODE, code_sha256=HASH
        )
        for taken in range(1, RECORDS_TAKEN + 1):
            yield e.RecordsTaken(
                exec_id=exec_id,
                offset=taken * 900,
                records=taken * 5,
                chain=HASH,
                results=(("error", 0.1),) * 5,
            )
        yield e.ExecEnded(exec_id=exec_id, end="finished", exit_code=0, seconds=12.5)
    else:
        yield e.FindingRecorded(experiment_id=agent, call_id=call.id, text="It went down.")
    yield e.ToolAnswered(agent=agent, call_id=call.id, text="y" * 900)


def _sha256(name: str) -> str:
    return _SPEC.model_copy(update={"id": name}).sha256


_SPEC = Experiment(
    id="E1",
    round=1,
    alpha=0.05,
    title="One of many",
    plan="Run the scripts.",
    hypothesis=Hypothesis.model_validate(
        {
            "statement": "It goes down.",
            "metric": {"name": "error"},
            "treatment": {"label": "new", "where": {"arm": "new"}},
            "baseline": {"label": "old", "where": {"arm": "old"}},
            "criterion": {"kind": "differs", "direction": "less"},
        }
    ),
    compute=Compute(),
)
