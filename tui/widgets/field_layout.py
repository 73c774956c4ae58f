"""Names and values under one another, as on a form: values are wrapped and hang under their names."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

NAME_COLUMNS = 13
SECOND_NAME_COLUMNS = 11
GAP_COLUMNS = 2

PAIRED_COLUMNS = 92
"""From this width on, two short fields share a line."""

FEWEST_COLUMNS = 10


@dataclass(frozen=True)
class Field:
    """One line of a form, or several.

    Attributes:
        name: what it is about, a word or two.
        text: what there is to say.
        half: whether it may share its line with another such field.
        tone: the theme's colour of the name, where it must not be overlooked; empty for the usual one.
        apart: whether an empty line comes before it, where there is room.
    """

    name: str
    text: Content
    half: bool = False
    tone: str = ""
    apart: bool = False


def laid_out(fields: list[Field], columns: int) -> Content:
    """The fields as lines of at most so many columns."""
    lines: list[Content] = []
    place = 0
    while place < len(fields):
        field = fields[place]
        following = fields[place + 1] if place + 1 < len(fields) else None
        if field.apart and lines and columns >= PAIRED_COLUMNS:
            lines.append(Content())
        if columns >= PAIRED_COLUMNS and field.half and following is not None and following.half:
            lines += _beside(field, following, columns)
            place += 2
        else:
            lines += _lines(field, columns, NAME_COLUMNS)
            place += 1
    return Content("\n").join(lines)


def _lines(field: Field, columns: int, name_columns: int) -> list[Content]:
    room = max(columns - name_columns, FEWEST_COLUMNS)
    name = Content.styled(field.name.ljust(name_columns), f"${field.tone or 'muted'}")
    wrapped = field.text.wrap(room) or [Content()]
    return [(Content(" " * name_columns) if number else name) + line for number, line in enumerate(wrapped)]


def _beside(left: Field, right: Field, columns: int) -> list[Content]:
    half = columns * 3 // 5
    lefts = _lines(left, half - GAP_COLUMNS, NAME_COLUMNS)
    rights = _lines(right, columns - half, SECOND_NAME_COLUMNS)
    lines: list[Content] = []
    for number in range(max(len(lefts), len(rights))):
        line = lefts[number] if number < len(lefts) else Content()
        other = rights[number] if number < len(rights) else Content()
        lines.append(line + " " * max(half - line.cell_length, 1) + other)
    return lines
