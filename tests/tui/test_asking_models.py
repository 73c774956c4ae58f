"""Runs by command against a server that answers, or refuses in its own way: what people read in the end."""

from __future__ import annotations

import pytest

from tests.fakes import gemini_server
from tests.fakes.anthropic_server import KEY, AnthropicServer, refuses, says, text
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.streaming_server import StreamingServer
from tests.tui.conftest import DEADLINE_SECONDS, Home, wait_until
from tests.tui.test_models import write_config
from tui.exit_codes import ExitCode

DAY_IS_OVER = gemini_server.fails(
    429, "You exceeded your quota.", details=[gemini_server.quota("GenerateRequestsPerDayPerProject")]
)


@pytest.mark.parametrize(
    ("model", "server", "said", "next_step"),
    [
        (
            "claude-opus-5-5",
            AnthropicServer(then=refuses(429, "rate_limit_error", "slow down", {"retry-after": "3600"})),
            "claude-opus-5-5 is to be asked again only in 60 minutes: ",
            "Resume the run then",
        ),
        (
            "claude-opus-5-5",
            AnthropicServer(key="another"),
            " refused the key: invalid bearer token",
            "fumehood keys set ANTHROPIC_API_KEY --no-check",
        ),
        (
            "claude-banana",
            AnthropicServer(then=refuses(404, "not_found_error", "model: claude-banana")),
            " knows no model 'claude-banana'",
            "begin a run with one of those",
        ),
        (
            "gemini-4-argon",
            GeminiServer(then=gemini_server.BAD_KEY),
            " refused the key: API key not valid",
            "fumehood keys set GOOGLE_API_KEY --no-check",
        ),
        (
            "gemini-4-argon",
            GeminiServer(then=DAY_IS_OVER),
            "today's quota of this key",
            "midnight Pacific time",
        ),
    ],
    ids=["rate limited", "wrong key", "unknown model", "wrong key of Google", "used up quota of Google"],
)
def test_why_no_model_can_be_asked_is_one_line_with_the_next_step(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    server: StreamingServer,
    said: str,
    next_step: str,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", "AIzaSyTheKeyOfTheseTests000000000000000")
    with server.in_background():
        run = home.start("run", "Why?", "--model", model, "--base-url", server.base_url, "--headless")
        told, errors = run.communicate(timeout=DEADLINE_SECONDS)
    assert (run.returncode, errors) == (ExitCode.ENGINE_GONE, "")
    [line] = [line for line in told.splitlines() if "paused: " in line]
    assert said in line
    assert next_step in line
    assert len(server.exchanges) == 1, "asking again could not help"
    assert "fumehood resume" in told


def test_a_run_asks_the_server_that_was_typed_whatever_else_is_set_and_so_does_its_resuming(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api03-a-key-that-the-server-does-not-know")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    with AnthropicServer(then=says(text("No."))).in_background() as server:
        words = ("run", "Why?", "--model", "claude-opus-5-5", "--base-url", server.base_url, "--headless")
        first = home.start(*words)
        said, _ = first.communicate(timeout=DEADLINE_SECONDS)
        assert first.returncode == ExitCode.ENGINE_GONE, said
        assert "refused the key" in said
        assert "fumehood keys set ANTHROPIC_API_KEY" in said
        write_config(home, '[base_urls]\nanthropic = "http://127.0.0.1:9"\n')
        wait_until(lambda: not home.only_run().has_engine(), "the engine's end")
        asked = len(server.exchanges)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        again = home.start("resume", "--headless")
        said, _ = again.communicate(timeout=DEADLINE_SECONDS)
        assert "orchestrator says: No." in said
        assert len(server.exchanges) > asked
    told = {exchange.headers["authorization"] for exchange in server.exchanges}
    assert f"Bearer {KEY}" in told
