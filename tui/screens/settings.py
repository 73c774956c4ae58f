"""What is set, and where it comes from; what is simple can be changed here."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.config import DeclaredModel, Settings, config_path
from tui.safe_text import one_line
from tui.themes import title_of
from tui.widgets.plain_list import PlainList

if TYPE_CHECKING:
    from tui.app import Console

NAME_COLUMNS = 18
VALUE_COLUMNS = 25

THEME, SLOW, MOUSE = "theme", "slow", "mouse"


@dataclass(frozen=True)
class Row:
    """One setting.

    Attributes:
        name: as in the settings file.
        value: what it is, for people.
        source: where that comes from.
        changeable: whether Enter changes it.
    """

    name: str
    value: str
    source: str
    changeable: bool = False


def written_settings() -> Mapping[str, Any]:
    """The user's settings file as it is; empty where there is none that can be read."""
    try:
        return tomllib.loads(config_path().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def source_of(name: str, written: Mapping[str, Any]) -> str:
    """Where a setting comes from."""
    variable = f"FUMEHOOD_{name.upper()}"
    if variable in os.environ:
        return variable
    return config_path().name if name in written else "default"


def rows_of(console: Console) -> list[Row]:
    """Every setting: first those of the console, which can be changed here."""
    written = written_settings()
    kept = "chosen here"
    theme_set = console.settings.theme is not None
    rows = [
        Row(
            THEME,
            title_of(console.current_theme),
            source_of(THEME, written) if theme_set else kept if console.preferences.theme else "default",
            changeable=True,
        ),
        Row(SLOW, _yes(console.slow), kept if console.preferences.slow else "default", changeable=True),
        Row(
            MOUSE,
            _yes(console.preferences.mouse),
            "default" if console.preferences.mouse else kept,
            changeable=True,
        ),
    ]
    for name in Settings.model_fields:
        value = getattr(console.settings, name)
        source = source_of(name, written)
        if isinstance(value, dict):
            rows += [
                Row(f"{name}.{one_line(part)}", one_line(_part(it)), source) for part, it in value.items()
            ]
        elif name != THEME:
            rows.append(Row(name, "–" if value is None else one_line(str(value)), source))
    return rows


def _part(value: object) -> str:
    """One entry of a table."""
    if isinstance(value, DeclaredModel):
        return value.base_url or value.id or value.provider
    return str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


class SettingsList(PlainList, inherit_bindings=False):
    """The settings, moved through with arrows and with vim's keys."""

    BINDING_GROUP_TITLE = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "next", id="settings.next"),
        Binding("k,up", "cursor_up", "previous", id="settings.previous"),
        Binding("g,home", "first", "first", id="settings.first", show=False),
        Binding("G,end", "last", "last", id="settings.last", show=False),
        Binding("enter", "select", "change", id="settings.change"),
    ]


class SettingsScreen(ModalScreen[None]):
    """Shows every setting; Enter changes those of the console."""

    DEFAULT_CSS = """
    SettingsScreen { align: center middle; }
    SettingsScreen > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 94%;
        background: $panel; border-left: outer $accent; padding: 1 2;
    }
    SettingsScreen .title { text-style: bold; margin-bottom: 1; }
    SettingsScreen SettingsList { height: auto; max-height: 16; }
    SettingsScreen.-narrow SettingsList { max-height: 13; }
    SettingsScreen .about { margin-top: 1; height: 2; color: $foreground; }
    SettingsScreen .end { color: $muted; height: auto; }
    """

    BINDING_GROUP_TITLE = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", id="settings.close"),
    ]

    def compose(self) -> ComposeResult:
        """The list, and what is known about the setting under the cursor."""
        with Vertical():
            yield Static("Settings", classes="title")
            yield SettingsList()
            yield Static(classes="about", markup=False)
            yield Static(
                Content(f"enter changes   esc closes   the rest is set in {one_line(str(config_path()))}"),
                classes="end",
            )

    def on_mount(self) -> None:
        """Show them."""
        self._show()
        self.query_one(SettingsList).focus()

    def on_screen_suspend(self) -> None:
        """Step aside for what lies over it."""
        self.query_one(Vertical).visible = False

    def on_screen_resume(self) -> None:
        """Show what was chosen meanwhile."""
        self.query_one(Vertical).visible = True
        self._show()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what a setting is for."""
        row = self._rows[event.option_index]
        self.query_one(".about", Static).update(_about(row))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Change a setting, where that can be done here."""
        row = self._rows[event.option_index]
        console = self._fumehood
        if not row.changeable:
            self.notify(f"Set {row.name} in {config_path()}.", markup=False)
        elif row.name == THEME:
            console.action_choose_theme()
        elif row.name == SLOW:
            console.spare_the_line(not console.slow)
        else:
            console.keep(console.preferences.model_copy(update={"mouse": not console.preferences.mouse}))
            self.notify("It counts from the next start.", markup=False)
        self._show()

    def _show(self) -> None:
        self._rows = rows_of(self._fumehood)
        options = self.query_one(SettingsList)
        chosen = options.highlighted
        options.clear_options()
        options.add_options([Option(_shown(row)) for row in self._rows])
        options.highlighted = chosen or 0

    @property
    def _fumehood(self) -> Console:
        return cast("Console", self.app)


def _shown(row: Row) -> Content:
    value = one_line(row.value, VALUE_COLUMNS).ljust(VALUE_COLUMNS)
    return Content(f"{one_line(row.name, NAME_COLUMNS):<{NAME_COLUMNS}} {value} {row.source}")


def _about(row: Row) -> str:
    if row.name == THEME:
        return "What everything looks like."
    if row.name == SLOW:
        return "Whether to paint less often, to spare a slow line."
    if row.name == MOUSE:
        return "Whether the mouse is used; nothing needs it."
    if row.name.startswith("keys."):
        return "A key that you changed."
    field = Settings.model_fields.get(row.name.partition(".")[0])
    return one_line(field.description or "") if field else ""
