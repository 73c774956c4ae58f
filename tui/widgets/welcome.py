"""What people see who have no run yet: what this is, and where to begin."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

WHAT_THIS_IS = (
    "Ask a question. Agents plan experiments that can answer it, and run them.",
    "Nothing is launched before you have approved it, with its price on it.",
    "Every number in the paper leads back to the line of code that measured it.",
)

BEGINNINGS = (
    ("d", "play the demo", "real experiments, scripted models, no key, no cost", "demo"),
    ("n", "ask a question", "and say what it may cost", "new_run"),
    ("k", "keys", "which there are, and where they are kept", "keys"),
)

WORD_COLUMNS = 17


class Welcome(Static):
    """Teaches what to do with an empty list."""

    DEFAULT_CSS = """
    Welcome { width: 100%; height: 1fr; content-align: center middle; color: $foreground; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(_text(), id=id)

    async def on_click(self, event: events.Click) -> None:
        """Begin where the mouse points."""
        if action := event.style.meta.get("begin"):
            event.stop()
            await self.screen.run_action(action)


def _text() -> Content:
    width = max(map(len, WHAT_THIS_IS))
    lines = [Content.styled("An autonomous AI researcher behind glass", "$accent bold"), Content()]
    lines += [Content(line) for line in WHAT_THIS_IS]
    lines.append(Content())
    for key, words, more, action in BEGINNINGS:
        line = Content.assemble(
            (f"{key}  ", "$accent bold"), (words.ljust(WORD_COLUMNS), "bold"), (more, "$muted")
        )
        lines.append(line.stylize(Style.from_meta({"begin": action})))
    return Content("\n").join(line.pad_right(max(0, width - line.cell_length)) for line in lines)
