"""How Textual's own parts look, and what is different where there are sixteen colours or none."""

from __future__ import annotations

PALETTE_STYLE = """
CommandPalette { background: $background 40%; }
CommandPalette:ansi { background: transparent; }
CommandPalette > Vertical { margin-top: 2; width: 76; max-width: 96%; }
CommandPalette #--container { background: $panel; padding: 1 0 0 0; }
CommandPalette #--input { border: none; background: $panel; padding: 0; height: 2; }
CommandPalette #--input.--list-visible { border-bottom: none; }
CommandPalette SearchIcon { display: none; }
CommandPalette CommandInput, CommandPalette CommandInput:focus { background: $panel; padding: 0 1; }
CommandPalette CommandList, CommandPalette CommandList:focus {
    background: $panel; border: none; padding: 0; background-tint: $panel 0%;
    scrollbar-size-vertical: 1; scrollbar-background: $panel; scrollbar-background-hover: $panel;
    scrollbar-background-active: $panel;
}
CommandPalette > .command-palette--help-text { color: $muted; text-style: not bold; background: transparent; }
CommandPalette CommandList > .option-list--option-highlighted { background: $line; color: $foreground; }
CommandPalette:ansi CommandList > .option-list--option-highlighted {
    background: $panel; color: $foreground;
}
CommandPalette:ansi CommandList { scrollbar-background: $background; }
CommandPalette:ansi .command-palette--help-text { color: $foreground; }
CommandPalette:nocolor .option-list--option-highlighted { text-style: bold underline; }
"""

TOAST_STYLE = """
Toast { background: $panel; color: $foreground; border-left: outer $accent; }
Toast.-warning { border-left: outer $waiting; }
Toast.-error { border-left: outer $failed; }
Toast .toast--title { color: $foreground; text-style: bold; }
"""

FEW_COLOURS_STYLE = """
App:ansi, Screen:ansi { background: $background; color: $foreground; }
ModalScreen:ansi { background: transparent; }
Input:ansi, TextArea:ansi, OptionList:ansi { background: $background; color: $foreground; }
HelpScreen:ansi > Vertical, SettingsScreen:ansi > Vertical, ThemePicker:ansi > Vertical,
Dialog:ansi > .box, EditExperiment:ansi > .box, KeysScreen:ansi > Vertical, CommandPalette:ansi CommandList {
    background: $background; border: round $accent;
}
ApprovalCard:ansi, PlainList:ansi, PlainList:ansi > .option-list--option, CommandPalette:ansi #--input,
CommandPalette:ansi CommandInput {
    background: $background;
}
PlainList:ansi > .option-list--option-highlighted { background: $accent; color: $background; }
TextArea:ansi .text-area--cursor { background: $foreground; color: $background; text-style: none; }
Toast:ansi { background: $background; border: round $accent; }
Toast.-warning:ansi { border: round $waiting; }
Toast.-error:ansi { border: round $failed; }
"""
"""Sixteen colours have no shades: what lies over something else has a frame, and blue is for cursors."""

NO_COLOURS_STYLE = """
Input:nocolor > .input--cursor, TextArea:nocolor .text-area--cursor { text-style: reverse; }
Input:nocolor > .input--selection, TextArea:nocolor .text-area--selection { text-style: underline; }
"""

STYLE = PALETTE_STYLE + TOAST_STYLE + FEW_COLOURS_STYLE + NO_COLOURS_STYLE
