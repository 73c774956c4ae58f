"""Everything that the double knows: apps, images, sandboxes, volumes, and what was ever asked for."""

from __future__ import annotations

import base64
import json
import random
import string
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.modal.approvals import Approvals
from tests.fakes.modal.faults import Faults
from tests.fakes.modal.machine import Machine

LETTERS = string.ascii_letters + string.digits
TOKEN = ("ak-double", "as-double")
"""The one pair of credentials that is let in."""

RATES = {
    "GPU T4": "0.59",
    "GPU L4": "0.80",
    "GPU A10": "1.10",
    "GPU L40S": "1.95",
    "GPU A100-40GB": "2.10",
    "GPU A100-80GB": "2.50",
    "GPU RTX-PRO-6000": "3.03",
    "GPU H100": "3.95",
    "GPU H200": "4.54",
    "GPU B200": "6.25",
    "GPU B300": "7.10",
    "Sandbox CPU": "0.1419",
    "Sandbox Memory": "0.024",
}
"""USD per hour, a dump of 2026-09-20."""


@dataclass
class Image:
    """An image: its commands, its packages, and the folder with its interpreter once it is built."""

    id: str
    commands: tuple[str, ...]
    base: str
    packages: tuple[str, ...]
    programs: Path | None = None
    log: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class World:
    """The state of the double.

    Attributes:
        folder: where sandboxes and volumes live.
        url: where it listens.
        environments: where real environments for images are kept; None for this interpreter's own.
        creates: every create that was carried out, with its tags.
        approvals: what may be created.
    """

    folder: Path
    environments: Path | None = None
    url: str = ""
    faults: Faults = field(default_factory=Faults)
    apps: dict[str, str] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, bytes] = field(default_factory=dict)
    creates: list[dict[str, Any]] = field(default_factory=list)
    replies: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, str] = field(default_factory=lambda: dict(RATES))
    blocks_url: str = ""
    warning: str = ""
    approvals: Approvals = field(default_factory=Approvals)
    machine_environments: dict[str, dict[str, str]] = field(default_factory=dict)

    def environment_of(self, machine: Machine) -> dict[str, str]:
        """The variables that a sandbox was created with."""
        return self.machine_environments.get(machine.id, {})

    def volume_folder(self, volume_id: str) -> Path:
        """Where a volume's files are."""
        folder = self.folder / "volumes" / volume_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def programs(self, image_id: str) -> Path:
        """The folder with an image's interpreter."""
        image = self.images.get(image_id)
        return image.programs if image and image.programs else Path(sys.executable).parent

    def forget(self, run_id: str) -> None:
        """Forget what was of a run and is over, so that thousands of runs do not add up."""
        self.creates = [one for one in self.creates if one["tags"].get("fumehood-run") != run_id]
        for machine in self._machines_of(run_id):
            if not machine.alive:
                del self.machines[machine.id]
        self.replies = {key: name for key, name in self.replies.items() if name in self.machines}

    def _machines_of(self, run_id: str | None) -> list[Machine]:
        machines = list(self.machines.values())
        return [one for one in machines if run_id is None or one.tags.get("fumehood-run") == run_id]

    def report(self, run_id: str | None = None) -> dict[str, Any]:
        """What was ever asked for, of one run or at all, for tests."""
        return {
            "creates": [one for one in self.creates if run_id in (None, one["tags"].get("fumehood-run"))],
            "objections": self.approvals.objections,
            "sandboxes": {
                machine.id: {
                    "name": machine.name,
                    "tags": machine.tags,
                    "alive": machine.alive,
                    "scheduled": machine.scheduled,
                    "seconds": machine.seconds,
                    "execs": len(machine.commands),
                    "argvs": [list(command.argv) for command in machine.commands.values()],
                    "folder": str(machine.folder),
                }
                for machine in self._machines_of(run_id)
            },
            "images": [
                {"id": image.id, "commands": image.commands, "packages": image.packages}
                for image in self.images.values()
            ],
            "volumes": self.volumes,
            "calls": self.faults.taken,
        }


def new_id(prefix: str, length: int = 22) -> str:
    """An id as Modal makes them: 22 letters for what is old, another length for what is new."""
    return f"{prefix}-{''.join(random.choices(LETTERS, k=length))}"


def web_token(seconds: float = 3600) -> str:
    """A JSON web token that says when it expires, and nothing else."""

    def part(fields: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'exp': time.time() + seconds})}.signature"
