"""The choice of a theme: which there are, which is shown, and which is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.theme import Theme

from core.errors import StorageError
from tui.theme_colours import DEFAULT, SHIPPED, SIXTEEN, TITLE, shipped_theme

if TYPE_CHECKING:
    from core.config import Settings
    from tui.preferences import Preferences
    from tui.themes import ThemeFolders


class ThemedApp(App[int], inherit_bindings=False):
    """An app with our themes, the user's own among them.

    It can be painted before the settings are read, which takes longer; then ``take_settings`` is called
    once they are.

    Args:
        theme: the theme to begin with; None for the one that was set or kept.
        driver_class: drives the terminal; None for Textual's own.

    Attributes:
        settings: what the user prefers.
        preferences: what was chosen in the console and is kept.
        theme_folders: where themes lie.
    """

    BINDINGS: ClassVar[list[BindingType]] = []

    settings: Settings
    preferences: Preferences
    theme_folders: ThemeFolders

    def __init__(self, theme: str | None, driver_class: type[Driver] | None) -> None:
        super().__init__(driver_class=driver_class)
        self._asked_theme = theme
        self._unknown_theme = ""
        self._few_colours = False

    def look_like(self, name: str | None) -> None:
        """Take a theme without having read the settings.

        Args:
            name: the theme; a user's own, which has to be checked first, waits until the settings are read.
        """
        theme = shipped_theme(name)
        self.register_theme(theme)
        self.theme = theme.name

    def take_settings(self, settings: Settings) -> None:
        """Take what the user prefers, and every theme there is."""
        from tui.preferences import read_preferences  # slow to import, and needed by no first frame
        from tui.themes import ThemeFolders

        self.settings = settings
        self.preferences = read_preferences(settings)
        self.theme_folders = ThemeFolders()
        self._unknown_theme = self._begin_with(self._asked_theme or settings.theme or self.preferences.theme)

    def warn(self, message: str, next_step: str = "") -> None:
        """Say in a toast what stands in the way, and what to do about it."""
        title = message if next_step else ""
        self.notify(next_step or message, title=title, severity="warning", markup=False)

    def report_themes(self) -> None:
        """Say what is wrong with the theme that was asked for, and with the user's own."""
        if self._unknown_theme:
            self.warn(f"there is no theme {self._unknown_theme!r}", "Choose another: press : and type theme.")
        for error in self.theme_folders.problems.values():
            self.warn(error.message, error.next_step)

    def reload_themes(self) -> None:
        """Take in the user's themes where they changed."""
        problems = dict(self.theme_folders.problems)
        for theme in self.theme_folders.changed():
            self.register_theme(theme)
            if theme.name == self.theme:
                self._watch_theme(theme.name)
        for path, error in self.theme_folders.problems.items():
            if problems.get(path) is not error:
                self.warn(error.message, error.next_step)

    @property
    def our_themes(self) -> list[Theme]:
        """Every theme that can be chosen, by title."""
        from tui.themes import title_of

        ours = (theme for theme in self.available_themes.values() if TITLE in theme.variables)
        return sorted(ours, key=title_of)

    def keep_theme(self, name: str) -> None:
        """Keep a theme for the next console, unless the settings name one."""
        if self.settings.theme is not None:
            self.notify(f"It stays until you leave: the settings say {self.settings.theme!r}.", markup=False)
            return
        self.keep(self.preferences.model_copy(update={"theme": name}))

    def keep(self, preferences: Preferences) -> None:
        """Keep what was chosen for the next console."""
        from tui.preferences import keep_preferences

        self.preferences = preferences
        try:
            keep_preferences(self.settings, preferences)
        except StorageError as error:
            self.warn(error.message, error.next_step)

    def do_with_few_colours(self) -> None:
        """Take the theme for terminals of sixteen colours, unless the one at hand needs no more."""
        self._few_colours = True
        if not self.current_theme.ansi:
            self.look_like(SIXTEEN)

    def _begin_with(self, name: str | None) -> str:
        """Read all themes and take one; gives its name where there is none of that name."""
        foreign = [theme for theme in self.available_themes if not (SHIPPED / f"{theme}.toml").is_file()]
        before = self.current_theme
        for theme in self.theme_folders.read():
            self.register_theme(theme)
        known = {theme.name: theme for theme in self.our_themes}
        taken = known.get(name or DEFAULT, known[DEFAULT])
        self.theme = SIXTEEN if self._few_colours and not taken.ansi else taken.name
        if before.name == self.theme and before != self.current_theme:
            self._watch_theme(self.theme)  # the user's own took a shipped one's place
        for other in foreign:
            if other not in known:
                self.unregister_theme(other)  # it lacks our colours
        return "" if name is None or name in known else name
