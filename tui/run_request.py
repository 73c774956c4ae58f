"""What a new run is created with, however it was asked for: by a command or in the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.approval import Policy
from core.config import RunSettings, Settings
from core.demo import DEFAULT
from core.errors import ConfigError, SandboxUnavailable
from core.experiment import Compute
from core.models.choice import declared_for
from core.record.folder import RunFolder, create_run
from core.sandbox.machines import LOCAL, checked_machine
from tui.model_choice import ChosenModels
from tui.script_choice import shipped_script

DEMO_SPEED = 400.0
"""Characters per second at which a demo's scripted text streams: quick, but readable as it comes."""


@dataclass(frozen=True)
class RunRequest:
    """A run that is asked for.

    Attributes:
        question: what is investigated.
        models: who thinks.
        policy: who approves, as typed; it can be read.
        named: fields of ``RunSettings`` that were named; the others are as the script or the user's
            settings have them.
        data: files that it is given before its engine starts.
    """

    question: str
    models: ChosenModels
    policy: str
    named: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Path, ...] = ()


def run_settings(settings: Settings, request: RunRequest) -> RunSettings:
    """What is fixed for the run: what was named, else what the study was written for, else the settings.

    Raises:
        ConfigError: the sandbox has no such GPU.
    """
    fields: dict[str, Any] = {
        **{str(role): name for role, name in request.models.names.items()},
        "base_urls": dict(settings.base_urls),
        "models": declared_for(set(request.models.names.values()), settings),
        "sandbox": settings.sandbox,
        "budget_usd": settings.budget_usd,
        "max_parallel": settings.max_parallel,
        "approve": request.policy,
        "local_usd_per_hour": settings.local_usd_per_hour,
        "lease_seconds": settings.lease_seconds,
        "paper_size": settings.paper_size,
    }
    script = request.models.script
    if script is not None and script.shipped:
        fields["sandbox"] = LOCAL  # Nobody pays for a demo who did not ask for it.
    if script is not None:
        fields["max_rounds"], fields["num_agents"] = script.needs
        fields["base_urls"] = {}
    if script is not None and script.shipped:
        # Its turns are written already, and none of them asks the literature: nothing may leave the machine.
        fields |= {"accept_process_only": True, "confirm_scripts": False, "literature": False}
    settings_of_run = RunSettings(**(fields | dict(request.named)))
    return settings_of_run.model_copy(update={"gpu": _gpu(settings_of_run)})


def _gpu(settings: RunSettings) -> str | None:
    """The run's GPU by the provider's own name.

    Raises:
        ConfigError: the provider has none of that name.
    """
    try:
        return checked_machine(settings.sandbox, Compute(gpu=settings.gpu)).gpu
    except SandboxUnavailable as error:
        raise ConfigError(error.message, f"{error.next_step}.") from None


def new_run(settings: Settings, request: RunRequest) -> RunFolder:
    """Create the run that is asked for; nothing drives it yet.

    Whatever it needs but its keys is fixed now, so that resuming it later is the same run.

    Raises:
        ConfigError: the sandbox has no such GPU.
        InputError: the question is empty or too long.
        StorageError: the folder cannot be made, or lies on a network file system.
    """
    script = request.models.script
    return create_run(
        settings.runs_folder,
        request.question,
        run_settings(settings, request),
        version("fumehood"),
        script.trajectory.model_dump_json() if script is not None else None,
    )


def demo_request(study: str = DEFAULT, policy: str = "ask", speed: float = DEMO_SPEED) -> RunRequest:
    """A shipped study, played as it was written.

    Args:
        study: its name.
        policy: who approves; it can be read.
        speed: characters per second at which its text streams.

    Raises:
        InputError: no shipped study goes by that name.
        TrajectoryError: the installation is damaged.
    """
    script = shipped_script(study)
    models = ChosenModels.playing(script)
    return RunRequest(script.trajectory.question, models, policy, {"characters_per_second": speed})


def readable_policy(text: str) -> str:
    """A policy that can be read, as it was typed.

    Raises:
        ConfigError: it cannot be read.
    """
    if Policy.parse(text) is None:
        raise ConfigError(f"the policy {text!r} cannot be read", "Use ask, auto, cpu or under:USD.")
    return text.strip()
