"""Lines of a report: titles, and named fields whose text goes on below itself."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

NAME_COLUMNS = 13
WIDEST = 100
"""Columns of running text; longer lines are hard to read."""


@dataclass(frozen=True)
class ReportLine:
    """A line of the report.

    Attributes:
        content: what it says.
        hang: columns that what does not fit is indented by.
        cut: whether what does not fit is left out.
    """

    content: Content
    hang: int = NAME_COLUMNS + 2
    cut: bool = False

    def wrapped(self, width: int) -> list[Content]:
        """The lines it needs."""
        if self.content.cell_length < width or width < 2 * self.hang:
            return [self.content]
        if self.cut:
            return [self.content.truncate(width - 1, ellipsis=True)]
        head, rest = self.content[: self.hang], self.content[self.hang :]
        first, *others = rest.wrap(min(width - self.hang - 1, WIDEST))
        return [Content.assemble(head, first), *(Content.assemble(" " * self.hang, line) for line in others)]


BLANK = ReportLine(Content())


def field(name: str, *text: Content | str | tuple[str, str], hang: int = 0, cut: bool = False) -> ReportLine:
    """A named field; what does not fit goes on under its text."""
    return ReportLine(
        Content.assemble("  ", (name.ljust(NAME_COLUMNS), "$muted"), *text), NAME_COLUMNS + 2 + hang, cut
    )


def title(text: str) -> ReportLine:
    """The title of a part."""
    return ReportLine(Content.styled(f"  {text}", "$muted bold"))
