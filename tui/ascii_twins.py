"""Twins for every character that the console paints, for terminals that have ASCII only.

A twin takes as many columns as what it stands for, so that nothing moves.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import get_character_cell_size

from tui.screen import ASCII

COERCED = ("c.utf-8", "c.utf8")
"""What Python itself puts in the place of the locale C, so that it says nothing about the terminal."""

NO_LOCALES = ("c", "posix")

_GLYPHS = {
    "…": "~", "≤": "<", "≥": ">", "±": "~", "→": ">", "←": "<", "∞": "8", "α": "a",
    "▸": ">", "▾": "v", "▪": "*", "•": "*", "‹": "<", "›": ">", "⏎": "<", "⊘": "/",
    "─": "-", "━": "=", "│": "|", "┃": "|", "╌": "-", "┄": "-", "┆": "|", "▕": "|", "▏": "|",
    "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#",
    "▉": "#", "▊": "#", "▋": "#", "▌": "|", "▍": "|", "▎": "|", "▐": "|", "▀": "-", "▔": "-",
    "░": ".", "▒": ":", "▓": "%", "↑": "^", "↓": "v", "↲": "<", "↵": "<", "’": "'",
}  # fmt: skip

FIRST_CORNER, LAST_CORNER = 0x250C, 0x257F
FIRST_BRAILLE, LAST_BRAILLE = 0x2800, 0x28FF
FEW_DOTS = 2


class _Twins(dict[int, str]):
    """A table for ``str.translate`` that makes up what it lacks."""

    def __missing__(self, code: int) -> str:
        self[code] = twin = _made_up(code)
        return twin


def in_ascii(text: str) -> str:
    """Text, or what is sent to a terminal, without anything but ASCII."""
    return text if text.isascii() else text.translate(_TABLE)


def speaks_unicode(encoding: str, environment: Mapping[str, str]) -> bool:
    """Whether a terminal shows more than ASCII, by its locale.

    Where nothing names a locale, it is taken to: most terminals do. tmux goes by the locale, too, and
    would put an underscore for every other character.

    Args:
        encoding: of the file that is the terminal.
        environment: of this process.
    """
    if not encoding.lower().startswith("utf"):
        return False
    named = (environment.get(name, "").lower() for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in named if name and name not in COERCED), "")
    if locale:
        return locale not in NO_LOCALES and "utf" in locale
    asked = (environment.get(name, "").lower() for name in ("LC_ALL", "LANG"))
    return any(name in COERCED for name in asked) or not environment.get("TMUX")


def _made_up(code: int) -> str:
    if code < 128:
        return chr(code)
    if FIRST_BRAILLE <= code <= LAST_BRAILLE:
        dots = (code - FIRST_BRAILLE).bit_count()
        return " " if not dots else "." if dots <= FEW_DOTS else ":"
    if FIRST_CORNER <= code <= LAST_CORNER:
        return "+"
    return "?" * get_character_cell_size(chr(code))


_TABLE = _Twins()
_TABLE.update({code: twin for code, twin in ASCII.items() if len(twin) == 1})
_TABLE.update(str.maketrans(_GLYPHS))
