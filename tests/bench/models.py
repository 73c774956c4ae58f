"""Eight researchers whose turns stream at once: what each piece of text waits for, and what it costs.

A server of each provider's API, in a process of its own, sends pieces that hold the time at which they
are sent. They go through the vendor's SDK, the turn loop and the journal's partial texts, as in an
engine. Run with ``python -m tests.bench.models``; it ends with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.tools import Reply as ToolReply
from core.agents.tools import SubmitResult, Tool, Toolbox
from core.models.base import Delta, Model, Turn, TurnRequest
from core.models.card import ModelCard
from core.pricing import FREE, TokenPrices
from core.record.live import LiveRun
from tests.fakes import gemini_server
from tests.fakes.anthropic_server import AnthropicServer, events_of, message, tool_use, wire
from tests.fakes.gemini_server import GeminiServer, framed
from tests.fakes.playing_servers import Vendor
from tests.fakes.specs import new_run
from tests.fakes.streaming_server import Exchange

RESEARCHERS = 8
PIECES = 480
ROUNDS = 3
"""The best one counts: what else keeps the machine busy is not ours."""

PIECES_PER_SECOND = 60
"""Of each stream; about what the vendors' quickest models do."""

BOUND_MS = 5.0
"""For 95% of pieces, from the server's send to the turn loop."""

CPU_BOUND_SECONDS = 1.0
"""For 1,000 pieces, in the process of the engine."""


def now_as_text() -> str:
    """The host's monotonic clock, which all its processes share."""
    return f"{time.monotonic():.6f}\n"


class PacedClaude(AnthropicServer):
    """Streams times, then ends the agent's work."""

    def __init__(self) -> None:
        super().__init__(then=self._answer, key=None)

    async def _answer(self, exchange: Exchange) -> None:
        ending = events_of(message(tool_use("submit_result", summary="Done.")))
        head = [ending[0], {"type": "content_block_start", "index": 0, "content_block": _EMPTY}]
        await exchange.begin()
        for event in head:
            await exchange.send(wire(event))
        async for said in paced():
            delta = {"type": "text_delta", "text": said}
            await exchange.send(wire({"type": "content_block_delta", "index": 0, "delta": delta}))
        await exchange.send(wire({"type": "content_block_stop", "index": 0}))
        for event in ending[2:]:
            await exchange.send(wire({**event, "index": 1} if "index" in event else event))
        await exchange.finish()


_EMPTY = {"type": "text", "text": ""}


class PacedGemini(GeminiServer):
    """Streams times, then ends the agent's work."""

    def __init__(self) -> None:
        super().__init__(then=self._answer)

    async def _answer(self, exchange: Exchange) -> None:
        await exchange.begin()
        async for said in paced():
            await exchange.send(framed(gemini_server.event([gemini_server.text(said)])))
        ending = [gemini_server.call("submit_result", summary="Done.")]
        last = gemini_server.event(ending, "STOP", usageMetadata=gemini_server.USAGE)
        await exchange.send(framed(last))
        await exchange.finish()


async def paced() -> AsyncIterator[str]:
    """The time, so many times a second, each at its moment however long the one before took.

    Streams are not in step with each other, as those of a provider are not.
    """
    loop = asyncio.get_running_loop()
    began = loop.time() + random.random() / PIECES_PER_SECOND
    for number in range(PIECES):
        await asyncio.sleep(max(0.0, began + number / PIECES_PER_SECOND - loop.time()))
        yield now_as_text()


async def serve(vendor: Vendor) -> None:
    """Serve until standard input is closed."""
    async with PacedClaude() if vendor == "anthropic" else PacedGemini() as server:
        print(server.base_url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@dataclass
class Timed:
    """A model whose pieces are timed as the turn loop gets them.

    Attributes:
        model: the model.
        seconds: from the server's send to here, piece by piece.
    """

    model: Model
    seconds: list[float] = field(default_factory=list)
    name: str = "timed"
    scripted: bool = False
    prices: TokenPrices | None = FREE

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """Nothing."""
        return self.model.turn_price(request)

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """The model's turn."""
        async for piece in self.model.turn(request):
            if isinstance(piece, Delta) and piece.kind == "text":
                at = time.monotonic()
                self.seconds += [at - float(sent) for sent in piece.text.split()]
            yield piece


async def _submit(arguments: Any, call_id: str) -> ToolReply:
    return ToolReply("It has ended.", ends=True)


def model_at(vendor: Vendor, base_url: str) -> Model:
    """The model behind a server."""
    card = ModelCard(
        id="paced",
        provider=vendor,
        context_tokens=200_000,
        max_output_tokens=64_000,
        thinking="none",
        prices=FREE,
    )
    if vendor == "anthropic":
        from core.models.claude import ClaudeModel

        return ClaudeModel(card, None, base_url)
    from core.models.gemini import GeminiModel

    return GeminiModel(card, None, base_url)


async def measured(vendor: Vendor, place: Path) -> tuple[Sequence[float], float]:
    """Delays of all pieces, and seconds of processor time, of eight conversations at once."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.models", "--serve", vendor,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    base_url = (await server.stdout.readline()).decode().strip()
    model = Timed(model_at(vendor, base_url))
    folder = new_run(place)
    try:
        with folder.journal() as journal:
            live = LiveRun(folder, journal)
            toolbox = Toolbox(Tool("submit_result", SubmitResult, _submit))
            await converse(live, Agent("warm", model, "s", "Warm up.", "1", toolbox, 3))
            model.seconds.clear()
            began = time.process_time()
            async with asyncio.TaskGroup() as group:
                for number in range(RESEARCHERS):
                    agent = Agent(f"E{number}", model, "Be brief.", "Begin.", "1", toolbox, 3)
                    group.create_task(converse(live, agent))
            return model.seconds, time.process_time() - began
    finally:
        server.stdin.close()
        await server.wait()


def one_round(vendor: Vendor) -> tuple[float, float, float, float]:
    """The median, 95% and 99% of delays, ms, and seconds of processor time for 1,000 pieces."""
    with tempfile.TemporaryDirectory() as name:
        seconds, processor = asyncio.run(measured(vendor, Path(name)))
    assert len(seconds) == RESEARCHERS * PIECES, "pieces were lost"
    p50, p95, p99 = (statistics.quantiles(seconds, n=100)[at] * 1000 for at in (49, 94, 98))
    return p50, p95, p99, processor / len(seconds) * 1000


def main() -> int:
    """Measure both providers, and say whether the bounds are kept."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve", choices=["anthropic", "google"])
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve(arguments.serve))
        return 0
    missed = False
    vendors: tuple[Vendor, ...] = ("anthropic", "google")
    for vendor in vendors:
        p50, p95, p99, cpu = min((one_round(vendor) for _ in range(ROUNDS)), key=lambda found: found[1])
        missed |= p95 > BOUND_MS or cpu > CPU_BOUND_SECONDS
        print(
            f"{vendor}: {RESEARCHERS} streams of {PIECES_PER_SECOND} pieces a second; added latency"
            f" p50 {p50:.2f} ms, p95 {p95:.2f} ms (bound {BOUND_MS:g}), p99 {p99:.2f} ms;"
            f" {cpu:.3f} s of processor for 1,000 pieces (bound {CPU_BOUND_SECONDS:g})",
            flush=True,
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
