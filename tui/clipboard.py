"""Copying text to where the user pastes from, also over SSH and inside tmux."""

from __future__ import annotations

import asyncio
import os

from textual.app import App

from core.ending import end
from tui.child_environment import child_environment

TMUX_SECONDS = 2.0


async def copy(app: App[int], text: str) -> str:
    """Copy a text.

    The terminal is asked by OSC 52. tmux drops that unless it is told otherwise, so inside tmux the
    text goes to tmux, which keeps it as a buffer and hands it on to its own terminal.

    Args:
        app: the console.
        text: what to copy.

    Returns:
        Where it went, in words for people: ``the clipboard`` or ``tmux``.
    """
    if os.environ.get("TMUX") and await _load_into_tmux(text):
        return "tmux"
    app.copy_to_clipboard(text)
    return "the clipboard"


async def _load_into_tmux(text: str) -> bool:
    try:
        tmux = await asyncio.create_subprocess_exec(
            *("tmux", "load-buffer", "-w", "-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(TMUX_SECONDS):
            await tmux.communicate(text.encode(errors="replace"))
    except (TimeoutError, OSError):
        return False
    finally:
        await end(tmux)
    return tmux.returncode == 0
