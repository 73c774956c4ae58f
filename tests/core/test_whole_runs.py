"""Whole runs over each provider's wire, question to paper, with engines that are killed on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.bench.torture import Starter
from tests.bench.whole_runs import UNDISTURBED, Death, faults_of, killed_once
from tests.fakes.playing_servers import Vendor

DEATHS = (
    UNDISTURBED,
    Death(request=1, moment="streaming"),
    Death(turn=3, after=True),
    Death(request=7, moment="given"),
)


@pytest.mark.parametrize("vendor", ["anthropic", "google"])
def test_a_killed_run_resends_what_it_was_answered_and_pays_no_complete_turn_twice(
    tmp_path: Path, vendor: Vendor
) -> None:
    async def main() -> list[str]:
        faults = []
        async with Starter.ready(tmp_path, providers=True) as starter:
            for number, death in enumerate(DEATHS):
                play, folder = await killed_once(starter, tmp_path / str(number), vendor, death)
                faults += [f"{death}: {fault}" for fault in faults_of(play, folder, death)]
        return faults

    assert asyncio.run(main()) == []
