"""``fumehood data``: giving a run files, listing them, and what is said where that cannot be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.specs import experiment
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENDED, ENGINE, WAITING
from tui.plain.narrator import Narrator
from tui.screen import Screen

TABLE = b"a,b\n1,2\n"
SHA256 = hashlib.sha256(TABLE).hexdigest()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE)
    return path


def agent(name: str) -> e.AgentStarted:
    return e.AgentStarted(
        agent=name, model="m", scripted=True, system="s", tools=(), prompt="p", prompts_version="1"
    )


def messages(folder: RunFolder) -> dict[str, str]:
    return {message.agent: message.text for message in folder.state().messages}


def test_a_file_is_added_and_listed_with_its_hash(home: Home, table: Path) -> None:
    folder = home.run_with()
    result = home.type("data", "add", folder.run_id, str(table))
    assert result.exit_code == 0, result.output
    first, *rest = result.stdout.splitlines()
    assert first.split() == ["table.csv", "8", "bytes", "sha256", SHA256]
    assert "read them at /data" in " ".join(rest)
    assert f"fumehood resume {folder.run_id}" in " ".join(rest)
    (file,) = folder.state().data.values()
    assert (file.by, file.sha256, file.size_bytes) == ("human", SHA256, len(TABLE))
    assert (folder.data / "table.csv").read_bytes() == TABLE
    assert home.type("data", "list", folder.run_id).stdout.splitlines() == [first]
    assert first in home.type("show").stdout


def test_a_run_without_data_says_how_to_add_some(home: Home) -> None:
    folder = home.run_with()
    assert f"'fumehood data add {folder.run_id} FILE …'" in home.type("data", "list").stdout


def test_agents_that_have_begun_are_told_at_their_next_turn(home: Home, table: Path) -> None:
    folder = home.run_with(ENGINE, agent("orchestrator"))
    assert home.type("data", "add", folder.run_id, str(table)).exit_code == 0
    ((name, text),) = messages(folder).items()
    assert name == "orchestrator"
    assert f"table.csv  8 bytes  sha256 {SHA256}" in text
    assert "<data-" in text
    assert "lab.data_path" in text


def test_agents_that_have_not_begun_find_it_in_their_first_message(home: Home, table: Path) -> None:
    folder = home.run_with()
    home.type("data", "add", folder.run_id, str(table))
    assert messages(folder) == {}


def test_researchers_at_work_are_told_and_repeats_are_not(home: Home, table: Path) -> None:
    folder = home.run_with(ENGINE, agent("orchestrator"))
    specs = (experiment(1), experiment(2, repeats="E1"), experiment(3))
    with folder.journal() as journal:
        for spec in specs:
            journal.append(
                e.ExperimentProposed(experiment=spec, call_id="c"),
                e.ApprovalRequested(
                    request_id=f"{spec.id}.1",
                    kind="launch",
                    experiment_id=spec.id,
                    subject=spec.sha256,
                    title="t",
                ),
                e.ApprovalDecided(
                    by="human",
                    decision_id=spec.id,
                    request_id=f"{spec.id}.1",
                    subject=spec.sha256,
                    decision="approve",
                ),
                e.ExperimentLocked(
                    experiment_id=spec.id,
                    decision_id=spec.id,
                    sha256=spec.sha256,
                    hypothesis_sha256=None,
                    reserved_usd=None,
                ),
            )
        journal.append(*(e.ExperimentStarted(experiment_id=name) for name in ("E1", "E2")))
    assert home.type("data", "add", folder.run_id, str(table)).exit_code == 0
    assert set(messages(folder)) == {"orchestrator", "E1"}


def test_without_isolation_no_path_is_promised(home: Home, table: Path) -> None:
    folder = home.run_with(ENGINE.model_copy(update={"isolation": "process only"}))
    said = home.type("data", "add", folder.run_id, str(table)).stdout
    assert "there is no /data" in said
    assert "lab.data_path" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add",), "say which run, and which files"),
        (("add", "{run}"), "say which run, and which files"),
        (("add", "nothing", "{table}"), "there is no run 'nothing'"),
        (("add", "{run}", "{table}x"), "there is no file"),
        (("add", "{run}", "."), "is a folder"),
        (("add", "{run}", "/dev/null"), "is no regular file"),
        (("add", "{run}", "{table}", "{table}"), "named twice"),
        (("list", "nothing"), "there is no run 'nothing'"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_changes_nothing(
    home: Home, table: Path, words: tuple[str, ...], said: str
) -> None:
    folder = home.run_with()
    typed = [word.format(run=folder.run_id, table=table) for word in words]
    assert said in refusal(home.type("data", *typed))
    assert not folder.state().data
    assert not folder.data.exists()


@pytest.mark.parametrize(("events", "said"), [((ENGINE, *ENDED), "has ended"), ((ENGINE, *WAITING), "")])
def test_a_run_that_has_ended_takes_no_data(
    home: Home, table: Path, events: tuple[e.Event, ...], said: str
) -> None:
    folder = home.run_with(*events)
    result = home.type("data", "add", folder.run_id, str(table))
    assert (said in refusal(result)) if said else result.exit_code == 0
    assert bool(folder.state().data) == (not said)


def test_a_name_is_given_once(home: Home, table: Path) -> None:
    folder = home.run_with()
    home.type("data", "add", folder.run_id, str(table))
    table.write_text("other")
    assert "never changes" in refusal(home.type("data", "add", folder.run_id, str(table)))
    assert (folder.data / "table.csv").read_bytes() == TABLE


def test_a_run_at_modal_needs_the_token_before_anything_is_copied(home: Home, table: Path) -> None:
    folder = home.run_with(sandbox="modal")
    assert "MODAL_TOKEN_ID is missing" in refusal(home.type("data", "add", folder.run_id, str(table)))
    assert not folder.data.exists()


def test_data_can_be_named_with_a_new_run(home: Home, table: Path) -> None:
    words = ("run", "Why?", "--model", "scripted:bagging", "--headless")
    assert "there is no file" in refusal(home.type(*words, "--data", "nothing.csv"))
    assert not home.runs.exists()


def test_followers_are_told_of_data(home: Home) -> None:
    added = e.DataAdded(name="table.csv", sha256=SHA256, size_bytes=1_400_000)
    folder = home.run_with(ENGINE, added)
    (line,) = Narrator(folder, Screen.of()).lines(folder.state(), added)
    assert f"human adds data: table.csv, 1.4 MB, sha256 {SHA256[:8]}" in line
