"""Choosing the script that scripted models play: the only models of this version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.demo import DEFAULT, studies, study_path
from core.errors import ConfigError, InputError
from core.models.scripted import Trajectory, read_trajectory

PREFIX = "scripted:"
NOT_YET = "Try 'fumehood demo', or --model scripted:STUDY."


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


def chosen_script(
    model: str | None,
    others: Mapping[str, str],
    *,
    test_mode: bool = False,
    typed_model: bool = False,
    shipped_only: bool = False,
) -> Script:
    """The script of a model's name.

    Args:
        model: ``scripted:`` and a shipped study or a path; None where none is named.
        others: models of other roles, by role.
        test_mode: play the default study whatever the settings say.
        typed_model: whether the model was named on the command line.
        shipped_only: a path is not accepted.

    Raises:
        ConfigError: the model is not in this version, or roles name several.
        TrajectoryError: the trajectory cannot be read.
        InputError: no shipped study goes by that name.
    """
    if test_mode:
        if typed_model or others:
            raise ConfigError("--test-mode brings its own model", "Leave the --…model options out.")
        model = f"{PREFIX}{DEFAULT}"
    if model is None:
        raise ConfigError("no model is set, and Claude and Gemini are not in this version yet", NOT_YET)
    if not model.startswith(PREFIX):
        raise ConfigError(
            f"there is no model {model!r}: Claude and Gemini are not in this version yet", NOT_YET
        )
    for role, name in others.items():
        if name != model:
            raise ConfigError(
                f"the {role.replace('_', ' ')} cannot be {name!r}: one script plays all agents of a run",
                "Leave it out.",
            )
    return _read(model.removeprefix(PREFIX), shipped_only=shipped_only)


def _read(name: str, *, shipped_only: bool) -> Script:
    if shipped_only or name in {study.name for study in studies()}:
        return Script(f"{PREFIX}{name}", read_trajectory(study_path(name)), shipped=True)
    path = Path(name).expanduser()
    if not name or not path.exists():
        names = ", ".join(study.name for study in studies())
        raise InputError(f"{name!r} is neither a shipped study nor a path", f"There are: {names}.")
    shown = path.resolve().name if path.is_dir() else path.resolve().parent.name or path.stem
    return Script(f"{PREFIX}{shown}", read_trajectory(path), shipped=False)
