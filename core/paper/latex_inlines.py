"""What stands in a line of a paper, as LaTeX."""

from __future__ import annotations

from collections.abc import Iterable

from core.paper import latex_text as latex
from core.paper.outline import Outline, anchors, labels
from core.paper.table_layout import LONGEST_WORD, breakable
from core.paper.tree import (
    Anchor,
    Citation,
    Code,
    Footnote,
    Formula,
    Inline,
    LineBreak,
    Link,
    Number,
    Reference,
    Styled,
    Text,
)


class InlineWriter:
    """Writes parts of lines.

    Args:
        paper: the paper, whose labels, numbers and works can be referred to.
    """

    def __init__(self, paper: Outline) -> None:
        self.numbers = anchors(paper)
        """Numbers that have an entry in the appendix, by their id."""
        self.longest = LONGEST_WORD
        """Characters of a word that may stand without a place to break it."""
        self._labels = labels(paper)
        self._works = {work.key: work for work in paper.references}

    def write(self, parts: Iterable[Inline], *, fragile: bool = False) -> str:
        """Parts of a line; ``fragile`` where LaTeX allows no footnote and no line break."""
        return "".join(self._inline(part, fragile) for part in parts)

    def _inline(self, part: Inline, fragile: bool) -> str:
        match part:
            case Text():
                return latex.text(breakable(part.text, self.longest))
            case Styled():
                command = {"emphasis": "emph", "strong": "textbf", "struck": "struck"}[part.style]
                return rf"\{command}{{{self.write(part.parts, fragile=True)}}}"
            case Code():
                return latex.code(breakable(part.text, self.longest))
            case Link():
                return rf"\weblink{{{latex.address(part.address)}}}{{{self.write(part.parts, fragile=True)}}}"
            case Number():
                shown = latex.text(part.text)
                known = part.id in self.numbers
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
                inner = self.write(part.parts, fragile=True)
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
