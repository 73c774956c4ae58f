"""Scripted models: trajectories that are read or refused, and turns that depend on the conversation only."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import TrajectoryError
from core.models.base import Delta, Message, ModelMessage, ToolResult, Turn, TurnRequest, UserMessage
from core.models.scripted import OUT_OF_TURNS, ScriptedModel, Trajectory, read_trajectory

HEAD = 'title = "t"\nquestion = "q"\n'

STUDY = (
    HEAD
    + """
[[turns.orchestrator]]
thoughts = "Two at once."
text = "Let me propose."
calls = [{ tool = "propose", arguments = { code = "file:code.py" } }, { tool = "wait" }]

[[turns.orchestrator]]
when = "E1.*supported"
text = "It holds."

[[turns.orchestrator]]
when = 'E1\\b.*refuted'
text = "It does not hold."

[[turns.orchestrator]]
text = "The end."
"""
)


def write(folder: Path, text: str) -> Path:
    (folder / "trajectory.toml").write_text(text, encoding="utf-8")
    return folder


def model(folder: Path, text: str = STUDY) -> ScriptedModel:
    (folder / "code.py").write_text("print('é')\n", encoding="utf-8")
    return ScriptedModel("scripted:test", read_trajectory(write(folder, text)))


def ask(scripted: ScriptedModel, *messages: Message) -> tuple[str, Turn]:
    """The streamed text and the turn."""

    async def main() -> list[Delta | Turn]:
        request = TurnRequest("orchestrator", "s", (), messages or (UserMessage("Begin."),))
        return [piece async for piece in scripted.turn(request)]

    *deltas, turn = asyncio.run(main())
    assert isinstance(turn, Turn)
    return "".join(piece.text for piece in deltas if isinstance(piece, Delta) and piece.kind == "text"), turn


def heard(text: str) -> UserMessage:
    return UserMessage("", (ToolResult("c", text),))


def test_a_turn_is_streamed_in_words_and_ends_whole(tmp_path: Path) -> None:
    streamed, turn = ask(model(tmp_path))
    assert streamed == turn.text == "Let me propose."
    assert turn.thoughts == "Two at once."
    assert [call.name for call in turn.calls] == ["propose", "wait"]
    assert turn.calls[0].arguments == {"code": "print('é')\n"}
    assert len({call.id for call in turn.calls}) == 2
    assert turn.cost_usd == 0


def test_the_same_conversation_always_gives_the_same_turn(tmp_path: Path) -> None:
    first = ask(model(tmp_path))[1]
    assert ask(model(tmp_path))[1] == first
    conversation = (UserMessage("Begin."), ModelMessage(first.raw), heard("E1: refuted"))
    one = model(tmp_path)
    assert ask(one, *conversation)[1] == ask(one, *conversation)[1] == ask(model(tmp_path), *conversation)[1]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("E1 (x): done;\nverdict: supported", "It holds."),
        ("E1: refuted", "It does not hold."),
        ("E10: refuted", "The end."),
        ("nothing", "The end."),
    ],
)
def test_a_turn_is_skipped_unless_its_words_are_found_in_what_it_answers(
    tmp_path: Path, said: str, text: str
) -> None:
    scripted = model(tmp_path)
    first = ask(scripted)[1]
    assert ask(scripted, UserMessage("Begin."), ModelMessage(first.raw), heard(said))[1].text == text


def test_skipped_turns_do_not_come_back(tmp_path: Path) -> None:
    scripted = model(tmp_path)
    conversation: list[Message] = [
        UserMessage("Begin."),
        ModelMessage(ask(scripted)[1].raw),
        heard("E1 refuted"),
    ]
    conversation += [ModelMessage(ask(scripted, *conversation)[1].raw), heard("E1 supported")]
    assert ask(scripted, *conversation)[1].text == "The end."


def test_what_the_human_says_is_heard_too(tmp_path: Path) -> None:
    scripted = model(tmp_path)
    first = ask(scripted)[1]
    told = UserMessage("The human says: E1 is supported")
    assert ask(scripted, UserMessage("Begin."), ModelMessage(first.raw), told)[1].text == "It holds."


def test_a_study_that_is_played_to_its_end_calls_no_tool_any_more(tmp_path: Path) -> None:
    scripted = model(tmp_path, HEAD + '[[turns.orchestrator]]\ntext = "Only this."\n')
    conversation: list[Message] = [UserMessage("Begin.")]
    for expected in ("Only this.", OUT_OF_TURNS, OUT_OF_TURNS):
        turn = ask(scripted, *conversation)[1]
        assert (turn.text, turn.calls if expected == OUT_OF_TURNS else ()) == (expected, ())
        conversation += [ModelMessage(turn.raw), heard("?")]


def test_a_trajectory_survives_being_kept_with_the_run(tmp_path: Path) -> None:
    trajectory = model(tmp_path).trajectory
    assert Trajectory.model_validate_json(trajectory.model_dump_json()) == trajectory


def test_a_trajectory_is_read_from_its_file_as_from_its_folder(tmp_path: Path) -> None:
    expected = model(tmp_path).trajectory
    assert read_trajectory(tmp_path / "trajectory.toml") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "is not TOML"),
        ('title = "t"', "question"),
        (HEAD + "answer = 42\n[turns]", "answer"),
        (HEAD + '[[turns.E1]]\nwhen = "(unclosed"', "'when' is not a regular expression"),
        (HEAD + '[[turns.E1]]\ncalls = [{ toll = "x" }]', "turns.E1.0.calls.0"),
        (HEAD + '[[turns.E1]]\ntext = "file:missing.py"', "cannot read the trajectory .*missing.py"),
        (HEAD + '[[turns.E1]]\ntext = "file:."', "cannot read the trajectory"),
        (HEAD + '[[turns.E1]]\ntext = "file:../secret"', "outside"),
        (HEAD + '[[turns.E1]]\ntext = "file:/etc/passwd"', "outside"),
        (HEAD + '[[turns.E1]]\ntext = "file:link"', "outside"),
        (HEAD + '[[turns.E1]]\ntext = "file:\\u0000"', "file"),
        (HEAD + '[[turns.E1]]\ntext = "file:latin"', "latin"),
    ],
)
def test_a_trajectory_that_cannot_be_played_is_refused_with_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "secret").write_text("key")
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(TrajectoryError, match=reason):
        read_trajectory(write(folder, text))


def test_a_trajectory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrajectoryError, match="No such file"):
        read_trajectory(tmp_path / "nowhere")
    with pytest.raises(TrajectoryError, match=r"trajectory\.toml"):
        read_trajectory(tmp_path)
