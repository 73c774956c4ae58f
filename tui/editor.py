"""The editor that the human is used to, opened on a text."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from core.errors import InputError
from tui.child_environment import child_environment

USUAL_EDITORS = ("sensible-editor", "nano", "vim", "vi")
"""What is tried where nobody named an editor."""


def edited(text: str, extension: str = ".txt") -> str | None:
    """Let the human change a text in ``$VISUAL`` or ``$EDITOR``, in this terminal, until they leave it.

    The editor gets no variable that could hold a key.

    Args:
        text: what to begin with.
        extension: of the file that is opened, for the editor's colours.

    Returns:
        The text as saved; None where it was not saved.

    Raises:
        InputError: the editor does not start or fails.
    """
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="fumehood-") as folder:  # of mode 0700
        file = Path(folder, f"text{extension}")
        # Editors expect a last line that ends.
        file.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        # Editors that save within the same tick of the clock are seen by this older date.
        os.utime(file, (0, 0))
        try:
            left = subprocess.run([*command, str(file)], env=child_environment(), check=False)
        except OSError as error:
            raise InputError(
                f"the editor {command[0]!r} does not start: {error.strerror}", "Set EDITOR."
            ) from None
        if left.returncode != 0:
            raise InputError(f"the editor {command[0]!r} failed; nothing was changed", "Set EDITOR.")
        if file.stat().st_mtime == 0:
            return None
        return file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")


def editor_command() -> list[str]:
    """The editor and its arguments.

    Raises:
        InputError: none is named in a way that can be read, and none is installed.
    """
    for name in ("VISUAL", "EDITOR"):
        if wanted := os.environ.get(name, "").strip():
            try:
                return shlex.split(wanted)
            except ValueError:
                raise InputError(
                    f"{name} cannot be read: {wanted!r}", f"Mend the quotes in {name}."
                ) from None
    for usual in USUAL_EDITORS:
        if (found := shutil.which(usual)) is not None:
            return [found]
    raise InputError("there is no editor", "Set EDITOR.")
