"""Whole runs that read data which the human gave them, before they began and while they are under way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from core.agents.data import ADDED, added
from core.record.data import taken_in
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from tests.fakes.tiny_run import MEASURE, MEASURE_WHEN_TOLD, call, let_go, play, study, tiny_run

READ = "import lab\nprint(open(lab.data_path('scores.csv')).read())\n" + MEASURE
MODEL = 'import lab\nopen(lab.shared_path("E1/model"), "w").write("trained")\n' + MEASURE
USE = """
import lab, os, time
while not os.path.exists(lab.shared_path("E1/model")):
    time.sleep(0.01)
print(open(lab.shared_path("E1/model")).read())
"""


def give(live: LiveRun, *files: Path) -> None:
    """Add files to a run, as a command does."""
    with taken_in(live.folder, files, tuple(live.state.data.values())) as intake:
        intake.keep()
        live.record(*added(live.state, intake.files))


def given(parent: Path, folder: RunFolder, **contents: str) -> RunFolder:
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        give(live, *written(parent, **contents))
    return folder


def written(parent: Path, **contents: str) -> Sequence[Path]:
    paths = []
    for name, content in contents.items():
        path = parent / f"{name}.csv"
        path.write_text(content)
        paths.append(path)
    return paths


def printed(folder: RunFolder, exec_id: str = "E1-1") -> str:
    return folder.log_path(exec_id).read_text()


def told(state: RunState, agent: str) -> list[str]:
    """Messages that the turns of an agent brought it."""
    texts = {message.message_id: message.text for message in state.messages}
    return [texts[name] for asked in state.agents[agent].asked.values() for name in asked.message_ids]


def test_a_run_reads_what_it_was_given_before_it_began(tmp_path: Path) -> None:
    folder = given(tmp_path, tiny_run(tmp_path, study(READ)), scores="a,b")
    state = play(folder)
    assert state.experiments["E1"].outcome == "done"
    assert printed(folder).startswith("a,b\n")
    sha256 = hashlib.sha256(b"a,b").hexdigest()
    for agent in ("orchestrator", "E1"):
        assert f"scores.csv  3 bytes  sha256 {sha256}" in state.agents[agent].started.prompt
        assert told(state, agent) == []
    evidence = json.loads((folder.paper / "evidence.json").read_text())
    assert evidence["versions"]["data scores.csv"] == f"SHA-256 {sha256[:16]}"
    assert sha256[:16] in (folder.paper / "paper.md").read_text()


def test_agents_at_work_hear_of_what_comes_later_and_their_next_script_reads_it(tmp_path: Path) -> None:
    turns = [
        call("run_python", code=MEASURE_WHEN_TOLD),
        call("run_python", code=READ),
        call("submit_result", summary="Ran."),
    ]
    folder = tiny_run(tmp_path, study(E1=turns))

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: state.execs)
        give(live, *written(tmp_path, scores="a,b"))
        let_go(folder)

    state = play(folder, human)
    assert printed(folder, "E1-2").startswith("a,b\n")
    assert "no data so far" in state.agents["E1"].started.prompt
    for agent in ("orchestrator", "E1"):
        (message,) = told(state, agent)
        assert message.startswith(ADDED)
        assert "scores.csv  3 bytes" in message


def test_one_experiment_uses_what_another_hands_on(tmp_path: Path) -> None:
    trajectory = study(
        experiments=2,
        E1=[call("run_python", code=MODEL), call("submit_result", summary="Ran.")],
        E2=[call("run_python", code=USE), call("submit_result", summary="Ran.")],
    )
    folder = tiny_run(tmp_path, trajectory)
    play(folder)
    assert printed(folder, "E2-1") == "trained\n"
