"""Whole runs over each provider's wire, question to paper, with engines that are killed on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.record.folder import RunFolder
from tests.bench.torture_engine import Order
from tests.bench.torture_starter import Starter
from tests.bench.whole_runs import UNDISTURBED, Death, faults_of, killed_once, run_over_the_wire
from tests.fakes.anthropic_server import AnthropicServer, refuses
from tests.fakes.gemini_server import BAD_KEY, GeminiServer, fails, retry_in
from tests.fakes.playing_servers import Vendor

WAIT_LONG = fails(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", [retry_in("7200s")])

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


@pytest.mark.parametrize(
    ("vendor", "server", "words"),
    [
        ("anthropic", AnthropicServer(), "key"),
        ("google", GeminiServer(then=BAD_KEY), "key"),
        (
            "anthropic",
            AnthropicServer(then=refuses(429, "rate_limit_error", "slow", {"retry-after": "7200"}), key=None),
            "only in 2.0 hours",
        ),
        ("google", GeminiServer(then=WAIT_LONG), "only in 2.0 hours"),
    ],
    ids=["wrong key of Claude", "wrong key of Gemini", "Claude limited to death", "Gemini limited to death"],
)
def test_a_provider_that_lets_nothing_through_pauses_the_run_in_one_line_with_the_next_step(
    tmp_path: Path, vendor: Vendor, server: AnthropicServer | GeminiServer, words: str
) -> None:
    async def main() -> RunFolder:
        async with server, Starter.ready(tmp_path, judges=False) as starter:
            folder = run_over_the_wire(tmp_path / "run", vendor, server.base_url)
            assert await starter.engine(Order(str(folder.path), "", by_settings=True)) == 0
            return folder

    folder = asyncio.run(main())
    stopped = folder.state().engine_stopped
    assert stopped is not None
    assert stopped.reason == "paused"
    assert words in stopped.message
    assert "\n" not in stopped.message
    assert stopped.next_step
    assert not list(folder.paper.iterdir())
