"""Where tortured runs have their experiments, and what must not be left there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.record.folder import RunFolder
from tests.bench.torture_checks import Faults, check_remains


@dataclass
class Site:
    """This machine; others extend it.

    Attributes:
        settings: what runs are created with beside the usual.
        environment: variables of engines beside the usual.
        arguments: of the process that starts engines.
        life_seconds: no engine takes longer than this to end by itself.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    life_seconds: float = 60.0

    async def check(self, faults: Faults, folder: RunFolder, *, lossy: bool) -> None:
        """Find what a run that is over has left running or lying about, or has had twice.

        Args:
            faults: what is found is added to these.
            folder: the run.
            lossy: whether sandboxes were taken away, so that some were replaced.
        """
        check_remains(faults, folder)
