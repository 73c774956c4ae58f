"""Who is asked for Gemini, and with which key: what was chosen decides, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import aiohttp
import pytest

from core.errors import ModelUnusable
from core.keys.secret import Secret
from core.models.gemini import GeminiModel, check_key, list_models
from core.models.vendors import VENDORS
from tests.core.models.gemini_turns import (
    KEY,
    card,
    one_turn,
    turn,
)
from tests.fakes.gemini_server import (
    BAD_KEY,
    MODELS,
    GeminiServer,
    says,
    text,
)


def test_the_key_goes_in_a_header_and_never_in_the_address() -> None:
    _, exchange = one_turn(says(text("Yes.")))
    assert exchange.headers["x-goog-api-key"] == KEY.reveal()
    assert (exchange.method, exchange.path) == ("POST", "/v1beta/models/gemini-a:streamGenerateContent")
    assert exchange.query == {"alt": ["sse"]}
    assert KEY.reveal().encode() not in exchange.body


def test_the_environment_decides_neither_the_server_nor_the_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_USE_ENTERPRISE": "true",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
        "GOOGLE_VERTEX_BASE_URL": "http://127.0.0.1:9",
        "GOOGLE_API_KEY": "a-key-of-the-environment",
        "GEMINI_API_KEY": "a-key-of-the-environment",
        "GOOGLE_CLOUD_PROJECT": "a-project",
        "GOOGLE_CLOUD_LOCATION": "europe-west1",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "GOOGLE_GENAI_CLIENT_MODE": "replay",
        "GOOGLE_GENAI_REPLAYS_DIRECTORY": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    _, exchange = one_turn(says(text("Yes.")))
    assert exchange.headers["x-goog-api-key"] == KEY.reveal()
    assert exchange.path == "/v1beta/models/gemini-a:streamGenerateContent"
    _, keyless = one_turn(says(text("Yes.")), key=None)
    assert "x-goog-api-key" not in keyless.headers
    assert "a-key-of-the-environment" not in str(keyless.headers)
    assert [record for record in caplog.records if record.name.startswith("google_genai")] == []


def test_an_environment_that_the_sdk_cannot_live_with_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_HTTP_CLIENT", "httpx")
    with pytest.raises(ModelUnusable, match="GOOGLE_GENAI_HTTP_CLIENT"):
        one_turn(says(text("Yes.")))


def test_aiohttp_is_not_used_although_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from google.genai import _api_client

    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError("aiohttp was used")

    monkeypatch.setattr(aiohttp.ClientSession, "_request", refuse)
    assert _api_client.has_aiohttp, "the trap is not set"
    said, exchange = one_turn(says(text("Yes.")))
    assert said.text == "Yes."
    assert "aiohttp" not in exchange.headers["user-agent"]


def test_the_server_is_not_told_to_give_up_after_a_time() -> None:
    _, exchange = one_turn(says(text("Yes.")))
    assert "x-server-timeout" not in exchange.headers


def test_the_sdk_is_imported_at_the_first_turn_and_in_a_thread() -> None:
    program = """
import sys, threading
import core.models.gemini
assert not {"google.genai", "httpx2", "aiohttp"} & set(sys.modules), "imported too early"

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in ("google.genai", "httpx2"):
            print(name, threading.current_thread() is threading.main_thread())

sys.meta_path.insert(0, Watch())
import asyncio
from core.models.gemini import list_models
from core.errors import ModelBusy
try:
    asyncio.run(list_models(None, "http://127.0.0.1:1"))
except ModelBusy:
    print("asked")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["httpx2 False", "google.genai False", "asked"]


def test_models_are_listed_with_what_they_can_read_and_write() -> None:
    async def ask() -> Any:
        async with GeminiServer() as server:
            return await list_models(KEY, server.base_url), server.exchanges

    models, exchanges = asyncio.run(ask())
    assert [(one.id, one.title, one.context_tokens) for one in models] == [
        ("gemini-a", "Gemini A", 1_000_000),
        ("gemini-b", "", None),
    ]
    assert len(MODELS) == 3
    assert all("key" not in exchange.query for exchange in exchanges)


def test_a_key_is_checked_without_asking_for_a_turn() -> None:
    async def ask() -> tuple[str, str]:
        async with GeminiServer() as server:
            await check_key(KEY, server.base_url)
            return server.exchanges[0].method, server.exchanges[0].path

    assert asyncio.run(ask()) == ("GET", "/v1beta/models")


def test_a_key_that_is_refused_is_said_so_with_the_next_step() -> None:
    async def ask() -> None:
        async with GeminiServer(BAD_KEY) as server:
            await check_key(KEY, server.base_url)

    with pytest.raises(ModelUnusable, match=r"API key not valid.*fumehood keys set GOOGLE_API_KEY"):
        asyncio.run(ask())


@pytest.mark.parametrize("value", ["schlüssel", "two\nlines", "auth_tokens/abc"])
def test_what_cannot_be_a_key_is_not_sent(value: str) -> None:
    with pytest.raises(ModelUnusable, match="GOOGLE_API_KEY cannot be a key") as caught:
        asyncio.run(check_key(Secret(value), "http://127.0.0.1:1"))
    assert value not in str(caught.value)


def test_without_a_key_google_is_not_asked() -> None:
    with pytest.raises(
        ModelUnusable, match=r"no key for Google.*aistudio.google.com.*keys set GOOGLE_API_KEY"
    ):
        asyncio.run(turn(GeminiModel(card(), None, VENDORS["google"].url)))
