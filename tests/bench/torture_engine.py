"""Engines to be killed: a process that has everything imported and forks an engine on each request.

Without it most kills would hit imports. It is run as ``python -m tests.bench.torture_engine`` and
reads one JSON order a line from its standard input; see ``Order``. To each it answers one line, once
the engine has ended: its exit code, or the number of the signal that ended it, negative.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from core.agents.launching import Relaunches
from core.driving import drive
from core.engine import Models
from core.errors import FumehoodError, SandboxUnavailable
from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.models.base import Delta, ModelMessage, Turn, TurnRequest
from core.models.scripted import ScriptedModel, Trajectory
from core.pricing import TokenPrices
from core.record.events import Event
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.records import Record
from core.sandbox.modal.sdk import load_sdk
from tests.fakes.keys import keys_in_environment
from tests.fakes.modal.world import TOKEN

Moment: TypeAlias = Literal["before", "after"]

STOP_SECONDS = 60.0
"""An engine that was asked to stop, and has not by then, is killed."""

RELAUNCH_SECONDS = 0.05
"""Before a lost sandbox is replaced for the first time; it doubles, as it does in earnest."""

SHUT_OUT = 3
"""Exit code of an engine that Modal did not let in; the next one may be luckier."""

LOOK_SECONDS = 0.002
"""How often it is looked whether an engine has ended."""


@dataclass(frozen=True)
class Order:
    """One engine to start.

    Attributes:
        folder: the run.
        turns: the file that model calls are counted in; it lies outside the run.
        kill_after: seconds after which it is killed; None for never.
        asked: whether it is asked to stop (SIGTERM) instead of killed.
        die: the append at which it kills itself, counted from 1; 0 for none.
        moment: whether it dies just before or just after that append.
        event: count only appends that hold an event of this type; empty for all.
        by_settings: whether the models are those of the run's settings, rather than scripted and counted.
    """

    folder: str
    turns: str
    kill_after: float | None = None
    asked: bool = False
    die: int = 0
    moment: Moment = "before"
    event: str = ""
    by_settings: bool = False

    def line(self) -> bytes:
        """What the process reads."""
        return json.dumps(asdict(self)).encode() + b"\n"


class CountedModel:
    """The scripted model, with every call noted outside the run as soon as it is made.

    Args:
        order: names the file, and the run whose journal says which turns were complete by then.
    """

    scripted = True
    name = "scripted:tiny"

    def __init__(self, order: Order) -> None:
        self._order = order
        trajectory = Trajectory.model_validate_json(
            RunFolder(Path(order.folder)).trajectory_path.read_bytes()
        )
        self._model = ScriptedModel(self.name, trajectory)

    prices: TokenPrices | None = TokenPrices(Decimal("0.05"), Decimal(0))

    def turn_price(self, request: TurnRequest) -> Decimal:
        """A price that is not nothing, so that money is reserved and let go of.

        But not for researchers: scripted ones are given nothing to spend.
        """
        return Decimal(0) if request.agent.startswith("E") else Decimal("0.001")

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Note the call, then play the turn, in pieces."""
        number = sum(isinstance(message, ModelMessage) for message in request.messages) + 1
        self._note("asked", request.agent, number)
        async for piece in self._model.turn(request):
            if isinstance(piece, Turn):
                self._note("given", request.agent, number)
            yield piece
            await asyncio.sleep(0)

    def _note(self, what: str, agent: str, number: int) -> None:
        complete = _complete_turns(self._order.folder, agent)
        line = json.dumps({"what": what, "agent": agent, "number": number, "complete": complete})
        handle = os.open(self._order.turns, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, line.encode() + b"\n")
        os.close(handle)


def _complete_turns(folder: str, agent: str) -> int:
    """An agent's complete turns, read from the file itself and not through the journal's own code."""
    database = sqlite3.connect(f"file:{folder}/journal.db?mode=ro", uri=True)
    try:
        count: int = database.execute(
            "SELECT count(*) FROM events WHERE type = 'turn.finished' AND json_extract(body, '$.agent') = ?",
            (agent,),
        ).fetchone()[0]
    finally:
        database.close()
    return count


class _DyingJournal(Journal):
    """A journal that kills its process at one append."""

    order: Order
    appends = 0

    def append(self, *events: Event, records: Sequence[Record] = (), only_after: int | None = None) -> int:
        if not self.order.event or any(event.type == self.order.event for event in events):
            type(self).appends += 1
            dies = self.appends == self.order.die
        else:
            dies = False
        if dies and self.order.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        last = super().append(*events, records=records, only_after=only_after)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return last


class _DyingFolder(RunFolder):
    def journal(self) -> Journal:
        return _DyingJournal(self.journal_path)


def run_engine(order: Order) -> int:
    """Drive a run in this process to its end, or to the append at which it shall die."""
    _DyingJournal.order = order
    models = None
    if not order.by_settings:
        model = CountedModel(order)
        models = Models(model, model, model)
    try:
        asyncio.run(drive(_DyingFolder(Path(order.folder)), models))
    except SandboxUnavailable:
        return SHUT_OUT
    except FumehoodError as error:
        print(f"the engine failed: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def serve() -> None:
    """Fork an engine for each order until there are no more."""
    if "--judges" in sys.argv:
        from scipy import stats  # noqa: F401 - so that engines need not import it again and again
    if "--providers" in sys.argv:
        import anthropic  # noqa: F401 - as above
        from google import genai  # noqa: F401 - as above
    if "--modal" in sys.argv:
        _prepare_for_modal()

    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            os._exit(_edge(order))
        print(_end_of(child, order), flush=True)


def _prepare_for_modal() -> None:
    """Import Modal's SDK, have the token of its double, and wait for milliseconds instead of seconds."""
    use_key_store(keys_in_environment(**dict(zip((MODAL_ID, MODAL_SECRET), TOKEN, strict=True))))
    asyncio.run(load_sdk())
    setattr(Relaunches, "delay", lambda self, failures: RELAUNCH_SECONDS * 2.0**failures)  # noqa: B010


def _end_of(child: int, order: Order) -> int:
    """Wait for an engine, and end it when its time has come; its exit code."""
    kill_at = math.inf if order.kill_after is None else time.monotonic() + order.kill_after
    asked = False
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= kill_at:
            # Nobody else can have its number: it is ours until we have waited for it.
            os.kill(child, signal.SIGTERM if order.asked and not asked else signal.SIGKILL)
            kill_at, asked = kill_at + STOP_SECONDS, True
        time.sleep(LOOK_SECONDS)


def _edge(order: Order) -> int:
    """The engine's process after the fork: nothing may go up from here into the loop of orders."""
    os.close(0)
    os.dup2(2, 1)
    try:
        return run_engine(order)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        return 2


if __name__ == "__main__":
    serve()
