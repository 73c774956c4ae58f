"""Choosing a theme: moving through the list shows each, Enter keeps one, escape goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui import glyphs
from tui.safe_text import one_line
from tui.themes import title_of
from tui.widgets.plain_list import PlainList

if TYPE_CHECKING:
    from tui.app import Console

SAMPLE = (
    ((glyphs.WAITS, "$waiting"), (glyphs.RUNNING, "$running")),
    ((glyphs.VERDICTS["supported"], "$supported"), (glyphs.VERDICTS["refuted"], "$refuted")),
    ((glyphs.VERDICTS["inconclusive"], "$inconclusive"), (glyphs.FAILED, "$failed")),
)
SAMPLE_COLUMNS = 18


class ThemeList(PlainList, inherit_bindings=False):
    """The themes, moved through with arrows and with vim's keys."""

    BINDING_GROUP_TITLE = "Themes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "next", id="themes.next"),
        Binding("k,up", "cursor_up", "previous", id="themes.previous"),
        Binding("g,home", "first", "first", id="themes.first", show=False),
        Binding("G,end", "last", "last", id="themes.last", show=False),
        Binding("enter", "select", "keep", id="themes.keep"),
    ]


class ThemePicker(ModalScreen[None]):
    """Shows each theme as the cursor comes to it."""

    DEFAULT_CSS = """
    ThemePicker { align: right middle; background: $background 0%; }
    ThemePicker > Vertical {
        width: 40; max-width: 96%; height: auto; max-height: 94%; margin-right: 2;
        background: $panel; border-left: outer $accent; padding: 1 2;
    }
    ThemePicker .title { text-style: bold; margin-bottom: 1; }
    ThemePicker ThemeList { height: auto; max-height: 12; }
    ThemePicker .sample { margin-top: 1; height: auto; }
    ThemePicker .end { margin-top: 1; color: $muted; height: auto; }
    """

    BINDING_GROUP_TITLE = "Themes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "go_back", "leave it as it was", id="themes.back"),
    ]

    def compose(self) -> ComposeResult:
        """The list, and a sample of what a theme does to states."""
        with Vertical():
            yield Static("Theme", classes="title")
            yield ThemeList(
                *(
                    Option(Content(one_line(title_of(theme))), id=theme.name)
                    for theme in self._fumehood.our_themes
                )
            )
            lines = (
                Content.assemble(
                    *((f"{mark.glyph} {mark.word}".ljust(SAMPLE_COLUMNS), colour) for mark, colour in line)
                )
                for line in SAMPLE
            )
            yield Static(Content("\n").join(lines), classes="sample")
            yield Static("enter keeps   esc goes back", classes="end", markup=False)

    def on_mount(self) -> None:
        """Begin at the theme that is shown."""
        self._before = self._fumehood.theme
        options = self.query_one(ThemeList)
        options.highlighted = options.get_option_index(self._before)
        options.focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show a theme."""
        if event.option_id is not None:
            self._fumehood.theme = event.option_id

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Keep a theme."""
        if event.option_id is not None:
            self._fumehood.theme = event.option_id
            self._fumehood.keep_theme(event.option_id)
        self.dismiss()

    def action_go_back(self) -> None:
        """Take the theme that was there before."""
        self._fumehood.theme = self._before
        self.dismiss()

    @property
    def _fumehood(self) -> Console:
        return cast("Console", self.app)
