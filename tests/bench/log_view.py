"""How long logs are opened, searched and followed, and what memory they take.

Run with ``python -m tests.bench.log_view``; ``--lines`` for a shorter log. The log lies in a
temporary folder: 10,000,000 lines take a gigabyte.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from textual.pilot import Pilot

from core.record.folder import RunFolder
from tests.tui.console.log_probe import LogApp, run_that_printed, shown
from tui.run_feed import RunFeed
from tui.widgets.log_view import LogView

MOST_MEGABYTES = 150
LINE = "12:04:51 epoch {epoch:>8}/30000000  train_loss 0.4127  val_acc 0.8911  lr 3.0e-04  tokens 1234567 ok"
BATCH = 100_000
FOLLOWED_SECONDS = 5.0
FOLLOWED_BATCH = 5000
MOST_SECONDS = 120.0


def memory_megabytes() -> float:
    """What this process holds of the machine's memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def write_log(path: Path, lines: int) -> None:
    """Write a log with one match near its beginning and one error near its middle."""
    with path.open("wb") as log:
        for first in range(0, lines, BATCH):
            batch = "\n".join(LINE.format(epoch=number) for number in range(first, min(lines, first + BATCH)))
            log.write(batch.encode() + b"\n")
            if first == 0:
                log.write(b"the needle lies here\n")
            if first == lines // 2 // BATCH * BATCH:
                log.write(b"ValueError: in the middle\n")


async def until(condition: Callable[[], object]) -> float:
    """Wait for something.

    Returns:
        The seconds it took.
    """
    began = time.perf_counter()
    async with asyncio.timeout(MOST_SECONDS):
        while not condition():  # noqa: ASYNC110 - widgets tell nobody
            await asyncio.sleep(0.002)
    return time.perf_counter() - began


async def key_seconds(pilot: Pilot[int], view: LogView, count: int = 40) -> list[float]:
    """How long keys take from their press to the rows they ask for."""
    taken = []
    for number in range(count):
        before = view.reader.page.top if view.reader.page else 0
        began = time.perf_counter()
        pilot.app.simulate_key("k" if number % 2 == 0 else "j")
        await until(lambda: view.reader.page and view.reader.page.top != before)  # noqa: B023
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0.01)
    return taken


async def measure(folder: RunFolder, lines: int) -> bool:
    """Print the figures; whether memory stays within its bound."""
    app = LogApp()
    path = folder.log_path("E1-1")
    with closing(RunFeed(folder)) as feed:
        feed.refresh()
        async with app.run_test(size=(160, 45)) as pilot:
            view = app.view
            bare = memory_megabytes()
            began = time.perf_counter()
            view.show(feed, "E1")
            view.focus()
            await until(lambda: shown(view) and f"{lines - 1:>8}/" in shown(view)[-1])
            opened = time.perf_counter() - began
            print(f"opened at its end: {opened * 1000:.0f} ms")
            print(f"memory then: {memory_megabytes():.0f} MB, {bare:.0f} before (at most {MOST_MEGABYTES})")
            keys = await key_seconds(pilot, view)
            print(f"a key while lines are counted: p95 {p95(keys) * 1000:.0f} ms")
            log = view.reader.opened
            assert log is not None
            counted = await until(lambda: log.document.index.done)
            print(f"all {log.document.index.lines:,} lines counted: {counted + sum(keys):.1f} s later")
            searched = await search(pilot, view, "the needle")
            print(f"searched, one match at the far end: {searched:.1f} s")
            searched = await search(pilot, view, "VAL_ACC 0.8911".lower())
            assert log.found is not None
            print(f"searched, {log.found.count:,} matches: {searched:.1f} s")
            view.reader.search("")
            await pilot.press("G")
            errors = await error(pilot, view)
            print(f"the last error, half the log away: {errors:.1f} s")
            await pilot.press("G")
            followed, followed_keys = await follow(pilot, view, path)
            print(
                f"followed: {followed:,.0f} lines/s; a key meanwhile: p95 {p95(followed_keys) * 1000:.0f} ms"
            )
            most = memory_megabytes()
            print(f"memory at the end: {most:.0f} MB (at most {MOST_MEGABYTES})")
    return most <= MOST_MEGABYTES


def p95(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


async def search(pilot: Pilot[int], view: LogView, text: str) -> float:
    """Search until everything is counted; the seconds."""
    began = time.perf_counter()
    view.reader.search(text)
    view.look()
    log = view.reader.opened
    await until(lambda: log and log.found and log.found.done and view.reader.marked is not None)
    return time.perf_counter() - began


async def error(pilot: Pilot[int], view: LogView) -> float:
    """Go to the error before; the seconds."""
    view.reader.marked = None
    view.reader.action_next_error(-1)
    return await until(lambda: view.reader.marked is not None)


async def follow(pilot: Pilot[int], view: LogView, path: Path) -> tuple[float, list[float]]:
    """Append as fast as the view keeps up with; lines a second, and how keys do meanwhile."""
    batch = b"".join(LINE.format(epoch=number).encode() + b"\n" for number in range(FOLLOWED_BATCH))
    written = 0
    keys: list[float] = []
    began = time.perf_counter()
    with path.open("ab") as log:
        while time.perf_counter() - began < FOLLOWED_SECONDS:
            for _ in range(4):
                log.write(batch)
                log.flush()
                written += FOLLOWED_BATCH
                await asyncio.sleep(0.005)
            keys += await key_seconds(pilot, view, 2)
        log.write(b"the very end\n")
    await pilot.press("G")
    await until(lambda: shown(view)[-1] == "the very end")
    opened = view.reader.opened
    await until(lambda: opened and opened.document.index.done)
    return written / (time.perf_counter() - began), keys


def main() -> int:
    """Print the figures.

    Returns:
        0 if memory stays within its bound, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as parent:
        folder = run_that_printed(Path(parent), b"", ends=False)
        write_log(folder.log_path("E1-1"), lines)
        size = folder.log_path("E1-1").stat().st_size
        print(f"a log of {lines:,} lines, {size / 1e9:.2f} GB")
        return 0 if asyncio.run(measure(folder, lines)) else 1


if __name__ == "__main__":
    sys.exit(main())
