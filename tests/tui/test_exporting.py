"""``fumehood export``: where it writes, what it says, and that it lets no key out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from core.keys.lookup import use_key_store
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.keys import keys_in_environment
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENDED, ENGINE
from tui.wording import size_in_words

KEY = "sk-ant-api03-Jk3vQ8mZtR5yW1nXbC7dLfH2sPgU9aEo"


@pytest.fixture
def run(home: Home) -> RunFolder:
    folder = home.run_with(ENGINE, *ENDED)
    (folder.paper / "paper.md").write_text("# A paper\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the command is typed in."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_a_run_is_written_here_under_its_name_and_its_size_is_said(
    home: Home, run: RunFolder, here: Path
) -> None:
    result = home.type("export")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{here / run.run_id}   ")
    assert "files, " in result.stdout
    assert " kB" in result.stdout
    assert (here / run.run_id / "paper/paper.md").read_text(encoding="utf-8") == "# A paper\n"


def test_a_zip_goes_where_it_is_wanted_and_inside_a_folder_that_is_there(
    home: Home, run: RunFolder, here: Path
) -> None:
    for words, path in (
        (["--zip"], here / f"{run.run_id}.zip"),
        (["--to", "mine.zip"], here / "mine.zip"),
        (["--zip", "--to", str(home.data)], home.data / f"{run.run_id}.zip"),
    ):
        assert home.type("export", run.run_id, *words).exit_code == 0
        assert zipfile.is_zipfile(path)


def test_an_earlier_bundle_is_only_replaced_by_force(home: Home, run: RunFolder, here: Path) -> None:
    home.type("export", "--to", "out")
    (here / "out" / "notes.txt").write_text("mine")
    assert "--force" in refusal(home.type("export", "--to", "out"))
    assert (here / "out" / "notes.txt").exists()
    assert home.type("export", "--to", "out", "--force").exit_code == 0
    assert not (here / "out" / "notes.txt").exists()


def test_a_home_folder_that_is_not_there_is_refused_in_one_line(home: Home, run: RunFolder) -> None:
    assert "there is no home folder" in refusal(home.type("export", run.run_id, "--to", "~no-such-user/x"))


def test_a_run_that_goes_on_is_said_to_go_on(home: Home) -> None:
    home.run_with(ENGINE)
    assert "has not ended" in home.type("export").stdout


def test_a_run_with_a_key_of_the_environment_in_a_log_is_not_exported(
    home: Home, run: RunFolder, here: Path
) -> None:
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY=KEY))
    with run.journal() as journal:
        journal.append(
            e.ExecRequested(exec_id="E1-9", experiment_id="E1", call_id="c", code="", code_sha256="")
        )
    run.log_path("E1-9").write_text(f"Authorization: Bearer {KEY}\n", encoding="utf-8")
    line = refusal(home.type("export"))
    assert "a key of yours is in logs/E1-9.log, so nothing was exported" in line
    assert KEY not in line
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 byte"),
        (812, "812 bytes"),
        (1400, "1.4 kB"),
        (11_800_000, "11.8 MB"),
        (2_400_000_000_000, "2,400 GB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: int, words: str) -> None:
    assert size_in_words(size) == words
