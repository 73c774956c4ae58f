"""The human's files in a bundle: named by their hashes, and in it only where that is wanted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.bundle import export_run
from core.bundle.crate import METADATA
from core.record.data import taken_in
from core.record.folder import RunFolder
from tests.fakes.specs import new_run

TABLE = b"a,b\n1,2\n"
SHA256 = hashlib.sha256(TABLE).hexdigest()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = new_run(tmp_path)
    (tmp_path / "table.csv").write_bytes(TABLE)
    with taken_in(folder, [tmp_path / "table.csv"], ()) as intake, folder.journal() as journal:
        intake.keep()
        journal.append(*intake.files)
    return folder


def graph_of(place: Path) -> list[dict[str, Any]]:
    graph: list[dict[str, Any]] = json.loads((place / METADATA).read_text(encoding="utf-8"))["@graph"]
    return graph


def test_data_is_named_by_its_hash_and_left_where_it_is(run: RunFolder, tmp_path: Path) -> None:
    place = export_run(run, tmp_path / "out", zipped=False).path
    assert not (place / "data").exists()
    read_me = (place / "README.txt").read_text(encoding="utf-8")
    assert "which are not in this bundle:" in read_me
    assert f"8 bytes, sha256 {SHA256}" in read_me
    (named,) = (entity for entity in graph_of(place) if entity.get("name") == "table.csv")
    assert (named["@id"], named["sha256"], named["contentSize"]) == ("#data-table.csv", SHA256, "8")
    (root,) = (entity for entity in graph_of(place) if entity["@id"] == "./")
    assert {"@id": "#data-table.csv"} in root["mentions"]


def test_data_is_in_the_bundle_where_that_is_wanted(run: RunFolder, tmp_path: Path) -> None:
    place = export_run(run, tmp_path / "out", zipped=False, with_data=True).path
    assert (place / "data" / "table.csv").read_bytes() == TABLE
    assert "which are in data/:" in (place / "README.txt").read_text(encoding="utf-8")
    (file,) = (entity for entity in graph_of(place) if entity.get("name") == "table.csv")
    assert (file["@id"], file["sha256"]) == ("data/table.csv", SHA256)


def test_a_run_without_data_says_nothing_of_it(tmp_path: Path) -> None:
    place = export_run(new_run(tmp_path), tmp_path / "out", zipped=False, with_data=True).path
    assert "read these files" not in (place / "README.txt").read_text(encoding="utf-8")
