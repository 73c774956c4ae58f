"""Reads bound Markdown into a paper's tree, from one token stream."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from core.evidence.plots import Plot
from core.evidence.tables import Table
from core.paper.formula_reading import read_formula
from core.paper.tree import (
    Anchor,
    Block,
    Citation,
    Code,
    CodeBlock,
    DisplayFormula,
    Drawing,
    Footnote,
    Formula,
    Grid,
    Heading,
    Inline,
    LineBreak,
    Link,
    Listing,
    Number,
    Paragraph,
    Quote,
    Reference,
    Styled,
    Text,
)

MOST_COLUMNS = 12
"""Columns of a table that an author typed; a wider one fits no page and is shown as its text."""

MOST_ROWS = 200
"""Rows of a table; what follows is counted and left out."""

DEEPEST = 6
"""Lists in lists, quotes in quotes, styles in styles; what is deeper is shown without."""

_PARSER = (
    MarkdownIt("commonmark")
    .enable(["table", "strikethrough"])
    .use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True)
    .use(footnote_plugin)
)
_PLACE = re.compile("\ue010([0-9]+)\ue011")
_LABELLED = re.compile(r"^\$\$(.+?)\$\$[ \t]*\{#([\w-]+)\}[ \t]*$", re.MULTILINE | re.DOTALL)
_REFERENCE = re.compile(r"(?<![\w\[@])@((?:fig|tab|eq)-[A-Za-z0-9][\w-]*)")
_NUMBER = re.compile(r"#(e[1-9]\d*)")
_CITATION = re.compile(r"#ref-([A-Za-z][\w:-]*)")
_ANCHOR = re.compile(r'<a id="(e[1-9]\d*)">')
_STYLES = {"em": "emphasis", "strong": "strong", "s": "struck"}


def read_parts(parts: Sequence[str | Table | Plot]) -> tuple[Block, ...]:
    """An author's bound text as blocks; formulas, tables and plots among them."""
    held: list[Table | Plot] = []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(_LABELLED.sub(r"$$\n\1\n$$ (\2)", _PLACE.sub("", part)))
        else:
            texts.append(f"\ue010{len(held)}\ue011")
            held.append(part)
    return _Reader("\n\n".join(texts), held, trusted=False).blocks()


def read_markdown(markdown: str) -> tuple[Block, ...]:
    """Markdown that code wrote as blocks; places that numbers link to among them."""
    return _Reader(markdown, [], trusted=True).blocks()


def read_line(markdown: str) -> tuple[Inline, ...]:
    """One line of bound Markdown."""
    reader = _Reader(" ".join(markdown.split()) or " ", [], trusted=False)
    return tuple(part for block in reader.blocks() for part in _parts_of(block))


def plain_text(parts: Iterable[Inline]) -> str:
    """Inline parts without any style."""
    return "".join(_plain(part) for part in parts)


def _plain(part: Inline) -> str:
    if isinstance(part, Text | Code | Number | Citation):
        return part.text
    if isinstance(part, Styled | Link):
        return plain_text(part.parts)
    if isinstance(part, Formula):
        return part.source
    return part.label if isinstance(part, Reference) else " " if isinstance(part, LineBreak) else ""


def _parts_of(block: Block) -> tuple[Inline, ...]:
    if isinstance(block, Paragraph | Heading):
        return block.parts
    if isinstance(block, CodeBlock):
        return (Text(block.text),)
    if isinstance(block, Quote):
        return tuple(part for inner in block.blocks for part in _parts_of(inner))
    if isinstance(block, Listing):
        return tuple(part for item in block.items for inner in item for part in _parts_of(inner))
    return (block.formula,) if isinstance(block, DisplayFormula) else ()


class _Reader:
    def __init__(self, markdown: str, held: Sequence[Table | Plot], *, trusted: bool) -> None:
        self._root = SyntaxTreeNode(_PARSER.parse(markdown))
        self._held = held
        self._trusted = trusted
        self._notes = {
            int(note.meta.get("id", -1)): note
            for block in self._root.children
            if block.type == "footnote_block"
            for note in block.children
        }

    def blocks(self) -> tuple[Block, ...]:
        return tuple(self._blocks(self._root.children, 0))

    def _blocks(self, nodes: Sequence[SyntaxTreeNode], depth: int) -> Iterator[Block]:
        for node in nodes:
            if node.type == "heading":
                yield Heading(int(node.tag[1]), self._inside(node))
            elif node.type == "paragraph":
                yield from self._paragraph(node)
            elif node.type in ("bullet_list", "ordered_list", "blockquote"):
                yield from self._nested(node, depth)
            elif node.type in ("fence", "code_block", "html_block"):
                yield CodeBlock(node.content.rstrip("\n"))
            elif node.type in ("math_block", "math_block_label"):
                label = node.info if node.type == "math_block_label" else ""
                yield DisplayFormula(_formula(node.content), label)
            elif node.type == "table":
                yield self._table(node)

    def _nested(self, node: SyntaxTreeNode, depth: int) -> Iterator[Block]:
        if depth >= DEEPEST:
            for inner in node.children:
                yield from self._blocks(inner.children if inner.type == "list_item" else [inner], depth)
        elif node.type == "blockquote":
            yield Quote(tuple(self._blocks(node.children, depth + 1)))
        else:
            items = tuple(tuple(self._blocks(item.children, depth + 1)) for item in node.children)
            yield Listing(node.type == "ordered_list", items)

    def _paragraph(self, node: SyntaxTreeNode) -> Iterator[Block]:
        content = node.children[0].content if node.children else ""
        match = _PLACE.fullmatch(content.strip())
        if match and int(match[1]) < len(self._held):
            yield _held_block(self._held[int(match[1])])
            return
        parts = self._inside(node)
        if len(parts) == 1 and isinstance(parts[0], Formula) and content.startswith("$$"):
            yield DisplayFormula(parts[0], "")
        elif parts:
            yield Paragraph(parts)

    def _inside(self, node: SyntaxTreeNode) -> tuple[Inline, ...]:
        return tuple(
            part for inner in node.children for part in self._inline(inner.children, 0) if node.children
        )

    def _inline(self, nodes: Sequence[SyntaxTreeNode], depth: int) -> Iterator[Inline]:
        for node in nodes:
            if node.type == "text":
                yield from _text(node.content)
            elif node.type in ("softbreak", "hardbreak"):
                yield Text(" ") if node.type == "softbreak" else LineBreak()
            elif node.type == "code_inline":
                yield Code(node.content)
            elif node.type in ("math_inline", "math_inline_double"):
                yield _formula(node.content)
            elif node.type in _STYLES:
                inner = tuple(self._inline(node.children, depth + 1))
                yield from [Styled(_STYLES[node.type], inner)] if depth < DEEPEST else inner
            elif node.type == "link":
                yield from self._link(node, depth)
            elif node.type == "image":
                yield from _text(node.content)
            elif node.type == "html_inline":
                yield from self._html(node.content)
            elif node.type == "footnote_ref":
                yield from self._footnote(node, depth)

    def _link(self, node: SyntaxTreeNode, depth: int) -> Iterator[Inline]:
        address = str(node.attrs.get("href", ""))
        inner = tuple(self._inline(node.children, depth + 1))
        number = _NUMBER.fullmatch(address)
        citation = _CITATION.fullmatch(unquote(address))
        if number:
            yield Number(number[1], plain_text(inner))
        elif citation:
            yield Citation(citation[1], plain_text(inner))
        elif address.startswith(("https://", "http://")) and depth < DEEPEST:
            yield Link(address, inner)
        else:
            yield from inner

    def _html(self, content: str) -> Iterator[Inline]:
        anchor = _ANCHOR.fullmatch(content) if self._trusted else None
        if anchor:
            yield Anchor(anchor[1])
        elif not (self._trusted and content == "</a>"):
            yield Text(content)

    def _footnote(self, node: SyntaxTreeNode, depth: int) -> Iterator[Inline]:
        note = self._notes.get(int(node.meta.get("id", -1)))
        if note is None or depth >= DEEPEST:
            return
        parts: list[Inline] = []
        for paragraph in note.children:
            parts += [Text(" ")] if parts else []
            for inner in paragraph.children:
                parts += self._inline(inner.children, DEEPEST)
        yield Footnote(tuple(parts))

    def _table(self, node: SyntaxTreeNode) -> Block:
        rows = [row for part in node.children for row in part.children]
        cells = [[tuple(self._inside(cell)) for cell in row.children] for row in rows]
        align = tuple(
            str(cell.attrs.get("style", "left")).removeprefix("text-align:") for cell in rows[0].children
        )
        if len(cells[0]) > MOST_COLUMNS:
            lines = [" | ".join(plain_text(cell) for cell in row) for row in cells[: MOST_ROWS + 1]]
            return CodeBlock("\n".join(lines))
        if self._trusted:
            return Grid(tuple(cells[0]), tuple(tuple(row) for row in cells[1:]), align)
        return bounded_grid(tuple(cells[0]), [tuple(row) for row in cells[1:]], align)


def bounded_grid(
    header: tuple[tuple[Inline, ...], ...],
    rows: Sequence[tuple[tuple[Inline, ...], ...]],
    align: tuple[str, ...],
    caption: tuple[Inline, ...] = (),
    label: str = "",
) -> Grid:
    """A table of at most ``MOST_ROWS`` rows; its last row says how many were left out."""
    shown = tuple(rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        note = (Text(f"… {len(rows) - MOST_ROWS} more rows are in paper.md"),)
        shown = (*shown, (note, *[()] * (len(header) - 1)))
    return Grid(header, shown, align, caption, label)


def _held_block(part: Table | Plot) -> Block:
    if isinstance(part, Plot):
        return Drawing(part, read_line(part.caption))
    align = ("left",) * part.named_columns + ("right",) * (len(part.header) - part.named_columns)
    rows = [tuple(read_line(cell) for cell in row) for row in part.rows]
    header = tuple(read_line(cell) for cell in part.header)
    return bounded_grid(header, rows, align, read_line(part.caption), part.label)


def _formula(source: str) -> Formula:
    stripped = source.strip()
    return Formula(stripped, read_formula(stripped))


def _text(content: str) -> Iterator[Inline]:
    start = 0
    for match in _REFERENCE.finditer(content):
        if match.start() > start:
            yield Text(content[start : match.start()])
        yield Reference(match[1].rstrip("-_"))
        start = match.start() + 1 + len(match[1].rstrip("-_"))
    if start < len(content):
        yield Text(content[start:])
