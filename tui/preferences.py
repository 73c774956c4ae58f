"""What was chosen in the console and is kept, beside the settings that the user writes."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.config import Settings
from core.errors import StorageError


class Preferences(BaseModel):
    """Choices made in the console; each command-line option and setting goes before them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: str | None = None
    """The theme that was kept; None where none was."""
    slow: bool = False
    """Whether to spare a slow line."""
    mouse: bool = True
    """Whether the mouse is used."""


def preferences_path(settings: Settings) -> Path:
    """Where they are kept; it need not exist."""
    return settings.data_folder / "console.json"


def read_preferences(settings: Settings) -> Preferences:
    """Read what was kept; a file that cannot be read is as good as none."""
    try:
        return Preferences.model_validate_json(preferences_path(settings).read_bytes())
    except (OSError, ValidationError):
        return Preferences()


def keep_preferences(settings: Settings, preferences: Preferences) -> None:
    """Keep them for the next console.

    Raises:
        StorageError: the disk is full, read-only or forbidden.
    """
    path = preferences_path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=".console-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(preferences.model_dump(exclude_defaults=True), file)
            Path(written).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(written).unlink()
            raise
    except OSError as error:
        raise StorageError(
            f"cannot keep {path}: {error.strerror}", "Check its space and who owns it."
        ) from None
