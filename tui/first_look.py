"""What the console looks like before its settings are read with care.

Reading and checking them takes longer than painting the first frame, so that this only peeks at what the
first frame depends on. What is wrong with a file is passed over here, and told once it is read.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from core import APPLICATION

PREFIX = f"{APPLICATION}_".upper()


@dataclass(frozen=True)
class FirstLook:
    """How the console begins.

    Attributes:
        theme: the theme that was set or kept; None where none was.
        mouse: whether the mouse is used.
    """

    theme: str | None = None
    mouse: bool = True


def first_look(environment: Mapping[str, str] = os.environ) -> FirstLook:
    """Peek at the settings and at what was kept in the console.

    Args:
        environment: of this process.
    """
    written = _toml(platformdirs.user_config_path(APPLICATION) / "config.toml")
    said = written | {
        name.upper().removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.upper().startswith(PREFIX)
    }
    data = said.get("data_folder") or platformdirs.user_data_path(APPLICATION)
    kept = _json(Path(str(data)) / "console.json")
    theme = said.get("theme") or kept.get("theme")
    return FirstLook(str(theme) if theme else None, kept.get("mouse") is not False)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _json(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
