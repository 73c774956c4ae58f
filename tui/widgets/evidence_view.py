"""What a paper rests on: a number's measurements, code and log; a citation's passage and identifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.content import Content

from core.paper.markdown import full_precision
from tui.log_passage import Passage
from tui.paper_evidence import Cited, Measured, Number
from tui.paper_tables import table_lines
from tui.safe_text import one_line
from tui.widgets.code_lines import script_lines
from tui.widgets.lines import fitted, under_cursor
from tui.widgets.page_view import MOST_CHARACTERS, PageView
from tui.wording import counted

NAME_COLUMNS = 12
AROUND_LINES = 5
MOST_MEASUREMENTS = 200
LEVELS = {"reported": "$waiting", "recomputed": "$supported", "reproduced": "$supported"}
IN_WORDS = {
    "reported": "the code says so",
    "recomputed": "here, from raw predictions",
    "reproduced": "the same code gave it again in a fresh sandbox",
    "judged": "computed from measurements by the registered criterion",
    "setting": "a setting that the code recorded",
    "literal": "written by the author, with a reason",
}


@dataclass(frozen=True)
class Source:
    """Where one exec gave a number.

    Attributes:
        exec_id: the exec.
        line: the line of code; 0 where unknown.
        code: the script; empty where the journal has none.
        passage: the log around the result; None where none was found.
    """

    exec_id: str
    line: int
    code: str
    passage: Passage | None


class EvidenceView(PageView):
    """Shows what one number rests on, or what one citation stands for."""

    BINDING_GROUP_TITLE = "What a number rests on"
    BINDINGS: ClassVar[list[BindingType]] = []

    DEFAULT_CSS = """
    EvidenceView { background: $surface; scrollbar-background: $surface; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._number: Number | None = None
        self._measured: Sequence[Measured] = ()
        self._sources: Sequence[Source] = ()
        self._wide_open = False
        self._cited: Cited | None = None

    def show_cited(self, cited: Cited) -> None:
        """Show what a citation stands for: the work, who resolved it, and the words that claims rest on."""
        other, self._cited = cited is not self._cited, cited
        self._draw()
        if other:
            self.scroll_home(animate=False, immediate=True)

    def show(
        self,
        number: Number,
        measured: Sequence[Measured],
        sources: Sequence[Source],
        *,
        wide_open: bool,
    ) -> None:
        """Show a number.

        Args:
            number: the number.
            measured: what it rests on.
            sources: where that was measured, as far as it was read already.
            wide_open: whether the code and the log around it are shown, too.
        """
        self._cited = None
        other = number is not self._number or wide_open != self._wide_open
        self._number, self._measured, self._sources = number, measured, sources
        self._wide_open = wide_open
        self._draw()
        if other:
            self.scroll_home(animate=False, immediate=True)

    def on_resize(self) -> None:
        """Fill another width."""
        self._draw()

    def _draw(self) -> None:
        if self.size.width <= 4:
            return
        if self._cited is not None:
            self.set_lines([*self._work(self._cited)])
            return
        if self._number is None:
            return
        lines = [*self._head(self._number)]
        if self._wide_open:
            for source in self._sources:
                lines += self._code(source)
            if not self._sources:
                lines += [Content(), Content.styled(" No code line is behind it.", "$muted")]
            lines += self._table()
        else:
            lines += self._places(self._number)
        self.set_lines(lines)

    def _head(self, number: Number) -> Iterator[Content]:
        level = one_line(number.level)
        yield Content.assemble(
            (f" {one_line(number.text)}", "bold $accent"), "   ", (level, LEVELS.get(level, "$muted")),
            ("  " + IN_WORDS.get(level, ""), "$muted"),
        )  # fmt: skip
        shown = f"{number.expression} : {number.format}" if number.format else number.expression
        yield from self._field("Expression", Content(one_line(shown)))
        yield from self._field("Value", Content(one_line(full_precision(number.value))))
        yield from self._field("Rests on", Content(_rests_on(number, self._measured)))
        if number.note:
            yield from self._field("Reason", Content(one_line(number.note)))

    def _work(self, cited: Cited) -> Iterator[Content]:
        resolved = f"resolved by {one_line(cited.resolved_by)}" if cited.resolved_by else "not resolved"
        yield Content.assemble((f" {one_line(cited.key)}", "bold $accent"), "   ", (resolved, "$muted"))
        yield from self._field("Work", Content(one_line(cited.text)))
        yield from self._field("DOI", Content(one_line(cited.doi or cited.url or "–")))
        for passage in cited.passages:
            yield from self._field("Passage", Content(f"“{one_line(passage, 600)}”"))

    def _field(self, name: str, words: Content) -> Iterator[Content]:
        for place, line in enumerate(words.wrap(max(10, self.size.width - NAME_COLUMNS - 3))):
            yield Content.assemble((f" {'' if place else name:<{NAME_COLUMNS}} ", "$muted"), line)

    def _places(self, number: Number) -> Iterator[Content]:
        """One line for each code line, with the code where it is known."""
        known = {(source.exec_id, source.line): source for source in self._sources}
        for place, (exec_id, line) in enumerate(number.places):
            words = Content.assemble((f"{one_line(exec_id)} line {line}", "bold"))
            if (source := known.get((exec_id, line))) and (code := _code_line(source)):
                words = Content.assemble(words, "   ", code)
            name = "" if place else "Code"
            line_ = Content.assemble((f" {name:<{NAME_COLUMNS}} ", "$muted"), words)
            yield fitted(line_, self.size.width - 1)

    def _code(self, source: Source) -> Iterator[Content]:
        yield Content()
        yield self._title(f"{one_line(source.exec_id)}  line {source.line}")
        lines = script_lines(source.code) if source.code else ()
        if not lines:
            yield Content.styled("   The journal holds no such script.", "$failed")
        first = max(1, source.line - AROUND_LINES)
        shown = lines[first - 1 : source.line + AROUND_LINES]
        # What all lines are indented by says nothing here, and there is little room.
        indent = min((_indent(line) for line in shown if line.plain.strip()), default=0)
        for number, code in enumerate(shown, start=first):
            yield self._numbered(number, code[indent:], here=number == source.line)
        if source.passage is not None:
            yield Content()
            yield self._title(f"log {one_line(source.exec_id)}  line {source.passage.found:,}")
            yield from self._log(source.passage)

    def _log(self, passage: Passage) -> Iterator[Content]:
        for number, line in enumerate(passage.lines, start=passage.first):
            yield self._numbered(number, Content(line), here=number == passage.found)

    def _numbered(self, number: int, words: Content, *, here: bool) -> Content:
        """A line behind its number; the one that counts is lit."""
        mark = ("▌", "$accent") if here else (" ", "")
        line = Content.assemble(mark, (f"{number:>4,}  ", "$accent" if here else "$muted"), words)
        if not here:
            return line
        return under_cursor(fitted(line, max(self.size.width, line.cell_length)), self, lit=True)

    def _title(self, words: str) -> Content:
        width = self.size.width - 2
        return Content.assemble((f" {words} ", "bold"), ("─" * max(0, width - len(words) - 2), "$line"))

    def _table(self) -> Iterator[Content]:
        """The measurements, one a line."""
        if not self._measured or self._number is None:
            return
        yield Content()
        yield self._title("measurements")
        rows = [[Content(name) for name in ("id", "value", "seed", "condition", "")]]
        rows += [_row(measured, self._number.level) for measured in self._measured[:MOST_MEASUREMENTS]]
        for line in table_lines(rows, self.size.width - 3):
            yield Content.assemble(" ", line)
        if (left := len(self._measured) - MOST_MEASUREMENTS) > 0:
            yield Content.styled(f" … {left:,} more are in evidence.json", "$muted")

    def _widest(self) -> int:
        """Long lines of code and logs can be scrolled to."""
        return max([self.size.width, *(min(line.cell_length, MOST_CHARACTERS) for line in self.lines)])


def _row(measured: Measured, usual_level: str) -> list[Content]:
    seed = "–" if measured.seed is None else str(measured.seed)
    remark = measured.doubt or ("" if measured.level == usual_level else measured.level)
    words = (measured.id, full_precision(measured.value), seed, _levels(measured.condition), remark)
    return [Content(one_line(word)) for word in words]


def _rests_on(number: Number, measured: Sequence[Measured]) -> str:
    if not number.n:
        return "no measurement"
    words = counted(number.n, "measurement")
    seeds = [m.seed for m in measured if m.seed is not None]
    return one_line(f"{words} · {_seeds(list(dict.fromkeys(seeds)))}" if seeds else words)


def _seeds(seeds: Sequence[int | str]) -> str:
    """Seeds in words: ``seeds 0–9`` where none is left out."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    numbers = sorted(seed for seed in seeds if isinstance(seed, int))
    if len(numbers) == len(seeds) and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"seeds {numbers[0]}–{numbers[-1]}"
    return f"seeds {', '.join(map(str, seeds[:12]))}{' …' if len(seeds) > 12 else ''}"


def _levels(condition: Mapping[str, Any]) -> str:
    return " ".join(f"{factor}={level}" for factor, level in condition.items())


def _code_line(source: Source) -> Content | None:
    lines = script_lines(source.code) if source.code else ()
    if not 1 <= source.line <= len(lines):
        return None
    line = lines[source.line - 1]
    return line[_indent(line) :]


def _indent(line: Content) -> int:
    return len(line.plain) - len(line.plain.lstrip())
