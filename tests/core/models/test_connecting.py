"""Who cannot be reached at all, and whom no key is told: alike for both providers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ModelBusy
from core.keys.names import ANTHROPIC
from core.keys.secret import Secret
from core.models.base import Model, TurnRequest, UserMessage
from core.models.card import ModelCard, Provider
from core.models.claude import ClaudeModel
from core.models.gemini import GeminiModel
from core.models.key_check import check_key

CARD = ModelCard("m", "anthropic", 100_000, 1000, "none", None)


def model_at(provider: Provider, base_url: str) -> Model:
    made: Any = ClaudeModel if provider == "anthropic" else GeminiModel
    model: Model = made(CARD, Secret("k"), base_url, stall_seconds=20)
    return model


@contextlib.contextmanager
def nobody_accepts() -> Iterator[int]:
    """A port on which connections neither come about nor are refused."""
    with socket.socket() as listening, contextlib.ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("provider", "module"), [("anthropic", "claude_connection"), ("google", "gemini_stream")]
)
def test_a_server_that_takes_no_connection_is_not_waited_for_as_for_an_answer(
    provider: Provider, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"core.models.{module}.CONNECT_SECONDS", 0.2)

    async def ask(port: int) -> ModelBusy:
        model = model_at(provider, f"http://127.0.0.1:{port}")
        with pytest.raises(ModelBusy) as raised:
            async for _ in model.turn(TurnRequest("E1", "", (), (UserMessage("Begin."),))):
                pass
        return raised.value

    with nobody_accepts() as port:
        error = asyncio.run(ask(port))
    assert error.message.startswith(f"cannot connect to 127.0.0.1:{port}")
    assert "Check that the server runs" in error.next_step
    assert error.cost_usd == 0


def test_the_process_that_checks_a_key_gets_no_variable_that_could_hold_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "seen = json.dumps([sorted(os.environ), sys.argv[1:]])\n"
        "print(json.dumps({'state': 'works', 'reason': seen}))\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv(ANTHROPIC, "sk-ant-api03-0123456789abcdefXYZ")
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    verdict = asyncio.run(check_key(ANTHROPIC, Secret("sk-ant-api03-checked-0123456789"), "http://x"))
    names, arguments = json.loads(verdict.reason)
    assert not {ANTHROPIC, "DATABASE_PASSWORD", "PYTHONPATH"} & set(names)
    assert {"PATH", "HTTPS_PROXY"} <= set(names)
    assert arguments == ["-P", "-m", "core.models.key_check"]
