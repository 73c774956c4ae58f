"""A run as one folder or zip file: whole, the same again, described for programs, and without keys."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from core.bundle import export_run
from core.bundle.crate import METADATA, PROFILE
from core.bundle.measurements_table import COLUMNS
from core.errors import InputError, StorageError
from core.evidence.gather import gather
from core.keys import redaction
from core.keys.redaction import know
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.journal import Journal
from tests.fakes.canaries import Canaries, forms
from tests.fakes.tiny_run import call, play, study, tiny_run

KEY = "sk-ant-api03-Qz7hV0pYx3RtKd9uWbN2mLs8EfGj5CaT"

SCRIPT = """
import pathlib
import lab
pathlib.Path("model.txt").write_text("weights")
lab.artifact("model.txt")
pathlib.Path("drawn.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
lab.artifact("drawn.svg")
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed, text="=1+1")
        lab.result("score", score + 0.01 * seed, split="test")
lab.condition(arm="none")
lab.result("=cmd()", float("nan"))
print("measured")
"""

BODY = """H1 is {{ verdict(H1) }}.

::: plot #fig-x metric=score x=arm caption="Scores."
:::
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that has ended, with a paper, an artifact and a measurement that is no number."""
    paper = call("submit_paper", title="Scores", abstract="New wins.", body=BODY)
    folder = tiny_run(tmp_path_factory.mktemp("run"), study(SCRIPT, writer=[paper]))
    state = play(folder)
    assert state.ended is not None
    assert state.ended.outcome == "done"
    return folder


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key that this process holds, for one test."""
    monkeypatch.setattr(redaction, "_forms", {})
    monkeypatch.setattr(redaction, "_unmistakable", [])
    know(KEY)
    return KEY


def names(place: Path) -> set[str]:
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}


def test_everything_of_a_run_is_in_its_bundle(run: RunFolder, tmp_path: Path) -> None:
    made = export_run(run, tmp_path / "out", zipped=False)
    found = names(made.path)
    weights = hashlib.sha256(b"weights").hexdigest()
    assert found >= {
        METADATA,
        "README.txt",
        "measurements.csv",
        "paper/paper.md",
        "paper/paper.pdf",
        "paper/paper.tex",
        "paper/references.bib",
        "paper/evidence.json",
        "paper/figures/plot-1.pdf",
        "code/E1-1.py",
        "logs/E1-1.log",
        f"files/{weights}",
        "journal/journal.db",
        "journal/events.jsonl",
        "journal/records.jsonl",
    }
    assert made.files == len(found)
    assert made.size_bytes == sum((made.path / name).stat().st_size for name in found)
    assert (made.path / "code/E1-1.py").read_text(encoding="utf-8") == SCRIPT
    assert (made.path / "logs/E1-1.log").read_bytes() == run.log_path("E1-1").read_bytes()
    assert not any(".unfinished" in path.name for path in tmp_path.iterdir())


def test_a_bundle_has_every_form_of_the_paper_said_in_words_and_no_previews(
    run: RunFolder, tmp_path: Path
) -> None:
    stage = run.paper / ".unfinished"
    stage.mkdir()
    (stage / "paper.md").write_text("half of a pap")
    try:
        made = export_run(run, tmp_path / "out", zipped=False)
    finally:
        (stage / "paper.md").unlink()
        stage.rmdir()
    assert not any("pages" in name or "unfinished" in name for name in names(made.path))
    graph = json.loads((made.path / METADATA).read_text(encoding="utf-8"))["@graph"]
    told = {entity["@id"]: entity.get("description", "") for entity in graph}
    assert "evidence.json attached" in told["paper/paper.pdf"]
    for name in ("paper/paper.tex", "paper/references.bib", "paper/figures/plot-1.pdf"):
        assert told[name]
    drawn = [name for name in told if name.startswith("paper/figures/") and "plot-" not in name]
    assert [told[name] for name in drawn] == ["Drawn by the agent's code; bound to nothing."]
    pdf = (made.path / "paper/paper.pdf").read_bytes()
    assert pdf == (run.paper / "paper.pdf").read_bytes()


def test_a_key_in_a_paper_keeps_the_run_from_being_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = call("submit_paper", title="Scores", abstract="New wins.", body=f"The key is `{KEY}`.")
    folder = tiny_run(tmp_path, study(writer=[paper]))
    play(folder)
    monkeypatch.setattr(redaction, "_forms", {})
    monkeypatch.setattr(redaction, "_unmistakable", [])
    know(KEY)  # only now: what this process knows it never writes down in the first place
    with pytest.raises(InputError, match="a key of yours is in"):
        export_run(folder, tmp_path / "out", zipped=False)


def test_the_journal_in_it_says_the_same_as_the_run(run: RunFolder, tmp_path: Path) -> None:
    made = export_run(run, tmp_path / "out", zipped=False)
    lines = (made.path / "journal/events.jsonl").read_text(encoding="utf-8").splitlines()
    with run.journal() as journal:
        events = list(journal.read())
        records = list(journal.records())
    assert [json.loads(line)["type"] for line in lines] == [event.type for event in events]
    with Journal(made.path / "journal/journal.db") as copy:
        assert fold(copy.read()) == run.state()
        assert list(copy.records()) == records
        assert copy.partials() == {}


def test_measurements_are_a_table_that_no_spreadsheet_runs(run: RunFolder, tmp_path: Path) -> None:
    made = export_run(run, tmp_path / "out", zipped=False)
    text = (made.path / "measurements.csv").read_bytes().decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert tuple(head) == COLUMNS
    table = [dict(zip(head, row, strict=True)) for row in rows]
    with run.journal() as journal:
        measurements = gather(journal, run.state()).ledger.measurements
    assert [row["id"] for row in table] == [m.id for m in measurements]
    assert [float(row["value"]) for row in table[:-1]] == [m.value for m in measurements[:-1]]
    assert json.loads(table[0]["condition"]) == {"arm": "new", "text": "=1+1"}
    assert (table[-1]["name"], table[-1]["value"]) == ("'=cmd()", "nan")
    assert not any(cell[:1] in ("=", "+", "@") for row in rows for cell in row)


def test_the_crate_describes_every_file_and_every_exec(run: RunFolder, tmp_path: Path) -> None:
    made = export_run(run, tmp_path / "out", zipped=False)
    document = json.loads((made.path / METADATA).read_text(encoding="utf-8"))
    graph: list[dict[str, Any]] = document["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    assert document["@context"] == f"{PROFILE}/context"
    assert len(by_id) == len(graph), "an entity is described twice"
    assert by_id[METADATA] == {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": PROFILE},
    }
    root = by_id["./"]
    assert root["@type"] == "Dataset"
    assert all(root[field] for field in ("name", "description", "datePublished", "license"))
    described = {unquote(name) for name, entity in by_id.items() if "File" in entity["@type"]}
    assert described == names(made.path) - {METADATA}
    for name in described:
        content = (made.path / name).read_bytes()
        entity = by_id[name]
        assert (entity["sha256"], entity["contentSize"]) == (
            hashlib.sha256(content).hexdigest(),
            str(len(content)),
        )
    action = by_id["#E1-1"]
    assert action["@type"] == "CreateAction"
    assert action["instrument"] == {"@id": "code/E1-1.py"}
    assert action["actionStatus"]["@id"].endswith("CompletedActionStatus")
    assert any(entity.get("name") == "model.txt" for entity in graph)


def test_everything_in_the_crate_is_reached_and_nothing_named_is_missing(
    run: RunFolder, tmp_path: Path
) -> None:
    made = export_run(run, tmp_path / "out", zipped=False)
    graph = json.loads((made.path / METADATA).read_text(encoding="utf-8"))["@graph"]
    by_id = {entity["@id"]: entity for entity in graph}
    outside = ("http://", "https://")
    reached, todo = set(), [METADATA]
    while todo:
        name = todo.pop()
        if name in reached or (name.startswith(outside) and name not in by_id):
            continue
        reached.add(name)
        assert name in by_id, f"{name} is named and not described"
        assert all(not isinstance(value, dict) or set(value) == {"@id"} for value in by_id[name].values())
        todo += references(by_id[name])
    assert reached == set(by_id)


def references(entity: dict[str, Any]) -> list[str]:
    values = [value for name, value in entity.items() if name != "@id"]
    flat = [inner for value in values for inner in (value if isinstance(value, list) else [value])]
    return [value["@id"] for value in flat if isinstance(value, dict)]


def test_the_same_run_gives_the_same_bytes_and_a_zip_holds_what_the_folder_has(
    run: RunFolder, tmp_path: Path
) -> None:
    first = export_run(run, tmp_path / "a.zip", zipped=True)
    second = export_run(run, tmp_path / "b.zip", zipped=True)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.size_bytes == first.path.stat().st_size
    folder = export_run(run, tmp_path / "out", zipped=False).path
    with zipfile.ZipFile(first.path) as archive:
        assert archive.testzip() is None
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert packed == {f"{run.run_id}/{name}": (folder / name).read_bytes() for name in names(folder)}


@pytest.mark.parametrize("zipped", [False, True])
def test_nothing_is_overwritten_unless_it_is_an_earlier_bundle_and_that_is_wanted(
    run: RunFolder, tmp_path: Path, zipped: bool
) -> None:
    target = tmp_path / "out"
    export_run(run, target, zipped=zipped)
    with pytest.raises(InputError, match="exists already"):
        export_run(run, target, zipped=zipped)
    export_run(run, target, zipped=zipped, replace=True)
    precious = tmp_path / "precious"
    if zipped:
        precious.write_text("mine")
    else:
        (precious / "inner").mkdir(parents=True)
    for other in (precious, tmp_path):
        with pytest.raises(InputError, match="is no bundle of ours"):
            export_run(run, other, zipped=zipped, replace=True)
    assert precious.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "precious"]


@pytest.mark.parametrize("form", ["raw", "URL-quoted", "JSON", "hex", "base64, shifted by 1"])
@pytest.mark.parametrize("place", ["logs/E1-1.log", "paper/paper.md", "files"])
def test_a_run_with_a_key_in_it_is_not_exported(
    tmp_path: Path, run: RunFolder, key: str, form: str, place: str
) -> None:
    path = run.files / ("a" * 64) if place == "files" else run.path / place
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + b"x" * 70_000 + forms(key)[form] + b"y" * 1000)
    try:
        with pytest.raises(InputError, match="a key of yours is in") as refused:
            export_run(run, tmp_path / "out", zipped=True)
    finally:
        path.unlink() if before is None else path.write_bytes(before)
    assert path.name in refused.value.message
    assert key not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_key_between_two_pieces_of_a_large_file_is_found(
    tmp_path: Path, run: RunFolder, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.bundle.key_search.CHUNK_BYTES", 10_000)
    large = run.files / ("b" * 64)
    large.write_bytes(b"x" * (10_000 - len(key) // 2) + key.encode() + b"x" * 30_000)
    try:
        with pytest.raises(InputError, match="a key of yours is in"):
            export_run(run, tmp_path / "out", zipped=False)
    finally:
        large.unlink()


def test_what_only_looks_like_a_key_is_named_and_can_be_let_through(tmp_path: Path, run: RunFolder) -> None:
    file = run.files / ("c" * 64)
    file.write_text(f"token {KEY} end")
    try:
        with pytest.raises(InputError, match=f"something in files/{'c' * 64} looks like a key"):
            export_run(run, tmp_path / "out", zipped=False)
        made = export_run(run, tmp_path / "out", zipped=False, allow_lookalikes=True)
    finally:
        file.unlink()
    assert (made.path / "files" / file.name).exists()


def test_words_joined_by_dashes_look_like_no_key(tmp_path: Path, run: RunFolder) -> None:
    file = run.files / ("d" * 64)
    file.write_text(
        "task-specific-fine-tuning-of-large-models-2026 risk-Averse-Policies-In-Reinforcement-Learning"
    )
    try:
        export_run(run, tmp_path / "out", zipped=False)
    finally:
        file.unlink()


def test_a_bundle_of_a_run_whose_key_is_known_has_no_trace_of_it(
    tmp_path: Path, run: RunFolder, key: str
) -> None:
    export_run(run, tmp_path / "out", zipped=False)
    export_run(run, tmp_path / "out.zip", zipped=True)
    assert Canaries({"the environment": key}).leaks_below(tmp_path) == []


def test_a_link_in_the_run_leads_nothing_else_into_the_bundle(tmp_path: Path, run: RunFolder) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not for others")
    link = run.paper / "link.txt"
    link.symlink_to(secret)
    try:
        made = export_run(run, tmp_path / "out", zipped=False)
    finally:
        link.unlink()
    assert "paper/link.txt" not in names(made.path)


def test_a_place_that_cannot_be_written_is_said_in_a_line(run: RunFolder, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        export_run(run, blocked / "out", zipped=False)
