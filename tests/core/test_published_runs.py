"""Whole runs to their papers: every form is there before the journal says so, whatever dies on the way."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core import driving
from core.agents import writer
from core.driving import drive
from core.errors import RenderingError, StorageError
from core.paper import publishing
from core.paper.document import PaperInput
from core.paper.markdown import PaperFiles, compose
from core.paper.pdf_reading import read_pdf
from core.record.events import PaperPublished
from core.record.folder import RunFolder
from tests.fakes.tiny_run import study, tiny_run

SECONDS = 60.0

DYING = """
import asyncio, os, signal, sys
from pathlib import Path
import {module} as module
from core.driving import drive
from core.record.folder import RunFolder

real = module.{name}

async def dying(*given, **named):
    made = await real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

module.{name} = dying
asyncio.run(drive(RunFolder(Path(sys.argv[1]))))
"""
"""An engine that is killed as soon as one of its steps is done."""


def run_of(parent: Path, **settings: bool | str) -> RunFolder:
    return tiny_run(parent, study(), **settings)


def kill_after(module: str, name: str, folder: RunFolder) -> None:
    """Drive a run until a step of its publishing is done, and no further."""
    killed = subprocess.run(
        [sys.executable, "-c", DYING.format(module=module, name=name), str(folder.path)],
        cwd=Path(driving.__file__).parents[1],
        capture_output=True,
        timeout=SECONDS,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()


def contents(folder: RunFolder) -> dict[str, bytes]:
    return {str(p.relative_to(folder.paper)): p.read_bytes() for p in folder.paper.rglob("*") if p.is_file()}


def publications(folder: RunFolder) -> list[PaperPublished]:
    with folder.journal() as journal:
        return [event for event in journal.read() if isinstance(event, PaperPublished)]


def test_a_run_ends_with_every_form_of_its_paper_and_says_so(tmp_path: Path) -> None:
    folder = run_of(tmp_path)
    asyncio.run(drive(folder))
    (said,) = publications(folder)
    assert (said.pdf, said.no_pdf) == ("paper/paper.pdf", "")
    assert said.pages >= 1
    assert (folder.path / said.pdf).read_bytes().startswith(b"%PDF-")
    assert {"paper.md", "paper.tex", "references.bib", "evidence.json"} <= contents(folder).keys()


@pytest.mark.parametrize("kind", ["the writer's draft", "no draft at all"])
def test_an_engine_killed_before_it_could_say_so_leaves_the_next_the_same_bytes_to_publish(
    tmp_path: Path, kind: str
) -> None:
    silent = study(writer=[{"text": "I have no words."}] * 3)
    folder = tiny_run(tmp_path, study() if kind == "the writer's draft" else silent)
    kill_after("core.agents.writer", "publish", folder)
    first = contents(folder)
    assert publications(folder) == []
    assert first["paper.pdf"].startswith(b"%PDF-")
    asyncio.run(drive(folder))
    assert contents(folder) == first
    assert len(publications(folder)) == 1


def test_the_engine_goes_on_while_a_long_draft_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned, seen = threading.Event(), list[bool]()

    def slow(source: PaperInput) -> PaperFiles:
        loops[0].call_soon_threadsafe(turned.set)
        seen.append(turned.wait(SECONDS / 4))
        return compose(source)

    async def whole() -> None:
        loops.append(asyncio.get_running_loop())
        await drive(folder)

    loops: list[asyncio.AbstractEventLoop] = []
    folder = run_of(tmp_path)
    monkeypatch.setattr(writer, "compose", slow)
    asyncio.run(whole())
    assert seen == [True], "nothing else could go on while the draft was read"
    assert len(publications(folder)) == 1


def test_an_engine_killed_while_the_pages_are_set_leaves_nothing_and_the_next_publishes(
    tmp_path: Path,
) -> None:
    folder = run_of(tmp_path)
    kill_after("core.paper.publishing", "render", folder)
    assert contents(folder) == {}
    asyncio.run(drive(folder))
    assert len(publications(folder)) == 1
    assert "paper.pdf" in contents(folder)


def test_a_full_disk_is_said_and_the_resumed_run_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    folder = run_of(tmp_path)
    monkeypatch.setattr(publishing, "_write", full)
    with pytest.raises(StorageError):
        asyncio.run(drive(folder))
    stopped = folder.state().engine_stopped
    assert stopped is not None
    assert "the paper cannot be written: No space left on device" in stopped.message
    monkeypatch.undo()
    asyncio.run(drive(folder))
    assert folder.state().ended is not None
    assert len(publications(folder)) == 1


def test_a_pdf_that_cannot_be_made_costs_neither_the_paper_nor_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(*_: object, **__: object) -> None:
        raise RenderingError("Typst could not set the paper: it ended with code -9", "")

    folder = run_of(tmp_path)
    monkeypatch.setattr(publishing, "render", refuses)
    asyncio.run(drive(folder))
    (said,) = publications(folder)
    assert (said.pdf, said.no_pdf) == ("", "Typst could not set the paper: it ended with code -9")
    assert (folder.path / said.path).is_file()
    assert (ended := folder.state().ended) is not None
    assert ended.outcome == "done"


def test_the_size_of_the_paper_is_the_runs(tmp_path: Path) -> None:
    for size in ("us-letter", "a4"):
        folder = run_of(tmp_path / size, paper_size=size)
        asyncio.run(drive(folder))
        assert read_pdf(contents(folder)["paper.pdf"]).size == size


@pytest.fixture
def asked_addresses(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address on a network that this process turns to."""
    asked: list[object] = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def watched(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            asked.append(address)
        connect(self, address)  # type: ignore[arg-type]  # whatever it was given

    def resolved(host: object, *given: object, **named: object) -> object:
        asked.append(host)
        return resolve(host, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return asked


def test_a_run_that_is_to_do_without_the_literature_offers_no_tool_asks_nobody_and_says_so(
    tmp_path: Path, asked_addresses: list[object]
) -> None:
    searching = {"writer": [{"calls": [{"tool": "search_literature", "arguments": {"query": "bagging"}}]}]}
    usual = study().model_dump(mode="json")["turns"]["writer"]
    folder = tiny_run(tmp_path, study(writer=[*searching["writer"], *usual]), literature=False)
    asyncio.run(drive(folder))
    state = folder.state()
    tools = {tool["name"] for agent in state.agents.values() for tool in agent.started.tools}
    assert "submit_paper" in tools
    assert not tools & {"search_literature", "verify_citation"}
    assert asked_addresses == []
    assert state.searches == {}
    assert "The literature was not searched" in contents(folder)["paper.md"].decode()
