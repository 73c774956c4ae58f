"""The studies that are shipped: real experiments with a scripted model, so that no key is needed.

Each is a folder with a ``trajectory.toml`` and, beside it, the experiment scripts and papers that the
trajectory names. The scripts run in sandboxes only and are imported from nowhere.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError
from core.models.scripted import read_trajectory

DEFAULT = "bagging"
"""The study that is played where none is named."""

_FOLDER = Path(__file__).parent
_NAMES = (DEFAULT, "double_descent", "wrong_cv")


class Study(NamedTuple):
    """A shipped study, as people choose it."""

    name: str
    """What a command calls it, e.g. ``bagging``."""
    title: str
    """Its title."""
    about: str
    """One or two sentences."""


@cache
def studies() -> tuple[Study, ...]:
    """Every shipped study, the default one first.

    Raises:
        TrajectoryError: the installation is damaged.
    """
    return tuple(Study(name, *_title_and_about(_FOLDER / name)) for name in _NAMES)


def study_path(name: str) -> Path:
    """The folder of a shipped study, which ``read_trajectory`` reads.

    Raises:
        InputError: no shipped study goes by that name.
    """
    if name not in _NAMES:
        raise InputError(f"there is no shipped study {name!r}", f"There are: {', '.join(_NAMES)}.")
    return _FOLDER / name


def _title_and_about(folder: Path) -> tuple[str, str]:
    trajectory = read_trajectory(folder)
    return trajectory.title, trajectory.about
