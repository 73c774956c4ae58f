"""A paper as LaTeX that compiles with pdflatex: an article in two columns, from few packages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from core.evidence.references import Reference as Work
from core.paper import latex_text as latex
from core.paper.chart import lay_out
from core.paper.formula_width import can_be_broken
from core.paper.latex_preamble import ENTRY, PREAMBLE
from core.paper.outline import Outline, anchors, labels, title_text
from core.paper.table_layout import (
    LONGEST_WORD,
    MOST_FLOATING,
    MOST_WHOLE,
    TableLayout,
    breakable,
    broken_address,
    even_shares,
    table_layout,
)
from core.paper.tree import (
    Anchor,
    Block,
    Citation,
    Code,
    CodeBlock,
    DisplayFormula,
    Drawing,
    Entries,
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

DEEPEST_LIST = 4
"""Lists in lists that LaTeX can set."""


def latex_source(paper: Outline, plots: Iterable[str] = (), pictures: Collection[str] = ()) -> str:
    r"""``paper.tex``.

    Args:
        paper: the paper.
        plots: file names of the plots of the body, in order; without them their place is empty.
        pictures: file names of figures that experiments drew, named by their hash.
    """
    return "\n".join(_lines(paper, _Writer(paper, list(plots)), pictures)) + "\n"


def _lines(paper: Outline, write: _Writer, pictures: Collection[str]) -> Iterator[str]:
    yield PREAMBLE
    yield rf"\hypersetup{{pdftitle={{{latex.text(title_text(paper)[:300])}}}}}"
    banner = rf"\draftbanner{{{latex.text(paper.banner)}}}" if paper.banner else ""
    yield rf"\title{{{banner}\bfseries {write.inlines(paper.title, fragile=True)}}}"
    authors = latex.text(breakable(paper.authors))
    yield rf"\author{{\parbox{{0.9\textwidth}}{{\centering\normalsize {authors}}}}}"
    yield rf"\date{{{latex.text(paper.day)}}}"
    yield "\\begin{document}\n\\maketitle\\suppressfloats[t]"
    if paper.abstract:
        yield f"\\begin{{abstract}}\n{write.blocks(paper.abstract)}\n\\end{{abstract}}"
    yield write.blocks(paper.body)
    if paper.references:
        yield "{\\small\\begin{thebibliography}{}\\setlength{\\itemsep}{2pt}"
        yield from map(_work, paper.references)
        yield "\\end{thebibliography}}"
    yield "\\appendix\n\\section*{Appendix: the evidence}"
    yield r"\noindent\emph{What follows was written by code, not by a model.} Each number in the paper is a"
    yield "link to its entry in ``Every number''. The evidence itself is attached to \\texttt{paper.pdf}."
    for part in paper.appendix:
        yield rf"\section{{{latex.text(part.title)}}}"
        yield write.blocks(part.blocks)
    if pictures:
        yield "\\section{Figures drawn by the agents' code}\nNothing in these figures is bound to evidence.\n"
    for name in pictures:
        shown = rf"\includegraphics[width=\linewidth,height=2.9in,keepaspectratio]{{figures/{name}}}"
        of = next((p for p in paper.pictures if p.sha256 == name.partition(".")[0]), None)
        told = rf" in {latex.text(of.exec_id)}: {latex.text(breakable(of.name))}" if of else ""
        credit = rf"\textbf{{Drawn by the agent's code}}{told}. SHA-256: \texttt{{{name[:16]}}}\ldots"
        yield f"\\begin{{center}}\\begin{{minipage}}{{\\linewidth}}\\centering\n{shown}\n\n\\small {credit}"
        yield "\\end{minipage}\\end{center}"
    yield r"\end{document}"


def _work(work: Work) -> str:
    text = work.text.removesuffix(work.url) if work.url else work.text
    shown = latex.text(broken_address(work.url))
    link = rf"\href{{{latex.address(work.url)}}}{{{shown}}}" if work.text != text else ""
    named = rf"{{{latex.text(work.authors)}}}({{{latex.text(work.year)}}})"
    return rf"\bibitem[{named}]{{{latex.name(work.key)}}} {latex.text(breakable(text))}{link}"


class _Writer:
    def __init__(self, paper: Outline, plots: list[str]) -> None:
        self._labels = labels(paper)
        self._numbers = anchors(paper)
        self._works = {work.key: work for work in paper.references}
        self._plots = plots
        self._depth = 0
        self._longest = LONGEST_WORD
        self._wide_tables = 0

    def blocks(self, blocks: Iterable[Block]) -> str:
        written = ""
        for block in blocks:
            one = self._block(block)
            # An empty line before a displayed formula would be set as one.
            between = "\n" if isinstance(block, DisplayFormula) and one.startswith("\\") else "\n\n"
            written += (between if written and one else "") + one
        return written

    def _block(self, block: Block) -> str:
        match block:
            case Heading():
                title = self.inlines(block.parts, fragile=True)
                if self._depth:
                    return rf"\textbf{{{title}}}"  # a list or quote must not begin with a section
                command = ("section", "subsection", "subsubsection")[min(block.level, 3) - 1]
                return rf"\{command}{{{title}}}"
            case Paragraph():
                return self.inlines(block.parts)
            case Listing() | Quote():
                return self._nested(block)
            case CodeBlock():
                return self._code(block)
            case DisplayFormula():
                return self._display(block)
            case Grid():
                return self._grid(block)
            case Entries():
                return f"{{\\footnotesize\\raggedright\n{self._entries(block)}\n}}"
            case Drawing():
                return self._drawing(block)

    def _code(self, block: CodeBlock) -> str:
        lines = [latex.code(breakable(line.expandtabs(4)), alone=True) for line in block.text.split("\n")]
        body = "\n".join(rf"\codeline{{{line}}}" for line in lines)
        return f"\\begin{{flushleft}}\\footnotesize\n{body}\n\\end{{flushleft}}"

    def _nested(self, block: Listing | Quote) -> str:
        if self._depth >= DEEPEST_LIST:
            groups = block.items if isinstance(block, Listing) else (block.blocks,)
            return "\n\n".join(self.blocks(group) for group in groups)
        self._depth += 1
        if isinstance(block, Quote):
            name, body = "quote", self.blocks(block.blocks)
        else:
            name = "enumerate" if block.numbered else "itemize"
            body = "\n".join(rf"\item{{}} {self.blocks(item)}" for item in block.items)
        self._depth -= 1
        return f"\\begin{{{name}}}\n{body or '{}'}\n\\end{{{name}}}" if body.strip() else ""

    def _display(self, block: DisplayFormula) -> str:
        formula = block.formula
        if formula.node is None:
            return "\\begin{flushleft}\n" + latex.code(breakable(formula.source)) + "\n\\end{flushleft}"
        # The box is made smaller where it is wider than the column; the number has its place beside it.
        shown = latex.formula(formula.node)
        breaks = can_be_broken(formula.node)
        body = rf"\breaking{{{shown}}}" if breaks else rf"\fitting{{$\displaystyle {shown}$}}"
        if not block.label:
            return f"\\[\n{body}\n\\]"
        beside = f"\\begin{{minipage}}{{0.88\\linewidth}}\\centering {body}\\end{{minipage}}"
        return f"\\begin{{equation}}\\label{{at:{latex.name(block.label)}}}\n{beside}\n\\end{{equation}}"

    def _drawing(self, block: Drawing) -> str:
        if self._plots:
            shown = rf"\includegraphics[width=\columnwidth]{{figures/{self._plots.pop(0)}}}"
        else:
            shown = r"\fbox{The plot is in paper.pdf.}"
        chart = lay_out(block.plot)
        notes = "".join(f" {latex.text(note)}" for note in chart.notes)
        number = block.plot.id
        data = rf" Data: \evidencelink{{{number}}}{{{number}}}." if number in self._numbers else ""
        caption = self.inlines(block.caption, fragile=True) + notes + data
        label = rf"\label{{at:{latex.name(block.plot.label)}}}" if block.plot.label else ""
        return f"\\begin{{figure}}[tb]\\centering\n{shown}\n\\caption{{{caption}}}{label}\n\\end{{figure}}"

    def _grid(self, grid: Grid) -> str:
        layout = table_layout(grid)
        self._longest = layout.longest
        try:
            return self._laid_out(grid, layout)
        finally:
            self._longest = LONGEST_WORD

    def _laid_out(self, grid: Grid, layout: TableLayout) -> str:
        if layout.lines > MOST_FLOATING:
            return self._in_pieces(grid, layout)
        size = _SIZES[layout.size]
        columns = self._columns(grid, layout)
        table = f"\\begin{{tabular}}{{{columns}}}\n{self._rows(grid)}\n\\end{{tabular}}"
        table = rf"\fitting{{{table}}}" if not layout.shares else table
        if not grid.caption and not layout.across:
            return f"\\begin{{center}}\\{size}\n{table}\n\\end{{center}}"
        name = "table*" if layout.across else "table"
        label, before = f"at:{latex.name(grid.label)}" if grid.label else "", ""
        if not grid.caption:
            self._wide_tables += 1
            label = label or f"wide:{self._wide_tables}"
            before = rf"See Table~\ref{{{label}}}." + "\n\n"
        caption = rf"\caption{{{self.inlines(grid.caption, fragile=True)}}}"
        label = rf"\label{{{label}}}" if label else ""
        return f"{before}\\begin{{{name}}}[tb]\\centering\\{size}\n{caption}{label}\n{table}\n\\end{{{name}}}"

    def _in_pieces(self, grid: Grid, layout: TableLayout) -> str:
        """A table too long for a column, as pieces of one; they have its columns in common."""
        columns = self._columns(grid, replace(layout, shares=layout.shares or even_shares(grid)))
        each = max(1, MOST_WHOLE * len(grid.rows) // layout.lines)
        size = _SIZES[layout.size]
        head = rf"\noindent\textbf{{{self.inlines(grid.caption, fragile=True)}}}\par" if grid.caption else ""
        chunks = (grid.rows[start : start + each] for start in range(0, len(grid.rows), each))
        begin = rf"\noindent\begin{{tabular}}{{{columns}}}"
        pieces = [
            f"{begin}\n{self._rows(replace(grid, rows=rows))}\n\\end{{tabular}}\\par" for rows in chunks
        ]
        return f"{{\\{size}\n" + "\n".join(filter(None, (head, *pieces))) + "}"

    def _columns(self, grid: Grid, layout: TableLayout) -> str:
        if not layout.shares:
            return "".join(a[0] if a in ("left", "center", "right") else "l" for a in grid.align)
        # The space lets the first word of a cell be broken.
        ragged = r">{\raggedright\arraybackslash\hspace{0pt}}"
        widths = (rf"\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax" for share in layout.shares)
        return "".join(f"{ragged}p{{{width}}}" for width in widths)

    def _rows(self, grid: Grid) -> str:
        header = self._cells(tuple((Styled("strong", cell),) for cell in grid.header), len(grid.header))
        body = "\n".join(rf"{self._cells(row, len(grid.header))} \\" for row in grid.rows)
        return f"\\toprule\n{header} \\\\\n\\midrule\n{body}\n\\bottomrule"

    def _cells(self, row: Iterable[tuple[Inline, ...]], columns: int) -> str:
        # Empty braces: a bracket at the start of a row would be read as a length.
        cells = [f"{{}}{self.inlines(cell, fragile=True)}" for cell in row][:columns]
        return " & ".join(cells + ["{}"] * (columns - len(cells)))

    def _entries(self, block: Entries) -> str:
        return "\n".join(ENTRY[block.kind].format(*(self._cell(cell) for cell in row)) for row in block.rows)

    def _cell(self, cell: tuple[Inline, ...]) -> str:
        return self.inlines(cell, fragile=True)

    def inlines(self, parts: Iterable[Inline], *, fragile: bool = False) -> str:
        """Parts of a line; ``fragile`` where LaTeX allows no footnote and no line break."""
        return "".join(self._inline(part, fragile) for part in parts)

    def _inline(self, part: Inline, fragile: bool) -> str:
        match part:
            case Text():
                return latex.text(breakable(part.text, self._longest))
            case Styled():
                command = {"emphasis": "emph", "strong": "textbf", "struck": "struck"}[part.style]
                return rf"\{command}{{{self.inlines(part.parts, fragile=True)}}}"
            case Code():
                return latex.code(breakable(part.text, self._longest))
            case Link():
                return (
                    rf"\weblink{{{latex.address(part.address)}}}{{{self.inlines(part.parts, fragile=True)}}}"
                )
            case Number():
                shown = latex.text(part.text)
                known = part.id in self._numbers
                return rf"\evidencelink{{{part.id}}}{{{shown}}}" if known else shown
            case Anchor():
                return rf"\hypertarget{{ev-{part.id}}}{{}}"
            case Reference():
                return self._reference(part)
            case Citation():
                return self._citation(part)
            case Formula():
                if part.node is None:
                    return latex.code(breakable(part.source))
                shown = latex.formula(part.node)
                return f"${shown}$" if shown.strip() else ""  # two dollar signs would begin a display
            case LineBreak():
                return " " if fragile else r"\newline{}"
            case Footnote():
                inner = self.inlines(part.parts, fragile=True)
                return f" ({inner})" if fragile else rf"\footnote{{{inner}}}"

    def _reference(self, part: Reference) -> str:
        if part.label not in self._labels:
            return latex.text(f"@{part.label}")
        name = {"fig": "Figure", "tab": "Table", "eq": "Eq."}[part.label.partition("-")[0]]
        return rf"{name}~\ref{{at:{latex.name(part.label)}}}"

    def _citation(self, part: Citation) -> str:
        """A citation by the command of natbib that prints what stands in the text."""
        work = self._works.get(part.key)
        if work is None:
            return latex.text(part.text)
        place = part.text.partition(f"{work.year}, ")[2]
        noted = rf"[{{{latex.text(place)}}}]" if place else ""
        behind = f", {place}" if place else ""
        for text, command in (
            (f"{work.authors}, {work.year}{behind}", rf"\citealp{noted}"),
            (f"{work.authors} ({work.year})", r"\citet"),
            (f"{work.year}{behind}", r"\citeyear"),
        ):
            if text == part.text:
                after = latex.text(behind) if command == r"\citeyear" else ""
                return rf"{command}{{{latex.name(part.key)}}}{after}"
        return rf"\hyperlink{{cite.{latex.name(part.key)}}}{{{latex.text(part.text)}}}"


_SIZES: Final = {"plain": "small", "small": "footnotesize", "tiny": "scriptsize"}
