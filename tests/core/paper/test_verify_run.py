"""Comparing a run's paper with its journal: a forgery of everything in the paper alike is found here."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import decisions
from core.errors import InputError
from core.paper.evidence_reading import read_evidence
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.verify import INSTALLED, Verified, verify_evidence, verify_pdf
from core.paper.verify_run import verify_run
from core.record.folder import RunFolder, create_run
from core.record.live import LiveRun
from tests.fakes.forging import evidence_with
from tests.fakes.specs import run_settings
from tests.fakes.tiny_run import call, play, study, tiny_run

BODY = "The new one scores {{ score.new : .2f }}. H1 is {{ verdict(H1) }}."


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    writer = [call("submit_paper", title="Scores", abstract="New wins.", body=BODY)]
    trajectory = study(writer=writer)
    settings = run_settings(approve="auto", num_agents=4, max_rounds=2)
    parent = tmp_path_factory.mktemp("played")
    folder = create_run(parent, trajectory.question, settings, INSTALLED, trajectory.model_dump_json())
    play(folder)
    return folder


@pytest.fixture
def run(played: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the run that may be changed."""
    shutil.copytree(played.path, tmp_path / played.run_id, ignore=shutil.ignore_patterns("sandboxes"))
    return RunFolder(tmp_path / played.run_id)


def found_in(folder: RunFolder) -> Verified:
    return asyncio.run(verify_run(folder))


def forge_all(folder: RunFolder, change: Callable[[dict[str, Any]], None]) -> None:
    """Forge a measurement and then everything that rests on it: Markdown, evidence and PDF."""
    forged = evidence_with((folder.paper / "evidence.json").read_bytes(), change, sealed=True)
    _, files = read_evidence(forged)
    (folder.paper / "evidence.json").write_text(files.evidence, encoding="utf-8")
    (folder.paper / "paper.md").write_text(files.markdown, encoding="utf-8")
    made = asyncio.run(render(outline(files.document), files.evidence))
    (folder.paper / "paper.pdf").write_bytes(made.pdf)


def rewrite_journal(folder: RunFolder, statement: str, *values: str) -> None:
    """Change a journal, as somebody would who knows SQLite."""
    with sqlite3.connect(folder.journal_path) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        assert database.execute(statement, values).rowcount > 0
    database.close()


def test_a_runs_own_paper_holds(run: RunFolder) -> None:
    found = found_in(run)
    assert found.failures == ()
    assert found.notes == ()
    assert (found.numbers, found.verdicts) == (2, 1)


def test_a_forgery_of_evidence_markdown_and_pdf_alike_is_found_only_by_the_journal(run: RunFolder) -> None:
    def change(content: dict[str, Any]) -> None:
        content["measurements"][0]["value"] += 1.0

    forge_all(run, change)
    assert verify_evidence((run.paper / "evidence.json").read_bytes()).holds
    assert asyncio.run(verify_pdf((run.paper / "paper.pdf").read_bytes())).holds
    said = "\n".join(found_in(run).failures)
    assert "the journal says 2.0" in said
    assert "paper.md is not the one that the journal says was published" in said


def test_a_measurement_left_out_of_the_paper_is_found_by_the_journal(run: RunFolder) -> None:
    forge_all(run, lambda content: content["measurements"].pop())
    assert any("of the journal is not in the evidence" in line for line in found_in(run).failures)


def test_a_sentence_changed_in_the_forged_paper_is_found_by_the_journals_hash(run: RunFolder) -> None:
    def change(content: dict[str, Any]) -> None:
        content["paper"]["abstract"] = "New wins everywhere."

    forge_all(run, change)
    assert "paper.md is not the one that the journal says was published" in found_in(run).failures


@pytest.mark.parametrize("name", ["paper.md", "paper.tex", "evidence.json"])
def test_a_file_of_the_paper_that_was_changed_is_named_with_its_line(run: RunFolder, name: str) -> None:
    path = run.paper / name
    path.write_text(path.read_text(encoding="utf-8").replace("2.0", "3.0"), encoding="utf-8")
    assert any(name in line or "measurement" in line for line in found_in(run).failures)


def test_a_pdf_of_another_paper_or_none_at_all_is_named(run: RunFolder) -> None:
    kept = (run.paper / "evidence.json").read_bytes(), (run.paper / "paper.md").read_bytes()
    forge_all(run, lambda content: content["paper"].update(abstract="Other words."))
    (run.paper / "evidence.json").write_bytes(kept[0])
    (run.paper / "paper.md").write_bytes(kept[1])
    assert "paper.pdf holds other evidence than evidence.json" in found_in(run).failures
    (run.paper / "paper.pdf").unlink()
    assert "the journal says that there is a paper.pdf, and it is gone" in found_in(run).failures


def test_a_journal_that_was_rewritten_no_longer_fits_the_paper(run: RunFolder) -> None:
    rewrite_journal(run, "UPDATE records SET body = replace(body, ?, ?) WHERE kind = 'result'", "2.0", "9.0")
    assert any("the evidence says value 2.0" in line for line in found_in(run).failures)


def test_a_script_that_was_rewritten_in_the_journal_is_named(run: RunFolder) -> None:
    rewrite_journal(run, "UPDATE events SET body = replace(body, ?, ?)", "score + 0.01", "score + 9.99")
    assert any("its code is not what its hash says" in line for line in found_in(run).failures)


def test_a_verdict_that_was_rewritten_in_the_journal_is_named(run: RunFolder) -> None:
    rewrite_journal(run, "UPDATE events SET body = replace(body, ?, ?)", '"supported"', '"refuted"')
    assert "H1: the journal holds another verdict than the evidence" in found_in(run).failures


def test_a_file_of_an_experiment_that_was_changed_is_named_and_a_missing_one_is_not(run: RunFolder) -> None:
    digest = hashlib.sha256(b"drawn").hexdigest()
    body = json.dumps({"name": "loss", "file": "loss.png", "sha256": digest, "bytes": 5})
    one = "(SELECT min(rowid) FROM records WHERE kind = 'result')"
    rewrite_journal(run, f"UPDATE records SET kind = 'artifact', body = ? WHERE rowid = {one}", body)
    said = "E1-1: the file loss is not what its hash says"
    assert said not in found_in(run).failures
    (run.files / digest).write_bytes(b"drawn otherwise")
    assert said in found_in(run).failures


def test_a_paper_after_a_reproduction_holds_and_so_does_one_before_it_ends(run: RunFolder) -> None:
    with run.journal() as journal:
        live = LiveRun(run, journal)
        live.record(*decisions.reproduce(live.state))
    assert found_in(run).failures == ()
    play(run)
    found = found_in(run)
    assert found.failures == ()
    text = (run.paper / "evidence.json").read_text(encoding="utf-8")
    assert '"level": "reproduced"' in text


def test_a_run_without_a_paper_is_refused_with_what_to_look_at(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    with pytest.raises(InputError, match="has no paper yet"):
        found_in(folder)


def test_of_a_run_of_another_fumehood_it_is_said_what_was_not_compared(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    play(folder)
    found = found_in(folder)
    assert found.failures == ()
    assert any("made by fumehood 0, and here is" in note for note in found.notes)


def test_rules_that_were_forged_to_soften_what_is_struck_are_named_by_the_journal(run: RunFolder) -> None:
    def other_rules(content: dict[str, Any]) -> None:
        content["versions"]["prose rules"] = "0"

    path = run.paper / "evidence.json"
    forged = evidence_with(path.read_bytes(), other_rules, sealed=True)
    path.write_bytes(forged)
    _, files = read_evidence(forged)
    made = asyncio.run(render(outline(files.document), forged.decode()))
    (run.paper / "paper.pdf").write_bytes(made.pdf)
    assert verify_evidence(forged).holds
    assert "the evidence says that its prose rules are 0, the journal says 1" in found_in(run).failures


def test_a_fumehood_that_was_forged_to_compare_less_is_named_by_the_journal(run: RunFolder) -> None:
    forge_all(run, lambda content: content["versions"].update(fumehood="0.0.1"))
    said = f"the evidence says that fumehood 0.0.1 made the paper, the journal says {INSTALLED}"
    assert said in found_in(run).failures


def test_a_paper_and_journal_from_before_rules_had_versions_hold_with_a_note(run: RunFolder) -> None:
    def older(content: dict[str, Any]) -> None:
        del content["versions"]["prose rules"]

    path = run.paper / "evidence.json"
    path.write_bytes(evidence_with(path.read_bytes(), older, sealed=True))
    _, files = read_evidence(path.read_bytes())
    made = asyncio.run(render(outline(files.document), path.read_text(encoding="utf-8")))
    (run.paper / "paper.pdf").write_bytes(made.pdf)
    rewrite_journal(
        run,
        "UPDATE events SET body = replace(body, ?, ?) WHERE body LIKE '%no_pdf%'",
        '"rules":"1"',
        '"rules":""',
    )
    found = found_in(run)
    assert found.failures == ()
    assert any("prose rules ?, and here are 1: now the same statements" in note for note in found.notes)
