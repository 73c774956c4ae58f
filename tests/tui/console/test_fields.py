"""Fields to type in paint nothing that a terminal would act on."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import App, ComposeResult

from tui.widgets.fields import ManyLines, OneLine

HOSTILE = "a\x1b]0;evil\x07b\x9b31mc\u202ed"


class Fields(App[None]):
    def compose(self) -> ComposeResult:
        yield OneLine(HOSTILE)
        yield ManyLines(HOSTILE)


def painted(field: OneLine | ManyLines) -> str:
    return "".join(segment.text for y in range(field.size.height) for segment in field.render_line(y))


@pytest.mark.parametrize("kind", [OneLine, ManyLines])
def test_a_field_paints_no_character_that_a_terminal_acts_on(kind: type[OneLine] | type[ManyLines]) -> None:
    async def look() -> str:
        app = Fields()
        async with app.run_test(size=(60, 20)):
            return painted(app.query_one(kind))

    shown = asyncio.run(look())
    assert "evil" in shown
    assert not set(shown) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("kind", [OneLine, ManyLines])
def test_what_is_pasted_into_a_field_is_made_safe(kind: type[OneLine] | type[ManyLines]) -> None:
    async def paste() -> str:
        app = Fields()
        async with app.run_test(size=(60, 20)) as pilot:
            field = app.query_one(kind)
            field.clear()
            field.focus()
            await pilot.pause()
            app.post_message(events.Paste("x\x1b[31my"))
            await pilot.pause()
            await pilot.pause()
            return field.value if isinstance(field, OneLine) else field.text

    assert asyncio.run(paste()) == "xy"
