"""What programs get of our environment that a human uses: an editor, a pager, tmux.

A list of what they may have, not of what they may not: whatever key stands in our environment, by
whatever name, is not handed on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

PASSED_ON = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "PWD",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TERM",
        "TERMINFO",
        "TERMINFO_DIRS",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "COLORTERM",
        "COLORFGBG",
        "NO_COLOR",
        "COLUMNS",
        "LINES",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "DBUS_SESSION_BUS_ADDRESS",
        "SSH_TTY",
        "SSH_CONNECTION",
        "TMUX",
        "TMUX_PANE",
        "TMUX_TMPDIR",
        "STY",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "EXINIT",
        "VIMINIT",
        "MYVIMRC",
        "VIMRUNTIME",
        "NVIM",
        "NVIM_APPNAME",
        "NVIM_LISTEN_ADDRESS",
        "ALTERNATE_EDITOR",
        "EMACS_SOCKET_NAME",
        "EMACS_SERVER_FILE",
        "VSCODE_IPC_HOOK_CLI",
        "WSL_INTEROP",
        "WSL_DISTRO_NAME",
        "BAT_THEME",
        "BAT_STYLE",
    }
)
PASSED_ON_PREFIXES = ("LC_", "LESS", "XDG_", "KITTY_", "WEZTERM_", "ALACRITTY_", "GHOSTTY_", "KONSOLE_")


def child_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a program that the human uses.

    Args:
        environment: ours.
    """
    return {
        name: value
        for name, value in environment.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
