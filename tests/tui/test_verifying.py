"""``fumehood verify``: what it says of papers that hold, of those that do not, and of what is no paper."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.paper import verify_apart
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.verify_apart import verify_file
from tests.core.paper.test_markdown import paper
from tests.fakes.forging import evidence_with, with_other_digit
from tests.tui.conftest import Home, refusal
from tui.exit_codes import ExitCode

LONGEST_REFUSAL_SECONDS = 30.0


@pytest.fixture(scope="module")
def pdf() -> bytes:
    files = paper()
    return asyncio.run(render(outline(files.document), files.evidence)).pdf


def written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_paper_that_holds_is_said_to_and_what_its_pdf_cannot_tell(home: Home, pdf: bytes) -> None:
    done = home.type("verify", written(home.path, "paper.pdf", pdf))
    assert done.exit_code == ExitCode.DONE
    numbers = len(paper().document.numbers)
    assert f"✓ All numbers hold: {numbers} numbers, 2 verdicts," in done.stdout
    assert "fumehood verify RUN" in done.stdout


def test_a_paper_that_does_not_hold_is_named_line_by_line_and_by_the_exit_code(
    home: Home, pdf: bytes
) -> None:
    forged, was, now = with_other_digit(pdf, 0, 3)
    done = home.type("verify", written(home.path, "paper.pdf", forged))
    assert done.exit_code == ExitCode.RUN_FAILED
    assert done.stderr == ""
    assert done.stdout.startswith("✗ page 1")
    assert was in done.stdout
    assert now in done.stdout
    assert "1 finding; " in done.stdout


def test_findings_as_json_are_one_object(home: Home) -> None:
    def change(content: dict[str, Any]) -> None:
        content["measurements"][0]["value"] = 0.5

    evidence = evidence_with(paper().evidence.encode(), change)
    done = home.type("verify", "--json", written(home.path, "any name", evidence))
    assert done.exit_code == ExitCode.RUN_FAILED
    told = json.loads(done.stdout)
    assert told["failures"][0].startswith("measurement E1-x1.")
    assert told.keys() == {"numbers", "verdicts", "hashes", "failures", "notes", "evidence_sha256"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("paper.pdf", b"", "neither a PDF nor an evidence file"),
        ("paper.pdf", b"hello", "neither a PDF nor an evidence file"),
        ("paper.pdf", b"%PDF-1.7\nhello", "cannot be read"),
        ("evidence.json", b"{}", "which version"),
        ("evidence.json", b'{"version": 1}', "version 1, and"),
        ("evidence.json", b"{" + b'"a":{' * 100_000, "cannot be read"),
        ("evidence.json", b'{"a": "\xff"}', "cannot be read"),
        ("evidence.json", b'{"version": 3, "a": ' + b"9" * 100_000 + b"}", "cannot be read"),
    ],
    ids=[
        "nothing",
        "words",
        "no pdf inside",
        "no version",
        "an old version",
        "deep",
        "no text",
        "a long number",
    ],
)
def test_what_is_no_paper_is_refused_in_one_line(home: Home, name: str, content: bytes, said: str) -> None:
    assert said in refusal(home.type("verify", written(home.path, name, content)))


def test_a_file_that_is_not_there_is_refused_in_one_line(home: Home) -> None:
    assert "there is no file paper.pdf" in refusal(home.type("verify", "nowhere/paper.pdf"))
    assert "there is no home folder" in refusal(home.type("verify", "~no-such-user/paper.pdf"))


def test_a_run_that_is_not_there_is_refused_in_one_line(home: Home) -> None:
    assert "there is no run" in refusal(home.type("verify", "20261123-nothing"))


def test_what_takes_too_long_is_given_up(tmp_path: Path, pdf: bytes) -> None:
    path = Path(written(tmp_path, "paper.pdf", pdf))
    started = time.monotonic()
    with pytest.raises(InputError, match=r"was not read after 0 seconds"):
        asyncio.run(verify_file(path, most_seconds=0.01))
    assert time.monotonic() - started < LONGEST_REFUSAL_SECONDS


def test_what_takes_too_much_memory_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(_: Path) -> None:
        raise MemoryError

    monkeypatch.setattr(verify_apart, "_verified", hungry)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    assert verify_apart.main(tmp_path / "evidence.json") == 1
    assert capsys.readouterr().out == ""


def test_a_million_measurements_are_refused_by_the_size_of_their_file(home: Home) -> None:
    path = home.path / "evidence.json"
    one = json.dumps(json.loads(paper().evidence)["measurements"][0], indent=1).encode()
    with path.open("wb") as file:
        file.write(b'{"version": 3, "measurements": [')
        for _ in range(200):
            file.write((one + b",") * 1000)
        file.write(one + b"]}")
    assert "larger than 75 MB" in refusal(home.type("verify", str(path)))
