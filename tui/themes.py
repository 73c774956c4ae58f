"""Themes: one TOML palette each; colours only.

Shipped themes lie in ``themes/`` of the project, the user's own in ``themes/`` of the configuration
folder; there a theme of the same name takes a shipped one's place. In style sheets the colours of a
palette are variables of the same name: ``$muted``, ``$supported``, ``$waiting`` and so on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError
from textual.color import Color, ColorParseError
from textual.theme import Theme

from core.config import APPLICATION
from core.errors import ConfigError

SHIPPED = Path(__file__).parent.parent / "themes"

DEFAULT = "signature-dark"

SIXTEEN = "sixteen"
"""The theme for terminals that have no more colours than that."""

TITLE = "theme-title"
"""The variable that carries a theme's title."""

ANSI = "ansi_"
"""How the names of the terminal's own sixteen colours begin."""


class Palette(BaseModel):
    """The colours of a theme, each ``#rrggbb`` or ``ansi_…``."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

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
    return Theme(
        name=file.name,
        dark=file.dark,
        ansi=bool(ansi),
        primary=colours["accent"],
        accent=colours["accent"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        success=colours["supported"],
        warning=colours["waiting"],
        error=colours["failed"],
        variables=colours | _for_textual(colours) | {TITLE: f'"{file.title}"'},
    )


def title_of(theme: Theme) -> str:
    """A theme's title, for people."""
    return theme.variables.get(TITLE, theme.name).strip('"')


def _for_textual(colours: Mapping[str, str]) -> dict[str, str]:
    """What Textual's own widgets take, so that they look like ours."""
    return {
        "ansi-background": colours["background"],
        "ansi-foreground": colours["foreground"],
        "text": colours["foreground"],
        "text-muted": colours["muted"],
        "text-disabled": colours["muted"],
        "border": colours["accent"],
        "border-blurred": colours["line"],
        "block-cursor-background": colours["panel"],
        "block-cursor-foreground": colours["foreground"],
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": colours["panel"],
        "block-cursor-blurred-foreground": colours["foreground"],
        "block-hover-background": colours["surface"],
        "scrollbar": colours["line"],
        "scrollbar-hover": colours["muted"],
        "scrollbar-active": colours["accent"],
        "scrollbar-background": colours["background"],
        "scrollbar-background-hover": colours["background"],
        "scrollbar-background-active": colours["background"],
        "scrollbar-corner-color": colours["background"],
        "footer-background": colours["background"],
        "footer-item-background": colours["background"],
        "footer-foreground": colours["muted"],
        "footer-key-foreground": colours["accent"],
        "footer-key-background": colours["background"],
        "footer-description-foreground": colours["muted"],
        "footer-description-background": colours["background"],
        "input-cursor-background": colours["accent"],
        "input-cursor-foreground": colours["background"],
        "input-cursor-text-style": "none",
        "input-selection-background": colours["panel"],
        "input-selection-foreground": colours["foreground"],
        "screen-selection-background": colours["panel"],
        "screen-selection-foreground": colours["foreground"],
        "link-color": colours["accent"],
        "link-background": colours["background"],
        "link-color-hover": colours["background"],
        "link-background-hover": colours["accent"],
    }


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
        return [read_theme(path) for path in sorted(SHIPPED.glob("*.toml"))] + self._read(sorted(self._seen))

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
