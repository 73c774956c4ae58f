"""Python in the theme's own colours, few of them."""

from __future__ import annotations

from functools import lru_cache

from pygments.token import Token  # type: ignore[import-untyped]
from textual.content import Content
from textual.highlight import HighlightTheme, TokenType, highlight

from tui.safe_text import safe
from tui.widgets.page_view import MOST_CHARACTERS

MOST_HIGHLIGHTED = 200_000
"""Characters of a script that are coloured; a longer one is shown plain."""


class ScriptTheme(HighlightTheme):
    """What a reader looks for stands out; names and operators are text."""

    STYLES: dict[TokenType, str] = {  # noqa: RUF012 - Textual's own form
        Token.Comment: "$muted italic",
        Token.Keyword: "$accent",
        Token.Keyword.Constant: "$inconclusive",
        Token.Literal.String: "$supported",
        Token.Literal.String.Doc: "$muted italic",
        Token.Literal.String.Interpol: "$foreground",
        Token.Literal.Number: "$inconclusive",
        Token.Name.Builtin: "$accent",
        Token.Name.Class: "bold",
        Token.Name.Decorator: "$accent",
        Token.Name.Function: "bold",
        Token.Operator.Word: "$accent",
    }


@lru_cache(maxsize=64)
def script_lines(code: str, language: str = "python") -> tuple[Content, ...]:
    """A script as coloured lines; nothing in it is interpreted.

    Args:
        code: whatever a model wrote.
        language: as Pygments names it.
    """
    text = safe(code).expandtabs(4)
    lines = [line[: MOST_CHARACTERS + 1] for line in text.rstrip("\n").splitlines() or [""]]
    text = "\n".join(lines)
    if len(text) > MOST_HIGHLIGHTED:
        return tuple(Content(line) for line in lines)
    return tuple(highlight(text, language=language, theme=ScriptTheme).split("\n", allow_blank=True))
