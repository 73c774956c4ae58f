"""What the colours of a theme are called, and how a palette becomes a theme of Textual's.

Nothing slow is imported here: the first frame is painted with it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from textual.theme import Theme

from tui.colours_256 import nearest
from tui.terminal import COLOUR_SYSTEM

SHIPPED = Path(__file__).parent.parent / "themes"

DEFAULT = "signature-dark"

SIXTEEN = "sixteen"
"""The theme for terminals that have no more colours than that."""

TITLE = "theme-title"
"""The variable that carries a theme's title."""

ANSI = "ansi_"
"""How the names of the terminal's own sixteen colours begin."""


def theme_of(name: str, title: str, dark: bool, colours: Mapping[str, str]) -> Theme:
    """A theme of Textual's for a palette.

    Args:
        name: its name.
        title: what people call it.
        dark: whether it is dark.
        colours: every colour of a palette, all of one kind.
    """
    if os.environ.get(COLOUR_SYSTEM) == "256":
        colours = {use: nearest(colour) for use, colour in colours.items()}
    return Theme(
        name=name,
        dark=dark,
        ansi=colours["background"].startswith(ANSI),
        primary=colours["accent"],
        accent=colours["accent"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        success=colours["supported"],
        warning=colours["waiting"],
        error=colours["failed"],
        variables={**colours, **_for_textual(colours), TITLE: f'"{title}"'},
    )


def shipped_theme(name: str | None) -> Theme:
    """A shipped theme as its file says it, unchecked; the usual one where none has that name."""
    path = SHIPPED / f"{name}.toml"
    if name is None or path not in SHIPPED.glob("*.toml"):
        path = SHIPPED / f"{DEFAULT}.toml"
    file = tomllib.loads(path.read_text(encoding="utf-8"))
    return theme_of(file["name"], file["title"], file["dark"], file["colours"])


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
