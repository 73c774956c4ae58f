"""The paper of a run: every number leads to the code that measured it, every citation to its work."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from core.errors import FumehoodError, RunError
from core.record.folder import RunFolder
from core.record.state import RunState
from tui import glyphs
from tui.clipboard import copy
from tui.paper_evidence import Cited, Number, PaperEvidence, read_evidence
from tui.paper_layout import REFERENCE
from tui.paper_pdf import Pdf, pdf_of
from tui.paper_sources import read_paper, sources_of
from tui.safe_text import one_line
from tui.widgets.evidence_view import EvidenceView
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import spread
from tui.widgets.outline import Outline
from tui.widgets.page_reader import PageReader
from tui.widgets.paper_view import PaperView
from tui.widgets.search_line import SearchLine
from tui.wording import counted

ROOMY_ROWS = 30
"""From this height on there is room for a hairline above the keys."""

ROOMY_COLUMNS = 90
"""From this width on all keys have room for their words on one line."""

OUTLINE_FROM_COLUMNS = 120
DEEP_OUTLINE_FROM_COLUMNS = 160
"""From these widths on the outline is always there; the second is where code and log are open, too."""


class PaperScreen(Screen[None]):
    """Shows the paper of a run.

    Args:
        folder: the run.
    """

    BINDING_GROUP_TITLE = "Paper"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,n", "number(1)", "number", id="paper.next_number"),
        Binding("shift+tab,N", "number(-1)", "previous number", show=False, id="paper.previous_number"),
        Binding("enter", "open", "evidence", id="paper.open"),
        Binding("right_curly_bracket", "section(1)", "section", id="paper.next_section", key_display="}"),
        Binding(
            "left_curly_bracket",
            "section(-1)",
            "previous section",
            show=False,
            id="paper.previous_section",
            key_display="{",
        ),
        Binding("o", "outline", "outline", id="paper.outline"),
        Binding("p", "pdf", "PDF", id="paper.pdf"),
        Binding("escape", "leave", "back", id="paper.back"),
    ]

    DEFAULT_CSS = """
    PaperScreen { background: $background; }
    PaperScreen > .top { height: 2; padding: 0 1; border-bottom: solid $line; }
    PaperScreen > .draft { height: auto; padding: 0 1 1 1; color: $waiting; text-style: bold; }
    PaperScreen > .pages { height: 1fr; }
    PaperScreen .reading { width: 1fr; height: 1fr; layout: vertical; }
    PaperScreen Outline { width: 30; height: 1fr; border-right: solid $line; }
    PaperScreen PaperView { width: 1fr; height: 1fr; }
    PaperScreen EvidenceView { width: 1fr; height: 8; border-top: solid $accent; }
    PaperScreen.-deep EvidenceView { height: 70%; }
    PaperScreen.-wide .reading { layout: horizontal; }
    PaperScreen.-wide EvidenceView { width: 56; height: 1fr; border-top: none; border-left: solid $accent; }
    PaperScreen.-wide.-deep EvidenceView { width: 60%; height: 1fr; }
    PaperScreen .problem { padding: 1 2; height: auto; }
    PaperScreen > .keys { height: auto; padding: 0 1; }
    PaperScreen.-roomy > .keys { border-top: solid $line; }
    PaperScreen > .keys > .own { width: 1fr; }
    PaperScreen > .keys > .app { width: auto; }
    """

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.folder = folder
        self._evidence = PaperEvidence()
        self._state: RunState | None = None
        self._pdf = Pdf()
        self._opened: Number | Cited | None = None
        self._deep = False

    def compose(self) -> ComposeResult:
        """The paper, what a number rests on, and the outline."""
        yield Static(classes="top")
        yield Static(classes="problem")
        yield Static(classes="draft")
        with Horizontal(classes="pages"):
            yield Outline()
            with Container(classes="reading"):
                yield PaperView()
                yield EvidenceView()
        yield SearchLine()
        with Horizontal(classes="keys"):
            yield KeyLine(self, self._key_words, gap=2).add_class("own")
            yield KeyLine(self.app, gap=2).add_class("app")

    @property
    def _keeps_outline(self) -> bool:
        """Whether the outline has room beside what is read."""
        return self.size.width >= (DEEP_OUTLINE_FROM_COLUMNS if self._deep else OUTLINE_FROM_COLUMNS)

    def on_mount(self) -> None:
        """Begin with nothing but the paper."""
        self.query_one(Outline).display = self._keeps_outline
        self.query_one(EvidenceView).display = False
        self.query_one(".problem").display = False
        self.query_one(".draft").display = False
        self.query_one(PaperView).focus()
        self._read()

    # Reading

    @work
    async def _read(self) -> None:
        paper, evidence = self.folder.paper / "paper.md", self.folder.paper / "evidence.json"
        try:
            # A thread, because the files may lie on a slow disk.
            text = await asyncio.to_thread(read_paper, paper)
        except RunError as error:
            self._say(str(error))
            return
        self.query_one(PaperView).show(text)
        try:
            self._evidence = await asyncio.to_thread(read_evidence, evidence)
        except RunError as error:
            self._say(str(error))
        self._show_heads()
        try:
            self._state = await asyncio.to_thread(self.folder.state)
        except RunError as error:
            self._say(str(error))
            return
        self._pdf = await asyncio.to_thread(pdf_of, self.folder, self._state)
        self._show_heads()

    def _say(self, problem: str) -> None:
        said = self.query_one(".problem", Static)
        said.update(Content.styled(one_line(problem), "$failed"))
        said.display = True

    def _show_heads(self) -> None:
        """The line at the top, the banner of a draft, and the outline."""
        view = self.query_one(PaperView)
        laid_out = view.laid_out
        parts = [counted(len(self._evidence.numbers), "bound number")]
        if self._evidence.struck:
            parts.append(f"{len(self._evidence.struck)} struck")
        parts += [self._pdf.in_short] if self._pdf.in_short else []
        title = laid_out.headings[0].text if laid_out.headings else "Paper"
        left = Content.assemble(("paper", "$accent bold"), "   ", (title, "bold"))
        right = Content.styled("   ".join(parts), "$muted")
        self.query_one(".top", Static).update(spread(left, right, max(0, self.size.width - 2)))
        draft = self.query_one(".draft", Static)
        draft.update(Content(f"{glyphs.WAITS.glyph} {laid_out.draft}"))
        draft.display = bool(laid_out.draft)
        self._show_outline()

    def _show_outline(self) -> None:
        view = self.query_one(PaperView)
        self.query_one(Outline).show(view.laid_out.headings, view.section)

    def on_resize(self) -> None:
        """Fill another width."""
        self.set_class(self.size.height >= ROOMY_ROWS, "-roomy")
        if self.is_mounted:
            self._show_heads()

    def ask_search(self, page: PageReader) -> None:
        """Type what to search for on a page."""
        self.query_one(SearchLine).ask(page)

    def on_page_reader_searched(self, message: PageReader.Searched) -> None:
        """Say what was found."""
        self.query_one(SearchLine).tell(message.page)

    def on_paper_view_laid(self, event: PaperView.Laid) -> None:
        """What is open took room from the paper, or gave it back."""
        self._show_outline()
        if self._opened is not None:
            self.query_one(PaperView).bring_number_into_sight()

    def on_paper_view_moved(self, event: PaperView.Moved) -> None:
        """Mark the section that is read."""
        self._show_outline()

    # Numbers

    def on_paper_view_opened(self, event: PaperView.Opened) -> None:
        """Show what a number rests on; opened again, its code and log, too."""
        found = self._behind(event.number_id)
        if found is None:
            self.notify(f"evidence.json says nothing about {event.number_id}.", markup=False)
        elif isinstance(found, Number):
            self._show_number(found, deep=self._deep or found is self._opened)
        elif found is self._opened:
            self.query_one(PaperView).go_to_reference(event.number_id)
        else:
            self._show_cited(found)

    def on_paper_view_gone(self, event: PaperView.Gone) -> None:
        """What is open follows the number."""
        place = self.query_one(PaperView).number
        if self._opened is None or place is None:
            return
        found = self._behind(place.number_id)
        if isinstance(found, Number):
            self._show_number(found, deep=self._deep)
        elif found is not None:
            self._show_cited(found)

    def _behind(self, number_id: str) -> Number | Cited | None:
        """What the evidence knows of a number or a citation."""
        if number_id.startswith(REFERENCE):
            return self._evidence.by_key.get(number_id.removeprefix(REFERENCE))
        return self._evidence.by_id.get(number_id)

    def _show_cited(self, cited: Cited) -> None:
        self._opened, self._deep = cited, False
        view = self._open_evidence()
        view.show_cited(cited)
        self.refresh_bindings()

    def _open_evidence(self) -> EvidenceView:
        view = self.query_one(EvidenceView)
        view.display = True
        self.set_class(self._deep, "-deep")
        self.query_one(Outline).display = self._keeps_outline
        return view

    def _show_number(self, number: Number, *, deep: bool) -> None:
        self._opened, self._deep = number, deep
        view = self._open_evidence()
        view.show(number, self._evidence.behind(number), (), wide_open=deep)
        if deep:
            view.focus()
        self.refresh_bindings()
        self._read_sources(number, deep=deep)

    @work(group="sources", exclusive=True)
    async def _read_sources(self, number: Number, *, deep: bool) -> None:
        """Read the code from the journal, and the log around the result, without holding up keys."""
        measured = self._evidence.behind(number)
        try:
            if self._state is None:
                # Threads, because a long journal or log takes seconds to read.
                self._state = await asyncio.to_thread(self.folder.state)
            sources = await asyncio.to_thread(sources_of, self.folder, self._state, number, measured)
        except FumehoodError as error:
            self._say(str(error))
            return
        if number is self._opened:
            self.query_one(EvidenceView).show(number, measured, sources, wide_open=deep)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the outline, Enter is the outline's."""
        if action == "open" and self.is_mounted:
            return not self.query_one(Outline).has_focus and not self._deep
        return True

    def _key_words(self, action: str, usual: str) -> str:
        if action == "open" and self._opened is not None:
            return "code" if isinstance(self._opened, Number) else "list"
        if action == "open" and self.size.width < ROOMY_COLUMNS:
            return "open"
        return usual

    def action_number(self, direction: int) -> None:
        """Go to the next or the previous number."""
        self.query_one(PaperView).step_number(direction)

    def action_open(self) -> None:
        """Show what the number rests on, then the code and the log around it."""
        self.query_one(PaperView).open_number()

    def action_section(self, direction: int) -> None:
        """Go to the next or the previous section."""
        self.query_one(PaperView).step_section(direction)

    def action_outline(self) -> None:
        """Go to the outline, or away from it."""
        outline = self.query_one(Outline)
        if outline.has_focus:
            outline.display = self._keeps_outline
            self.query_one(PaperView).focus()
            return
        outline.display = True
        self._show_outline()
        outline.focus()

    def on_outline_moved(self, event: Outline.Moved) -> None:
        """Show a section."""
        self.query_one(PaperView).go_to_section(event.section)

    def on_outline_chosen(self, event: Outline.Chosen) -> None:
        """Read a section."""
        self.query_one(PaperView).go_to_section(event.section)
        self.query_one(Outline).display = self._keeps_outline
        self.query_one(PaperView).focus()

    async def action_pdf(self) -> None:
        """Copy where the PDF is, or say why there is none."""
        if self._pdf.path is None:
            self.notify(self._pdf.trouble, markup=False)
            return
        where = await copy(self.app, str(self._pdf.path))
        self.notify(f"{self._pdf.path}\ncopied to {where}.", title="Where the PDF is", markup=False)

    async def action_leave(self) -> None:
        """Go back by one step: from code and log, from a number, from the outline, from the paper."""
        paper, outline = self.query_one(PaperView), self.query_one(Outline)
        if outline.has_focus:
            self.action_outline()
        elif self._deep and isinstance(self._opened, Number):
            self._show_number(self._opened, deep=False)
            paper.focus()
        elif self._opened is not None:
            self._opened = None
            self.query_one(EvidenceView).display = False
        elif paper.number is not None:
            paper.leave_number()
        else:
            await self.run_action("app.back")
        self.refresh_bindings()
