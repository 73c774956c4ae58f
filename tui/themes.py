"""Themes: one TOML palette each; colours only.

Shipped themes lie in ``themes/`` of the project, the user's own in ``themes/`` of the configuration
folder; there a theme of the same name takes a shipped one's place. In style sheets the colours of a
palette are variables of the same name: ``$muted``, ``$supported``, ``$waiting`` and so on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError
from textual.color import Color, ColorParseError
from textual.theme import Theme

from core import APPLICATION
from core.errors import ConfigError
from tui.theme_colours import ANSI, SHIPPED, TITLE, shipped_theme, theme_of


class Palette(BaseModel):
    """The colours of a theme, each ``#rrggbb`` or ``ansi_…``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: str
    """Behind everything."""
    surface: str
    """Behind lists and logs."""
    panel: str
    """Behind what lies over something else, and the line under the cursor."""
    foreground: str
    """Text."""
    muted: str
    """Text that can wait."""
    line: str
    """Hairlines."""
    accent: str
    """The one accent: focus, keys, links."""
    supported: str
    """Supported, done, success."""
    refuted: str
    """Refuted."""
    inconclusive: str
    """Inconclusive."""
    waiting: str
    """What waits for the human."""
    running: str
    """What moves."""
    failed: str
    """Failed, killed, errors."""


class ThemeFile(BaseModel):
    """A theme as its file says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    dark: bool
    colours: Palette


def user_themes_folder() -> Path:
    """Where the user's own themes lie; it need not exist."""
    return platformdirs.user_config_path(APPLICATION) / "themes"


def read_theme(path: Path) -> Theme:
    """Read one theme.

    Raises:
        ConfigError: it cannot be read, lacks a colour or has one that is none.
    """
    try:
        file = ThemeFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"the theme {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the theme {path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"the theme {path} is not complete: {place}: {first['msg']}") from None
    colours: dict[str, str] = file.colours.model_dump()
    for name, colour in colours.items():
        try:
            Color.parse(colour)
        except ColorParseError:
            raise ConfigError(f"the theme {path} has no colour in {name}: {colour!r}") from None
    ansi = {name for name, colour in colours.items() if colour.startswith(ANSI)}
    if ansi and (others := sorted(set(colours) - ansi)):
        raise ConfigError(
            f"the theme {path} mixes {ANSI}… with other colours, in {others[0]}", "Use one kind."
        )
    return theme_of(file.name, file.title, file.dark, colours)


def title_of(theme: Theme) -> str:
    """A theme's title, for people."""
    return theme.variables.get(TITLE, theme.name).strip('"')


@dataclass
class ThemeFolders:
    """Every theme there is, and whether its file has changed.

    Attributes:
        user: where the user's own lie.
        problems: what is wrong with the user's own, by file; those are left out.
    """

    user: Path = field(default_factory=user_themes_folder)
    problems: dict[Path, ConfigError] = field(default_factory=dict)
    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def read(self) -> list[Theme]:
        """All themes; the user's own come last, so that they take the place of shipped ones."""
        self._seen = self._look()
        shipped = [shipped_theme(path.stem) for path in sorted(SHIPPED.glob("*.toml"))]
        return shipped + self._read(sorted(self._seen))

    def changed(self) -> list[Theme]:
        """The user's themes whose files are new or changed since they were last read."""
        now = self._look()
        before, self._seen = self._seen, now
        for path in before.keys() - now.keys():
            self.problems.pop(path, None)
        return self._read(sorted(path for path, look in now.items() if before.get(path) != look))

    def _read(self, paths: Iterable[Path]) -> list[Theme]:
        themes = []
        for path in paths:
            self.problems.pop(path, None)
            try:
                themes.append(read_theme(path))
            except ConfigError as error:
                self.problems[path] = error
        return themes

    def _look(self) -> dict[Path, tuple[int, int]]:
        """When each of the user's files was changed, and its size in bytes."""
        looks = {}
        try:
            for path in self.user.glob("*.toml"):
                status = path.stat()
                looks[path] = (status.st_mtime_ns, status.st_size)
        except OSError:
            return self._seen  # it is being changed; look again a second later
        return looks
