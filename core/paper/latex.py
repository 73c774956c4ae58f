"""A paper as LaTeX that compiles with pdflatex: an article in two columns, from few packages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from core.paper import latex_text as latex
from core.paper.outline import Outline, labels
from core.paper.tree import (
    Anchor,
    Block,
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
from core.paper.typst_data import breakable, fits_column

DEEPEST_LIST = 4
"""Lists in lists that LaTeX can set."""

_PREAMBLE = r"""% 'pdflatex -jobname=latex paper.tex' leaves paper.pdf, which holds the evidence, as it is.
\documentclass[10pt,twocolumn]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=0.8in]{geometry}
\usepackage{amsmath,amssymb,graphicx,booktabs,longtable,array,color}
\usepackage[bookmarks=false,colorlinks=true,allcolors=evidence]{hyperref}
\definecolor{evidence}{rgb}{0.12,0.35,0.54}
\definecolor{warning}{rgb}{0.61,0.17,0.12}
\newcommand{\struck}[1]{\textcolor{warning}{[struck: #1]}}
\setcounter{MaxMatrixCols}{60}
\emergencystretch=2em
\setlength{\LTleft}{0pt}
\setlength{\tabcolsep}{3.5pt}
\setlength{\belowcaptionskip}{4pt}
\newcommand{\draftbanner}[1]{\noindent\fcolorbox{warning}{white}{%
  \parbox{0.95\columnwidth}{\textcolor{warning}{\textbf{#1}}}}}
"""


@dataclass
class _State:
    known: frozenset[str]
    anchors: set[str]
    plots: list[str]


def latex_source(paper: Outline, plots: Iterable[str] = (), pictures: Collection[str] = ()) -> str:
    r"""``paper.tex``.

    Args:
        paper: the paper.
        plots: file names of the plots of the body, in order; without them their place is empty.
        pictures: file names of figures that experiments drew, named by their hash.
    """
    anchors = {
        part.id
        for section in paper.appendix
        for block in section.blocks
        if isinstance(block, Grid)
        for row in block.rows
        for cell in row
        for part in cell
        if isinstance(part, Anchor)
    }
    write = _Writer(_State(labels(paper), anchors, list(plots)))
    return "\n".join(_lines(paper, write, sorted(pictures))) + "\n"


def _lines(paper: Outline, write: _Writer, pictures: list[str]) -> Iterator[str]:
    yield _PREAMBLE
    yield rf"\title{{\bfseries {write.inlines(paper.title, fragile=True)}}}"
    yield rf"\author{{\parbox{{0.9\textwidth}}{{\centering\normalsize {latex.text(paper.authors)}}}}}"
    yield rf"\date{{{latex.text(paper.day)}}}"
    yield "\\begin{document}\n\\maketitle"
    if paper.banner:
        yield rf"\draftbanner{{{latex.text(paper.banner)}}}"
    if paper.abstract:
        yield f"\\begin{{abstract}}\n{write.blocks(paper.abstract)}\n\\end{{abstract}}"
    yield write.blocks(paper.body)
    if paper.references:
        yield "\\section*{References}\n\\begin{itemize}"
        yield from (f"\\item {latex.text(breakable(entry))}" for entry in paper.references)
        yield "\\end{itemize}"
    yield "\\clearpage\\onecolumn\\appendix\n\\section*{Appendix: the evidence}"
    yield r"\noindent\emph{What follows was written by code, not by a model.}"
    for part in paper.appendix:
        yield rf"\section{{{latex.text(part.title)}}}"
        yield write.blocks(part.blocks)
    if pictures:
        yield "\\section{Figures drawn by the agents' code}\nNothing in these figures is bound to evidence."
    for name in pictures:
        shown = rf"\includegraphics[width=0.7\textwidth,height=3.6in,keepaspectratio]{{figures/{name}}}"
        credit = rf"\textbf{{Drawn by the agent's code.}} SHA-256: \texttt{{{name[:16]}}}\ldots"
        yield f"\\begin{{center}}{shown}\\\\ {credit}\\end{{center}}"
    yield r"\end{document}"


class _Writer:
    def __init__(self, state: _State) -> None:
        self._state = state
        self._depth = 0

    def blocks(self, blocks: Iterable[Block]) -> str:
        return "\n\n".join(filter(None, map(self._block, blocks)))

    def _block(self, block: Block) -> str:
        match block:
            case Heading():
                command = ("section", "subsection", "subsubsection")[min(block.level, 3) - 1]
                return rf"\{command}{{{self.inlines(block.parts, fragile=True)}}}"
            case Paragraph():
                return self.inlines(block.parts)
            case Listing() | Quote():
                return self._nested(block)
            case CodeBlock():
                lines = [self._code_line(line) for line in block.text.split("\n")]
                return "\\begin{flushleft}\\small\n" + "\\\\\n".join(lines) + "\n\\end{flushleft}"
            case DisplayFormula():
                return self._display(block)
            case Grid():
                return self._grid(block) if block.caption else self._long(block)
            case Drawing():
                return self._drawing(block)

    def _code_line(self, line: str) -> str:
        shown = latex.text(breakable(line.expandtabs(4))).replace("  ", "~~")
        return rf"\texttt{{{shown}}}\strut{{}}" if shown.strip() else r"\strut{}"

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
        body = latex.formula(formula.node)
        if not block.label:
            return f"\\[\n{body}\n\\]"
        return f"\\begin{{equation}}\\label{{{block.label}}}\n{body}\n\\end{{equation}}"

    def _drawing(self, block: Drawing) -> str:
        if self._state.plots:
            shown = rf"\includegraphics[width=\columnwidth]{{figures/{self._state.plots.pop(0)}}}"
        else:
            shown = r"\fbox{The plot is in paper.pdf.}"
        caption = self.inlines(block.caption, fragile=True)
        label = rf"\label{{{block.plot.label}}}" if block.plot.label else ""
        return f"\\begin{{figure}}[tb]\\centering\n{shown}\n\\caption{{{caption}}}{label}\n\\end{{figure}}"

    def _grid(self, grid: Grid) -> str:
        wide = not fits_column(grid) and len(grid.rows) <= 40
        name = "table*" if wide else "table"
        caption = rf"\caption{{{self.inlines(grid.caption, fragile=True)}}}"
        label = rf"\label{{{grid.label}}}" if grid.label else ""
        columns = (
            "".join(a[0] if a in ("left", "center", "right") else "l" for a in grid.align)
            if fits_column(grid)
            else self._widths(grid)
        )
        if len(grid.rows) > 40:
            return self._plain_rows(grid)
        return (
            f"\\begin{{{name}}}[tb]\\centering\\small\n{caption}{label}\n\\begin{{tabular}}{{{columns}}}\n"
            f"{self._rows(grid)}\n\\end{{tabular}}\n\\end{{{name}}}"
        )

    def _plain_rows(self, grid: Grid) -> str:
        """A table too long for a page of two columns, a row a line."""
        rows = [
            r" \quad{} ".join(self.inlines(cell, fragile=True) for cell in row)
            for row in (grid.header, *grid.rows)
        ]
        head = rf"\textbf{{{self.inlines(grid.caption, fragile=True)}}}\\" if grid.caption else ""
        return "\\begin{flushleft}\\small\n" + head + "\\\\\n".join(rows) + "\n\\end{flushleft}"

    def _long(self, grid: Grid) -> str:
        if not grid.weights and self._in_columns(grid):
            return self._plain_rows(grid)
        size = "footnotesize" if grid.weights else "small"
        columns = self._widths(grid)
        if not grid.weights:
            rows = self._rows(grid)
            return (
                f"\\begin{{center}}\\{size}\n\\begin{{tabular}}{{{columns}}}\n{rows}\n"
                "\\end{tabular}\n\\end{center}"
            )
        rows = self._rows(grid, long=True)
        return f"{{\\{size}\n\\begin{{longtable}}{{{columns}}}\n{rows}\n\\end{{longtable}}}}"

    def _in_columns(self, grid: Grid) -> bool:
        return len(grid.rows) > 40

    def _widths(self, grid: Grid) -> str:
        count = len(grid.header)
        weights = grid.weights or (1.0,) * count
        room = 0.97 - 0.016 * count
        ragged = r">{\raggedright\arraybackslash\hspace{0pt}}"  # the space lets the first word be broken
        return "@{}" + "".join(
            f"{ragged}p{{{max(0.005, room * w / sum(weights)):.3f}\\linewidth}}" for w in weights
        )

    def _rows(self, grid: Grid, *, long: bool = False) -> str:
        header = self._cells(grid.header, len(grid.header))
        body = "\n".join(rf"{self._cells(row, len(grid.header))} \\" for row in grid.rows)
        head_end = "\\midrule\\endhead" if long else "\\midrule"
        return f"\\toprule\n{header} \\\\\n{head_end}\n{body}\n\\bottomrule"

    def _cells(self, row: Iterable[tuple[Inline, ...]], columns: int) -> str:
        # Empty braces: a bracket at the start of a row would be read as a length.
        cells = [f"{{}}{self.inlines(cell, fragile=True)}" for cell in row][:columns]
        return " & ".join(cells + ["{}"] * (columns - len(cells)))

    def inlines(self, parts: Iterable[Inline], *, fragile: bool = False) -> str:
        """Parts of a line; ``fragile`` where LaTeX allows no footnote and no line break."""
        return "".join(self._inline(part, fragile) for part in parts)

    def _inline(self, part: Inline, fragile: bool) -> str:
        match part:
            case Text():
                return latex.text(breakable(part.text))
            case Styled():
                command = {"emphasis": "emph", "strong": "textbf", "struck": "struck"}[part.style]
                return rf"\{command}{{{self.inlines(part.parts, fragile=True)}}}"
            case Code():
                return latex.code(breakable(part.text))
            case Link():
                return rf"\href{{{latex.address(part.address)}}}{{{self.inlines(part.parts, fragile=True)}}}"
            case Number():
                shown = latex.text(part.text)
                known = part.id in self._state.anchors
                return rf"\hyperlink{{ev-{part.id}}}{{{shown}}}" if known else shown
            case Anchor():
                return rf"\hypertarget{{ev-{part.id}}}{{}}"
            case Reference():
                return self._reference(part)
            case Formula():
                if part.node is None:
                    return latex.code(breakable(part.source))
                return f"${latex.formula(part.node)}$"
            case LineBreak():
                return " " if fragile else r"\newline{}"
            case Footnote():
                inner = self.inlines(part.parts, fragile=True)
                return f" ({inner})" if fragile else rf"\footnote{{{inner}}}"

    def _reference(self, part: Reference) -> str:
        if part.label not in self._state.known:
            return latex.text(f"@{part.label}")
        name = {"fig": "Figure", "tab": "Table", "eq": "Eq."}[part.label.partition("-")[0]]
        return rf"{name}~\ref{{{part.label}}}"
