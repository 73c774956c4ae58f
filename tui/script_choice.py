"""Choosing the script that scripted models play."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.demo import studies, study_path
from core.errors import InputError
from core.models.choice import SCRIPTED
from core.models.scripted import Trajectory, read_trajectory


@dataclass(frozen=True)
class Script:
    """A trajectory and where it came from.

    Attributes:
        name: the model's name, e.g. ``scripted:bagging``.
        trajectory: the turns.
        shipped: whether it is part of fumehood.
    """

    name: str
    trajectory: Trajectory
    shipped: bool

    @property
    def needs(self) -> tuple[int, int]:
        """Rounds, and experiments per round, that it was written for; at least one."""
        rounds = [
            len(experiments)
            for turn in self.trajectory.turns.get("orchestrator", ())
            for call in turn.calls
            if call.tool == "propose_experiments"
            and isinstance(experiments := call.arguments.get("experiments"), list)
        ]
        return max(1, len(rounds)), max([1, *rounds])


def shipped_script(study: str) -> Script:
    """A shipped study.

    Raises:
        InputError: there is none of that name.
        TrajectoryError: the installation is damaged.
    """
    return Script(f"{SCRIPTED}{study}", read_trajectory(study_path(study)), shipped=True)


def script_of(model: str) -> Script:
    """The script of a model's name: ``scripted:`` and a shipped study or a path.

    Raises:
        InputError: there is neither a shipped study nor a path of that name.
        TrajectoryError: the trajectory cannot be read.
    """
    name = model.removeprefix(SCRIPTED)
    if name in {study.name for study in studies()}:
        return shipped_script(name)
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # no such home
        path = Path(name)
    if not name or not path.exists():
        names = ", ".join(study.name for study in studies())
        raise InputError(f"{name!r} is neither a shipped study nor a path", f"There are: {names}.")
    shown = path.resolve().name if path.is_dir() else path.resolve().parent.name or path.stem
    return Script(f"{SCRIPTED}{shown}", read_trajectory(path), shipped=False)
