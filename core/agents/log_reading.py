"""Reading logs for models: bounded, and with a way to the rest."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

from core.agents.fence import fenced
from core.agents.tools import ReadLog, Reply, Tool
from core.errors import ToolError
from core.record.live import LiveRun

HEAD_BYTES = 6_000
TAIL_BYTES = 10_000
"""How much of a script's output a model reads at once: the first and the last bytes."""

PASSAGE_BYTES = 16_000
"""How much it may ask for at once."""

CHUNK_BYTES = 1024 * 1024

NOTHING = "(it printed nothing)"


def read_log(live: LiveRun, experiment_id: str | None = None) -> Tool[ReadLog]:
    """The tool by which an agent reads a passage of a log.

    Args:
        live: the run.
        experiment_id: the only experiment whose logs may be read; None for all of them.
    """

    async def read(arguments: ReadLog, call_id: str) -> Reply:
        known = [
            name
            for name, script in live.state.execs.items()
            if experiment_id in (None, script.asked.experiment_id)
        ]
        if arguments.exec not in known:
            there_are = ", ".join(known[-20:]) or "none yet"
            raise ToolError(f"there is no exec {arguments.exec!r}", f"There are: {there_are}.")
        # A thread, because lines are counted from the start, and logs may have millions.
        text = await asyncio.to_thread(
            passage, live.folder.log_path(arguments.exec), arguments.from_line, arguments.to_line
        )
        return Reply(fenced(text))

    return Tool("read_log", ReadLog, read)


def head_and_tail(log: Path) -> str:
    """What a script printed; of much, the first and the last of it, with what is left out named."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return NOTHING
    with log.open("rb") as file:
        if size <= HEAD_BYTES + TAIL_BYTES:
            return _text(file.read()) or NOTHING
        head = _to_line_end(file.read(HEAD_BYTES))
        file.seek(size - TAIL_BYTES)
        tail = _from_line_start(file.read(TAIL_BYTES))
        file.seek(len(head))
        left_out = size - len(head) - len(tail)
        newlines, whole = _count(file, left_out)
    first = head.count(b"\n") + 1
    last = first + newlines - (1 if whole else 0)
    return (
        f"{_text(head)}\n… lines {first} to {last} are left out ({left_out:,} bytes);"
        f" read_log(exec={log.stem!r}, from_line={first}, to_line={last}) reads on …\n{_text(tail)}"
    )


def passage(log: Path, first: int, last: int) -> str:
    """Lines of a log, from the first to the last and no more than may be asked for at once.

    Args:
        log: the log.
        first: lines count from 1.
        last: included.

    Raises:
        ToolError: the log ends before the first line, or the lines run backwards.
    """
    if last < first:
        raise ToolError(f"lines {first} to {last} run backwards", "Name the earlier line first.")
    try:
        with log.open("rb") as file:
            _go_to(file, first)
            content = file.read(PASSAGE_BYTES + 1)
    except FileNotFoundError:
        content = b""
    if not content:
        raise ToolError(f"the log ends before line {first}", "Name lines that it has.")
    lines = content.split(b"\n", last - first + 1)
    wanted = b"\n".join(lines[: last - first + 1])
    if len(wanted) <= PASSAGE_BYTES:
        return _text(wanted)
    kept = _to_line_end(wanted[:PASSAGE_BYTES])
    if not kept.endswith(b"\n"):
        return f"{_text(kept)}\n… the rest of line {first} is left out: no more is read of one line …"
    following = first + kept.count(b"\n")
    return f"{_text(kept)}… lines {following} to {last} are left out: read on from line {following} …"


def _go_to(file: BinaryIO, line: int) -> None:
    """Go to where a line begins, or to the end where the log has no such line."""
    left = line - 1
    while left > 0 and (chunk := file.read(CHUNK_BYTES)):
        if (found := chunk.count(b"\n")) < left:
            left -= found
            continue
        place = -1
        for _ in range(left):
            place = chunk.index(b"\n", place + 1)
        file.seek(place + 1 - len(chunk), os.SEEK_CUR)
        return


def _count(file: BinaryIO, size: int) -> tuple[int, bool]:
    """How many lines end in the next so many bytes, and whether the last byte ends one."""
    newlines, whole = 0, False
    while size > 0 and (chunk := file.read(min(size, CHUNK_BYTES))):
        size -= len(chunk)
        newlines += chunk.count(b"\n")
        whole = chunk.endswith(b"\n")
    return newlines, whole


def _to_line_end(head: bytes) -> bytes:
    """Without its unfinished last line, unless that is most of it."""
    end = head.rfind(b"\n") + 1
    return head[:end] if end > len(head) // 2 else head


def _from_line_start(tail: bytes) -> bytes:
    """Without what is left of its first line, unless that is most of it."""
    start = tail.find(b"\n") + 1
    return tail[start:] if start < len(tail) // 2 else tail


def _text(content: bytes) -> str:
    return content.decode(errors="replace")
