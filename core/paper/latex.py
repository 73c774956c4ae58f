"""A paper as LaTeX that compiles with pdflatex: an article in two columns, from few packages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from core.evidence.references import Reference as Work
from core.paper import latex_text as latex
from core.paper.chart import lay_out
from core.paper.formula_width import can_be_broken
from core.paper.latex_inlines import InlineWriter
from core.paper.latex_preamble import ENTRY, PREAMBLE
from core.paper.latex_tables import TableWriter
from core.paper.outline import Outline, title_text
from core.paper.table_layout import breakable, broken_address
from core.paper.tree import (
    Block,
    CodeBlock,
    DisplayFormula,
    Drawing,
    Entries,
    Grid,
    Heading,
    Inline,
    Listing,
    Paragraph,
    Quote,
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
    inlines = InlineWriter(paper)
    return "\n".join(_lines(paper, inlines, _BlockWriter(inlines, list(plots)), pictures)) + "\n"


def _lines(
    paper: Outline, inlines: InlineWriter, blocks: _BlockWriter, pictures: Collection[str]
) -> Iterator[str]:
    yield PREAMBLE
    yield rf"\hypersetup{{pdftitle={{{latex.text(title_text(paper)[:300])}}}}}"
    banner = rf"\draftbanner{{{latex.text(paper.banner)}}}" if paper.banner else ""
    yield rf"\title{{{banner}\bfseries {inlines.write(paper.title, fragile=True)}}}"
    authors = latex.text(breakable(paper.authors))
    yield rf"\author{{\parbox{{0.9\textwidth}}{{\centering\normalsize {authors}}}}}"
    yield rf"\date{{{latex.text(paper.day)}}}"
    yield "\\begin{document}\n\\maketitle\\suppressfloats[t]"
    if paper.abstract:
        yield f"\\begin{{abstract}}\n{blocks.write(paper.abstract)}\n\\end{{abstract}}"
    yield blocks.write(paper.body)
    if paper.references:
        yield "{\\small\\begin{thebibliography}{}\\setlength{\\itemsep}{2pt}"
        yield from map(_work, paper.references)
        yield "\\end{thebibliography}}"
    yield "\\appendix\n\\section*{Appendix: the evidence}"
    yield r"\noindent\emph{What follows was written by code, not by a model.} Each number in the paper is a"
    yield "link to its entry in ``Every number''. The evidence itself is attached to \\texttt{paper.pdf}."
    for part in paper.appendix:
        yield rf"\section{{{latex.text(part.title)}}}"
        yield blocks.write(part.blocks)
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


class _BlockWriter:
    def __init__(self, inlines: InlineWriter, plots: list[str]) -> None:
        self._inlines = inlines
        self._tables = TableWriter(inlines)
        self._plots = plots
        self._depth = 0

    def write(self, blocks: Iterable[Block]) -> str:
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
                title = self._inlines.write(block.parts, fragile=True)
                if self._depth:
                    return rf"\textbf{{{title}}}"  # a list or quote must not begin with a section
                command = ("section", "subsection", "subsubsection")[min(block.level, 3) - 1]
                return rf"\{command}{{{title}}}"
            case Paragraph():
                return self._inlines.write(block.parts)
            case Listing() | Quote():
                return self._nested(block)
            case CodeBlock():
                return self._code(block)
            case DisplayFormula():
                return self._display(block)
            case Grid():
                return self._tables.write(block)
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
            return "\n\n".join(self.write(group) for group in groups)
        self._depth += 1
        if isinstance(block, Quote):
            name, body = "quote", self.write(block.blocks)
        else:
            name = "enumerate" if block.numbered else "itemize"
            body = "\n".join(rf"\item{{}} {self.write(item)}" for item in block.items)
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
        data = rf" Data: \evidencelink{{{number}}}{{{number}}}." if number in self._inlines.numbers else ""
        caption = self._inlines.write(block.caption, fragile=True) + notes + data
        label = rf"\label{{at:{latex.name(block.plot.label)}}}" if block.plot.label else ""
        return f"\\begin{{figure}}[tb]\\centering\n{shown}\n\\caption{{{caption}}}{label}\n\\end{{figure}}"

    def _entries(self, block: Entries) -> str:
        return "\n".join(ENTRY[block.kind].format(*(self._cell(cell) for cell in row)) for row in block.rows)

    def _cell(self, cell: tuple[Inline, ...]) -> str:
        return self._inlines.write(cell, fragile=True)
