"""Who is asked for Claude, and with which key: what was chosen decides, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from core.errors import ModelRejected, ModelUnusable
from core.keys.secret import Secret
from core.models.claude import ClaudeModel, check_key, list_models
from core.models.live import LiveModel
from tests.core.models.claude_turns import (
    CARD,
    claude,
    one_turn,
    request,
    take,
    with_server,
)
from tests.fakes.anthropic_server import (
    KEY,
    AnthropicServer,
    Json,
    refuses,
    says,
    text,
)
from tests.fakes.streaming_server import Answer, StreamingServer

LEAKS = {
    "ANTHROPIC_API_KEY": "sk-ant-from-the-environment",
    "ANTHROPIC_AUTH_TOKEN": "token-from-the-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/",
    "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: from-the-environment\nAuthorization: Bearer it\nX-Extra: leak",
    "ANTHROPIC_LOG": "debug",
    "ANTHROPIC_PROFILE": "from-the-environment",
    "ANTHROPIC_MODEL": "claude-from-the-environment",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("key", [KEY, None, ""])
def test_nothing_of_the_environment_decides_who_is_asked_or_how(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    for name, value in LEAKS.items():
        monkeypatch.setenv(name, value)
    server = AnthropicServer(says(text("ok")), key=None)
    _, turn = with_server(server, lambda it: take(claude(it, key=key), request()))
    assert turn.text == "ok"
    [exchange] = server.exchanges
    assert exchange.headers["authorization"] == f"Bearer {key or 'none'}"
    assert exchange.headers["x-api-key"] == (key or "none")
    assert exchange.headers["anthropic-version"] == "2023-06-01"
    assert exchange.json()["model"] == "claude-opus-5"
    assert "environment" not in str(exchange.headers)
    assert "x-extra" not in exchange.headers


def test_the_sdk_says_nothing_in_the_terminal_and_nothing_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    # A model that the SDK warns about, and a block that its data types do not know.
    card = replace(CARD, id="claude-opus-4-6", thinking="budget")
    one_turn(AnthropicServer(says({"type": "dream"}, text("ok"))), card=card)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert not [record for record in caplog.records if record.name.startswith(("anthropic", "http"))]


FRESH_PROCESS = """
import asyncio, logging, sys
from core.errors import ModelBusy
from core.models.claude import check_key

def loaded():
    return sorted({"anthropic", "httpx2"} & sys.modules.keys())

before = loaded()
try:
    asyncio.run(check_key(None, "http://127.0.0.1:1"))
except ModelBusy:
    print(before, loaded(), logging.getLogger().handlers)
"""


def test_the_sdk_is_loaded_with_the_first_request_and_is_silent_from_then_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS],
        env={**os.environ, **LEAKS},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[] ['anthropic', 'httpx2'] []\n", "")


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_a_base_url_may_be_written_with_or_without_its_version(ending: str) -> None:
    async def ask(server: AnthropicServer) -> str:
        model = ClaudeModel(CARD, Secret(KEY), server.base_url + ending)
        return (await take(model, request()))[1].text

    assert with_server(AnthropicServer(says(text("ok"))), ask) == "ok"


def test_a_missing_key_is_said_before_anthropic_is_asked() -> None:
    model = ClaudeModel(CARD, None, "https://api.anthropic.com")
    with pytest.raises(ModelUnusable) as raised:
        asyncio.run(take(model, request()))
    assert "no key for Anthropic" in raised.value.message
    assert "fumehood keys set ANTHROPIC_API_KEY" in raised.value.next_step
    assert raised.value.cost_usd == 0


@pytest.mark.parametrize("key", ["sk-ant with a space", "sk-ant-é", "sk-ant\nsecond line"])
def test_a_key_that_cannot_be_one_is_refused_here_and_not_shown(key: str) -> None:
    with pytest.raises(ModelUnusable, match="ANTHROPIC_API_KEY cannot be a key") as raised:
        with_server(AnthropicServer(), lambda it: take(claude(it, key=key), request()))
    assert key not in str(raised.value)
    assert "fumehood keys set ANTHROPIC_API_KEY" in raised.value.next_step


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:9", "http://[::"])
def test_a_proxy_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ModelUnusable, match="proxy") as raised:
        asyncio.run(take(ClaudeModel(CARD, Secret(KEY), "https://gateway.invalid"), request()))
    assert "HTTPS_PROXY" in raised.value.next_step


@pytest.mark.parametrize(
    "url", ["", "ollama", "ftp://127.0.0.1/", "http://", "http://[::", "http://host:port"]
)
def test_a_base_url_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ModelUnusable, match="base URL") as raised:
        asyncio.run(take(ClaudeModel(CARD, Secret(KEY), url), request()))
    assert "--base-url" in raised.value.next_step


def test_a_right_key_is_found_right_and_a_wrong_one_wrong_without_any_cost() -> None:
    async def check(server: AnthropicServer) -> None:
        await check_key(Secret(KEY), server.base_url)
        with pytest.raises(ModelUnusable, match="refused the key"):
            await check_key(Secret("sk-ant-wrong"), server.base_url)

    server = AnthropicServer()
    with_server(server, check)
    assert {exchange.path for exchange in server.exchanges} == {"/v1/models"}


@pytest.mark.parametrize(
    "answer", [refuses(404, body=b"404 page not found"), refuses(200, body=b"<html>"), refuses(501)]
)
def test_a_server_without_a_list_neither_accepts_nor_refuses_a_key(answer: Answer) -> None:
    async def check() -> None:
        async with StreamingServer(then=answer) as server:
            for ask in (check_key, list_models):
                with pytest.raises(ModelRejected, match="has no list of models") as raised:
                    await ask(Secret(KEY), server.base_url)
                assert "--base-url" in raised.value.next_step

    asyncio.run(check())


def test_a_server_that_wants_a_key_and_was_told_none_says_that_it_is_missing() -> None:
    with pytest.raises(ModelUnusable, match="wants a key, and ANTHROPIC_API_KEY is missing") as raised:
        with_server(AnthropicServer(), lambda it: take(claude(it, key=None), request()))
    assert "fumehood keys set ANTHROPIC_API_KEY --no-check" in raised.value.next_step


def test_all_pages_of_the_list_of_models_are_read_whoever_wrote_them() -> None:
    models: list[Json] = [
        {"id": "claude-a", "display_name": "Claude A", "max_input_tokens": 1_000_000, "max_tokens": 64_000},
        {"id": "claude-b", "display_name": "Claude B", "max_input_tokens": None},
        {"id": "llama", "object": "model"},
    ]

    async def ask(server: AnthropicServer) -> tuple[LiveModel, ...]:
        return await list_models(Secret(KEY), server.base_url)

    assert with_server(AnthropicServer(models=models), ask) == (
        LiveModel("claude-a", "Claude A", 1_000_000, 64_000),
        LiveModel("claude-b", "Claude B"),
        LiveModel("llama"),
    )
