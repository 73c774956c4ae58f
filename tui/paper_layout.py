"""A paper's Markdown as lines of a given width, and where its sections and numbers are in them.

The Markdown is read by markdown-it. Its text is a model's and therefore hostile: nothing of it is
markup for the terminal, no link is followed, no picture is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from textual.content import Content
from textual.style import Style

from tui.paper_tables import table_lines
from tui.safe_text import one_line, safe
from tui.widgets.code_lines import script_lines

NUMBER_LINK = re.compile(r"#(e\d{1,9}|ref-[\w:-]{1,100})")
ANCHOR = re.compile(r'<a id="(?P<name>[^"]*)">|</a>')
REFERENCE = "ref-"
"""What the names of places in the reference list begin with."""
DRAFT = "DRAFT"
DEEPEST_INDENT = 12

NO_BREAK = "\ue000"
"""Stands for a space that no line ends at, while lines are made: a number stays in one piece."""
MOST_UNBROKEN = 24

INLINE_STYLES = {"em": "italic", "strong": "bold", "s": "strike $failed", "link": "underline"}


@dataclass(frozen=True)
class Heading:
    """A heading and its place.

    Attributes:
        text: its words.
        level: 1 for the highest.
        line: the line it is on.
    """

    text: str
    level: int
    line: int


@dataclass(frozen=True)
class Piece:
    """Part of a line, by characters."""

    line: int
    start: int
    end: int


@dataclass(frozen=True)
class Place:
    """Where a bound number or a citation stands.

    Attributes:
        number_id: its id in the evidence; of a citation ``ref-`` and the key of the work.
        pieces: the parts of lines that it takes; several where it is broken.
    """

    number_id: str
    pieces: tuple[Piece, ...]


@dataclass
class Layout:
    """A paper as lines.

    Attributes:
        lines: each one line high.
        headings: sections, in order.
        numbers: bound numbers and citations, in order.
        references: the line of each entry of the reference list, by ``ref-`` and the key of the work.
        draft: what the banner of a draft says; empty for a paper that is none.
    """

    lines: list[Content] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    numbers: list[Place] = field(default_factory=list)
    references: dict[str, int] = field(default_factory=dict)
    draft: str = ""


def read_markdown(text: str) -> list[Token]:
    """The tokens of a paper."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return reader.use(dollarmath_plugin, double_inline=True).parse(safe(text))


def lay_out(tokens: Sequence[Token], width: int) -> Layout:
    """Lay a paper out.

    Args:
        tokens: from ``read_markdown``.
        width: columns of a line.
    """
    return _Setter(max(20, width)).set(tokens)


class _Setter:
    """Sets one paper."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._layout = Layout()
        self._count = 0
        self._titled = False

    def set(self, tokens: Sequence[Token]) -> Layout:
        """Set all blocks."""
        self._blocks(list(tokens), "", "")
        self._place_numbers()
        return self._layout

    def _blocks(self, tokens: list[Token], first: str, rest: str) -> None:
        """Set blocks behind a prefix: ``first`` on their first line, ``rest`` on the others."""
        place = 0
        while place < len(tokens):
            token = tokens[place]
            if token.nesting == 1:
                end = _end_of(tokens, place)
                self._container(token, tokens[place + 1 : end], first, rest)
                place = end + 1
            else:
                self._leaf(token, first, rest)
                place += 1
            first = rest

    def _container(self, token: Token, inner: list[Token], first: str, rest: str) -> None:
        match token.type:
            case "heading_open":
                self._heading(self._inline(inner[0]), int(token.tag[1:]))
            case "paragraph_open":
                self._paragraph(self._inline(inner[0]), first, rest, loose=not token.hidden)
            case "blockquote_open":
                self._quote(inner, rest)
            case "bullet_list_open" | "ordered_list_open":
                self._list(token, inner, rest)
            case "table_open":
                self._table(inner, rest)
            case _:
                self._blocks(inner, first, rest)

    def _leaf(self, token: Token, first: str, rest: str) -> None:
        match token.type:
            case "inline":
                self._paragraph(self._inline(token), first, rest, loose=True)
            case "fence" | "code_block":
                language = token.info.split()[0] if token.info.split() else "text"
                self._put_all(
                    Content.assemble(f"{rest}  ", line)
                    for line in script_lines(token.content.rstrip("\n"), _known(language))
                )
                self._put()
            case "math_block":
                for line in one_math(token.content).wrap(self._width - 4):
                    self._put(Content.assemble(f"{rest}    ", line))
                self._put()
            case "hr":
                self._put(Content.styled("─" * self._width, "$line"))
                self._put()
            case "html_block":
                self._paragraph(Content(ANCHOR.sub("", token.content).strip()), first, rest, loose=True)

    def _heading(self, words: Content, level: int) -> None:
        title = not self._titled and level == 1
        self._titled = self._titled or level == 1
        if self._layout.lines and self._layout.lines[-1].plain:
            self._put()
        self._layout.headings.append(Heading(one_line(words.plain, 200), level, len(self._layout.lines)))
        style = "bold $accent" if title else "bold" if level <= 2 else "bold $muted"
        for line in words.stylize_before(style).wrap(self._width):
            self._put(line)
        if title:
            self._put(Content.styled("─" * self._width, "$line"))
        self._put()

    def _paragraph(self, words: Content, first: str, rest: str, *, loose: bool) -> None:
        for number, line in enumerate(words.wrap(max(10, self._width - len(rest)))):
            self._put(Content.assemble(rest if number else first, line.rstrip()))
        if loose:
            self._put()

    def _quote(self, inner: list[Token], rest: str) -> None:
        begin = len(self._layout.lines)
        self._blocks(inner, _deeper(rest, "▌ "), _deeper(rest, "▌ "))
        quoted = self._layout.lines[begin:]
        while quoted and quoted[-1].plain in ("", _deeper(rest, "▌ ")):
            quoted.pop()
        words = " ".join(line.plain.removeprefix(f"{rest}▌ ") for line in quoted).strip()
        if begin == 0 and words.startswith(DRAFT):
            # Whoever shows the paper keeps this in sight; it is not said twice.
            self._layout.draft = words
            self._layout.lines.clear()
            return
        self._layout.lines[begin:] = [line.stylize("$muted") for line in quoted]
        self._put()

    def _list(self, token: Token, inner: list[Token], rest: str) -> None:
        number = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
        place = 0
        while place < len(inner):
            end = _end_of(inner, place)
            sign = "• " if number is None else f"{number}. "
            self._blocks(inner[place + 1 : end], _deeper(rest, sign), _deeper(rest, " " * len(sign)))
            number = None if number is None else number + 1
            place = end + 1
        if self._layout.lines and self._layout.lines[-1].plain.strip():
            self._put()

    def _table(self, inner: list[Token], rest: str) -> None:
        rows: list[list[Content]] = []
        for token in inner:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline" and rows:
                rows[-1].append(self._inline(token))
        self._put_all(
            Content.assemble(rest, line) for line in table_lines(rows, max(20, self._width - len(rest)))
        )
        self._put()

    def _inline(self, token: Token) -> Content:
        """Words with their styles; a link to a number carries which occurrence it is.

        A place that is linked to has no words of its own: those that follow carry its name.
        """
        parts: list[Content] = []
        styles: list[str | Style] = []
        name = ""
        for child in token.children or ():
            if child.nesting == 1:
                styles.append(self._opened(child))
            elif child.nesting == -1:
                if styles:
                    styles.pop()
            elif child.type == "html_inline" and (anchor := ANCHOR.fullmatch(child.content)):
                name = anchor["name"] or name
            elif words := _words(child):
                bound = any(isinstance(style, Style) and "number" in style.meta for style in styles)
                whole = bound and len(words) <= MOST_UNBROKEN
                content = Content(words.replace(" ", NO_BREAK) if whole else words)
                for style in _also(child, styles):
                    content = content.stylize(style)
                if name.startswith(REFERENCE):
                    self._count += 1
                    content = content.stylize(Style.from_meta({"name": name, "occurrence": self._count}))
                    name = ""
                parts.append(content)
        return Content("").join(parts)

    def _opened(self, token: Token) -> str | Style:
        kind = token.type.removesuffix("_open")
        if kind == "link" and (match := NUMBER_LINK.fullmatch(str(token.attrGet("href") or ""))):
            self._count += 1
            return Style.from_meta({"number": match[1], "occurrence": self._count})
        return INLINE_STYLES.get(kind, "")

    def _place_numbers(self) -> None:
        """Find out where numbers came to stand, and colour them."""
        found: dict[int, tuple[str, list[Piece]]] = {}
        entries: dict[int, tuple[str, int]] = {}
        for y, line in enumerate(self._layout.lines):
            coloured = line
            for span in line.spans:
                if isinstance(span.style, Style) and (number := span.style.meta.get("number")):
                    pieces = found.setdefault(span.style.meta["occurrence"], (number, []))[1]
                    pieces.append(Piece(y, span.start, span.end))
                    cites = number.startswith(REFERENCE)
                    coloured = coloured.stylize("underline" if cites else "$accent", span.start, span.end)
                elif isinstance(span.style, Style) and (name := span.style.meta.get("name")):
                    entries.setdefault(span.style.meta["occurrence"], (name, y))
            self._layout.lines[y] = coloured
        # The list comes last, so whatever else goes by the name of an entry is not it.
        self._layout.references = dict(entries.values())
        self._layout.numbers = [Place(number, tuple(pieces)) for _, (number, pieces) in sorted(found.items())]

    def _put(self, line: Content | None = None) -> None:
        line = line or Content()
        if NO_BREAK in line.plain:
            line = Content(line.plain.replace(NO_BREAK, " "), list(line.spans))
        self._layout.lines.append(line)

    def _put_all(self, lines: Iterator[Content]) -> None:
        for line in lines:
            self._put(line)


def one_math(text: str) -> Content:
    """A formula as it was written."""
    return Content.styled(" ".join(text.split()), "italic")


def _end_of(tokens: Sequence[Token], place: int) -> int:
    """Where the block that begins at a place ends."""
    depth = 0
    for end in range(place, len(tokens)):
        depth += tokens[end].nesting
        if depth == 0:
            return end
    return len(tokens)


def _deeper(prefix: str, sign: str) -> str:
    """A prefix for what is nested; from some depth on, nesting takes no more room."""
    return prefix + sign if len(prefix) < DEEPEST_INDENT else prefix


def _words(token: Token) -> str:
    match token.type:
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return ANCHOR.sub("", token.content)
        case "image":
            return f"[figure: {one_line(token.content) or one_line(str(token.attrGet('src') or ''))}]"
        case "text_special" | "text" | "code_inline" | "math_inline" | "math_inline_double":
            return token.content
    return ""


def _also(token: Token, styles: Sequence[str | Style]) -> Iterator[str | Style]:
    yield from (style for style in styles if style)
    if token.type == "code_inline":
        yield "$supported"
    elif token.type in ("math_inline", "math_inline_double"):
        yield "italic"
    elif token.type == "image":
        yield "$muted"


def _known(language: str) -> str:
    return language if language in ("python", "json", "bash", "toml", "yaml") else "text"
