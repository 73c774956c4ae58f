"""A script that waits for a yes: all of it, with line numbers, in the theme's colours."""

from __future__ import annotations

from pygments.token import Token  # type: ignore[import-untyped]
from rich.cells import get_character_cell_size
from textual.content import Content
from textual.highlight import HighlightTheme, TokenType, highlight

from tui.safe_text import safe

TAB_COLUMNS = 4
HIGHLIGHTED_CHARACTERS = 60_000
"""Longer scripts are shown in one colour: finding the colours would hold up the keys."""

FEWEST_COLUMNS = 8


class CodeColours(HighlightTheme):
    """The colours of a palette on Python."""

    STYLES: dict[TokenType, str] = {  # noqa: RUF012 - Textual's own form
        Token.Comment: "$muted",
        Token.Keyword: "$accent",
        Token.Literal.Number: "$waiting",
        Token.Literal.String: "$supported",
        Token.Literal.String.Doc: "$muted",
        Token.Name.Builtin: "$accent",
        Token.Name.Decorator: "$accent",
        Token.Operator.Word: "$accent",
    }


def hidden_characters(code: str) -> int:
    """How many characters of a script cannot be shown: control, direction and invisible ones."""
    plain = code.replace("\r\n", "\n")
    return len(plain) - len(safe(plain))


def numbered_code(code: str, columns: int) -> Content:
    """A script with line numbers; long lines go on below, so that nothing of it is out of sight.

    Args:
        code: the script.
        columns: the width to fit it to.
    """
    clean = "\n".join(line.rstrip() for line in safe(code).expandtabs(TAB_COLUMNS).split("\n")).rstrip("\n")
    if len(clean) <= HIGHLIGHTED_CHARACTERS:
        content = highlight(clean, language="python", theme=CodeColours)
    else:
        content = Content(clean)
    lines = content.split("\n", allow_blank=True)
    gutter = len(str(len(lines)))
    width = max(columns - gutter - 2, FEWEST_COLUMNS)
    shown: list[Content] = []
    for number, line in enumerate(lines, start=1):
        for part, piece in enumerate(_pieces(line, width)):
            head = f"{number:>{gutter}}  " if part == 0 else " " * (gutter + 2)
            shown.append(Content.assemble((head, "$muted"), piece))
    return Content("\n").join(shown)


def _pieces(line: Content, width: int) -> list[Content]:
    """A line cut where it is full. ``Content.fold`` would lose what follows characters without a width."""
    if line.cell_length <= width:
        return [line]
    cuts: list[int] = []
    filled = 0
    for place, character in enumerate(line.plain):
        cells = get_character_cell_size(character)
        if filled + cells > width:
            cuts.append(place)
            filled = 0
        filled += cells
    return line.divide(cuts) if cuts else [line]
