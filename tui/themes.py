"""Themes: one TOML palette each; colours only.

Shipped themes lie in ``themes/`` of the project, the user's own in ``themes/`` of the configuration
folder; there a theme of the same name takes a shipped one's place. In style sheets the colours of a
palette are variables of the same name: ``$muted``, ``$supported``, ``$waiting`` and so on.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError
from textual.color import Color, ColorParseError
from textual.theme import Theme

from core.config import APPLICATION
from core.errors import ConfigError

SHIPPED = Path(__file__).parent.parent / "themes"

DEFAULT = "signature-dark"


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
    colours = file.colours.model_dump()
    for name, colour in colours.items():
        try:
            Color.parse(colour)
        except ColorParseError:
            raise ConfigError(f"the theme {path} has no colour in {name}: {colour!r}") from None
    return Theme(
        name=file.name,
        dark=file.dark,
        primary=colours["accent"],
        accent=colours["accent"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        success=colours["supported"],
        warning=colours["waiting"],
        error=colours["failed"],
        variables=colours | {"footer-key-foreground": colours["accent"]},
    )
