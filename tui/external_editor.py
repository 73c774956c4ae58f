"""Long text in the editor that the human is used to."""

from __future__ import annotations

from textual.app import App, SuspendNotSupported

from core.errors import InputError
from tui.editor import edited
from tui.safe_text import safe


def edited_outside(app: App[int], text: str, extension: str = ".txt") -> str | None:
    """Let the human change text in ``$VISUAL`` or ``$EDITOR``; the console steps aside meanwhile.

    Args:
        app: the console.
        text: what to begin with.
        extension: of the file that is opened, for the editor's colours.

    Returns:
        The text as saved, without control characters and the final newline; None where it was not saved.

    Raises:
        InputError: this terminal cannot be handed over, or the editor does not start or fails.
    """
    try:
        with app.suspend():
            saved = edited(text, extension)
    except SuspendNotSupported:
        raise InputError("this terminal cannot be handed to an editor", "Type it here.") from None
    return None if saved is None else safe(saved).rstrip("\n")
