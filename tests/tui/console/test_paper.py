"""The paper's screen: sections, numbers, and what each of them rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.fakes.console_runs import HOSTILE
from tests.tui.console.run_app import still
from tests.tui.console.told_paper import (
    DRAFT_BODY,
    console,
    evidence_of,
    paper_of,
    published,
    read,
    settle,
    text_of,
)
from tui.screens.paper import PaperScreen
from tui.screens.runs import RunsScreen
from tui.widgets.outline import Outline

__all__ = ["still"]

Play = Callable[[PaperScreen, Pilot[int]], Awaitable[None]]


def play(folder: RunFolder, act: Play, size: tuple[int, int] = (140, 40)) -> None:
    """Open the paper of a run, and act."""

    async def run() -> None:
        async with console(folder).run_test(size=size) as pilot:
            await act(await read(pilot, folder), pilot)

    asyncio.run(run())


def said(screen: PaperScreen, part: str) -> str:
    """What a line of the screen says; empty where it is not shown."""
    line = screen.query_one(part, Static)
    return str(line.render()) if line.display else ""


def test_tab_goes_from_number_to_number_and_back(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        paper = paper_of(screen)
        assert paper.chosen is None
        seen: list[int | None] = []
        for key in ("tab", "n", "shift+tab", "N"):
            await pilot.press(key)
            seen.append(paper.chosen)
        assert seen == [0, 1, 0, len(paper.laid_out.numbers) - 1]

    play(published(still), act)


def test_enter_on_a_number_shows_its_measurement_then_the_code_line_and_the_log(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        await pilot.press("tab", "enter")
        await settle(pilot)
        shown = text_of(evidence_of(screen))
        assert "pm(test_error.E1.tree.bagged) : .1%" in shown
        assert "0.05518640" in shown
        assert "10 measurements · seeds 0–9" in shown
        assert "E1-2 line 21" in shown
        await pilot.press("enter")
        await settle(pilot)
        shown = text_of(evidence_of(screen))
        assert "  20  " in shown
        assert "log E1-2" in shown
        assert "lab.result test_error=0.055 base=tree arm=bagged seed=0" in shown
        assert "seed 0 (1 of 10)  bagged tree  test error 0.0550" in shown

    play(published(still), act)


def test_what_is_open_follows_the_number(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        await pilot.press("tab", "enter", "tab")
        await settle(pilot)
        assert "pm(test_error.E1.tree.single) : .1%" in text_of(evidence_of(screen))

    play(published(still), act)


def test_escape_goes_back_one_step_at_a_time(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        evidence = evidence_of(screen)
        await pilot.press("tab", "enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "log E1-2" in text_of(evidence)
        await pilot.press("escape")
        await settle(pilot)
        assert evidence.display
        assert "log E1-2" not in text_of(evidence)
        await pilot.press("escape")
        assert not evidence_of(screen).display
        await pilot.press("escape")
        assert paper_of(screen).chosen is None
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    play(published(still), act)


def test_braces_go_from_section_to_section(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        paper = paper_of(screen)
        names = [heading.text for heading in paper.laid_out.headings]
        assert names[:5] == [
            "Bagging repairs unstable learners only",
            "Abstract",
            "Method",
            "Results",
            "Discussion",
        ]
        for _ in range(3):
            await pilot.press("right_curly_bracket")
        await pilot.pause()
        assert names[paper.section] == "Results"
        await pilot.press("left_curly_bracket")
        await pilot.pause()
        assert names[paper.section] == "Method"

    play(published(still), act, (80, 24))


def test_the_outline_leads_to_a_section(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        outline, paper = screen.query_one(Outline), paper_of(screen)
        assert not outline.display
        await pilot.press("o", "j", "j", "j", "enter")
        await pilot.pause()
        assert not outline.display
        assert paper.has_focus
        assert paper.laid_out.headings[paper.section].text == "Results"

    play(published(still), act, (80, 24))


def test_a_click_on_a_number_opens_it(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        paper = paper_of(screen)
        piece = paper.laid_out.numbers[0].pieces[0]
        await pilot.click(paper, offset=(paper._margin + piece.start + 1, piece.line))
        await settle(pilot)
        assert evidence_of(screen).display
        assert paper.chosen == 0

    play(published(still), act)


def test_the_number_that_was_opened_stays_in_sight_on_a_small_screen(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        paper = paper_of(screen)
        for _ in range(7):
            await pilot.press("tab")
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert paper.number is not None
        line = paper.number.pieces[0].line
        assert paper.scroll_offset.y <= line < paper.scroll_offset.y + paper.size.height

    play(published(still), act, (80, 24))


def test_a_draft_says_so_and_shows_what_is_struck(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        assert "DRAFT: 1 statement in it has no evidence" in said(screen, ".draft")
        assert "1 struck" in said(screen, ".top")
        struck = [
            line.plain[span.start : span.end]
            for line in paper_of(screen).laid_out.lines
            for span in line.spans
            if "strike" in str(span.style)
        ]
        assert "37.2%" in " ".join(struck)

    play(published(still, DRAFT_BODY), act)


def test_a_run_without_a_paper_says_what_to_wait_for(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        assert "no paper yet" in said(screen, ".problem")
        await pilot.press("tab", "enter", "right_curly_bracket", "o", "escape", "escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    play(console_runs.waiting(still), act)


@pytest.mark.parametrize("content", [None, "", "[1]", '{"numbers": [{"id": 7}]}'])
def test_damaged_evidence_is_said_and_the_paper_can_still_be_read(still: Path, content: str | None) -> None:
    folder = published(still)
    path = folder.paper / "evidence.json"
    path.unlink() if content is None else path.write_text(content)

    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        assert "evidence" in said(screen, ".problem")
        await pilot.press("tab", "enter")
        assert "Results" in text_of(paper_of(screen))

    play(folder, act)


def test_a_number_whose_exec_the_journal_does_not_know_opens_no_file(still: Path) -> None:
    folder = published(still)
    path = folder.paper / "evidence.json"
    path.write_text(path.read_text().replace('"E1-2"', '"../../../etc/passwd"'))

    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        await pilot.press("tab", "enter")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "The journal holds no such script." in text_of(evidence_of(screen))

    play(folder, act)


def test_nothing_in_a_hostile_paper_acts(still: Path) -> None:
    folder = published(still)
    table = f"| {HOSTILE} | b |\n| - | - |\n| [x](#e1) | {'w' * 5000} |\n"
    text = f"# {HOSTILE}\n\n{HOSTILE}\n\n> {HOSTILE}\n\n- {HOSTILE}\n\n{table}"
    nested = "> " * 400 + "deep\n\n" + "- " * 300 + "deep\n\n"
    (folder.paper / "paper.md").write_text(
        f"{text}\n```python\n{HOSTILE}\n```\n\n{nested}[{HOSTILE}](#e2) ![{HOSTILE}](file:///etc/passwd)\n<script>x</script>\n"
        + "[" * 5000,
        encoding="utf-8",
    )
    evidence = folder.paper / "evidence.json"
    evidence.write_text(evidence.read_text().replace("reduction", "[@click=app.quit]\\u001b]52;c;x\\u0007"))

    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        shown = text_of(paper_of(screen))
        assert "[bold red]markup[/]" in shown
        assert not set(shown) & set("\x1b\x07\x00\u202e")
        for _ in range(3):
            await pilot.press("tab", "enter")
            await settle(pilot)
        assert not set(text_of(evidence_of(screen))) & set("\x1b\x07\x00\u202e")
        assert pilot.app.is_running

    play(folder, act, (80, 24))
