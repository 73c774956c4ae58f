"""Answering a question of an agent."""

from __future__ import annotations

from textual.content import Content

from core.decisions import MAX_TEXT_CHARACTERS
from core.errors import InputError
from core.record.state import Request
from tui.safe_text import one_line, safe
from tui.screens.dialogs import Ask


class Answer(Ask):
    """Shows the whole question and asks for the answer, in as many lines as it takes.

    Args:
        request: the question.
    """

    def __init__(self, request: Request) -> None:
        asked = request.asked
        super().__init__(
            one_line(asked.title),
            Content(safe(asked.detail).strip()),
            multiline=True,
            reading=text_length,
            extension=".md",
        )


def text_length(text: str) -> str:
    """Nothing, as long as an agent can be told this much.

    Raises:
        InputError: it is too long.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise InputError(
            f"this has {len(text):,} characters", f"At most {MAX_TEXT_CHARACTERS:,} reach an agent."
        )
    return ""
