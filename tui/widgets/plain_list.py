"""A list of lines with a cursor, without a frame of its own."""

from __future__ import annotations

from textual.widgets import OptionList


class PlainList(OptionList, inherit_bindings=False):
    """Lies on a panel; only its cursor stands out.

    Without colours it is underlined: Textual does not paint options in reverse.
    """

    DEFAULT_CSS = """
    PlainList, PlainList:focus { background: $panel; border: none; padding: 0; background-tint: $panel 0%; }
    PlainList > .option-list--option { padding: 0 1; background: $panel; }
    PlainList > .option-list--option-highlighted, PlainList:focus > .option-list--option-highlighted {
        background: $accent; color: $background; text-style: bold;
    }
    PlainList:nocolor > .option-list--option-highlighted { text-style: bold underline; }
    """
