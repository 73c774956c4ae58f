"""What the orchestrator reads of an experiment: about a thousand tokens, whatever the experiment did."""

from __future__ import annotations

import json

import pytest

from core.agents.reports import OVERVIEW_CHARACTERS, SECTION_CHARACTERS, report_for_model
from core.agents.tools import Section
from core.record.events import (
    AgentStarted,
    Call,
    ExecEnded,
    ExecRequested,
    FindingRecorded,
    RecordsTaken,
    TurnFinished,
    TurnStarted,
    now,
)
from core.record.live import LiveRun
from core.record.records import chain_start, read_record
from tests.fakes.launching import lock


@pytest.fixture
def busy(live: LiveRun) -> LiveRun:
    """A run whose one experiment did, found and measured far more than anybody could read."""
    lock(live, 1)
    summary = Call(id="c", name="submit_result", arguments={"summary": "It was long. " * 600})
    live.record(
        AgentStarted(
            agent="E1", model="m", scripted=True, system="s", tools=(), prompt="p", prompts_version="1"
        ),
        TurnStarted(agent="E1", number=1),
        TurnFinished(agent="E1", number=1, raw={}, text="", thoughts="", calls=(summary,)),
        *(FindingRecorded(experiment_id="E1", call_id=f"f{n}", text="A finding. " * 50) for n in range(40)),
    )
    for number in range(1, 31):
        run_script(live, f"E1-{number}")
    return live


def run_script(live: LiveRun, exec_id: str) -> None:
    code = f"print({exec_id!r})\n" * 100
    live.record(
        ExecRequested(
            exec_id=exec_id,
            experiment_id="E1",
            call_id=exec_id,
            code=code,
            code_sha256="0" * 64,
            purpose="measure everything " * 10,
        )
    )
    records = []
    chain = chain_start(exec_id, "0" * 64)
    for number in range(1, 41):
        line = json.dumps(
            {"kind": "result", "line": 1, "name": f"metric_{exec_id}_{number}", "value": 0.5, "condition": {}}
        )
        record = read_record(line.encode(), exec_id=exec_id, number=number, at=now(), previous=chain)
        records.append(record)
        chain = record.chain
    live.record(RecordsTaken(exec_id=exec_id, offset=1, records=40, chain=chain), records=records)
    live.record(ExecEnded(exec_id=exec_id, end="finished", exit_code=0, seconds=1))


def test_an_overview_stays_within_about_a_thousand_tokens_and_says_how_to_get_the_rest(busy: LiveRun) -> None:
    text = report_for_model(busy, "E1")
    assert len(text) <= OVERVIEW_CHARACTERS
    assert len(text) / 4 > 700
    for section in ("summary", "findings", "scripts"):
        assert f'read_report("E1", "{section}")' in text
    assert "more lines were left out" in text
    assert "measurements (" in text


@pytest.mark.parametrize("section", ["summary", "findings", "scripts", "measurements"])
def test_a_section_gives_more_than_the_overview_and_is_bounded_too(busy: LiveRun, section: Section) -> None:
    text = report_for_model(busy, "E1", section)
    assert len(report_for_model(busy, "E1")) < len(text) <= SECTION_CHARACTERS


def test_scripts_come_with_their_code_the_newest_first(busy: LiveRun) -> None:
    text = report_for_model(busy, "E1", "scripts")
    assert text.startswith("E1-30 ended with exit code 0")
    assert "print('E1-30')" in text


def test_a_small_experiment_is_told_whole(live: LiveRun) -> None:
    lock(live, 1)
    text = report_for_model(live, "E1")
    assert "left out" not in text
    assert "none that count" in text
    assert report_for_model(live, "E1", "findings") == "there are no findings"
