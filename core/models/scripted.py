"""A model that reads its turns from a file: no language model is being used.

A trajectory is a folder with a ``trajectory.toml``. Each agent has a list of turns; a turn has
thoughts, text and tool calls. A string that starts with ``file:`` stands for the content of that
file, so that experiment code and papers stay readable files of their own::

    title = "Bagging repairs unstable learners only"
    question = "Does bagging help every learner, or only unstable ones?"

    [[turns.orchestrator]]
    thoughts = "Trees are unstable, nearest neighbours are not."
    text = "Two experiments at once."
    calls = [{ tool = "propose_experiments", arguments = { … } }]

    [[turns.orchestrator]]
    when = "E2.*supported"          # a turn is skipped unless this is found in what it answers
    …

    [[turns.E1]]
    calls = [{ tool = "run_python", arguments = { code = "file:tree_on_digits.py" } }]
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import TrajectoryError
from core.models.base import Delta, ModelMessage, ToolCall, Turn, TurnRequest, UserMessage
from core.pricing import FREE, TokenPrices

LABEL = "scripted: no language model is being used"
"""Shown wherever a scripted model is named."""

FILE_NAME = "trajectory.toml"

OUT_OF_TURNS = "The scripted study has no further turn for this; it cannot improvise."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedCall(_Strict):
    """A tool call of a scripted turn."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ScriptedTurn(_Strict):
    """One turn of one agent."""

    thoughts: str = ""
    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    when: str | None = None
    """A regular expression; the turn is skipped unless it is found in the message it answers."""

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str | None) -> str | None:
        try:
            re.compile(when or "")
        except re.error as error:
            raise ValueError(f"'when' is not a regular expression: {error}") from None
        return when


class Trajectory(_Strict):
    """A whole scripted study."""

    title: str
    question: str
    about: str = ""
    """One or two sentences for people who choose a study."""
    turns: dict[str, tuple[ScriptedTurn, ...]]
    """Turns by agent: ``orchestrator``, ``writer`` and experiment ids."""


def read_trajectory(path: Path) -> Trajectory:
    """Read a trajectory.

    Args:
        path: a ``trajectory.toml``, or the folder that holds one.

    Raises:
        TrajectoryError: it cannot be read, does not parse, or names a file that is not there.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return Trajectory.model_validate(_with_files(content, file.parent.resolve()))
    except OSError as error:
        raise TrajectoryError(
            f"cannot read the trajectory {error.filename or file}: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrajectoryError(f"{file} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise TrajectoryError(f"{file} is not a trajectory: {where}: {first['msg']}") from None


def _with_files(value: Any, folder: Path) -> Any:
    """Replace every ``file:NAME`` by the content of that file beside the trajectory."""
    if isinstance(value, dict):
        return {key: _with_files(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_files(item, folder) for item in value]
    if isinstance(value, str) and value.startswith("file:"):
        try:
            file = (folder / value.removeprefix("file:")).resolve()
            if not file.is_relative_to(folder):
                raise TrajectoryError(f"{value!r} lies outside the trajectory's folder {folder}")
            return file.read_text(encoding="utf-8")
        except ValueError as error:  # no possible name, or no text in it
            raise TrajectoryError(f"{value!r} in {folder} cannot be read: {error}") from None
    return value


class ScriptedModel:
    """Plays a trajectory.

    Args:
        name: what it is called, e.g. ``scripted:bagging``.
        trajectory: the turns.
        characters_per_second: streaming speed; None for as fast as possible.
    """

    scripted = True
    prices: TokenPrices | None = FREE

    def __init__(self, name: str, trajectory: Trajectory, characters_per_second: float | None = None) -> None:
        self.name = name
        self.trajectory = trajectory
        self.characters_per_second = characters_per_second

    def turn_price(self, request: TurnRequest) -> Decimal:
        """Nothing: no provider is asked."""
        return Decimal(0)

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Play the agent's next turn; the same conversation always gives the same turn."""
        position, scripted = self._next(request)
        for delta in _deltas(scripted):
            if self.characters_per_second is not None:
                await asyncio.sleep(len(delta.text) / self.characters_per_second)
            yield delta
        yield Turn(
            raw={"turn": position, **scripted.model_dump(mode="json", exclude={"when"})},
            text=scripted.text,
            thoughts=scripted.thoughts,
            calls=tuple(
                ToolCall(f"{request.agent}-{position}-{number}", call.tool, call.arguments)
                for number, call in enumerate(scripted.calls)
            ),
            stop="tool_use" if scripted.calls else "end_turn",
            cost_usd=Decimal(0),
        )

    def _next(self, request: TurnRequest) -> tuple[int, ScriptedTurn]:
        """The first turn after the last one played whose ``when`` is found in the newest message."""
        played = [message.raw["turn"] for message in request.messages if isinstance(message, ModelMessage)]
        newest = request.messages[-1]
        heard = _heard(newest) if isinstance(newest, UserMessage) else ""
        turns = self.trajectory.turns.get(request.agent, ())
        for position in range(played[-1] + 1 if played else 0, len(turns)):
            when = turns[position].when
            if when is None or re.search(when, heard, re.DOTALL):
                return position, turns[position]
        # A turn without a call, as a model gives that has nothing more to do: the loop sees to the end.
        return len(turns), ScriptedTurn(text=OUT_OF_TURNS)


def _heard(message: UserMessage) -> str:
    return "\n".join([*(result.text for result in message.results), message.text])


def _deltas(turn: ScriptedTurn) -> Iterator[Delta]:
    for word in re.findall(r"\S+\s*|\s+", turn.thoughts):
        yield Delta("thought", word)
    for word in re.findall(r"\S+\s*|\s+", turn.text):
        yield Delta("text", word)
    for call in turn.calls:
        yield Delta("call", call.tool)
