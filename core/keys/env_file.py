"""Keys from a ``.env`` file, which is read only where the user asks for it."""

from __future__ import annotations

from pathlib import Path

from dotenv import dotenv_values

from core.errors import InputError
from core.keys.names import KEY_NAMES
from core.keys.pasted import is_placeholder
from core.keys.secret import Secret


def read_env_file(path: Path) -> dict[str, Secret]:
    """The keys in a file of ``NAME=value`` lines; nothing else in it is looked at.

    Args:
        path: the file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            values = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"cannot read the file {path}: {reason}", "Name another with --env-file.") from None
    return {
        name: Secret(value)
        for name in KEY_NAMES
        if (value := values.get(name)) is not None and not is_placeholder(value)
    }
