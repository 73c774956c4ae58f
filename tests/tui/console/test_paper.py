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
    CITING_BODY,
    DRAFT_BODY,
    KEY,
    PASSAGE,
    console,
    evidence_of,
    paper_of,
    published,
    read,
    settle,
    text_of,
)
from tui.paper_layout import lay_out, read_markdown
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


async def at_the_citation(screen: PaperScreen, pilot: Pilot[int]) -> None:
    paper = paper_of(screen)
    place = next(i for i, it in enumerate(paper.laid_out.numbers) if it.number_id == f"ref-{KEY}")
    while paper.chosen != place:
        await pilot.press("tab")


def test_enter_on_a_citation_shows_passage_identifier_and_who_resolved_it(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        await at_the_citation(screen, pilot)
        await pilot.press("enter")
        await settle(pilot)
        shown = " ".join(text_of(evidence_of(screen)).split())
        for words in (KEY, "resolved by Crossref", "10.1007/bf00058655", "Leo Breiman (1996)", PASSAGE[:30]):
            assert words in shown
        await pilot.press("tab", "tab", "tab")
        await settle(pilot)
        assert "Expression" in text_of(evidence_of(screen))

    play(published(still, CITING_BODY), act)


def test_a_second_enter_on_a_citation_goes_to_the_reference_list_and_a_third_back(still: Path) -> None:
    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        paper = paper_of(screen)
        await at_the_citation(screen, pilot)
        await pilot.press("enter")
        await settle(pilot)
        entry = paper.laid_out.references[f"ref-{KEY}"]
        assert "Leo Breiman (1996). Bagging predictors." in paper.laid_out.lines[entry].plain
        paper.scroll_to(y=0, animate=False, immediate=True)
        await pilot.press("enter")
        await settle(pilot)
        assert paper.scroll_offset.y <= entry < paper.scroll_offset.y + paper.size.height
        await pilot.press("enter")
        await settle(pilot)
        assert paper.number is not None
        line = paper.number.pieces[0].line
        assert paper.scroll_offset.y <= line < paper.scroll_offset.y + paper.size.height

    play(published(still, CITING_BODY), act, (80, 24))


def test_an_entry_that_only_seems_to_be_of_the_list_is_not_gone_to(still: Path) -> None:
    layout = lay_out(read_markdown(f'<a id="ref-{KEY}"></a>no\n\n- <a id="ref-{KEY}"></a>yes\n'), 60)
    assert layout.lines[layout.references[f"ref-{KEY}"]].plain.endswith("yes")


def test_the_head_says_that_there_is_a_pdf_and_a_key_copies_where(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    folder = published(still)

    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        assert "PDF, 5 pages" in said(screen, ".top")
        await pilot.press("p")
        await pilot.pause()
        assert pilot.app.clipboard == str(folder.paper / "paper.pdf")

    play(folder, act)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pdf": "", "no_pdf": "Typst could not set the paper"}, "Typst could not set the paper"),
        ({"pdf": "", "no_pdf": ""}, "before there were PDFs"),
        ({}, "is gone"),
    ],
)
def test_without_a_pdf_the_head_says_so_and_the_key_why_and_what_to_do(
    still: Path, changes: dict[str, str], reason: str
) -> None:
    folder = published(still)
    (folder.paper / "paper.pdf").unlink()
    paper = folder.state().paper
    assert paper is not None
    with folder.journal() as journal:
        journal.append(paper.model_copy(update={"seq": 0, **changes}))

    async def act(screen: PaperScreen, pilot: Pilot[int]) -> None:
        assert "no PDF" in said(screen, ".top")
        await pilot.press("p")
        await pilot.pause()
        (notice,) = pilot.app._notifications
        assert reason in notice.message
        assert f"fumehood paper {folder.run_id} --render" in notice.message

    play(folder, act)


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
